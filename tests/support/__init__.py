"""What the tests of every room share."""
