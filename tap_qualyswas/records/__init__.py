"""From the XML of an answer to flat records. Pure."""
