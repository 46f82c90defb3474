"""Where the files of a report lie: as seen from the repository's top, and what archive a member is in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def source_root(root: Path, environ: Mapping[str, str]) -> Path:
    """The folder that paths in reports are relative to: the repository's, in which the project may be a sub-folder.

    GitHub says it; elsewhere it is the nearest folder with a `.git`, and without one the project itself.
    """
    here = Path(os.path.realpath(root))
    said = environ.get("GITHUB_WORKSPACE")
    workspace = Path(os.path.realpath(said)) if said else None
    if workspace is not None and here.is_relative_to(workspace):
        return workspace
    return next((each for each in (here, *here.parents) if (each / ".git").exists()), here)


def prefix(root: Path, environ: Mapping[str, str]) -> str:
    """What leads from the repository to the project: empty, or `models/fraud/`."""
    inner = Path(os.path.realpath(root)).relative_to(source_root(root, environ)).as_posix()
    return "" if inner == "." else f"{inner}/"


def artifact(root: Path, file: str) -> tuple[str, str]:
    """The file on disk that a place names, and the member in it where that is an archive's: `a.zip!b`."""
    at = file.find("!")
    while at >= 0 and not os.path.lexists(root / file):
        if (root / file[:at]).is_file():
            return file[:at], file[at + 1 :]
        at = file.find("!", at + 1)
    return file, ""
