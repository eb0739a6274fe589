"""A Qualys platform and a CVM tenant on loopback: a model of two real systems, not of our code."""
