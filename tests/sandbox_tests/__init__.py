"""What the sandbox promises the tests that are built on it."""
