"""The project's pages, and the code that keeps their tables true."""
