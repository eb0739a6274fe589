"""What tells of runs while nobody looks."""
