"""Documents as plain values: compared, and changed without touching the one that was given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hatch_wallaroo.text import key_text

Key = tuple[str, ...]


def value_at(document: Mapping[str, Any], key: Key) -> Any:
    """What stands at a key, None where nothing does."""
    value: Any = document
    for part in key:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def same(one: Any, other: Any) -> bool:
    """Whether two values are one: of the same types, dicts in any order; lists and tuples are alike, nan is nan."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and (one == other or (one != one and other != other))  # noqa: PLR0124 - that is nan


def same_order(one: Any, other: Any) -> bool:
    """Whether dicts with the same keys have them in the same order, and so all that they hold."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return list(one) == list(other) and all(same_order(value, other[key]) for key, value in one.items())
    return True


def with_value(document: Mapping[str, Any], key: Key, value: Any) -> dict[str, Any]:
    """The document with a value at a key; what is no table on the way gives way."""
    made = dict(document)
    first, *rest = key
    inner = made.get(first)
    made[first] = with_value(inner if isinstance(inner, Mapping) else {}, tuple(rest), value) if rest else value
    return made


def without(document: Mapping[str, Any], key: Key) -> dict[str, Any]:
    """The document without what stands at a key."""
    made = dict(document)
    first, *rest = key
    inner = made.get(first)
    if not rest:
        made.pop(first, None)
    elif isinstance(inner, Mapping):
        made[first] = without(inner, tuple(rest))
    return made


def emptied(document: Mapping[str, Any], key: Key) -> Iterator[dict[str, Any]]:
    """The document without what stands at a key; then without its table too if that is empty, and so on upwards."""
    for length in range(len(key), 0, -1):
        made = without(document, key[:length])
        yield made
        if length < 2 or value_at(made, key[: length - 1]) != {}:  # noqa: PLR2004 - the root is always there
            return


def merged(document: Mapping[str, Any], over: Mapping[str, Any], at: Key = ()) -> dict[str, Any]:
    """Both documents as one. Raises ValueError, its text the key, where both give a value to one."""
    made = dict(document)
    for key, value in over.items():
        here = (*at, key)
        if key not in made:
            made[key] = value
        elif isinstance(made[key], Mapping) and isinstance(value, Mapping):
            made[key] = merged(made[key], value, here)
        else:
            raise ValueError(key_text(here))
    return made
