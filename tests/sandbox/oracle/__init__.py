"""The judge: what CVM must hold, computed from the world alone."""
