"""Schemas as the Python code that makes them with pyarrow, in the upload guide's own style.

    input_schema = pa.schema([
        pa.field('inputs', pa.list_(pa.float64(), list_size=4)),
    ])

Arrow cannot say that a row may leave a field out. The guide says it in a comment behind the field, and so does
this; of fields inside of a struct it is lost. `schema.python_source` reads all of it back.
"""

from __future__ import annotations

from hatch_wallaroo.schema.scalars import split
from hatch_wallaroo.schema.types import Dictionary, Field, ListOf, MapOf, Scalar, Schema, Struct, Type

IMPORT = "import pyarrow as pa"
OPTIONAL = "optional"
"""The comment behind a field that a row may leave out."""

_NAMES = {"bool": "bool_", "fixed_size_binary": "binary"}


def write_schema(schema: Schema) -> str:
    """An expression over several lines, a field each; it needs pyarrow as `pa`."""
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
