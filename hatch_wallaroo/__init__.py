"""From `[tool.wallaroo]` in pyproject.toml to a model that runs on Wallaroo."""

from hatch_wallaroo.__about__ import __version__

__all__ = ["__version__"]
