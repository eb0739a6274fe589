"""Searches walked to their end."""
