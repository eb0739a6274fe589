"""KDI files and their limits."""
