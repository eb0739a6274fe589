"""What becomes of the XML of Qualys."""
