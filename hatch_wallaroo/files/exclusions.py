"""What never belongs in a bundle, and what the user leaves out besides.

The tables are data: a name, in lower case, and what it is, as the summary says it.
They hold below a declared folder, not for what is itself declared.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

from hatch_wallaroo.files.rules import EXCLUDE_PATTERN
from hatch_wallaroo.files.sources import ModelFiles
from hatch_wallaroo.findings import Finding

_VERSION_CONTROL = "version control"
_PYTHON_CACHE = "a Python cache"
_TOOL_CACHE = "a tool's cache"
_DESKTOP = "the desktop's bookkeeping"
_EDITOR = "an editor's settings"
_ENVIRONMENT = "a virtual environment"
_BUILD_OUTPUT = "an earlier build's output"

FOLDERS = {
    ".git": _VERSION_CONTROL,
    ".hg": _VERSION_CONTROL,
    ".svn": _VERSION_CONTROL,
    ".bzr": _VERSION_CONTROL,
    ".jj": _VERSION_CONTROL,
    "_darcs": _VERSION_CONTROL,
    "cvs": _VERSION_CONTROL,
    ".dvc": _VERSION_CONTROL,
    "__pycache__": _PYTHON_CACHE,
    ".mypy_cache": _TOOL_CACHE,
    ".pytest_cache": _TOOL_CACHE,
    ".ruff_cache": _TOOL_CACHE,
    ".pytype": _TOOL_CACHE,
    ".pyre": _TOOL_CACHE,
    ".hypothesis": _TOOL_CACHE,
    ".tox": _TOOL_CACHE,
    ".nox": _TOOL_CACHE,
    ".eggs": _TOOL_CACHE,
    ".cache": _TOOL_CACHE,
    ".ipynb_checkpoints": "a notebook's checkpoints",
    "__macosx": _DESKTOP,
    ".spotlight-v100": _DESKTOP,
    ".trashes": _DESKTOP,
    ".fseventsd": _DESKTOP,
    ".temporaryitems": _DESKTOP,
    "$recycle.bin": _DESKTOP,
    ".idea": _EDITOR,
    ".vscode": _EDITOR,
    ".venv": _ENVIRONMENT,
    ".pixi": _ENVIRONMENT,
    "node_modules": "Node's packages",
    "htmlcov": "a coverage report",
}
"""Folders by name, anywhere below a declared one."""

FILES = {
    ".git": _VERSION_CONTROL,
    ".gitignore": _VERSION_CONTROL,
    ".gitattributes": _VERSION_CONTROL,
    ".gitmodules": _VERSION_CONTROL,
    ".gitkeep": _VERSION_CONTROL,
    ".hgignore": _VERSION_CONTROL,
    ".dvcignore": _VERSION_CONTROL,
    "*.pyc": _PYTHON_CACHE,
    "*.pyo": _PYTHON_CACHE,
    ".ds_store": _DESKTOP,
    "thumbs.db": _DESKTOP,
    "ehthumbs.db": _DESKTOP,
    "desktop.ini": _DESKTOP,
    ".directory": _DESKTOP,
    "._*": _DESKTOP,
    "icon\r": _DESKTOP,
    "*~": "an editor's backup",
    ".*.sw[op]": "an editor's backup",
    ".coverage": "a coverage report",
    ".coverage.*": "a coverage report",
}
"""Files by pattern, anywhere below a declared folder."""

COME_AND_GO = frozenset({*FOLDERS.values(), *FILES.values(), _BUILD_OUTPUT, "package metadata"})
"""Reasons of what tools write beside a project's own files: two clones of one commit differ in it."""

ROOT_FOLDERS = {"dist": _BUILD_OUTPUT}
"""Folders that are excluded at the top of the project only."""

FOLDER_SUFFIXES = {".egg-info": "package metadata", ".dist-info": "package metadata"}

MARKERS = {"pyvenv.cfg": _ENVIRONMENT, "conda-meta": _ENVIRONMENT, "CACHEDIR.TAG": _TOOL_CACHE}
"""Names inside a folder that tell what the whole folder is."""

_TESTS = "tests"
_TEST_FOLDERS = {"test", "tests"}
_TEST_MODULE = re.compile(r"\A(?:__init__|conftest|test_.*|.*_test)\.py\Z")
_MANIFEST_SUFFIX = ".wallaroo.json"
_FILE_PATTERN = re.compile("|".join(fnmatch.translate(pattern) for pattern in FILES))


def folder_reason(name: str) -> str | None:
    """What a folder is by its name alone, or None where it may belong."""
    lower = name.lower()
    suffix = next((FOLDER_SUFFIXES[each] for each in FOLDER_SUFFIXES if lower.endswith(each)), None)
    return FOLDERS.get(lower) or suffix


def file_reason(name: str) -> str | None:
    """What a file is by its name alone, or None where it may belong."""
    lower = name.lower()
    if lower in FILES:
        return FILES[lower]
    if not _FILE_PATTERN.match(lower):
        return None
    return next(reason for pattern, reason in FILES.items() if fnmatch.fnmatchcase(lower, pattern))


def inside_reason(name: str, inside: Collection[str], below: Iterable[str]) -> str | None:
    """What a folder is by what lies in it: a virtual environment, a cache, Python tests.

    `inside` are the names right in it, `below` those in its folders: taken only where its own name says tests, and only
    until one decides.
    """
    marked = next((MARKERS[each] for each in inside if each in MARKERS), None)
    if marked or not may_hold_tests(name):
        return marked
    return _TESTS if any(map(_TEST_MODULE.match, chain(inside, below))) else None


def may_hold_tests(name: str) -> bool:
    """Whether a folder's name says tests; only a module of tests in it decides, as data may be called so too."""
    return name.lower() in _TEST_FOLDERS


def output_names(names: Sequence[str]) -> frozenset[str]:
    """Those names in a folder that an earlier build left there: our manifest, its bundle, packages beside them.

    A manifest is known by its name and a file of the same stem beside it, so an
    old output folder (`hatch build -d out`) is recognised wherever it lies.
    """
    stems = [name.removesuffix(_MANIFEST_SUFFIX) for name in names if name.endswith(_MANIFEST_SUFFIX)]
    left: set[str] = set()
    for stem in stems:
        bundles = [name for name in names if name.startswith(f"{stem}.") and "." not in name[len(stem) + 1 :]]
        if bundles:
            left.update(bundles, [f"{stem}{_MANIFEST_SUFFIX}"])
    if left:
        left.update(name for name in names if name.endswith((".whl", ".tar.gz")))
    return frozenset(left)


@dataclass(frozen=True)
class Exclusions:
    """The user's `exclude` patterns, in gitignore's notation, relative to the project."""

    spec: ModelFiles

    def folder(self, label: str, *, in_project: bool = True) -> str | None:
        """Why a folder is left out, or None; `label` has no final slash, relative to the project or a zip."""
        by_name = folder_reason(label.rpartition("/")[2]) or (ROOT_FOLDERS.get(label) if in_project else None)
        return by_name or self.pattern(f"{label}/")

    def file(self, label: str) -> str | None:
        """Why a file is left out, or None."""
        return file_reason(label.rpartition("/")[2]) or self._distribution(label) or self.pattern(label)

    def _distribution(self, label: str) -> str | None:
        """A front end may have built the project's sdist or wheel a moment ago, into a folder that is packed."""
        begin = self.spec.distributions
        if begin is None or not label.startswith(begin):
            return None
        own = label == f"{begin}.tar.gz" or (label.startswith(f"{begin}-") and label.endswith(".whl"))
        return "the project's own distribution" if own else None

    def pattern(self, label: str) -> str | None:
        """The `exclude` pattern that takes a path out, as a reason; folders end in a slash."""
        index = self.index(label)
        return None if index is None else f"exclude {self.spec.exclude[index]!r}"

    def index(self, label: str) -> int | None:
        """The place in `exclude` of the pattern that takes a path out."""
        if not self.spec.exclude:
            return None
        matcher, indices, negated = self._compiled
        found = matcher.check_file(label)
        if not found.include:
            return None
        index: int = indices[found.index]
        # `data/**` names what is in the folder; a `!data/keep.txt` after it still counts.
        if label.endswith("/") and negated and self.spec.exclude[index].rstrip().endswith("/**"):
            return None
        return index

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """The patterns that cannot be used."""
        found = []
        for index, pattern in enumerate(self.spec.exclude):
            if reason := _pattern_problem(pattern):
                place = self.spec.at("exclude", index)
                found.append(
                    EXCLUDE_PATTERN.finding(
                        f"the exclude pattern {pattern!r} {reason}",
                        fix="write a glob as .gitignore takes it: 'data/raw/', '*.csv', '/notes.txt'",
                        place=place,
                    )
                )
        return tuple(found)

    @cached_property
    def _compiled(self) -> tuple[Any, tuple[int, ...], bool]:
        from pathspec import GitIgnoreSpec

        indices = [index for index, pattern in enumerate(self.spec.exclude) if not _pattern_problem(pattern)]
        patterns = [self.spec.exclude[index] for index in indices]
        return GitIgnoreSpec.from_lines(patterns), tuple(indices), any(each.startswith("!") for each in patterns)


def _pattern_problem(pattern: str) -> str | None:
    from pathspec import GitIgnoreSpec

    if not pattern.strip() or pattern.startswith("#"):
        return "is empty" if not pattern.strip() else "is a comment"
    if ".." in pattern.split("/"):
        return "leaves the project"
    if re.search(r"\\\w", pattern):
        return "has backslashes; folders are separated by forward slashes"
    try:
        made = list(GitIgnoreSpec.from_lines([pattern]).patterns)
    except (ValueError, re.error):
        return "is not a glob"
    return None if made and made[0].include is not None else "matches nothing"
