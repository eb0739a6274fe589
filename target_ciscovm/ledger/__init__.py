"""What is open in CVM, as far as this connector knows."""
