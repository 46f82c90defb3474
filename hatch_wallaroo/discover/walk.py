"""All files of a repository that may be, or belong to, a model; bounded in number and time.

Models are most often ignored by git, so .gitignore does not count here; environments, caches, earlier builds and
hidden folders are never looked into.
"""

from __future__ import annotations

import os
import re
import time
from collections import deque
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from hatch_wallaroo.files.exclusions import ROOT_FOLDERS, file_reason, folder_reason
from hatch_wallaroo.files.paths import length_problem, name_problem
from hatch_wallaroo.files.walk import is_folder, look_into, within
from hatch_wallaroo.findings import PYPROJECT, Finding, Level, Place, rule
from hatch_wallaroo.text import describe_error, display_path

NOT_ALL_SEEN = rule(
    "WLR678",
    "not everything was looked at",
    why="Looking for models has limits, so that a folder with a million pictures does not take minutes.",
    source="The limits of this tool",
    level=Level.NOTE,
)

MOST = 50_000
"""Files that are listed."""
MOST_IN_A_FOLDER = 5_000
DEEPEST = 12
SECONDS = 20.0
"""How long the search for models may take, reading included."""

SUFFIXES = (
    ".onnx", ".ort", ".h5", ".hdf5", ".keras", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".sav", ".dill",
    ".safetensors", ".gguf", ".ggml", ".tflite", ".pb", ".ubj", ".xgb", ".bst", ".cbm", ".pmml",
)  # fmt: skip
"""What the names of models end in, for what is said of files that are none."""

_SKIPPED = frozenset({"site-packages", "__pypackages__", "bower_components", "wheelhouse"})
_TABLE = re.compile(rb"^\s*\[\s*tool\s*\.\s*wallaroo\b", re.MULTILINE)
_LARGEST = 1 << 20
_SKIPPED_AT_THE_TOP = frozenset({*ROOT_FOLDERS, "build"})
_NAME_IT = "name a model that lies there: hatch-wallaroo init --model PATH"


class Deadline:
    """The end of the time that a search may take."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._end = time.monotonic() + seconds

    @property
    def passed(self) -> bool:
        return time.monotonic() > self._end


@dataclass(frozen=True)
class RepositoryFile:
    """A regular file: `label` is its path from the project, with forward slashes, as it is spelt on the disk."""

    label: str
    path: Path
    size: int

    @property
    def name(self) -> str:
        return self.label.rpartition("/")[2]

    @property
    def folder(self) -> str:
        return self.label.rpartition("/")[0]

    @property
    def suffix(self) -> str:
        return os.path.splitext(self.name)[1].lower()  # noqa: PTH122 - of a name that may be no path


@dataclass
class Tree:
    """What was seen: files by their label, shallow ones first; `findings` say what was not."""

    root: Path
    files: dict[str, RepositoryFile] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @cached_property
    def folders(self) -> dict[str, dict[str, RepositoryFile]]:
        """The files right in each folder, by their names; '' is the project's own. For a tree that is complete."""
        made: dict[str, dict[str, RepositoryFile]] = {}
        for each in self.files.values():
            made.setdefault(each.folder, {})[each.name] = each
        return made


def walk(root: Path, deadline: Deadline) -> Tree:
    """List a repository, folder by folder, the shallow ones first. Links that leave it are not followed."""
    tree = Tree(root)
    real = os.path.realpath(root)
    waiting: deque[tuple[str, int]] = deque([("", 0)])
    while waiting:
        folder, depth = waiting.popleft()
        if len(tree.files) >= MOST or deadline.passed:
            what = f"{MOST:,} files were looked at" if len(tree.files) >= MOST else "it took too long"
            _not_seen(tree, f"{_called(folder)} and what comes after it: {what}")
            break
        for entry in _entries(tree, folder):
            label = f"{folder}/{entry.name}" if folder else entry.name
            if is_folder(entry):
                if depth < DEEPEST and not _skipped(label):
                    waiting.append((label, depth + 1))
            elif problem := _problem(entry, label, real):
                if label.lower().endswith(SUFFIXES):
                    _not_seen(tree, f"{display_path(label)} {problem}")
            elif file := _file(entry, label):
                tree.files[label] = file
    return tree


def look(root: Path, label: str) -> Tree:
    """The tree of one file or folder that the user named."""
    path = root / label
    if path.is_dir():
        inner = walk(path, Deadline())
        moved = {
            f"{label}/{key}": RepositoryFile(f"{label}/{key}", each.path, each.size)
            for key, each in inner.files.items()
        }
        return Tree(root, moved if label != "." else inner.files, inner.findings)
    return Tree(root, {label: RepositoryFile(label, path, path.stat().st_size)})


def _entries(tree: Tree, folder: str) -> list[os.DirEntry[str]]:
    """What lies in a folder, by name; nothing where the folder is an environment, a cache, full, or unreadable."""
    try:
        inside = look_into(str(tree.root / folder), MOST_IN_A_FOLDER)
    except OSError as error:
        _not_seen(tree, f"{_called(folder)} cannot be read: {describe_error(error)}")
        return []
    if folder and (inside.reason or _declares(tree.root / folder, inside.entries)):
        return []
    if inside.more:
        _not_seen(tree, f"{_called(folder)} holds more than {MOST_IN_A_FOLDER:,} files: the rest of it")
    return inside.entries


def _called(folder: str) -> str:
    return display_path(folder) or "the project"


def _declares(folder: Path, entries: list[os.DirEntry[str]]) -> bool:
    """Whether a folder is a project of its own that declares its models."""
    if all(each.name != PYPROJECT for each in entries):
        return False
    try:
        with (folder / PYPROJECT).open("rb") as stream:
            return _TABLE.search(stream.read(_LARGEST)) is not None
    except OSError:
        return False


def _skipped(label: str) -> bool:
    name = label.rpartition("/")[2]
    return (
        name.startswith(".")
        or name in _SKIPPED
        or label.lower() in _SKIPPED_AT_THE_TOP
        or bool(folder_reason(name) or name_problem(name))
    )


def _problem(entry: os.DirEntry[str], label: str, root: str) -> str | None:
    """Why a file can be part of no bundle, as the end of a sentence."""
    if problem := name_problem(entry.name) or length_problem(label):
        return problem
    try:
        if entry.is_symlink() and not within(os.path.realpath(entry.path), root):
            return "is a link that leaves the project"
    except (OSError, ValueError):
        return "is a link that cannot be followed"
    return None


def _file(entry: os.DirEntry[str], label: str) -> RepositoryFile | None:
    """A regular file; None for anything else, and for what tools write beside a project's own files."""
    try:
        if file_reason(entry.name) or not entry.is_file():
            return None
        return RepositoryFile(label, Path(entry.path), entry.stat().st_size)
    except OSError:
        return None


def _not_seen(tree: Tree, what: str) -> None:
    if len(tree.findings) < 20:  # noqa: PLR2004 - as many as anyone reads
        tree.findings.append(NOT_ALL_SEEN.finding(f"not looked at: {what}", fix=_NAME_IT, place=Place()))
