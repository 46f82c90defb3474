"""Python's expressions, as far as schemas are written with them: evaluated from their syntax tree, never run.

Texts, numbers, lists, tuples and dicts, their sums, names that were assigned before, and calls of pyarrow's
functions. A value that only running would tell is `Unknown`, with the place and the reason; whoever needs it passes
that on, and whoever does not is not troubled by it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hatch_wallaroo.schema.python_values import Function, Made, RefusedError, function, said
from hatch_wallaroo.schema.types import Field, Schema

MOST_ITEMS = 20_000
MOST_VALUES = 2_000_000
LARGEST = 2**63
PRINT_IT = "print(base64.b64encode(bytes(input_schema.serialize())).decode())"
ONLY_RUNNING = f"run it where it belongs and read what it prints: {PRINT_IT}"


@dataclass(frozen=True)
class Problem:
    """What is wrong at a node of the tree."""

    node: ast.AST
    message: str
    fix: str


@dataclass(frozen=True)
class Unknown:
    """A value that cannot be told. `schema`: it would have been one, as pa.schema was called."""

    problems: tuple[Problem, ...]
    schema: bool = False


@dataclass(frozen=True)
class Library:
    """pyarrow itself, or something of another library (`name` empty)."""

    name: str


class TooMuchError(Exception):
    """The source makes more values than any schema needs."""


class Names(dict[str, Any]):
    """What each name holds at a point of the source; `spend` bounds what small sources can blow up.

    `optional`: the identities of the nodes that make fields which a comment calls optional.
    """

    def __init__(self, held: Mapping[str, Any], optional: frozenset[int], left: list[int] | None = None) -> None:
        super().__init__(held)
        self.optional = optional
        self._left = [MOST_VALUES] if left is None else left

    def spend(self, values: int) -> None:
        """Count values that are made. Raises TooMuchError."""
        self._left[0] -= values
        if self._left[0] < 0:
            raise TooMuchError

    def inner(self) -> Names:
        """What the body of a function sees: it may change lists, and may never be called."""
        lists = {name: list(value) for name, value in self.items() if isinstance(value, list)}
        self.spend(len(self) + sum(map(len, lists.values())))
        return Names({**self, **lists}, self.optional, self._left)


def evaluate(node: ast.expr, names: Names) -> Any:
    """The value of an expression."""
    handler = _HANDLERS.get(type(node))
    if handler is not None:
        return handler(node, names)
    what = _IN_WORDS.get(type(node), "this expression")
    return _unknown(node, f"only running the code tells what {what} gives", ONLY_RUNNING)


def _unknown(node: ast.AST, message: str, fix: str) -> Unknown:
    return Unknown((Problem(node, message, fix),))


def joined(values: Iterable[Any]) -> Unknown | None:
    """The problems of all values that are unknown; None where all are known."""
    problems = [problem for each in values if isinstance(each, Unknown) for problem in each.problems]
    return Unknown(tuple(dict.fromkeys(problems))) if problems else None


def _constant(node: ast.Constant, names: Names) -> Any:
    del names
    if isinstance(node.value, int) and abs(node.value) >= LARGEST:
        return _unknown(node, "so great a number", "write a smaller one")
    return node.value


def _name(node: ast.Name, names: Names) -> Any:
    if node.id in names:
        return names[node.id]
    if "*" in names:  # from pyarrow import *
        return _function(node, node.id)
    fix = f"assign it above, or import it: {'import pyarrow as pa' if node.id == 'pa' else 'from pyarrow import ...'}"
    return _unknown(node, f"nothing is assigned to {node.id} before line {node.lineno}", fix)


def _attribute(node: ast.Attribute, names: Names) -> Any:
    holder = evaluate(node.value, names)
    if isinstance(holder, Library) and holder.name:
        return _function(node, node.attr)
    if isinstance(holder, Unknown):
        return holder
    return _unknown(node, f"only running the code tells what {ast.unparse(node)[:60]} is", ONLY_RUNNING)


def _function(node: ast.AST, name: str) -> Any:
    try:
        return function(name)
    except RefusedError as error:
        return _unknown(node, error.message, error.fix)


def _sequence(node: ast.List | ast.Tuple, names: Names) -> Any:
    items: list[Any] = []
    for each in node.elts:
        if isinstance(each, ast.Starred):
            more = evaluate(each.value, names)
            items += more if isinstance(more, list | tuple) else [_spread(each, more)]
        else:
            items.append(evaluate(each, names))
        if len(items) > MOST_ITEMS:
            return _unknown(node, f"a list of more than {MOST_ITEMS:,} items", "make it shorter")
    names.spend(len(items))
    wrong = joined(items)
    if wrong or isinstance(node, ast.List):
        return wrong or items
    return _applied(node, function("field"), tuple(items), {}, names) if id(node) in names.optional else tuple(items)


def _spread(node: ast.AST, value: Any) -> Any:
    return value if isinstance(value, Unknown) else _unknown(node, f"* before {said(value)}", "write a list there")


def _dict(node: ast.Dict, names: Names) -> Any:
    made: dict[Any, Any] = {}
    wrong: list[Any] = []
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            wrong.append(_unknown(node, "** in a dict", "write its items out"))
            continue
        name, item = evaluate(key, names), evaluate(value, names)
        wrong += [each for each in (name, item) if isinstance(each, Unknown)]
        if isinstance(name, str | bytes | int | float | None):
            made[name] = item
        elif not isinstance(name, Unknown):
            wrong.append(_unknown(key, f"{said(name)} as a key of a dict", "write texts as keys"))
    return joined(wrong) or made


def _sum(node: ast.BinOp, names: Names) -> Any:
    left, right = evaluate(node.left, names), evaluate(node.right, names)
    made = joined((left, right)) or combined(node, left, node.op, right)
    names.spend(len(made) if isinstance(made, list | tuple | str) else 1)
    return made


def combined(node: ast.AST, left: Any, operator: ast.operator, right: Any) -> Any:
    """Two values joined by an operator: numbers, or lists and texts by + and *."""
    numbers = _is_number(left) and _is_number(right)
    if isinstance(operator, ast.Add) and (numbers or _alike(left, right)):
        if not numbers and len(left) + len(right) > MOST_ITEMS:
            return _unknown(node, f"more than {MOST_ITEMS:,} items", "make it shorter")
        return _bounded(node, left + right)
    if isinstance(operator, ast.Mult):
        if numbers:
            return _bounded(node, left * right)
        times = right if _is_number(right) else left
        many = left if times is right else right
        if isinstance(many, list | tuple | str) and isinstance(times, int) and len(many) * max(times, 0) <= MOST_ITEMS:
            return many * times
    if numbers and isinstance(operator, ast.Sub):
        return _bounded(node, left - right)
    if numbers and isinstance(operator, ast.FloorDiv) and right:
        return left // right
    return _unknown(node, f"{said(left)} and {said(right)} cannot be joined here", ONLY_RUNNING)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _alike(left: Any, right: Any) -> bool:
    return any(isinstance(left, kind) and isinstance(right, kind) for kind in (list, tuple, str))


def _bounded(node: ast.AST, value: Any) -> Any:
    if isinstance(value, int) and abs(value) >= LARGEST:
        return _unknown(node, "so great a number", "write a smaller one")
    return value


def _unary(node: ast.UnaryOp, names: Names) -> Any:
    value = evaluate(node.operand, names)
    if isinstance(value, Unknown):
        return value
    if isinstance(node.op, ast.USub) and isinstance(value, int | float) and not isinstance(value, bool):
        return -value
    if isinstance(node.op, ast.Not) and isinstance(value, bool):
        return not value
    return _unknown(node, f"only running the code tells what {ast.unparse(node)[:60]} is", ONLY_RUNNING)


def _call(node: ast.Call, names: Names) -> Any:
    if isinstance(node.func, ast.Attribute) and node.func.attr in _KEEPING:
        return _without_metadata(node, node.func, names)
    called = evaluate(node.func, names)
    if isinstance(called, Unknown):
        return called
    if not isinstance(called, Function):
        shown = ast.unparse(node.func)[:60]
        return _unknown(node, f"only running the code tells what {shown}(...) gives", ONLY_RUNNING)
    arguments = _sequence(ast.Tuple([*node.args], ast.Load()), names)
    keywords = {each.arg: evaluate(each.value, names) for each in node.keywords if each.arg}
    spread = [each.value for each in node.keywords if each.arg is None]
    wrong = joined(
        [arguments, *keywords.values(), *(_unknown(each, "** in a call", "write the arguments out") for each in spread)]
    )
    if wrong:
        return Unknown(wrong.problems, schema=called.name == "schema")
    return _applied(node, called, arguments, keywords, names)


def _applied(
    node: ast.AST, called: Function, arguments: tuple[Any, ...], keywords: Mapping[str, Any], names: Names
) -> Any:
    try:
        made = called.call(arguments, keywords)
    except RefusedError as error:
        return Unknown((Problem(node, error.message, error.fix),), schema=called.name == "schema")
    if isinstance(made.thing, Field) and id(node) in names.optional:
        return replace(made, thing=replace(made.thing, optional=True))
    return made


_KEEPING = frozenset({"remove_metadata", "with_metadata"})
"""Methods of schemas and fields that change nothing but the metadata, which are not kept anyway."""


def _without_metadata(node: ast.Call, method: ast.Attribute, names: Names) -> Any:
    value = evaluate(method.value, names)
    if isinstance(value, Unknown):
        return value
    if isinstance(value, Made) and value.kind != "a type":
        return replace(value, metadata=value.metadata or method.attr == "with_metadata")
    return _unknown(node, f"{said(value)} has no {method.attr}", ONLY_RUNNING)


def is_schema(value: Any) -> bool:
    """Whether a value is a schema, or would be one if all of it could be read."""
    if isinstance(value, Made):
        return isinstance(value.thing, Schema)
    return isinstance(value, Unknown) and value.schema


_IN_WORDS: Mapping[type, str] = {
    ast.ListComp: "a comprehension",
    ast.SetComp: "a comprehension",
    ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.IfExp: "a condition",
    ast.BoolOp: "a condition",
    ast.Compare: "a comparison",
    ast.Subscript: "an item",
    ast.Lambda: "a function",
    ast.JoinedStr: "an f-string",
    ast.Await: "await",
    ast.NamedExpr: "an assignment inside of an expression",
}
_HANDLERS: Mapping[type, Callable[[Any, Names], Any]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.List: _sequence,
    ast.Tuple: _sequence,
    ast.Dict: _dict,
    ast.BinOp: _sum,
    ast.UnaryOp: _unary,
    ast.Call: _call,
}
