"""Taking an existing repository in: which models lie in it, and what its pyproject.toml needs for them."""
