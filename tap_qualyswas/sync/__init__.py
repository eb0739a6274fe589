"""One run: full or incremental, state and bookmarks, reading and writing, coverage and proof."""
