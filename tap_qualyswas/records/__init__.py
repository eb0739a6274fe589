"""The pure steps from the XML of an answer to flat records."""
