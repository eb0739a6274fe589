"""How Qualys reads and answers a search."""
