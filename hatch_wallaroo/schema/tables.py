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

As text it is a line a field, in order. Writers of TOML that take plain tables move those behind the other keys; the
order of fields is part of a schema, so every table is written inline.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hatch_wallaroo.findings import KeyPath, nearest
from hatch_wallaroo.schema.notation import MAX_DEPTH, NotationError, format_type, is_plain, of_shape, parse_type, peel
from hatch_wallaroo.schema.scalars import INT32_MAX
from hatch_wallaroo.schema.types import Dictionary, Field, ListOf, MapOf, Scalar, Schema, Struct, Type
from hatch_wallaroo.text import display, is_unicode, shortened

INDICES = tuple(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))
"""The dtypes that a dictionary's indices can have."""

_COMMON = ("type", "nullable", "shape", "optional")
_OWN_KEYS: Mapping[str, tuple[str, ...]] = {
    "struct": ("fields",),
    "map": ("key", "value", "keys-sorted"),
    "dictionary": ("index", "value", "ordered"),
    "list": ("items", "item-name", "size"),
    "large_list": ("items", "item-name"),
}
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


@dataclass(frozen=True)
class Problem:
    """What is wrong in a schema table.

    `path` leads from the schema's table to the value (`("inputs", "shape", 1)`), `column` counts from 1
    inside the string that stands there and is None where the value is no string.
    """

    path: KeyPath
    message: str
    fix: str
    column: int | None = None


@dataclass
class Reader:
    """One reading; `problems` grows, a type that cannot be read is None."""

    problems: list[Problem] = field(default_factory=list)

    def problem(self, path: KeyPath, message: str, fix: str, column: int | None = None) -> None:
        self.problems.append(Problem(path, message, fix, column))

    def fields(self, table: Mapping[str, Any], path: KeyPath, depth: int) -> tuple[Field, ...]:
        read = [self.field(name, value, (*path, name), depth) for name, value in table.items()]
        return tuple(each for each in read if each is not None)

    def field(self, name: Any, value: Any, path: KeyPath, depth: int) -> Field | None:
        if not is_unicode(name):
            self.problem(path, f"{display(name)} is no name of a field", "use a name of ordinary characters")
            return None
        type_ = self.read(value, path, depth)
        optional = self.flag(value, "optional", path, default=False)
        nullable = self.flag(value, "nullable", path, default=True)
        return None if type_ is None else Field(name, type_, optional, nullable)

    def part(self, table: Mapping[str, Any], key: str, path: KeyPath, depth: int) -> tuple[Type | None, bool]:
        """The type under a key of a type's table, and whether it may be null."""
        path = (*path, key)
        if key not in table:
            self.problem(path[:-1], f"{key} is missing", f'write {key} = "float64", or any other type')
            return None, True
        value = table[key]
        if isinstance(value, Mapping) and "optional" in value:
            self.problem((*path, "optional"), "only a field can be optional", "take it away")
        return self.read(value, path, depth), self.flag(value, "nullable", path, default=True)

    def read(self, value: Any, path: KeyPath, depth: int) -> Type | None:
        if depth > MAX_DEPTH:
            self.problem(path, f"types are nested more than {MAX_DEPTH} deep", "make the schema flatter")
            return None
        if isinstance(value, str):
            return self.text(value, path, depth)
        if isinstance(value, Mapping):
            return self.table(value, path, depth)
        self.problem(path, f"{display(value)} is no type", 'write a text, "float64[4]", or a table with a type')
        return None

    def text(self, value: str, path: KeyPath, depth: int) -> Type | None:
        try:
            type_ = parse_type(value)
        except NotationError as error:
            self.problem(path, error.message, error.fix, error.column)
            return None
        return self.deep(type_, len(peel(type_)[1]), path, depth)

    def deep(self, type_: Type, more: int, path: KeyPath, depth: int) -> Type | None:
        if depth + more <= MAX_DEPTH:
            return type_
        self.problem(path, f"types are nested more than {MAX_DEPTH} deep", "make the schema flatter")
        return None

    def table(self, table: Mapping[str, Any], path: KeyPath, depth: int) -> Type | None:
        kind = table.get("type")
        if not isinstance(kind, str):
            wrong = f"{display(kind)} is no type" if "type" in table else "a type is missing"
            self.problem((*path, "type") if "type" in table else path, wrong, 'write type = "float64"')
            return None
        self.unknown_keys(table, kind, path)
        sizes = self.shape(table, path)
        inner = depth + len(sizes or ())
        build = _BUILDERS.get(kind)
        if build is not None:
            type_ = build(self, table, path, inner + 1)
        else:
            type_ = self.text(kind, (*path, "type"), inner)
            if isinstance(type_, ListOf) and sizes:
                self.problem((*path, "shape"), f"{kind} has a shape already", "write one of the two")
                return None
        if type_ is None or sizes is None:
            return None
        return self.deep(of_shape(type_, sizes), len(sizes), path, depth)

    def unknown_keys(self, table: Mapping[str, Any], kind: str, path: KeyPath) -> None:
        known = (*_COMMON, *_OWN_KEYS.get(kind, ()))
        keys: Iterable[Any] = table
        for key in keys:
            if key not in known:
                near = nearest(key, known) if isinstance(key, str) else None
                fix = f"write {near}" if near else f"known here: {', '.join(known)}"
                self.problem((*path, key), f"{display(key)} does not belong to {shortened(kind)}", fix)

    def shape(self, table: Mapping[str, Any], path: KeyPath) -> tuple[int | None, ...] | None:
        given = table.get("shape", [])
        path = (*path, "shape")
        if not isinstance(given, list | tuple):
            self.problem(path, f"{display(given)} is no shape", 'write the sizes in brackets: [4], ["*", 4]')
            return None
        if len(given) > MAX_DEPTH:
            self.problem(path, f"more than {MAX_DEPTH} dimensions", f"use {MAX_DEPTH} at most")
            return None
        sizes = [self.size(each, (*path, at)) for at, each in enumerate(given)]
        return tuple(None if each == "*" else each for each in given) if all(sizes) else None

    def size(self, value: Any, path: KeyPath) -> bool:
        if value == "*" and isinstance(value, str):
            return True
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= INT32_MAX:
            return True
        fix = f'write a number from 1 to {INT32_MAX}, or "*" where it varies'
        self.problem(path, f"{display(value)} is no size", fix)
        return False

    def flag(self, value: Any, key: str, path: KeyPath, *, default: bool) -> bool:
        given = value.get(key, default) if isinstance(value, Mapping) else default
        if isinstance(given, bool):
            return given
        self.problem((*path, key), f"{display(given)} is neither true nor false", f"write {key} = true or false")
        return default

    def struct_type(self, table: Mapping[str, Any], path: KeyPath, depth: int) -> Type | None:
        given = table.get("fields")
        if not isinstance(given, Mapping) or not given:
            at = (*path, "fields") if "fields" in table else path
            self.problem(at, "a struct needs fields", 'write fields = { x = "float64", y = "float64" }')
            return None
        before = len(self.problems)
        fields = self.fields(given, (*path, "fields"), depth)
        return Struct(fields) if len(self.problems) == before else None

    def map_type(self, table: Mapping[str, Any], path: KeyPath, depth: int) -> Type | None:
        key, key_nullable = self.part(table, "key", path, depth)
        if isinstance(table.get("key"), Mapping) and "nullable" in table["key"] and key_nullable:
            self.problem((*path, "key", "nullable"), "the keys of a map are never null", "take it away")
        value, nullable = self.part(table, "value", path, depth)
        ordered = self.flag(table, "keys-sorted", path, default=False)
        return None if key is None or value is None else MapOf(key, value, ordered, nullable)

    def dictionary_type(self, table: Mapping[str, Any], path: KeyPath, depth: int) -> Type | None:
        index, _ = self.part(table, "index", path, depth)
        if index is not None and not (isinstance(index, Scalar) and index.name in INDICES):
            self.problem((*path, "index"), f"{format_type(index)} is no index", f"write one of {', '.join(INDICES)}")
            index = None
        value, _ = self.part(table, "value", path, depth)
        if isinstance(value, Dictionary):
            self.problem(
                (*path, "value"), "a dictionary of dictionaries is lost when it is sent", "use its values' type"
            )
            value = None
        ordered = self.flag(table, "ordered", path, default=False)
        return Dictionary(index, value, ordered) if isinstance(index, Scalar) and value is not None else None

    def list_type(self, table: Mapping[str, Any], path: KeyPath, depth: int) -> Type | None:
        item, nullable = self.part(table, "items", path, depth)
        name = table.get("item-name", "item")
        if not is_unicode(name):
            self.problem((*path, "item-name"), f"{display(name)} is no name", "use a name of ordinary characters")
            item = None
        size: Any = table.get("size", "*") if table["type"] == "list" else "*"
        if not self.size(size, (*path, "size")) or item is None:
            return None
        return ListOf(item, None if size == "*" else size, name, nullable, table["type"] == "large_list")


_BUILDERS: Mapping[str, Callable[[Reader, Mapping[str, Any], KeyPath, int], Type | None]] = {
    "struct": Reader.struct_type,
    "map": Reader.map_type,
    "dictionary": Reader.dictionary_type,
    "list": Reader.list_type,
    "large_list": Reader.list_type,
}


_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def format_schema(schema: Schema) -> str:
    """The body of an `[….input-schema]` table: `inputs = "float64[4]"`, with a newline at each end of line.

    Raises ValueError where two fields have one name.
    """
    return "".join(f"{format_key(name)} = {format_value(value)}\n" for name, value in write_schema(schema).items())


def format_key(name: str) -> str:
    return name if _BARE.fullmatch(name) else format_value(name)


def format_value(value: Any) -> str:
    """One value on one line: tables and lists of texts, truth values, numbers, and what else TOML has."""
    if isinstance(value, Mapping):
        inside = ", ".join(f"{format_key(name)} = {format_value(inner)}" for name, inner in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(format_value, value))}]"
    if isinstance(value, (str, int)):
        # JSON's strings are TOML's, but for DEL, which TOML wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    import tomlkit

    text: str = tomlkit.item(value).as_string()
    return text
