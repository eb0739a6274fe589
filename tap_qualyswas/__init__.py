"""Singer tap for Qualys Web Application Scanning."""
