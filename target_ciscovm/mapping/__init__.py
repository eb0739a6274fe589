"""From Qualys's records to the entries of a KDI file. Pure."""
