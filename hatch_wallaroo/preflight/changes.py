"""Whether the files of a project were changed: looked at now and then, by size and time, without what tools leave."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from hatch_wallaroo.files.exclusions import FILES, FOLDERS

LIMIT = 20_000
"""Files that are looked at; what lies behind is not."""

Seen = Mapping[str, tuple[int, int, int]]


def look(root: Path, *, without: Path | None = None) -> Seen:
    """The files below a folder with their time, size and number, but for those in `without`, where builds go.

    Folders of version control, caches and environments are passed by, as bundles do; links are not followed.
    """
    found: dict[str, tuple[int, int, int]] = {}
    waiting = [str(root)]
    left_out = os.path.realpath(without) if without else None
    while waiting and len(found) < LIMIT:
        here = waiting.pop()
        with contextlib.suppress(OSError), os.scandir(here) as entries:
            for entry in entries:
                name = entry.name.lower()
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        if name not in FOLDERS and os.path.realpath(entry.path) != left_out and not _environment(entry):
                            waiting.append(entry.path)
                    elif name not in FILES and not name.endswith((".pyc", ".pyo", "~", ".swp")):
                        status = entry.stat()
                        found[entry.path] = (status.st_mtime_ns, status.st_size, status.st_ino)
    return found


def difference(before: Seen, after: Seen) -> list[str]:
    """The files that were changed, that came and that went."""
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


def _environment(folder: os.DirEntry[str]) -> bool:
    return os.path.exists(os.path.join(folder.path, "pyvenv.cfg"))  # noqa: PTH110, PTH118 - of each folder there is
