"""A strict check of KDI files."""
