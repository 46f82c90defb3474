"""Schemas out of Python source, as the upload guide and its readers write them. The source is parsed, never run.

Statements are followed in order, as far as they say what a name holds; `schema.python_expressions` evaluates what
stands in them. What a loop or a condition sets is not known afterwards; that is said only where a schema needs it.
"""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from hatch_wallaroo.findings import Finding, Place, rule
from hatch_wallaroo.parsing import parse
from hatch_wallaroo.schema.arrow import from_arrow, without_leftovers
from hatch_wallaroo.schema.forms import OPTIONAL
from hatch_wallaroo.schema.python_expressions import (
    MOST_ITEMS,
    ONLY_RUNNING,
    Evaluator,
    Library,
    Problem,
    TooMuchError,
    UnreadableError,
    function,
    only_running,
    unpacked,
    unreadable,
)
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
    """A schema that was read. `name` is what it is called there (empty: nothing), `side` None where nothing says it.

    `schema` is None where `findings` say why it cannot be read. `notes` say what was not kept.
    """

    name: str
    side: Side | None
    line: int | None
    schema: Schema | None
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def read_source(data: bytes, file: str) -> tuple[Found, ...]:
    """All schemas of Python source, in its order; `file` is what findings call it. Never raises for what stands there.

    Where it is no Python at all, one that is nothing but its findings.
    """
    if len(data) > LONGEST:
        finding = _finding(file, f"{len(data):,} bytes are too many for source code", "cut out the schemas", None)
        return (Found("", None, None, None, findings=(finding,)),)
    try:
        text = _decoded(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = parse(text)
        evaluator = Evaluator(frozenset(map(id, _optional_nodes(tree, set(_optional_lines(text))))))
        reader = _Reader(file, text.splitlines(), evaluator)
        reader.block(tree.body, {"pa": Library.PYARROW, "pyarrow": Library.PYARROW})
    except SyntaxError as error:
        fix = "mend it, or give only the part that makes the schemas"
        finding = _finding(file, f"this is no Python: {error.msg}", fix, error.lineno, error.offset or None)
    except TooMuchError:
        finding = _finding(file, "the code makes more values than any schema", "cut out the schemas", None)
    except (RecursionError, MemoryError):
        finding = _finding(file, "the code is nested too deeply", "cut out the schemas", None)
    except ValueError as error:  # an unknown encoding, a null byte
        finding = _finding(file, f"this is no Python: {error}", "save it as UTF-8", None)
    else:
        return tuple(reader.found)
    return (Found("", None, None, None, findings=(finding,)),)


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
    evaluator: Evaluator
    found: list[Found] = field(default_factory=list)
    named: dict[int, tuple[Any, set[Side | None]]] = field(default_factory=dict)
    """The schemas that have been found, by identity, each with the sides that its names say."""

    def block(self, statements: Iterable[ast.stmt], names: dict[str, Any]) -> None:
        for each in statements:
            self.statement(each, names)

    def statement(self, node: ast.stmt, names: dict[str, Any]) -> None:
        match node:
            case ast.Assign():
                self.assign(node.targets, node.value, names)
            case ast.AnnAssign(value=ast.expr() as value):
                self.assign([node.target], value, names)
            case ast.AugAssign(target=ast.Name(id=name)):
                names[name] = self.added(names.get(name), node, names)
            case ast.Import() | ast.ImportFrom():
                names.update(_imported(node))
            case ast.Expr(value=value) | ast.Return(value=ast.expr() as value):
                self.expression(value, names)
            case ast.With() | ast.AsyncWith():
                self.block(node.body, names)
            case ast.Try():
                self.block([*node.body, *node.orelse, *node.finalbody], names)
            case ast.If() if _is_main(node.test):
                self.block(node.body, names)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names[node.name] = Library.OTHER
                self.block(node.body, self.evaluator.inner(names))
            case _:
                self.uncertain(node, names)

    def value(self, node: ast.expr, names: dict[str, Any]) -> Any:
        """What an expression gives, or the UnreadableError."""
        try:
            return self.evaluator.evaluate(node, names)
        except UnreadableError as error:
            return error

    def assign(self, targets: list[ast.expr], node: ast.expr, names: dict[str, Any]) -> None:
        made = self.value(node, names)
        self.arguments(node, names)
        for target in targets:
            for each, value in unpacked(target, made):
                if isinstance(each, ast.Name):
                    names[each.id] = value
                    self.record(each.id, value, node if each is target else each)
                    continue
                if isinstance(each, ast.Attribute) and _is_schema(value):
                    self.record(each.attr, value, node)
                for name in _bases(each):
                    names[name] = only_running(each)

    def added(self, left: Any, node: ast.AugAssign, names: dict[str, Any]) -> Any:
        """What a name holds after `+=` or its like; a list grows in its place, as it does in Python."""
        right = self.value(node.value, names)
        for each in (left, right):
            if isinstance(each, UnreadableError):
                return each
        if isinstance(left, list) and isinstance(right, list | tuple) and isinstance(node.op, ast.Add):
            return _grown(left, right, node)
        try:
            return self.evaluator.joined(node, node.op, left, right)
        except UnreadableError as error:
            return error

    def expression(self, node: ast.expr, names: dict[str, Any]) -> None:
        """A schema that nobody names, or a call that changes a list or is given schemas."""
        self.arguments(node, names)
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr)) if attr in _CHANGING:
                names[name] = self.changed(names.get(name), attr, node, names)
                return
        made = self.value(node, names)
        if _is_schema(made) and not isinstance(node, ast.Name):
            self.record("", made, node)

    def changed(self, value: Any, method: str, node: ast.Call, names: dict[str, Any]) -> Any:
        """A list after append or extend; any other change is not followed."""
        if isinstance(value, Library | UnreadableError):
            return value
        given = [self.value(each, names) for each in node.args]
        if not isinstance(value, list) or len(given) != 1 or node.keywords or method not in {"append", "extend"}:
            return only_running(node)
        if isinstance(given[0], UnreadableError):
            return given[0]
        if method == "append":
            return _grown(value, given, node)
        return _grown(value, given[0], node) if isinstance(given[0], list | tuple) else only_running(node)

    def arguments(self, node: ast.expr, names: dict[str, Any]) -> None:
        """Schemas that are handed to a function as `input_schema=`, as the SDK's upload takes them."""
        for call in ast.walk(node):
            for each in call.keywords if isinstance(call, ast.Call) else []:
                if each.arg and side_of(each.arg):
                    made = self.value(each.value, names)
                    if _is_schema(made):
                        self.record(each.arg, made, each.value, passed=True)

    def uncertain(self, node: ast.stmt, names: dict[str, Any]) -> None:
        """Whatever a loop, a condition or a deletion changes is not known afterwards."""
        what = {ast.For: "a loop", ast.While: "a loop", ast.AsyncFor: "a loop", ast.Delete: "del"}
        where = what.get(type(node), "a condition")
        for name, place in _set_in(node):
            message = f"{name} is set by {where}, and only running the code tells to what"
            problem = Problem(place, message, "write it out as a list, or " + ONLY_RUNNING)
            names[name] = UnreadableError([problem])
            if side_of(name):
                self.record(name, UnreadableError([problem], schema=True), place)

    def record(self, name: str, made: Any, node: ast.AST, *, passed: bool = False) -> None:
        """Take a schema over, or what should have been one."""
        exact = name in {"input_schema", "output_schema"}
        line = getattr(node, "lineno", 1)
        if isinstance(made, UnreadableError):
            if made.schema or exact:
                findings = tuple(self.located(each) for each in made.problems)
                self.found.append(Found(name, side_of(name), line, None, findings=findings))
        elif _is_schema(made):
            _, sides = self.named.setdefault(id(made), (made, set()))
            if not (passed and side_of(name) in sides):
                self.found.append(self.read(name, made, line))
            sides.add(side_of(name))
        elif exact and made is not None:
            message = f"{name} is no pa.schema(...)"
            finding = _finding(self.file, message, "write pa.schema([pa.field(...)])", line, self.column(node))
            self.found.append(Found(name, side_of(name), line, None, findings=(finding,)))

    def read(self, name: str, made: Any, line: int) -> Found:
        kept, notes = without_leftovers(made)
        schema = from_arrow(kept if len(kept) else made)
        self.evaluator.spend(len(schema.fields))
        return Found(name, side_of(name), line, schema, notes)

    def located(self, problem: Problem) -> Finding:
        line = getattr(problem.node, "lineno", None)
        return _finding(self.file, problem.message, problem.fix, line, self.column(problem.node))

    def column(self, node: ast.AST) -> int | None:
        """In characters from 1; the tree counts bytes."""
        line, offset = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
        if not 1 <= line <= len(self.lines):
            return None
        return len(self.lines[line - 1].encode()[:offset].decode(errors="replace")) + 1


def _is_schema(value: Any) -> bool:
    """Whether a value is a schema, or would be one if all of it could be read."""
    import pyarrow as pa

    return value.schema if isinstance(value, UnreadableError) else isinstance(value, pa.Schema)


def _grown(many: list[Any], more: Iterable[Any], node: ast.AST) -> Any:
    """A list that is added to in its place, as Python does."""
    many.extend(more)
    if len(many) <= MOST_ITEMS:
        return many
    many.clear()
    return unreadable(node, f"a list of more than {MOST_ITEMS:,} items", "make it shorter")


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Any]]:
    """The names that an import sets, and what they hold."""
    for each in node.names:
        if isinstance(node, ast.Import):
            top = each.name.partition(".")[0]
            whole = each.asname is None or each.name == "pyarrow"
            yield each.asname or top, Library.PYARROW if top == "pyarrow" and whole else Library.OTHER
        elif node.module != "pyarrow" or node.level:
            yield each.asname or each.name, Library.OTHER
        elif each.name == "*":
            yield "*", Library.PYARROW
        else:
            try:
                yield each.asname or each.name, function(node, each.name)
            except UnreadableError as error:
                yield each.asname or each.name, error


def _is_main(test: ast.expr) -> bool:
    """Whether a condition is `__name__ == "__main__"`."""
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"


def _set_in(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """The names that a statement sets or changes anywhere inside, each with the place."""
    for each in ast.walk(node):
        match each:
            case (
                ast.Name(id=name, ctx=ast.Store() | ast.Del())
                | ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del())
                | ast.FunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                yield name, each
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if attr in _CHANGING:
                yield name, each


def _bases(target: ast.expr) -> Iterator[str]:
    """The name that holds what an attribute or item is assigned of."""
    while isinstance(target, ast.Attribute | ast.Subscript | ast.Starred):
        target = target.value
    if isinstance(target, ast.Name):
        yield target.id


def _optional_lines(text: str) -> Iterator[int]:
    """The lines with a comment that begins with that word."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and token.string.lstrip("# ").lower().startswith(OPTIONAL):
            yield token.start[0]


def _optional_nodes(tree: ast.Module, lines: set[int]) -> Iterator[ast.expr]:
    """The expressions that make a field which a comment in one of these lines calls optional.

    A comment belongs to the field that ends last on its line; where none ends there, to the one that begins last.
    """
    if not lines:
        return
    ending: dict[int, ast.expr] = {}
    beginning: dict[int, ast.expr] = {}
    for each in _makers(tree):
        last = each.end_lineno or each.lineno
        if last not in ending or _end(each) > _end(ending[last]):
            ending[last] = each
        if each.lineno not in beginning or each.col_offset > beginning[each.lineno].col_offset:
            beginning[each.lineno] = each
    for line in lines:
        found = ending.get(line) or beginning.get(line)
        if found is not None:
            yield found


def _end(node: ast.expr) -> tuple[int, int]:
    return node.end_col_offset or 0, -node.col_offset


def _makers(tree: ast.Module) -> Iterator[ast.expr]:
    """What may make a field: calls of a function of that name, or imported from pyarrow as another, and tuples."""
    names = {"field"}
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module="pyarrow"):
                names |= {each.asname or each.name for each in node.names if each.name == "field"}
            case ast.Call(func=ast.Attribute(attr="field")) | ast.Tuple(elts=[ast.Constant(value=str()), *_]):
                yield node
            case ast.Call(func=ast.Name(id=name)) if name in names:
                yield node
