"""How Qualys writes its objects."""
