"""The Python files of a bundle, parsed and never executed."""

from __future__ import annotations

import ast
import posixpath
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hatch_wallaroo.files.pointers import lfs_pointer
from hatch_wallaroo.files.sources import Entry
from hatch_wallaroo.findings import Finding, Place, rule

UNPARSEABLE = rule(
    "WLR551",
    "a Python file cannot be parsed",
    why="The platform executes the file when it converts the model, and stops at the first line that is no Python.",
    source="mac 2023.2.1 to 2026.1.3, import of the inference module",
)

LARGEST = 4 * 1024 * 1024
"""Bytes of a Python file that are still read: far beyond what anybody writes by hand."""


@dataclass(frozen=True, eq=False)
class SourceFile:
    """One .py file: `path` inside the bundle (without the top folder), `label` as the user calls it.

    `tree` is None where the file could not be parsed; `problem` says why, unless that is said elsewhere.
    """

    path: str
    label: str
    text: str
    tree: ast.Module | None
    problem: Finding | None = None

    @property
    def folder(self) -> str:
        return posixpath.dirname(self.path)

    @property
    def stem(self) -> str:
        return posixpath.basename(self.path)[: -len(".py")]

    @property
    def postponed(self) -> bool:
        """Whether `from __future__ import annotations` stands at its top."""
        return self.postponing is not None

    @property
    def postponing(self) -> ast.ImportFrom | None:
        """The `from __future__ import annotations` statement."""
        for each in self.tree.body if self.tree else ():
            if not isinstance(each, ast.ImportFrom) or each.module != "__future__":
                continue
            if any(a.name == "annotations" for a in each.names):
                return each
        return None

    def place(self, node: ast.AST | None = None) -> Place:
        """The place of a node, columns counted from 1; the file alone without one."""
        line = getattr(node, "lineno", None)
        column = getattr(node, "col_offset", None)
        return Place(file=self.label or self.path, line=line, column=None if column is None else column + 1)


@dataclass(frozen=True, eq=False)
class Sources:
    """All Python files of a bundle by their path there.

    `folders` are all folders of the bundle that hold Python, the bundle's own (`""`) included.
    """

    files: Mapping[str, SourceFile]
    folders: frozenset[str]


def read_sources(entries: Iterable[Entry], top: str) -> Sources:
    """Parse the .py entries of a bundle whose top folder is `top` (`""` for a flat one).

    What is larger than 4 MiB was not written by hand: it is left alone, as is what cannot be read.
    """
    files: dict[str, SourceFile] = {}
    for entry in entries:
        path = entry.path.removeprefix(f"{top}/") if top else entry.path
        if path.endswith(".py"):
            files[path] = _parse(entry, path)
    return Sources(files, _folders(files))


def _folders(files: Iterable[str]) -> frozenset[str]:
    found = {""}
    for path in files:
        folder = posixpath.dirname(path)
        while folder and folder not in found:
            found.add(folder)
            folder = posixpath.dirname(folder)
    return frozenset(found)


def _parse(entry: Entry, path: str) -> SourceFile:
    unseen = SourceFile(path, entry.name, "", None)
    try:
        if entry.source.size > LARGEST:
            return unseen
        with entry.source.open() as stream:
            data = stream.read(LARGEST + 1)
        pointer = lfs_pointer(entry.source)
    except OSError:
        return unseen
    if pointer is not None:
        return unseen
    text = data.decode("utf-8", "replace")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(data)
    except SyntaxError as error:
        return SourceFile(path, entry.name, text, None, _syntax(entry.name, error))
    except (ValueError, RecursionError, MemoryError):
        problem = UNPARSEABLE.finding(
            f"{entry.name} is no Python that can be parsed (null bytes, or nested too deeply)",
            fix="open the file in an editor: it may be damaged",
            place=Place(file=entry.name),
        )
        return SourceFile(path, entry.name, text, None, problem)
    return SourceFile(path, entry.name, text, tree)


def _syntax(name: str, error: SyntaxError) -> Finding:
    said = (error.msg or "invalid syntax").split("\n")[0]
    return UNPARSEABLE.finding(
        f"{name} is not valid Python: {said}",
        fix="correct the line",
        place=Place(file=name, line=error.lineno or None, column=error.offset or None),
    )
