"""What writes the generated files and the tables of the docs, and checks a release."""
