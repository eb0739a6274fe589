"""A search walked to its end: pages, id ranges, and several walks at a time."""
