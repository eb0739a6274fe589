"""The pure steps from Qualys's records to the entries of a KDI file."""
