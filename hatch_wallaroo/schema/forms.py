"""Prints schemas: for pyproject.toml, as Arrow shows them, as Python, and as they are sent.

The Python is the upload guide's own style:

    input_schema = pa.schema([
        pa.field('inputs', pa.list_(pa.float64(), list_size=4)),
    ])

Arrow cannot say that a row may leave a field out. The guide says it in a comment behind the field, and so does
this; of fields inside of a struct it is lost. `schema.python_source` reads all of it back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hatch_wallaroo.schema.arrow import encode, to_arrow
from hatch_wallaroo.schema.scalars import split
from hatch_wallaroo.schema.tables import format_key, format_schema, write_schema
from hatch_wallaroo.schema.types import Dictionary, Field, ListOf, MapOf, Scalar, Schema, Side, Struct, Type

PrintForm = Literal["notation", "arrow", "python", "base64"]
PRINT_FORMS: tuple[PrintForm, ...] = ("notation", "arrow", "python", "base64")

IMPORT = "import pyarrow as pa"
OPTIONAL = "optional"
"""The comment behind a field that a row may leave out."""

_NAMES = {"bool": "bool_", "fixed_size_binary": "binary"}
_STEERING = re.compile(r"[^\n\x20-\x7e]")
_ONLY_MODEL = ("tool", "wallaroo")


@dataclass(frozen=True)
class Labelled:
    """A schema and what it belongs to.

    `key` is the model's table, `model` its name where there are several. `side` is None where nobody said it.
    """

    schema: Schema
    side: Side | None = None
    model: str = ""
    key: tuple[str, ...] = _ONLY_MODEL


def display(schemas: Sequence[Labelled], form: PrintForm, encoding: str = "utf-8") -> str:
    """All of them in one form, without a newline at the end; what an encoding does not have is written as numbers."""
    text = _FORMS[form](schemas)
    if form == "notation":
        return _STEERING.sub(lambda found: _escaped(found[0], encoding), text)
    return text


def document(schema: Schema | None) -> dict[str, Any] | None:
    """A schema for programs: the notation's table and the base64 that is sent."""
    if schema is None:
        return None
    return {"fields": write_schema(schema), "base64": encode(schema)}


def header(labelled: Labelled) -> str:
    """The table of pyproject.toml that the schema would be: `tool.wallaroo.input-schema`."""
    return ".".join(format_key(each) for each in (*labelled.key, f"{labelled.side}-schema"))


def _notation(schemas: Sequence[Labelled]) -> str:
    """Tables to be pasted into pyproject.toml."""
    parts = []
    for each in schemas:
        head = f"[{header(each)}]\n" if each.side else ""
        parts.append(f"{head}{format_schema(each.schema)}")
    return "\n".join(parts).rstrip("\n")


def _escaped(character: str, encoding: str) -> str:
    """What is not plain ASCII, and so stands in quotes: letters stay, the rest is written as TOML does it there."""
    if character.isprintable() and character.encode(encoding, "ignore"):
        return character
    code = ord(character)
    return f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"  # noqa: PLR2004 - four digits


def _arrow(schemas: Sequence[Labelled]) -> str:
    parts = []
    for each in schemas:
        label = _label(each)
        parts.append((f"# {label}\n" if label else "") + str(to_arrow(each.schema)))
    return "\n\n".join(parts)


def _python(schemas: Sequence[Labelled]) -> str:
    lines = [IMPORT]
    for each in schemas:
        name = f"{each.side}_schema" if each.side else "schema"
        prefix = re.sub(r"\W", "_", each.model, flags=re.ASCII) + "_" if each.model else ""
        lines.append(f"{prefix}{name} = {as_python(each.schema)}")
    return "\n\n".join(lines)


def _base64(schemas: Sequence[Labelled]) -> str:
    """One schema is its text alone, for `$(...)`; of several, each line says first which one it is."""
    if len(schemas) == 1:
        return encode(schemas[0].schema)
    return "\n".join(f"{_label(each)} {encode(each.schema)}".strip() for each in schemas)


def _label(labelled: Labelled) -> str:
    side = f"{labelled.side}-schema" if labelled.side else ""
    return " ".join(each for each in (labelled.model, side) if each)


_FORMS: Mapping[PrintForm, Callable[[Sequence[Labelled]], str]] = {
    "notation": _notation,
    "arrow": _arrow,
    "python": _python,
    "base64": _base64,
}


def as_python(schema: Schema) -> str:
    """Python that makes a schema: an expression over several lines, a field each; it needs pyarrow as `pa`."""
    lines = (f"    {_field(each)},{f'  # {OPTIONAL}' if each.optional else ''}\n" for each in schema.fields)
    return f"pa.schema([\n{''.join(lines)}])"


def _field(field: Field) -> str:
    nullable = "" if field.nullable else ", nullable=False"
    return f"pa.field({field.name!r}, {_type(field.type)}{nullable})"


def _type(type_: Type) -> str:
    match type_:
        case Scalar(name):
            return _scalar(name)
        case Struct(fields):
            return f"pa.struct([{', '.join(map(_field, fields))}])"
        case MapOf():
            value = _inner("value", type_.value, "value", nullable=type_.value_nullable)
            return f"pa.map_({_type(type_.key)}, {value}{', keys_sorted=True' if type_.keys_sorted else ''})"
        case Dictionary():
            ordered = ", ordered=True" if type_.ordered else ""
            return f"pa.dictionary({_type(type_.index)}, {_type(type_.value)}{ordered})"
        case ListOf():
            item = _inner(type_.item_name, type_.item, "item", nullable=type_.item_nullable)
            size = "" if type_.size is None else f", list_size={type_.size}"
            return f"pa.large_list({item})" if type_.large else f"pa.list_({item}{size})"


def _inner(name: str, type_: Type, usual: str, *, nullable: bool) -> str:
    """The items of a list or the values of a map: a type, or a field where it has more to say."""
    return _type(type_) if name == usual and nullable else _field(Field(name, type_, nullable=nullable))


def _scalar(dtype: str) -> str:
    found = split(dtype)
    if found is None:
        raise ValueError(f"{dtype!r} is no dtype")
    name, parameters = found
    if name == "timestamp" and len(parameters) > 1:
        unit, zone = parameters
        return f"pa.timestamp({unit!r}, tz={zone!r})"
    # Units are texts, widths and precisions numbers.
    written = (each if each.lstrip("-").isdigit() else repr(each) for each in parameters)
    return f"pa.{_NAMES.get(name, name)}({', '.join(written)})"
