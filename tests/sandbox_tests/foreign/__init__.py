"""Public clients of Qualys, run against the sandbox."""
