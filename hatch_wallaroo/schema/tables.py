"""Schemas as tables of pyproject.toml: a field is a text, or a table that says what a text cannot.

    inputs = "float64[4]"
    top_k = { type = "int64", optional = true }
    box = { type = "struct", fields = { x = "int64", y = "int64" }, shape = ["*"] }

A table has a `type` and, each where it applies:

- on every type: `nullable` (false: never null), `shape` (the sizes of plain lists around it, as in the
  notation), and on a field `optional` (a row may leave it out);
- `struct`: `fields`, name by name;
- `map`: `key`, `value`, `keys-sorted`;
- `dictionary`: `index` (an integer dtype), `value`, `ordered`;
- `list` and `large_list`: `items`, `item-name` and, for `list`, `size`. Only lists of an unusual make need them.

`fields`, `key`, `value` and `items` hold types in either form again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hatch_wallaroo.schema.notation import format_type, is_plain, peel
from hatch_wallaroo.schema.reader import Problem, Reader
from hatch_wallaroo.schema.types import Dictionary, Field, ListOf, MapOf, Scalar, Schema, Struct, Type
from hatch_wallaroo.text import display

__all__ = ["Problem", "read_schema", "write_schema"]

_ONE_LINE_EACH = 'write one line a field: inputs = "float64[4]"'


def read_schema(table: Mapping[str, Any]) -> tuple[Schema, list[Problem]]:
    """Read a schema and collect all that is wrong with it.

    Fields that cannot be read are left out of the schema. Takes anything that JSON or TOML can hold.
    """
    reader = Reader()
    given: Any = table
    if not isinstance(given, Mapping):
        reader.problem((), f"{display(given)} is no table", _ONE_LINE_EACH)
        return Schema(()), reader.problems
    if not given:
        reader.problem((), "the schema has no fields", _ONE_LINE_EACH)
    return Schema(reader.fields(given, (), 0)), reader.problems


def write_schema(schema: Schema) -> dict[str, Any]:
    """The shortest table that reads back as this schema.

    Raises ValueError where two fields have one name: a table cannot say that.
    """
    return _write_fields(schema.fields)


def _write_fields(fields: tuple[Field, ...]) -> dict[str, Any]:
    written = {each.name: _write(each.type, optional=each.optional, nullable=each.nullable) for each in fields}
    if len(written) < len(fields):
        raise ValueError("two fields have the same name")
    return written


def _write(type_: Type, *, optional: bool = False, nullable: bool = True) -> str | dict[str, Any]:
    flags = {**({"optional": True} if optional else {}), **({} if nullable else {"nullable": False})}
    if is_plain(type_):
        text = format_type(type_)
        return {"type": text, **flags} if flags else text
    item, sizes = peel(type_)
    shape = {"shape": ["*" if size is None else size for size in sizes]} if sizes else {}
    return {**_write_own(item), **shape, **flags}


def _write_own(type_: Type) -> dict[str, Any]:
    match type_:
        case Struct(fields):
            return {"type": "struct", "fields": _write_fields(fields)}
        case MapOf():
            ordered = {"keys-sorted": True} if type_.keys_sorted else {}
            value = _write(type_.value, nullable=type_.value_nullable)
            return {"type": "map", "key": _write(type_.key), "value": value, **ordered}
        case Dictionary():
            ordered = {"ordered": True} if type_.ordered else {}
            return {"type": "dictionary", "index": type_.index.name, "value": _write(type_.value), **ordered}
        case ListOf():
            name = {} if type_.item_name == "item" else {"item-name": type_.item_name}
            size = {} if type_.size is None else {"size": type_.size}
            kind = "large_list" if type_.large else "list"
            return {"type": kind, "items": _write(type_.item, nullable=type_.item_nullable), **size, **name}
        case Scalar(name):
            return {"type": name}
