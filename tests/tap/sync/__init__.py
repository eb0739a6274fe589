"""Runs of the tap, one after the other."""
