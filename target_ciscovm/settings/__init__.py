"""The target's settings: their schema, and their typed values."""
