"""The model of CVM, its tenant and its reading of KDI files."""
