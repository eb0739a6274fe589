"""What CVM holds of one connector, read whole or not at all."""
