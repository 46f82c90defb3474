"""A repository on disk as all faces see it: its pyproject.toml, what the project says of itself, its models."""
