"""Files on their way to CVM."""
