"""Faults that were seen in the real pair, each in the smallest form that shows it."""
