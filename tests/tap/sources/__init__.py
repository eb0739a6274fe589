"""What is read, and from where."""
