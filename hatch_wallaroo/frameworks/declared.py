"""What stands at a declared path: asked before its files are listed, to choose the message."""

from __future__ import annotations

import os.path

from hatch_wallaroo.config.spec import ModelSpec


def is_folder(spec: ModelSpec, declared: str) -> bool:
    """False too for names that no file system takes, which pathlib raises for."""
    return os.path.isdir(spec.path(declared))  # noqa: PTH112 - see above


def is_file(spec: ModelSpec, declared: str) -> bool:
    """False too for names that no file system takes, which pathlib raises for."""
    return os.path.isfile(spec.path(declared))  # noqa: PTH113 - see above
