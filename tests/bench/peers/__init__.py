"""The programs that are measured, and what others would run in their place."""
