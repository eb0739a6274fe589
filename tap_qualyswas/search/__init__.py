"""A search walked to its end: pages, id ranges, several walks at a time, progress."""
