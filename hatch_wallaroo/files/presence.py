"""Whether something lies at a path of the user's.

pathlib raises where a folder on the way may not be searched, and for names that no file system takes. Here nothing is
there then, for who may not see it; whoever goes on to read a declared path says why it cannot be read.
"""

from __future__ import annotations

import os
from pathlib import Path


def exists(path: Path) -> bool:
    """Whether anything is there, links followed."""
    return os.path.exists(path)  # noqa: PTH110 - see above


def is_file(path: Path) -> bool:
    """Whether a file is there, links followed."""
    return os.path.isfile(path)  # noqa: PTH113 - see above


def is_folder(path: Path) -> bool:
    """Whether a folder is there, links followed."""
    return os.path.isdir(path)  # noqa: PTH112 - see above


def is_hidden(path: Path) -> bool:
    """Whether a folder on the way keeps from seeing what is there."""
    try:
        os.stat(path)  # noqa: PTH116 - as above
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
    return False


def is_readable(path: Path) -> bool:
    """Whether something is there that may be read."""
    return os.access(path, os.R_OK)
