"""The files in `deploy/`: right by their own checkers, and working as written."""
