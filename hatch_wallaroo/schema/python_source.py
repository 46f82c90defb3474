"""Schemas out of Python source, as the upload guide and its readers write them. The source is parsed, never run.

Statements are followed in order, as far as they say what a name holds. What a loop or a condition sets is not
known afterwards; that is said only where a schema needs it.
"""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

from hatch_wallaroo.findings import Finding, Place, rule
from hatch_wallaroo.schema.python_expressions import (
    MOST_ITEMS,
    ONLY_RUNNING,
    Library,
    Names,
    Problem,
    TooMuchError,
    Unknown,
    combined,
    evaluate,
    is_schema,
)
from hatch_wallaroo.schema.python_tokens import LONGEST_CHAIN, optional_nodes, scan
from hatch_wallaroo.schema.python_values import Made, RefusedError, function
from hatch_wallaroo.schema.types import Schema, Side

UNREADABLE = rule(
    "WLR671",
    "Python that does not tell the schema",
    why="Source code is read here and never run, so a schema has to stand in it as the guide writes schemas: calls of "
    "pyarrow's functions, with lists, texts and numbers.",
    source="Upload guide, the schemas of each framework; pyarrow's functions that make types",
)

LONGEST = 2 << 20
"""Bytes of source that are read: a notebook's code has a hundredth of it."""

_CHANGING = frozenset({"append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse", "update"})


@dataclass(frozen=True)
class Found:
    """A schema in a source: what it is called there (empty for one without a name), and where.

    `side` is None where the name does not say it. `schema` is None where `findings` say why it cannot be read.
    `metadata` says that there was some, which is not kept.
    """

    name: str
    side: Side | None
    line: int
    schema: Schema | None
    metadata: bool = False
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Source:
    """All schemas of a source, in its order; `findings` where it is no Python at all."""

    found: tuple[Found, ...] = ()
    findings: tuple[Finding, ...] = ()


def read_source(data: bytes, file: str) -> Source:
    """Read Python source; `file` is what findings call it. Never raises for what stands there."""
    if len(data) > LONGEST:
        finding = _finding(file, f"{len(data):,} bytes are too many for source code", "cut out the schemas", None)
        return Source((), (finding,))
    try:
        text = _decoded(data)
        tokens = scan(text)
        if tokens.chain > LONGEST_CHAIN:
            return Source((), (_finding(file, "the code is nested too deeply", "cut out the schemas", None),))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
        reader = _Reader(file, text.splitlines())
        known = {"pa": Library("pyarrow"), "pyarrow": Library("pyarrow")}
        reader.block(tree.body, Names(known, optional_nodes(tree, tokens.optional)))
    except SyntaxError as error:
        place = Place(file=file, line=error.lineno, column=error.offset or None)
        message, fix = f"this is no Python: {error.msg}", "mend it, or give only the part that makes the schemas"
        return Source((), (UNREADABLE.finding(message, fix=fix, place=place),))
    except TooMuchError:
        return Source((), (_finding(file, "the code makes more values than any schema", "cut out the schemas", None),))
    except (RecursionError, MemoryError):
        return Source((), (_finding(file, "the code is nested too deeply", "cut out the schemas", None),))
    except ValueError as error:  # an unknown encoding, a null byte
        return Source((), (_finding(file, f"this is no Python: {error}", "save it as UTF-8", None),))
    return Source(tuple(reader.found))


def side_of(name: str) -> Side | None:
    """Whether a name is that of an input or an output schema."""
    plain = name.lower().replace("_", "")
    sides = [side for side in ("input", "output") if f"{side}schema" in plain or f"schema{side}" in plain]
    return cast("Side", sides[0]) if len(sides) == 1 else None


def _decoded(data: bytes) -> str:
    """The text by Python's own rules: a mark, a coding line, or UTF-8."""
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    return data.decode(encoding)


def _finding(file: str, message: str, fix: str, line: int | None, column: int | None = None) -> Finding:
    return UNREADABLE.finding(message, fix=fix, place=Place(file=file, line=line, column=column))


@dataclass
class _Reader:
    file: str
    lines: list[str]
    found: list[Found] = field(default_factory=list)
    named: dict[int, tuple[Made, set[Side | None]]] = field(default_factory=dict)
    """The schemas that have been found, by identity, each with the sides that its names say."""

    def block(self, statements: Iterable[ast.stmt], names: Names) -> None:
        for each in statements:
            self.statement(each, names)

    def statement(self, node: ast.stmt, names: Names) -> None:
        match node:
            case ast.Assign():
                self.assign(node.targets, node.value, names)
            case ast.AnnAssign(value=ast.expr() as value):
                self.assign([node.target], value, names)
            case ast.AugAssign(target=ast.Name(id=name)):
                self.add(name, node, names)
            case ast.Import() | ast.ImportFrom():
                _imported(node, names)
            case ast.Expr(value=value):
                self.expression(value, names)
            case ast.Return(value=ast.expr() as value):
                self.expression(value, names)
            case ast.With() | ast.AsyncWith():
                self.block(node.body, names)
            case ast.Try():
                self.block([*node.body, *node.orelse, *node.finalbody], names)
            case ast.If() if _is_main(node.test):
                self.block(node.body, names)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names[node.name] = Library("")
                self.block(node.body, names.inner())
            case _:
                self.uncertain(node, names)

    def assign(self, targets: list[ast.expr], value: ast.expr, names: Names) -> None:
        made = evaluate(value, names)
        self.arguments(value, names)
        for target in targets:
            self.bind(target, made, value, names)

    def bind(self, target: ast.expr, made: Any, node: ast.expr, names: Names) -> None:
        if isinstance(target, ast.Name):
            names[target.id] = made
            self.record(target.id, made, node)
            return
        if isinstance(target, ast.Tuple | ast.List):
            parts = made if isinstance(made, list | tuple) and len(made) == len(target.elts) else None
            nodes = node.elts if isinstance(node, ast.Tuple | ast.List) and parts else [node] * len(target.elts)
            for at, each in enumerate(target.elts):
                self.bind(each, parts[at] if parts else _only_running(each), nodes[at], names)
            return
        if isinstance(target, ast.Attribute) and is_schema(made):
            self.record(target.attr, made, node)
        for name in _bases(target):
            names[name] = _only_running(target)

    def add(self, name: str, node: ast.AugAssign, names: Names) -> None:
        left, right = names.get(name, _only_running(node)), evaluate(node.value, names)
        wrong = next((each for each in (left, right) if isinstance(each, Unknown)), None)
        if isinstance(left, list) and isinstance(right, list | tuple) and isinstance(node.op, ast.Add):
            wrong = wrong or _grown(left, right, node)
            made: Any = left
        else:
            made = wrong or combined(node, left, node.op, right)
        names[name] = wrong or made

    def expression(self, node: ast.expr, names: Names) -> None:
        """A schema that nobody names, or a call that changes a list or is given schemas."""
        self.arguments(node, names)
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr)) if attr in _CHANGING:
                names[name] = self.changed(names.get(name), attr, node, names)
                return
        made = evaluate(node, names)
        if is_schema(made) and not isinstance(node, ast.Name):
            self.record("", made, node)

    def changed(self, value: Any, method: str, node: ast.Call, names: Names) -> Any:
        """A list after append or extend; any other change is not followed."""
        given = [evaluate(each, names) for each in node.args]
        if not isinstance(value, list) or len(given) != 1 or node.keywords or method not in {"append", "extend"}:
            return value if isinstance(value, Library | Unknown) else _only_running(node)
        if isinstance(given[0], Unknown):
            return given[0]
        if method == "extend" and not isinstance(given[0], list | tuple):
            return _only_running(node)
        return _grown(value, given if method == "append" else given[0], node) or value

    def arguments(self, node: ast.expr, names: Names) -> None:
        """Schemas that are handed to a function as `input_schema=`, as the SDK's upload takes them."""
        for call in ast.walk(node):
            for each in call.keywords if isinstance(call, ast.Call) else []:
                if each.arg and side_of(each.arg):
                    made = evaluate(each.value, names)
                    if is_schema(made):
                        self.record(each.arg, made, each.value, passed=True)

    def uncertain(self, node: ast.stmt, names: Names) -> None:
        """Whatever a loop, a condition or a deletion changes is not known afterwards."""
        what = {ast.For: "a loop", ast.While: "a loop", ast.AsyncFor: "a loop", ast.Delete: "del"}
        where = what.get(type(node), "a condition")
        for name, place in _set_in(node):
            message = f"{name} is set by {where}, and only running the code tells to what"
            names[name] = Unknown((Problem(place, message, "write it out as a list, or " + ONLY_RUNNING),))
            if side_of(name):
                self.record(name, replace(names[name], schema=True), place)

    def record(self, name: str, made: Any, node: ast.AST, *, passed: bool = False) -> None:
        """Take a schema over, or what should have been one."""
        exact = name in {"input_schema", "output_schema"}
        line = getattr(node, "lineno", 1)
        if isinstance(made, Unknown):
            if made.schema or exact:
                findings = tuple(self.located(each) for each in made.problems)
                self.found.append(Found(name, side_of(name), line, None, findings=findings))
        elif is_schema(made):
            _, sides = self.named.setdefault(id(made), (made, set()))
            if not (passed and side_of(name) in sides):
                self.found.append(Found(name, side_of(name), line, made.thing, made.metadata))
            sides.add(side_of(name))
        elif exact and made is not None:
            message = f"{name} is no pa.schema(...)"
            finding = _finding(self.file, message, "write pa.schema([pa.field(...)])", line, self.column(node))
            self.found.append(Found(name, side_of(name), line, None, findings=(finding,)))

    def located(self, problem: Problem) -> Finding:
        line = getattr(problem.node, "lineno", None)
        return _finding(self.file, problem.message, problem.fix, line, self.column(problem.node))

    def column(self, node: ast.AST) -> int | None:
        """In characters from 1; the tree counts bytes."""
        line, offset = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
        if not 1 <= line <= len(self.lines):
            return None
        return len(self.lines[line - 1].encode()[:offset].decode(errors="replace")) + 1


def _only_running(node: ast.AST) -> Unknown:
    return Unknown((Problem(node, "only running the code tells what this is", ONLY_RUNNING),))


def _grown(many: list[Any], more: Iterable[Any], node: ast.AST) -> Unknown | None:
    """Add to a list in its place, as Python does; the problem where it gets too long."""
    many.extend(more)
    if len(many) <= MOST_ITEMS:
        return None
    many.clear()
    return Unknown((Problem(node, f"a list of more than {MOST_ITEMS:,} items", "make it shorter"),))


def _imported(node: ast.Import | ast.ImportFrom, names: Names) -> None:
    if isinstance(node, ast.Import):
        for each in node.names:
            top = each.name.partition(".")[0]
            whole = each.asname is None or each.name == "pyarrow"
            names[each.asname or top] = Library(top if top == "pyarrow" and whole else "")
        return
    for each in node.names:
        bound = each.asname or each.name
        if node.module != "pyarrow" or node.level:
            names[bound] = Library("")
        elif each.name == "*":
            names["*"] = Library("pyarrow")
        else:
            try:
                names[bound] = function(each.name)
            except RefusedError as error:
                names[bound] = Unknown((Problem(node, error.message, error.fix),))


def _is_main(test: ast.expr) -> bool:
    """Whether a condition is `__name__ == "__main__"`."""
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"


def _set_in(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """The names that a statement sets or changes anywhere inside, each with the place."""
    for each in ast.walk(node):
        match each:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name, each
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if attr in _CHANGING:
                yield name, each
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
                yield name, each
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, each


def _bases(target: ast.expr) -> Iterator[str]:
    """The name that holds what an attribute or item is assigned of."""
    while isinstance(target, ast.Attribute | ast.Subscript | ast.Starred):
        target = target.value
    if isinstance(target, ast.Name):
        yield target.id
