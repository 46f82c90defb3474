"""What a class inherits from, in the order in which Python looks members up."""

from __future__ import annotations

import ast
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from hatch_wallaroo.byop.expressions import external_name, values_of
from hatch_wallaroo.byop.mac import CLASSES
from hatch_wallaroo.byop.values import Expression, External, OwnClass, Value

Ancestor: TypeAlias = OwnClass | str | None

_LONGEST = 50
"""Ancestors that are still told apart: with n of them, each of n classes in a row would cost n steps."""
_DEEPEST = 30


def ancestry(value: Value) -> tuple[Ancestor, ...]:
    """A class and all that it inherits from, each once, in Python's order as far as that can be told.

    Own classes, the dotted names of others, and None for what cannot be told. A class keeps
    its answer: asking of many classes, or of one with many ways to the same ancestor, costs
    a step for each class.
    """
    start = _classes(value)
    waiting = [each for each in start if isinstance(each, OwnClass)]
    begun: set[int] = set()
    while waiting:
        made = waiting[-1]
        if made.ancestry is not None:
            waiting.pop()
            continue
        bases = [_classes(group[0]) if len(group) == 1 else (None,) for group in made.bases[:_LONGEST]]
        unknown = [each for base in bases for each in base if isinstance(each, OwnClass) and each.ancestry is None]
        if id(made) in begun or not unknown:
            # A class that is not known by now is an ancestor of itself by name alone: it was bound again.
            made.ancestry = _joined(made, bases)
            waiting.pop()
        else:
            begun.add(id(made))
            waiting += unknown
    return _unique(ancestor for each in start for ancestor in _line(each))


def _line(each: Ancestor) -> tuple[Ancestor, ...]:
    if isinstance(each, OwnClass):
        return each.ancestry or (None,)
    if each is not None and each in CLASSES:
        return (each, *(inner for base in CLASSES[each].bases for inner in _line(base)))
    return (each,)


def _joined(made: OwnClass, bases: Sequence[Sequence[Ancestor]]) -> tuple[Ancestor, ...]:
    """A class before its bases' ancestors: merged as Python does, or one after the other where that fails."""
    lines = [_line(each) for base in bases for each in base]
    merged = None if any(None in each for each in lines) else _merged([*lines, [line[0] for line in lines]])
    found = (made, *(merged if merged is not None else _unique(each for line in lines for each in line)))
    complete = len(found) <= _LONGEST and len(made.bases) <= _LONGEST
    return found if complete else (*found[:_LONGEST], None)


def _merged(lines: Iterable[Sequence[Ancestor]]) -> list[Ancestor] | None:
    """Several orders as one (Python's C3): a class comes after all that stand before it anywhere; None if
    they contradict each other.
    """
    left = [deque(each) for each in lines]
    behind = Counter(each for line in left for each in list(line)[1:])
    merged: list[Ancestor] = []
    while left := [each for each in left if each]:
        first = next((line[0] for line in left if not behind[line[0]]), None)
        if first is None:
            return None
        merged.append(first)
        for line in left:
            if line[0] == first:
                line.popleft()
                if line:
                    behind[line[0]] -= 1
    return merged


def _unique(found: Iterable[Ancestor]) -> tuple[Ancestor, ...]:
    return tuple(dict.fromkeys(found))


def _classes(value: Value, depth: int = 0) -> tuple[Ancestor, ...]:
    """The classes that a base stands for: itself, or what is subscripted in `Generic[T]`, called in `namedtuple(…)`."""
    if isinstance(value, OwnClass):
        return (value,)
    if isinstance(value, External):
        return (value.name,)
    if not isinstance(value, Expression) or depth > _DEEPEST:
        return (None,)
    node = value.node
    if isinstance(node, ast.Subscript):
        return tuple(each for inner in values_of(node.value, value.scope) for each in _classes(inner, depth + 1))
    if isinstance(node, ast.Call) and external_name(node.func, value.scope) and not mentions_mac(node, value):
        return (external_name(node.func, value.scope),)
    return (None,)


def mentions_mac(node: ast.Call, value: Expression) -> bool:
    """Whether a call is given something that may be a class of `mac`'s, or one that inherits from it."""
    return any(
        not isinstance(inner, Expression)
        for argument in node.args
        for inner in values_of(argument, value.scope)
        if not (isinstance(inner, External) and not inner.name.startswith("mac."))
    )
