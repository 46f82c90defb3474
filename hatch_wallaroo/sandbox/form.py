"""A form for one row of a model's input, made from its schema, and what was typed into it as a row."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hatch_wallaroo.files.json_text import JsonError, parse_json
from hatch_wallaroo.preflight.rows import made_rows
from hatch_wallaroo.schema.notation import format_type
from hatch_wallaroo.schema.types import Dictionary, ListOf, MapOf, Scalar, Schema, Struct, Type

MOST_CONTROLS = 200
"""Fields of a form; a row of more is asked for by a program."""

_MOST_ITEMS = 1000
"""Items of a field that is filled in with an example."""

Kind = Literal["number", "text", "choice", "json"]


class TypedError(Exception):
    """What was typed is no value of its field's type; the message says what is expected."""


@dataclass(frozen=True)
class Control:
    """One field of the form. `key` is its name there, which nothing of the schema can change.

    `value` is what stands in it: an example, or what was typed; `problem` says what is wrong with that.
    """

    key: str
    name: str
    notation: str
    kind: Kind
    value: str
    problem: str = ""


def controls(schema: Schema) -> list[Control]:
    """The fields for a schema, filled in with an example where that is not too long to be typed."""
    return [
        Control(f"field{number}", each.name, format_type(each.type), _kind(each.type), _example(schema, number))
        for number, each in enumerate(schema.fields)
    ]


def typed(schema: Schema, form: Mapping[str, str]) -> tuple[list[Control], dict[str, Any]]:
    """The same fields with what was typed, each with its problem, and the row that all of them make.

    An empty field is a null, but for a text, which it may be.
    """
    row: dict[str, Any] = {}
    made = []
    for number, each in enumerate(schema.fields):
        key = f"field{number}"
        value, problem = form.get(key, ""), ""
        try:
            row[each.name] = _value(each.type, value)
        except TypedError as error:
            problem = str(error)
        made.append(Control(key, each.name, format_type(each.type), _kind(each.type), value, problem))
    return made, row


def _kind(type_: Type) -> Kind:
    if isinstance(type_, Dictionary):
        return _kind(type_.value)
    if not isinstance(type_, Scalar):
        return "json"
    if type_.name == "bool":
        return "choice"
    return "number" if _number(type_.name) else "text"


def _number(name: str) -> Callable[[str], int | float] | None:
    """What reads a number of a type; None for a type of something else."""
    if name.startswith(("int", "uint")):
        return int
    return float if name.startswith(("float", "double", "half")) else None


def _value(type_: Type, text: str) -> Any:
    """What was typed, as a value of a type. Raises TypedError."""
    if isinstance(type_, Dictionary):
        return _value(type_.value, text)
    if isinstance(type_, Scalar) and type_.name in {"string", "large_string"}:
        return text
    text = text.strip()
    if not text:
        return None
    if not isinstance(type_, Scalar):
        return _parsed(type_, text)
    if type_.name == "bool":
        if text not in {"true", "false"}:
            raise TypedError("true or false is expected")
        return text == "true"
    read = _number(type_.name)
    try:
        return read(text) if read else text
    except ValueError:
        raise TypedError(f"a {'whole number' if read is int else 'number'} is expected") from None


def _parsed(type_: Type, text: str) -> Any:
    """A value of several parts: JSON, and of a list also its items alone."""
    try:
        found = parse_json(text.encode())
    except JsonError as error:
        if not isinstance(type_, ListOf):
            raise TypedError(f"the JSON {error}") from None
        try:
            return parse_json(f"[{text}]".encode())
        except JsonError:
            raise TypedError(f"the JSON {error}") from None
    if isinstance(type_, ListOf) and not isinstance(found, list):
        return [found]
    if isinstance(type_, Struct) and not isinstance(found, dict):
        raise TypedError("an object is expected: {…}")
    if isinstance(type_, MapOf):
        if not isinstance(found, dict):
            raise TypedError("an object is expected: {…}")
        return list(found.items())
    return found


def _example(schema: Schema, number: int) -> str:
    field = schema.fields[number]
    if _items(field.type) > _MOST_ITEMS:
        return ""
    value = made_rows(Schema((field,))).inputs[0][field.name]
    if isinstance(value, bytes) or value is None:
        return ""
    if isinstance(field.type, MapOf):
        return "{}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _items(type_: Type) -> int:
    """How many values an example of a type has, at least those that the type fixes."""
    if isinstance(type_, ListOf):
        size = 2 if type_.size is None else type_.size
        return size * _items(type_.item) if size <= _MOST_ITEMS else size
    if isinstance(type_, Struct):
        return sum(_items(each.type) for each in type_.fields)
    return _items(type_.value) if isinstance(type_, Dictionary) else 1
