"""The KDI format: its types, its limits, and the files."""
