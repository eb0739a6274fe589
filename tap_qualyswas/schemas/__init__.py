"""JSON schema files, one a stream."""
