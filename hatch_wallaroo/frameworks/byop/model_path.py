"""Files that inference code opens below `config.model_path`, held against what the bundle has."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

from hatch_wallaroo.findings import Finding, Level, rule
from hatch_wallaroo.python.source_files import SourceFile

NOT_THERE = rule(
    "WLR560",
    "the code names a file below model_path that the bundle does not have there",
    why="config.model_path is the bundle's top folder; model files lie below its artifacts/ folder.",
    source="Upload guide, InferenceBuilder: create; the layout of BYOP bundles",
    level=Level.WARNING,
)


def misplaced(files: Iterable[SourceFile], paths: AbstractSet[str]) -> list[Finding]:
    """Constant paths below `….model_path` that are neither a file nor a folder of the bundle.

    `paths` are the bundle's, without the top folder.
    """
    parents = {posixpath.dirname(path) for path in paths}
    known = paths | {folder[:length] for folder in parents for length in _ends(folder)} | {""}
    places: dict[str, list[str]] = {}
    for each in sorted(paths):
        places.setdefault(posixpath.basename(each), []).append(each)
    found = []
    for file, node, path in ((each, *named) for each in files for named in _named(each)):
        if path in known:
            continue
        elsewhere = places.get(posixpath.basename(path))
        if elsewhere:
            parts = " / ".join(f'"{part}"' for part in elsewhere[0].split("/"))
            fix = f"write config.model_path / {parts}"
        else:
            fix = 'declare the file in `artifacts`; it will lie below config.model_path / "artifacts"'
        found.append(
            NOT_THERE.finding(
                f"{file.label} names {path} below model_path, where the bundle has no such file",
                fix=fix,
                place=file.place(node),
            )
        )
    return found


def _ends(folder: str) -> Iterator[int]:
    yield len(folder)
    yield from (index for index, letter in enumerate(folder) if letter == "/")


def _named(file: SourceFile) -> Iterator[tuple[ast.AST, str]]:
    """Outermost expressions: `x.model_path / "a"`, `x.model_path.joinpath("a")`, `os.path.join(x.model_path, "a")`."""
    if file.tree is None:
        return
    inner: set[int] = set()
    for node in ast.walk(file.tree):
        if id(node) in inner:
            continue
        path = _path(node)
        if path is not None:
            inner.update(id(each) for each in ast.walk(node))
            yield node, posixpath.normpath(path) if path else ""


def _path(node: ast.AST) -> str | None:
    """The constant path below model_path; None where the expression is none, or goes on with something unknown."""
    parts: list[ast.expr] = []
    while not (isinstance(node, ast.Attribute) and node.attr == "model_path"):
        step = _step(node)
        if step is None:
            return None
        node, more = step
        parts = [*more, *parts]
    words = [each.value for each in parts if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return "/".join(words).lstrip("/") if parts and len(words) == len(parts) else None


def _step(node: ast.AST) -> tuple[ast.AST, list[ast.expr]] | None:
    """One step towards the start of a path: what is left, and the parts that were joined to it."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return node.left, [node.right]
    if isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.FormattedValue):
        return node.values[0].value, node.values[1:]
    if not isinstance(node, ast.Call) or not node.args:
        return None
    if isinstance(node.func, ast.Attribute) and node.func.attr == "joinpath":
        return node.func.value, node.args
    if isinstance(node.func, ast.Attribute) and node.func.attr == "join":
        return node.args[0], node.args[1:]
    if isinstance(node.func, ast.Name) and node.func.id in {"Path", "str"}:
        return node.args[0], node.args[1:]
    return None
