"""What is read and from where: a module for each stream and each source of findings."""
