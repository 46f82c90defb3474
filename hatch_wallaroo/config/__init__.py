"""`[tool.wallaroo]` in pyproject.toml: its model, its reader, its JSON Schema, its reference."""
