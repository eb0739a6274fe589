"""The table of faults, and that each of them strikes."""
