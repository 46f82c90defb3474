"""The rules about files that are listed, and the nearest path to one that is missing."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

from hatch_wallaroo.findings import Level, nearest, rule

_ARCHIVE = "A bundle is one archive that a Linux container unpacks; "

DECLARED_PATH = rule(
    "WLR200",
    "a path that is not inside the project",
    why="A bundle is built from the project alone, so that it can be built again on any machine. Absolute paths, "
    "'..', drive letters and backslashes mean something else, or nothing, on the next one.",
    source="The table's reference: paths are relative to pyproject.toml, with forward slashes",
)
MISSING = rule(
    "WLR201",
    "a declared file or folder does not exist",
    why="Without it the bundle would be built without the model, and fail on the platform minutes later.",
    source="hatchling's include lists match nothing silently; a declared path must exist",
)
WRONG_KIND = rule(
    "WLR202",
    "a folder where a file is expected, or a file where a folder is",
    why="Each framework's upload is either one file or a zip of one folder.",
    source="Model upload guide, the requirements of each framework",
)
LINK_OUTSIDE = rule(
    "WLR203",
    "a link that leaves the project",
    why="What it points to is not part of the repository: another machine builds something else, or private files "
    "go to the platform by accident.",
    source=_ARCHIVE + "its content is the project's",
)
LINK_BROKEN = rule(
    "WLR204",
    "a link that leads nowhere, or in a circle",
    why="There is no file to put into the bundle.",
    source=_ARCHIVE + "links are replaced by what they point to",
)
SPECIAL_FILE = rule(
    "WLR205",
    "a device, socket or pipe",
    why="Reading one may block for ever or never end.",
    source=_ARCHIVE + "only regular files have a content to put there",
)
UNREADABLE = rule(
    "WLR206",
    "a file or folder that cannot be read",
    why="The bundle would lack it.",
    source="The operating system's answer",
)
NOTHING = rule(
    "WLR207",
    "nothing is there to take",
    why="An empty folder, or a glob that matches no file, gives a bundle that lacks the model.",
    source="A gitignored model once gave an empty zip without a word; a declared path must give a file",
)
UNSAFE_NAME = rule(
    "WLR208",
    "a file name that an archive cannot carry",
    why="Names in a zip are UTF-8. Other bytes, control characters and backslashes come out as another name, or as "
    "folders, where the platform unpacks them.",
    source="APPNOTE.TXT 4.4.17 and appendix D: names are UTF-8 with forward slashes",
)
TOO_MANY = rule(
    "WLR209",
    "more files than a model has",
    why="It is nearly always a wrong folder: a home folder, a data set, links that multiply.",
    source="The largest published model repositories have a few thousand files",
)
EXCLUDED_YET_DECLARED = rule(
    "WLR211",
    "a file is declared and excluded",
    why="What is declared by its exact path is taken, so the pattern has no effect on it.",
    source="The table's reference: `exclude` narrows folders and globs",
    level=Level.NOTE,
)

_LOOKED_AT = 2_000
_FOLDERS_LOOKED_AT = 200


def missing_fix(root: Path, label: str, *, glob: bool = False) -> str:
    """How to mend a missing path: the nearest one that exists, or what to check."""
    if glob:
        return "name one path here; patterns are for `artifacts`"
    near = _same_name_below(root, label.rpartition("/")[2]) or _nearest_path(root, label)
    if near:
        return f"did you mean {near!r}?"
    return "check the path; it is relative to the folder that holds pyproject.toml"


def _nearest_path(root: Path, label: str) -> str | None:
    """The path with its first unknown name replaced by the most similar one, if the whole then exists."""
    kept: list[str] = []
    corrected = False
    for part in label.split("/"):
        here = root.joinpath(*kept)
        if not os.path.lexists(here / part):
            near = nearest(part, _names(here))
            if near is None:
                break
            part, corrected = near, True  # noqa: PLW2901 - the rest is looked up below the corrected name
        kept.append(part)
    return "/".join(kept) if corrected else None


def _same_name_below(root: Path, name: str) -> str | None:
    """A file of the same name one folder further down."""
    folders = [each for each in _names(root) if not each.startswith(".")][:_FOLDERS_LOOKED_AT]
    return next((f"{folder}/{name}" for folder in sorted(folders) if (root / folder / name).exists()), None)


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in islice(entries, _LOOKED_AT)]
    except OSError:
        return []
