"""Rows that a model answered, held against its output schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hatch_wallaroo.schema.types import ListOf, Scalar, Schema, Struct, Type

_MOST = 10


def misfits(answer: Any, rows: int, schema: Schema | None) -> Iterator[str]:
    """Where an answer (pandas records: a list of rows) is not what the schema says; at most ten places.

    A bare value in the place of a row, as scikit-learn models answer, stands for the schema's only field.
    """
    if not isinstance(answer, list):
        yield f"the answer is no list of rows but {_kind(answer)}"
        return
    if len(answer) != rows:
        yield f"{rows} rows were sent, and {len(answer)} came back"
    if schema is None:
        return
    found = (problem for number, row in enumerate(answer) for problem in _row(number, row, schema))
    for count, problem in enumerate(found):
        if count == _MOST:
            yield "and more"
            return
        yield problem


def _row(number: int, row: Any, schema: Schema) -> Iterator[str]:
    if not isinstance(row, Mapping):
        if len(schema.fields) != 1:
            yield f"row {number} is {_kind(row)}, and the schema has {len(schema.fields)} fields"
            return
        row = {schema.fields[0].name: row}
    for name in row:
        if schema.get(str(name)) is None:
            yield f"row {number} has {name!r}, which is not in the output schema"
    for field in schema.fields:
        if field.name not in row:
            if not field.optional:
                yield f"row {number} lacks {field.name!r}"
        elif problem := _value(row[field.name], field.type):
            yield f"row {number}, {field.name}: {problem}"


def _value(value: Any, type_: Type) -> str:
    """What is wrong with a value; empty where nothing is. Widths of numbers do not matter: the platform casts them."""
    match type_:
        case ListOf():
            if not isinstance(value, list):
                return f"{_kind(value)} instead of a list"
            if type_.size is not None and len(value) != type_.size:
                return f"{len(value)} items instead of {type_.size}"
            return next((problem for each in value if (problem := _value(each, type_.item))), "")
        case Struct():
            return "" if isinstance(value, Mapping) else f"{_kind(value)} instead of a table"
        case Scalar(name):
            return _scalar(value, name)
        case _:
            return ""


def _scalar(value: Any, name: str) -> str:
    if value is None:
        return ""
    wanted = {"string": str, "bool": bool}.get(name)
    if wanted is None and name.startswith(("int", "uint", "float", "double", "decimal")):
        good = isinstance(value, (int, float)) and not isinstance(value, bool)
        if good and name.startswith(("int", "uint")) and isinstance(value, float) and not value.is_integer():
            return f"{value} is cut to a whole number by {name}"
        return "" if good else f"{_kind(value)} instead of {name}"
    return "" if wanted is None or isinstance(value, wanted) else f"{_kind(value)} instead of {name}"


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    names = {bool: "a truth value", int: "a number", float: "a number", str: "a text", list: "a list", dict: "a table"}
    return names.get(type(value), "another value")
