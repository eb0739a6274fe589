"""From lines to typed records to the spool, and what is rejected on the way."""
