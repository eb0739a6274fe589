"""Cisco Vulnerability Management: its calls, uploads, runs and connectors."""
