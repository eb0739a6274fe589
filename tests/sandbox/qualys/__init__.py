"""A model of a Qualys platform."""
