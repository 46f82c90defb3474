"""The Python files of a bundle, parsed and never executed; which of them no Python takes.

A tree alone does not tell: `return` outside a function, a late `from __future__`, `nonlocal` at the top and the like
parse, and fail when Python compiles them. The Python that reads is newer than the platform's; what only a newer one
accepts is told by `newer_syntax`.
"""

from __future__ import annotations

import ast
import io
import posixpath
import tokenize
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Literal

from hatch_wallaroo.files.sources import Entry, is_lfs_pointer
from hatch_wallaroo.findings import Finding, Level, Place, rule
from hatch_wallaroo.parsing import parse

UNPARSEABLE = rule(
    "WLR551",
    "a Python file cannot be parsed",
    why="The platform executes the file when it converts the model, and stops at the first line that is no Python.",
    source="mac 2023.2.1 to 2026.1.3, import of the inference module",
)

UNJUDGED = rule(
    "WLR554",
    "Python code that is too large or too deeply nested to be judged",
    why="Such a file is data or the output of a program; following each of its statements would take minutes.",
    source="hatch-wallaroo's own bound; the platform has none",
    level=Level.NOTE,
)

LARGEST = 512 * 1024
"""Bytes of a Python file that are still judged: beyond what anybody writes by hand."""
LARGEST_SUM = 8 * LARGEST
"""Bytes of all files of a bundle that are judged, those nearest to its top first."""
_REMEMBERED = 64


@dataclass(frozen=True, eq=False)
class SourceFile:
    """One .py file: `path` inside the bundle (without the top folder), `label` as the user calls it.

    `tree` is None where the file could not be parsed; `problem` says why, unless that is said elsewhere.
    """

    path: str
    label: str
    text: str = field(repr=False)
    tree: ast.Module | None = field(repr=False)
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

    @cached_property
    def postponing(self) -> ast.ImportFrom | None:
        """The `from __future__ import annotations` statement, before which only the docstring and its like stand."""
        for each in self.tree.body if self.tree else ():
            if isinstance(each, ast.ImportFrom) and each.module == "__future__":
                if any(alias.name == "annotations" for alias in each.names):
                    return each
            elif not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant)):
                return None
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

    @cached_property
    def ordered_folders(self) -> list[str]:
        return sorted(self.folders)

    @cached_property
    def roots(self) -> frozenset[str]:
        """The last part of each file's module name: what an import may begin with, wherever the file lies."""
        return frozenset(
            each.folder.rpartition("/")[2] if each.stem == "__init__" else each.stem for each in self.files.values()
        )


def read_sources(entries: Iterable[Entry], top: str) -> Sources:
    """Parse the .py entries of a bundle whose top folder is `top` (`""` for a flat one).

    What is too large is left unjudged, with a note; what cannot be read is left alone.
    """
    files: dict[str, SourceFile] = {}
    found = {entry.path.removeprefix(f"{top}/") if top else entry.path: entry for entry in entries}
    left = LARGEST_SUM
    for path in sorted(found, key=lambda each: (each.count("/"), each)):
        if path.endswith(".py"):
            files[path] = _parse(found[path], path, min(LARGEST, left))
            left -= len(files[path].text)
    return Sources(files, _folders(files))


def _folders(files: Iterable[str]) -> frozenset[str]:
    found = {""}
    for path in files:
        folder = posixpath.dirname(path)
        while folder and folder not in found:
            found.add(folder)
            folder = posixpath.dirname(folder)
    return frozenset(found)


def _parse(entry: Entry, path: str, most: int) -> SourceFile:
    unseen = SourceFile(path, entry.name, "", None)
    try:
        if entry.source.size > most:
            return SourceFile(path, entry.name, "", None, _too_large(entry, most))
        with entry.source.open() as stream:
            data = stream.read(most + 1)
        if is_lfs_pointer(entry.source):
            return unseen
    except OSError:
        return unseen
    tree, problem = _compiled(path, data)
    return SourceFile(path, entry.name, source_text(data), tree, _explained(entry.name, problem) if problem else None)


@lru_cache(_REMEMBERED)
def _compiled(_path: str, data: bytes) -> tuple[ast.Module | None, Problem | None]:
    """The tree of a file's content, which nobody changes: a bundle is read when it is planned and when it is judged."""
    return compiled(data)


def _too_large(entry: Entry, most: int) -> Finding:
    whole = most < LARGEST
    said = f"the bundle has more than {LARGEST_SUM // 2**20} MiB of Python" if whole else f"{entry.source.size:,} bytes"
    return UNJUDGED.finding(
        f"{entry.name} was not judged: {said}",
        fix="leave out what the model does not need with `exclude`" if whole else "keep data in a file of its own",
        place=Place(file=entry.name),
    )


def _explained(name: str, problem: Problem) -> Finding:
    if problem.kind == "bounds":
        said, fix = "is no Python that can be parsed", "open the file in an editor: it may be damaged"
    else:
        said = "is not valid Python"
        fix = "declare the encoding that the file is in, utf-8 in most cases"
        fix = fix if problem.kind == "encoding" else "correct the line"
    place = Place(file=name, line=problem.line, column=problem.column)
    return UNPARSEABLE.finding(f"{name} {said}: {problem.message}", fix=fix, place=place)


@dataclass(frozen=True)
class Problem:
    """Why a file cannot be imported by any Python; line and column from 1, None where Python names none."""

    kind: Literal["syntax", "encoding", "bounds"]
    message: str
    line: int | None = None
    column: int | None = None


def compiled(source: bytes) -> tuple[ast.Module | None, Problem | None]:
    """The tree of a file's bytes, or why there is none. Executes nothing, and says nothing of warnings."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = parse(source)
            _compile(tree)
    except SyntaxError as error:
        return None, _syntax(error)
    except ValueError:
        return None, Problem("bounds", "it holds null bytes")
    except (RecursionError, MemoryError):
        return None, Problem("bounds", "it is nested too deeply")
    return tree, None


def source_text(source: bytes) -> str:
    """The text of a file in the encoding that it declares; bytes that are none of it become `U+FFFD`."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        return source.decode(encoding, "replace")
    except (SyntaxError, LookupError):
        return source.decode("utf-8", "replace")


def _compile(tree: ast.Module) -> None:
    try:
        compile(tree, "<file>", "exec", dont_inherit=True)
    except (RecursionError, MemoryError):
        # How deep the compiler goes depends on who calls it: nothing is known of the platform's.
        return


def _syntax(error: SyntaxError) -> Problem:
    message = (error.msg or "invalid syntax").split("\n")[0]
    if "null bytes" in message:
        return Problem("bounds", "it holds null bytes")
    # An encoding that Python does not know gives line 0 or -1.
    line = error.lineno if error.lineno and error.lineno > 0 else None
    column = error.offset if line and error.offset and error.offset > 0 else None
    return Problem("encoding" if "encoding" in message or "codec" in message else "syntax", message, line, column)
