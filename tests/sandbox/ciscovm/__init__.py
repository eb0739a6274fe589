"""A model of a Cisco Vulnerability Management tenant and its API."""
