"""What CVM holds, read from the sandbox."""
