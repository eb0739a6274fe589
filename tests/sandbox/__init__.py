"""A Qualys platform and a CVM tenant on loopback, made from public references alone."""
