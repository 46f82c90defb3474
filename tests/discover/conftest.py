from __future__ import annotations

from support.command_line import run  # noqa: F401 - a fixture

collect_ignore = ["repositories"]
