"""The folder of a run, files that only their owner can read, and the lock."""
