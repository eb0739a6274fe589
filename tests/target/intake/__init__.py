"""The target's reading of lines: kept, passed over or rejected."""
