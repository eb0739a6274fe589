"""Flat records made of the XML of an answer, in pure steps."""
