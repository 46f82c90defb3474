"""A merged data document as a :class:`Release`, strictly: no unknown key, no missing one, no value of a wrong type.

What is allowed is read from the dataclasses themselves; a key is a field's name with hyphens.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from hatch_wallaroo.releases.model import ByopSupport, FrameworkRow, OnnxSupport, Release

_Made = TypeVar("_Made", Release, FrameworkRow, OnnxSupport, ByopSupport)
_HINTS: dict[type, dict[str, Any]] = {
    cls: get_type_hints(cls) for cls in (Release, FrameworkRow, OnnxSupport, ByopSupport)
}
_OURS = ("asked", "version")


class ReleaseDataError(ValueError):
    """A data file is wrong; the message names the key."""


def parse_release(document: Mapping[str, Any], *, asked: str, version: str) -> Release:
    """Read a merged document. Raises ReleaseDataError, which names the release and the key."""
    for key in _OURS:
        if key in document:
            raise ReleaseDataError(f"{version}: a data file does not say {key!r}, its name does")
    try:
        families = _table(document, "families")
        rows = {name: _row(name, row, families) for name, row in _table(document, "frameworks").items()}
        values = {key: value for key, value in document.items() if key != "families"}
        values.update(
            frameworks=rows,
            onnx=_make(OnnxSupport, _table(document, "onnx"), "onnx"),
            byop=_make(ByopSupport, _table(document, "byop"), "byop"),
            asked=asked,
            version=version,
        )
        return _make(Release, values, "")
    except ReleaseDataError as error:
        raise ReleaseDataError(f"{version}: {error}") from None


def _row(name: str, row: Any, families: Mapping[str, Any]) -> FrameworkRow:
    """A framework: its family's values, then its own. The task is what its name adds to the family's."""
    where = f"frameworks.{name}"
    family = row.get("family") if isinstance(row, Mapping) else None
    if not isinstance(family, str) or family not in families:
        raise ReleaseDataError(f"{where}.family: {family!r} is no family of this release")
    shared = _table(families, family)
    values: dict[str, Any] = {"libraries": {}, **shared, **row, "name": name}
    values["libraries"] = {**shared.get("libraries", {}), **row.get("libraries", {})}
    if name.startswith(f"{family}-"):
        values["task"] = name.removeprefix(f"{family}-")
    return _make(FrameworkRow, values, where)


def _table(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    table = document.get(key)
    if not isinstance(table, Mapping):
        raise ReleaseDataError(f"{key} must be a table")
    return table


def _make(cls: type[_Made], table: Mapping[str, Any], where: str) -> _Made:
    prefix = f"{where}." if where else ""
    declared = {each.name.replace("_", "-"): each for each in fields(cls)}
    hints = _HINTS[cls]
    for key in table:
        if key not in declared:
            raise ReleaseDataError(f"unknown key {prefix}{key}")
    values: dict[str, Any] = {}
    for key, each in declared.items():
        if key not in table:
            if each.default is MISSING and each.default_factory is MISSING:
                raise ReleaseDataError(f"missing key {prefix}{key}")
            continue
        value = _frozen(table[key])
        if not fits(value, hints[each.name]):
            raise ReleaseDataError(f"{prefix}{key}: {table[key]!r} is not what belongs here")
        values[each.name] = value
    return cls(**values)


def _frozen(value: Any) -> Any:
    """TOML's arrays as tuples, all the way down."""
    if isinstance(value, Mapping):
        return {key: _frozen(inner) for key, inner in value.items()}
    return tuple(_frozen(inner) for inner in value) if isinstance(value, list) else value


def fits(value: Any, hint: Any) -> bool:
    """Whether a value is of an annotated type: plain classes, Any, Literal, unions, tuples and mappings."""
    if hint is Any:
        return True
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return value in arguments
    if origin in {types.UnionType, Union}:
        return any(fits(value, each) for each in arguments)
    if origin is tuple:
        return isinstance(value, tuple) and all(fits(each, arguments[0]) for each in value)
    if origin is not None:  # Mapping[key, value]
        return isinstance(value, Mapping) and all(
            fits(key, arguments[0]) and fits(inner, arguments[1]) for key, inner in value.items()
        )
    return type(value) is hint or (hint is type(None) and value is None)
