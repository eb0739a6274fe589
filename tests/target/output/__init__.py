"""Folders, private files, the lock and the log of a run."""
