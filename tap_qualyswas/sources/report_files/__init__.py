"""Report files that a person exported from the portal, and the streams that they fill."""
