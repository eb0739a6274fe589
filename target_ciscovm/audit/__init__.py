"""What CVM itself holds: an audit of the ledger, its rebuilding, and what a load came to."""
