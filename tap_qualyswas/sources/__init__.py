"""What is read, and from where: one module for each stream and each source of findings."""
