"""Evaluates the expressions that schemas are written with, by pyarrow's own functions. Nothing of the user's is run.

Understood are texts, numbers, lists, tuples, dicts and comprehensions, their sums, names that were assigned before,
and calls of those functions of pyarrow that make types, fields and schemas. Only these functions are ever called, with
values that were made here: no attribute of anything else is read. What only running the code would tell raises
UnreadableError, with the places and the reasons.
"""

from __future__ import annotations

import ast
import itertools
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, NoReturn

from hatch_wallaroo.findings import nearest
from hatch_wallaroo.schema.arrow import OPTIONAL_FIELD, UnsupportedTypeError, from_arrow, reason, type_from_arrow
from hatch_wallaroo.schema.scalars import KNOWN, PARAMETRISED, REFUSED

MOST_ITEMS = 20_000
"""In one list, and characters in a text that is put together."""
MOST_VALUES = 500_000
"""In the whole source: small sources can blow up."""
MOST_PARTS = 50_000
"""Types and fields in one schema: variables can make small sources mean gigantic schemas."""
LARGEST = 2**63

PRINT_IT = "print(base64.b64encode(bytes(input_schema.serialize())).decode())"
ONLY_RUNNING = f"run it where it belongs and read what it prints: {PRINT_IT}"

FUNCTIONS = frozenset(
    {
        *("schema", "field", "struct", "list_", "large_list", "map_", "dictionary", "type_for_alias"),
        *({*KNOWN, "bool_", "utf8", "large_utf8"} - {"bool", "fixed_size_binary"}),
    }
)
"""Those of pyarrow's that are called."""

_ITERATORS: Mapping[str, Callable[..., Iterable[Any]]] = {"range": range, "enumerate": enumerate, "zip": zip}
_VIEWS = frozenset({"items", "keys", "values"})
_METADATA = ("remove_metadata", "with_metadata")
"""Methods of schemas and fields that change nothing but the metadata, which are not kept anyway."""


@dataclass(frozen=True)
class Problem:
    """What is wrong at a node of the tree."""

    node: ast.AST
    message: str
    fix: str


class UnreadableError(Exception):
    """A value that cannot be told. `schema`: it would have been one, as pa.schema was called."""

    def __init__(self, problems: Iterable[Problem], *, schema: bool = False) -> None:
        super().__init__()
        self.problems = tuple(dict.fromkeys(problems))
        self.schema = schema


class TooMuchError(Exception):
    """The source makes more values than any schema needs."""


class Library(Enum):
    """What an import gives: pyarrow itself, or anything of which nothing is known."""

    PYARROW = "pyarrow"
    OTHER = "other"


@dataclass(frozen=True)
class Function:
    """One of pyarrow's, by its name there."""

    name: str


def unreadable(node: ast.AST, message: str, fix: str = ONLY_RUNNING) -> UnreadableError:
    """The error of a single problem."""
    return UnreadableError([Problem(node, message, fix)])


def only_running(node: ast.AST) -> UnreadableError:
    return unreadable(node, "only running the code tells what this is")


def function(node: ast.AST, name: str) -> Function:
    """The function that pyarrow calls so. Raises UnreadableError for what makes no type that Wallaroo takes."""
    if name in FUNCTIONS:
        return Function(name)
    if name in REFUSED:
        raise unreadable(node, *REFUSED[name])
    close = nearest(name, sorted(FUNCTIONS))
    fix = f"did you mean pa.{close}?" if close else "see pyarrow's list of types"
    raise unreadable(node, f"pa.{name} makes no type that Wallaroo takes", fix)


def unpacked(target: ast.expr, value: Any) -> Iterator[tuple[ast.expr, Any]]:
    """What each part of a target is given, `a, (b, c) = value`; an UnreadableError where the shapes differ."""
    if not isinstance(target, ast.Tuple | ast.List):
        yield target, value
        return
    fitting = isinstance(value, list | tuple) and len(value) == len(target.elts)
    for at, each in enumerate(target.elts):
        yield from unpacked(each, value[at] if fitting else only_running(each))


class Evaluator:
    """Evaluates the expressions of one source, within bounds that count for all of it.

    `optional`: the identities of the nodes that make fields which a comment calls optional.
    """

    def __init__(self, optional: frozenset[int]) -> None:
        self._optional = optional
        self._left = MOST_VALUES
        self._parts: dict[int, tuple[Any, int]] = {}
        """How many types and fields are in what was made, by identity; each is held, so that no other gets its own."""

    def spend(self, values: int) -> None:
        """Count values that are made. Raises TooMuchError."""
        self._left -= values
        if self._left < 0:
            raise TooMuchError

    def inner(self, names: Mapping[str, Any]) -> dict[str, Any]:
        """What the body of a function sees: it may change lists, and may never be called."""
        lists = {name: list(value) for name, value in names.items() if isinstance(value, list)}
        self.spend(len(names) + sum(map(len, lists.values())))
        return {**names, **lists}

    def evaluate(self, node: ast.expr, names: Mapping[str, Any]) -> Any:
        """The value of an expression. Raises UnreadableError and TooMuchError."""
        self.spend(1)
        match node:
            case ast.Constant(value=int(value)) if value >= LARGEST:
                raise unreadable(node, "so great a number", "write a smaller one")
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return _held(node, name, names)
            case ast.Attribute(value=holder, attr=name):
                if self.evaluate(holder, names) is Library.PYARROW:
                    return function(node, name)
                raise unreadable(node, f"only running the code tells what {ast.unparse(node)[:60]} is")
            case ast.List(elts=items):
                return self.all(items, names, node)
            case ast.Tuple(elts=items):
                values = self.all(items, names, node)
                return self._make(node, "field", values, {}) if id(node) in self._optional else tuple(values)
            case ast.Dict():
                return self._dict(node, names)
            case ast.ListComp() | ast.GeneratorExp():
                return [self.evaluate(node.elt, each) for each in self._rounds(node, node.generators, names)]
            case ast.DictComp():
                rounds = self._rounds(node, node.generators, names)
                return {self._key(node.key, each): self.evaluate(node.value, each) for each in rounds}
            case ast.JoinedStr():
                return self._text(node, names)
            case ast.BinOp(left=left, right=right):
                return self.joined(node, node.op, *self.all([left, right], names, node))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                value = self.evaluate(operand, names)
                if isinstance(value, int | float):
                    return -value
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                value = self.evaluate(operand, names)
                if isinstance(value, bool):
                    return not value
            case ast.Call():
                return self._call(node, names)
        what = _IN_WORDS.get(type(node), "this expression")
        raise unreadable(node, f"only running the code tells what {what} gives")

    def all(self, nodes: Iterable[ast.expr], names: Mapping[str, Any], whole: ast.AST) -> list[Any]:
        """The values of several expressions; what is wrong with any of them is told together."""
        values: list[Any] = []
        problems: list[Problem] = []
        for node in nodes:
            try:
                if isinstance(node, ast.Starred):
                    values.extend(self._spread(node, names))
                else:
                    values.append(self.evaluate(node, names))
            except UnreadableError as error:
                problems += error.problems
            if len(values) > MOST_ITEMS:
                raise unreadable(whole, f"a list of more than {MOST_ITEMS:,} items", "make it shorter")
        if problems:
            raise UnreadableError(problems)
        self.spend(len(values))
        return values

    def joined(self, node: ast.AST, sign: ast.operator, left: Any, right: Any) -> Any:
        """Two values joined by an operator: numbers, or lists and texts by + and *."""
        apply = _OPERATORS.get(type(sign))
        if apply is None or not all(isinstance(each, int | str | list | tuple) for each in (left, right)):
            _no_sum(node, left, right)
        sizes = [each if isinstance(each, int) else len(each) for each in (left, right)]
        size = apply(*sizes) if sizes[1] or apply is not operator.floordiv else 0
        numbers = isinstance(left, int) and isinstance(right, int)
        if numbers and abs(size) >= LARGEST:
            raise unreadable(node, "so great a number", "write a smaller one")
        if not numbers and size > MOST_ITEMS:
            raise unreadable(node, f"more than {MOST_ITEMS:,} items", "make it shorter")
        try:
            made = apply(left, right)
        except (TypeError, ZeroDivisionError):
            _no_sum(node, left, right)
        self.spend(1 if numbers else len(made))
        return made

    def _spread(self, node: ast.Starred, names: Mapping[str, Any]) -> Sequence[Any]:
        value = self.evaluate(node.value, names)
        if isinstance(value, list | tuple):
            return value
        raise unreadable(node, f"* before {describe(value)}", "write a list there")

    def _dict(self, node: ast.Dict, names: Mapping[str, Any]) -> dict[Any, Any]:
        if None in node.keys:
            raise unreadable(node, "** in a dict", "write its items out")
        keys = [self._key(each, names) for each in node.keys if each is not None]
        return dict(zip(keys, self.all(node.values, names, node), strict=True))

    def _key(self, node: ast.expr, names: Mapping[str, Any]) -> Any:
        key = self.evaluate(node, names)
        if isinstance(key, str | bytes | int | float | None):
            return key
        raise unreadable(node, f"{describe(key)} as a key of a dict", "write texts as keys")

    def _rounds(
        self, node: ast.AST, generators: Sequence[ast.comprehension], names: Mapping[str, Any]
    ) -> Iterator[Mapping[str, Any]]:
        """What the names hold in each round of a comprehension."""
        first, *others = generators
        if first.ifs or first.is_async:
            raise unreadable(node, "only running the code tells what a comprehension with a condition gives")
        values = self.evaluate(first.iter, names)
        if not isinstance(values, list | tuple | dict | str):
            raise unreadable(first.iter, f"a comprehension over {describe(values)}", "write a list there")
        self.spend(len(names))
        inner = dict(names)
        for value in values:
            inner.update((each.id, part) for each, part in unpacked(first.target, value) if isinstance(each, ast.Name))
            if others:
                yield from self._rounds(node, others, inner)
            else:
                yield inner

    def _text(self, node: ast.JoinedStr, names: Mapping[str, Any]) -> str:
        """An f-string of texts and whole numbers, as they are."""
        parts = []
        for each in node.values:
            plain = not isinstance(each, ast.FormattedValue) or (each.conversion < 0 and each.format_spec is None)
            value = self.evaluate(each.value if isinstance(each, ast.FormattedValue) else each, names)
            if not plain or not isinstance(value, str | int):
                raise unreadable(node, "only running the code tells what an f-string gives")
            parts.append(str(value))
            self.spend(len(parts[-1]))
        return "".join(parts)

    def _call(self, node: ast.Call, names: Mapping[str, Any]) -> Any:
        match node.func:
            case ast.Attribute(value=holder, attr=name) if name in _METADATA:
                return self._with_metadata(node, self.evaluate(holder, names), name)
            case ast.Attribute(value=holder, attr=name) if name in _VIEWS and not node.args and not node.keywords:
                value = self.evaluate(holder, names)
                if isinstance(value, dict):
                    return list(getattr(value, name)())
            case ast.Name(id=name) if name in _ITERATORS and name not in names and not node.keywords:
                return self._iterated(node, _ITERATORS[name], self.all(node.args, names, node))
        called = self.evaluate(node.func, names)
        if not isinstance(called, Function):
            raise unreadable(node, f"only running the code tells what {ast.unparse(node.func)[:60]}(...) gives")
        try:
            return self._make(node, called.name, *self._arguments(node, names))
        except UnreadableError as error:
            raise UnreadableError(error.problems, schema=called.name == "schema") from None

    def _arguments(self, node: ast.Call, names: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        keywords = {each.arg: each.value for each in node.keywords if each.arg is not None}
        if len(keywords) < len(node.keywords):
            raise unreadable(node.keywords[-1].value, "** in a call", "write the arguments out")
        given = self.all([*node.args, *keywords.values()], names, node)
        positional = len(given) - len(keywords)
        return given[:positional], dict(zip(keywords, given[positional:], strict=True))

    def _iterated(self, node: ast.AST, apply: Callable[..., Iterable[Any]], arguments: list[Any]) -> list[Any]:
        try:
            made = list(itertools.islice(apply(*arguments), MOST_ITEMS + 1))
        except (TypeError, ValueError):
            raise unreadable(node, "only running the code tells what this gives") from None
        if len(made) > MOST_ITEMS:
            raise unreadable(node, f"more than {MOST_ITEMS:,} items", "make it shorter")
        self.spend(len(made))
        return made

    def _with_metadata(self, node: ast.Call, value: Any, method: str) -> Any:
        import pyarrow as pa

        if not isinstance(value, pa.Schema | pa.Field):
            raise unreadable(node, f"{describe(value)} has no {method}")
        # What they say does not matter, as none is kept: that there were some is noticed.
        some = {**(value.metadata or {}), b"...": b""}
        return self._noted(value.with_metadata(some), self._size(value)) if method == "with_metadata" else value

    def _make(self, node: ast.AST, name: str, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
        """Call one of pyarrow's functions, and see that Wallaroo takes what it makes."""
        import pyarrow as pa

        parts = 1
        for each in _pieces(node, name, [*arguments, *keywords.values()]):
            parts += self._size(each)
            if parts > MOST_PARTS:
                raise unreadable(node, f"the schema has more than {MOST_PARTS:,} types and fields", "make it smaller")
        self.spend(parts)
        try:
            made = getattr(pa, name)(*arguments, **keywords)
            _check(node, name, made)
        except UnsupportedTypeError as error:
            raise unreadable(node, str(error), "use a type that the platform takes") from None
        except (pa.ArrowException, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            raise unreadable(node, f"pyarrow refuses pa.{name}(...): {reason(error)}", _usage(name)) from None
        if isinstance(made, pa.Field) and id(node) in self._optional:
            made = made.with_metadata({**(made.metadata or {}), OPTIONAL_FIELD: b""})
        return self._noted(made, parts)

    def _noted(self, made: Any, parts: int) -> Any:
        self._parts[id(made)] = made, parts
        return made

    def _size(self, value: Any) -> int:
        """In parts; long texts count as several, as they stand in pyarrow's messages."""
        if id(value) in self._parts:
            return self._parts[id(value)][1]
        return 1 + (len(value) // 100 if isinstance(value, str | bytes) else 0)


def _held(node: ast.Name, name: str, names: Mapping[str, Any]) -> Any:
    if name in names:
        value = names[name]
        if isinstance(value, UnreadableError):
            raise UnreadableError(value.problems, schema=value.schema)
        return value
    if "*" in names:  # from pyarrow import *
        return function(node, name)
    fix = f"assign it above, or import it: {'import pyarrow as pa' if name == 'pa' else 'from pyarrow import ...'}"
    raise unreadable(node, f"nothing is assigned to {name} before line {node.lineno}", fix)


def _no_sum(node: ast.AST, left: Any, right: Any) -> NoReturn:
    raise unreadable(node, f"{describe(left)} and {describe(right)} cannot be joined here")


def _pieces(node: ast.AST, name: str, values: Iterable[Any], depth: int = 0) -> Iterator[Any]:
    """What a function is given, without the lists, tuples and dicts around it: fields are a list of tuples at most."""
    for each in values:
        if isinstance(each, list | tuple | dict):
            if depth > 1:
                raise unreadable(node, f"pa.{name} is given {describe(each)} inside of others", _usage(name))
            yield from _pieces(node, name, each.values() if isinstance(each, dict) else each, depth + 1)
        elif isinstance(each, Function):
            raise unreadable(node, f"pa.{each.name} is a function, not a type", f"call it: pa.{each.name}(...)")
        elif isinstance(each, Library):
            raise unreadable(node, f"pa.{name} is given a module", _usage(name))
        else:
            yield each


def _check(node: ast.AST, name: str, made: Any) -> None:
    import pyarrow as pa

    if name in {"schema", "struct"} and not len(made):
        raise unreadable(node, f"the {name} has no fields", f"pa.{name}([pa.field('x', pa.float64())])")
    if isinstance(made, pa.DataType):
        type_from_arrow(made)
    else:
        from_arrow(pa.schema([made]) if isinstance(made, pa.Field) else made)


def _usage(name: str) -> str:
    if name in PARAMETRISED and PARAMETRISED[name].expected != "nothing":
        return f"it takes {PARAMETRISED[name].expected}"
    return f"write e.g. {_EXAMPLES.get(name, f'pa.{name}()')}"


def describe(value: Any) -> str:
    """A value in a message."""
    import pyarrow as pa

    if isinstance(value, Function):
        return f"the function pa.{value.name}"
    ours = {list: "a list", tuple: "a tuple", dict: "a dict", Library: "a module"}
    kinds = {**ours, pa.DataType: "a type", pa.Field: "a field", pa.Schema: "a schema"}
    # Only what is none of these is written out: lists of lists may be gigantic.
    return next((what for kind, what in kinds.items() if isinstance(value, kind)), "") or _short(repr(value))


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."  # noqa: PLR2004 - as much as a message holds


_EXAMPLES = {
    "schema": "pa.schema([pa.field('x', pa.float64())])",
    "field": "pa.field('x', pa.float64())",
    "struct": "pa.struct([pa.field('x', pa.float64())])",
    "list_": "pa.list_(pa.float64(), list_size=4)",
    "large_list": "pa.large_list(pa.float64())",
    "map_": "pa.map_(pa.string(), pa.float64())",
    "dictionary": "pa.dictionary(pa.int32(), pa.string())",
    "type_for_alias": "pa.type_for_alias('float64')",
}
_OPERATORS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
}
_IN_WORDS: Mapping[type, str] = {
    ast.SetComp: "a comprehension",
    ast.IfExp: "a condition",
    ast.BoolOp: "a condition",
    ast.Compare: "a comparison",
    ast.Subscript: "an item",
    ast.Lambda: "a function",
    ast.Await: "await",
    ast.NamedExpr: "an assignment inside of an expression",
}
