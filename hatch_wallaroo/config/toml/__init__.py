"""The text of pyproject.toml: parsed, its keys found again by line and column, and edited without a loss."""
