"""What a load closes, leaves out and leaves alone."""
