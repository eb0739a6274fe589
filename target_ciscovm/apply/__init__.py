"""The plan carried out: files, uploads, the run in CVM, and the ledger afterwards."""
