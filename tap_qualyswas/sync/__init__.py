"""One run: full or incremental, its state and bookmarks, what was read, and the proof of it."""
