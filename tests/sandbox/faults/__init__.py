"""Faults and switches: how the modelled systems may differ or fail."""
