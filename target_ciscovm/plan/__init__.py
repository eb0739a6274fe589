"""What is to be done with each finding, and why."""
