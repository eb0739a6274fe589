"""Reports that a person exported from the portal, as XML or CSV, read as records, in pure steps."""
