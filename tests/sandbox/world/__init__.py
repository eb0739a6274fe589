"""The web applications, scans and findings that both models are shown."""
