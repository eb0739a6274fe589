"""Singer target for Cisco Vulnerability Management."""
