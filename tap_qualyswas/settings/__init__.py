"""The tap's settings: their schema, and their typed values."""
