"""What a tenant holds, and what an import does to it."""
