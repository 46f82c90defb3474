"""Python that the platform's Python cannot parse, or cannot run up to the end of an import.

Only what is certain: a newer form of the language, or a newer module or name of the
standard library, that is reached whenever the file is imported. The parser's own
`feature_version` is no help: it refuses `with (a):`, and lets other newer forms pass.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

from hatch_wallaroo import parsing

Version = tuple[int, int]


@dataclass(frozen=True)
class Newer:
    """One place: line from 1, what stands there, and the first Python that takes it (None: no Python does)."""

    line: int
    what: str
    since: Version | None
    column: int | None = None


MODULES: dict[str, Version] = {"zoneinfo": (3, 9), "graphlib": (3, 9), "tomllib": (3, 11)}
NAMES: dict[str, dict[str, Version]] = {
    "typing": {
        "Annotated": (3, 9), "TypeAlias": (3, 10), "ParamSpec": (3, 10), "Concatenate": (3, 10), "TypeGuard": (3, 10),
        "Self": (3, 11), "Never": (3, 11), "LiteralString": (3, 11), "NotRequired": (3, 11), "Required": (3, 11),
        "Unpack": (3, 11), "TypeVarTuple": (3, 11), "assert_never": (3, 11), "assert_type": (3, 11),
        "reveal_type": (3, 11), "override": (3, 12),
    },
    "functools": {"cache": (3, 9)},
    "itertools": {"pairwise": (3, 10), "batched": (3, 12)},
    "math": {"lcm": (3, 9), "nextafter": (3, 9), "ulp": (3, 9), "cbrt": (3, 11), "exp2": (3, 11), "sumprod": (3, 12)},
    "datetime": {"UTC": (3, 11)},
    "enum": {"StrEnum": (3, 11), "verify": (3, 11)},
    "contextlib": {"aclosing": (3, 10), "chdir": (3, 11)},
    "types": {"NoneType": (3, 10), "EllipsisType": (3, 10), "UnionType": (3, 10)},
    "random": {"randbytes": (3, 9)},
    "asyncio": {"to_thread": (3, 9), "TaskGroup": (3, 11), "timeout": (3, 11), "Runner": (3, 11)},
    "dataclasses": {"KW_ONLY": (3, 10)},
}  # fmt: skip
"""Names of the standard library by the Python that brought them. Source: "New in version" in its documentation."""

_GENERICS = {"list", "dict", "tuple", "set", "frozenset", "type"}
_TYPES = _GENERICS | {"int", "float", "str", "bytes", "bool", "complex", "object"}


def parse(text: str, version: Version) -> tuple[ast.Module | None, list[Newer]]:
    """The tree, and everything that a Python of that version cannot take. Executes nothing.

    The tree is None where no Python takes the text; the one place is then the error's.
    """
    try:
        tree = parsing.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return None, [_broken(error)]
    found = {(each.line, each.what): each for each in _by_shape(tree, text, version)}
    return tree, sorted(found.values(), key=lambda each: each.line)


def _broken(error: Exception) -> Newer:
    if isinstance(error, SyntaxError):
        return Newer(error.lineno or 1, error.msg or "invalid syntax", None, error.offset)
    if isinstance(error, ValueError):
        return Newer(1, "it holds null bytes", None)
    return Newer(1, "it is nested too deeply", None)


def _by_shape(tree: ast.Module, text: str, version: Version) -> Iterator[Newer]:
    lines = text.splitlines()
    newer: list[Newer] = []
    for node in ast.walk(tree):
        newer += _syntax(node, lines)
    newer += _f_strings(text)
    newer += _imports(tree)
    if not any(isinstance(each, ast.ImportFrom) and each.module == "__future__" for each in tree.body):
        for annotation in _evaluated(tree.body):
            newer += _runtime_types(annotation)
    yield from (each for each in newer if each.since and each.since > version)


def _syntax(node: ast.AST, lines: list[str]) -> Iterator[Newer]:
    line = getattr(node, "lineno", 1)
    kind = type(node).__name__
    if kind == "Match":
        yield Newer(line, "the match statement", (3, 10))
    elif kind == "TryStar":
        yield Newer(line, "except*", (3, 11))
    elif kind == "TypeAlias":
        yield Newer(line, "the type statement", (3, 12))
    elif getattr(node, "type_params", None):
        yield Newer(line, "type parameters in brackets", (3, 12))
    elif isinstance(node, (ast.With, ast.AsyncWith)) and _parenthesized(node, lines):
        yield Newer(line, "a with statement in parentheses", (3, 9))
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        for each in node.decorator_list:
            if not _dotted(each.func if isinstance(each, ast.Call) else each):
                yield Newer(each.lineno, f"@{ast.unparse(each)} as a decorator", (3, 9))
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr) and _dictionaries(node):
        yield Newer(line, "dictionaries joined with |", (3, 9))


def _dotted(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _dictionaries(node: ast.BinOp) -> bool:
    return isinstance(node.left, ast.Dict) and isinstance(node.right, ast.Dict)


def _parenthesized(node: ast.With | ast.AsyncWith, lines: list[str]) -> bool:
    """`with (open(a) as x, open(b) as y):`, which the tree does not tell from the form without parentheses."""
    first = node.items[0]
    if not _between(lines, node, first.context_expr).rstrip().endswith("("):
        return False
    if len(node.items) > 1:
        return True
    if first.optional_vars is None:
        return False  # with (open(a)): is older than anything
    middle = _segment(
        lines,
        (first.context_expr.end_lineno or 1, first.context_expr.end_col_offset or 0),
        (first.optional_vars.lineno, first.optional_vars.col_offset),
    )
    return ")" not in middle


def _between(lines: list[str], start: ast.With | ast.AsyncWith, end: ast.expr) -> str:
    return _segment(lines, (start.lineno, start.col_offset), (end.lineno, end.col_offset))


def _segment(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    """The text between two places, lines from 1, columns in bytes; comments are taken off."""
    parts = []
    for number in range(start[0], end[0] + 1):
        raw = lines[number - 1].encode() if number <= len(lines) else b""
        begin = start[1] if number == start[0] else 0
        stop = end[1] if number == end[0] else len(raw)
        parts.append(raw[begin:stop].decode(errors="replace").partition("#")[0].rstrip())
    return "\n".join(parts)


def _f_strings(text: str) -> Iterator[Newer]:
    """Quotes of the same kind, backslashes and comments inside an f-string's braces (3.12 on)."""
    if not hasattr(tokenize, "FSTRING_START"):
        return  # this Python's parser has refused them already
    outer: list[str] = []
    depth: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        name = tokenize.tok_name[token.type]
        inside = bool(depth and depth[-1])
        if inside and name in {"FSTRING_START", "STRING"} and _closes(_quotes(token.string), outer):
            yield Newer(token.start[0], "the same quotes inside an f-string", (3, 12))
        if inside and name == "COMMENT":
            yield Newer(token.start[0], "a comment inside an f-string", (3, 12))
        if name == "FSTRING_START":
            outer.append(_quotes(token.string))
            depth.append(0)
        elif name == "FSTRING_END":
            outer.pop()
            depth.pop()
        elif depth and name == "OP" and token.string in {"{", "}"}:
            depth[-1] += 1 if token.string == "{" else -1


def _quotes(string: str) -> str:
    bare = string.lstrip("rRbBfFuU")
    return bare[:3] if bare[:3] in {'"""', "'''"} else bare[:1]


def _closes(quotes: str, outer: list[str]) -> bool:
    """Whether an older Python takes the quotes for the end of a string around them."""
    return any(quotes.startswith(each) for each in outer)


def _imports(tree: ast.Module) -> Iterator[Newer]:
    """Newer parts of the standard library, imported without a way out."""
    for statement in _always(tree.body):
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                since = MODULES.get(alias.name.partition(".")[0])
                yield Newer(statement.lineno, f"the module {alias.name}", since)
        elif isinstance(statement, ast.ImportFrom) and not statement.level:
            module = statement.module or ""
            yield Newer(statement.lineno, f"the module {module}", MODULES.get(module.partition(".")[0]))
            for alias in statement.names:
                since = NAMES.get(module, {}).get(alias.name)
                yield Newer(statement.lineno, f"{module}.{alias.name}", since)


def _always(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that every import runs: not those of functions, branches and try."""
    for statement in body:
        yield statement
        if isinstance(statement, (ast.With, ast.ClassDef)):
            yield from _always(statement.body)


def _evaluated(body: list[ast.stmt]) -> Iterator[ast.expr]:
    """The annotations that Python evaluates while it imports the file."""
    for statement in _always(body):
        if isinstance(statement, ast.AnnAssign):
            yield statement.annotation
        elif isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            arguments = statement.args
            several = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
            for each in (*several, arguments.vararg, arguments.kwarg):
                if each is not None and each.annotation is not None:
                    yield each.annotation
            if statement.returns is not None:
                yield statement.returns


def _runtime_types(annotation: ast.expr) -> Iterator[Newer]:
    """`int | None` (3.10) and `list[int]` (3.9), where they are evaluated."""
    for node in ast.walk(annotation):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr) and (_plain(node.left) or _plain(node.right)):
            yield Newer(node.lineno, f"{ast.unparse(node)} as a type", (3, 10))
        elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id in _GENERICS:
            yield Newer(node.lineno, f"{ast.unparse(node)} as a type", (3, 9))


def _plain(node: ast.expr) -> bool:
    return (isinstance(node, ast.Name) and node.id in _TYPES) or (isinstance(node, ast.Constant) and node.value is None)
