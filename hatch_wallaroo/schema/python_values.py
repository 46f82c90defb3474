"""pyarrow's functions that make types, fields and schemas, as far as Wallaroo takes what they make.

They are applied to values that were read out of source text: nothing of pyarrow is imported, nothing is run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from hatch_wallaroo.findings import nearest
from hatch_wallaroo.schema.notation import MAX_DEPTH
from hatch_wallaroo.schema.reader import INDICES
from hatch_wallaroo.schema.scalars import ALIASES, INT32_MAX, PARAMETRISED, PLAIN, REFUSED, canonical, split
from hatch_wallaroo.schema.types import Dictionary, Field, ListOf, MapOf, Scalar, Schema, Struct, Type

MOST_PARTS = 50_000
"""Types and fields in one schema: variables can make small sources mean gigantic schemas."""


class RefusedError(Exception):
    """A call that makes no type: what is wrong, and what to write."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


@dataclass(frozen=True)
class Made:
    """What a function made. `parts` counts the types and fields in it, `depth` how deep they nest.

    `metadata` says that there was some, which is not kept.
    """

    thing: Type | Field | Schema
    parts: int = 1
    depth: int = 0
    metadata: bool = False

    @property
    def kind(self) -> str:
        return {Schema: "a schema", Field: "a field"}.get(type(self.thing), "a type")


@dataclass(frozen=True)
class Function:
    """One of pyarrow's, by its name there. The first `required` of its parameters have no default."""

    name: str
    parameters: tuple[str, ...]
    required: int
    make: Callable[[Mapping[str, Any]], Made]

    def call(self, positional: tuple[Any, ...], keywords: Mapping[str, Any]) -> Made:
        """Apply it to values. Raises RefusedError."""
        if len(positional) > len(self.parameters):
            wanted = ", ".join(self.parameters) or "no arguments"
            raise RefusedError(f"pa.{self.name} is given {len(positional)} arguments", f"it takes {wanted}")
        given = dict(zip(self.parameters, positional, strict=False))
        for name, value in keywords.items():
            if name not in self.parameters:
                raise RefusedError(f"pa.{self.name} has no argument {name}", _meant(name, self.parameters))
            if name in given:
                raise RefusedError(f"pa.{self.name} is given {name} twice", "remove one of the two")
            given[name] = value
        missing = [name for name in self.parameters[: self.required] if name not in given]
        if missing:
            raise RefusedError(f"pa.{self.name} is not given its {missing[0]}", f"pa.{self.name}({missing[0]}, ...)")
        made = self.make(given)
        if made.parts > MOST_PARTS:
            raise RefusedError(f"the schema has more than {MOST_PARTS:,} types and fields", "make it smaller")
        if made.depth > MAX_DEPTH:
            raise RefusedError(f"types are nested more than {MAX_DEPTH} deep", "make the schema flatter")
        return made


def function(name: str) -> Function:
    """The function that pyarrow calls so. Raises RefusedError for what makes no type that Wallaroo takes."""
    if name in FUNCTIONS:
        return FUNCTIONS[name]
    if name in REFUSED:
        raise RefusedError(*REFUSED[name])
    if name in _NOT_TAKEN:
        raise RefusedError(f"Wallaroo cannot take pa.{name}", "use another type")
    raise RefusedError(f"pa.{name} makes no type, field or schema", _meant(name, tuple(FUNCTIONS), "pa."))


def _meant(word: str, known: tuple[str, ...], before: str = "") -> str:
    close = nearest(word, known)
    if close:
        return f"did you mean {before}{close}?"
    return "see pyarrow's list of types" if before else f"it has {', '.join(known) or 'none'}"


def _schema(given: Mapping[str, Any]) -> Made:
    fields = given["fields"]
    if isinstance(fields, Made) and isinstance(fields.thing, Schema):
        return fields
    made, parts, depth, metadata = _fields(fields, "schema")
    lost = metadata or given.get("metadata") is not None
    return Made(Schema(made), parts, depth, lost)


def _struct(given: Mapping[str, Any]) -> Made:
    made, parts, depth, metadata = _fields(given["fields"], "struct")
    return Made(Struct(made), parts, depth + 1, metadata)


def _fields(value: Any, what: str) -> tuple[tuple[Field, ...], int, int, bool]:
    """The fields of a list, a dict or another schema: how many parts, how deep, and whether there was metadata."""
    if isinstance(value, dict):
        value = list(value.items())
    if isinstance(value, Made) and isinstance(value.thing, Schema):
        return value.thing.fields, value.parts, value.depth, value.metadata
    if not isinstance(value, list | tuple):
        raise RefusedError(f"pa.{what} is given {said(value)}", f"give it a list: pa.{what}([pa.field(...), ...])")
    made = [_member(each, at) for at, each in enumerate(value, start=1)]
    if not made:
        raise RefusedError(f"the {what} has no fields", f"pa.{what}([pa.field('x', pa.float64())])")
    fields = tuple(cast("Field", each.thing) for each in made)
    names = [each.name for each in fields]
    twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if twice is not None:
        raise RefusedError(f"two fields are called {twice!r}", "give one of them another name")
    parts = 1 + sum(each.parts for each in made)
    return fields, parts, max(each.depth for each in made), any(each.metadata for each in made)


def _member(value: Any, at: int) -> Made:
    """A field of a list: one that was made, or what pa.field would be given as a tuple."""
    if isinstance(value, Made) and isinstance(value.thing, Field):
        return value
    if isinstance(value, tuple):
        return FUNCTIONS["field"].call(value, {})
    raise RefusedError(f"item {at} is {said(value)}, not a field", "write pa.field('name', pa.float64())")


def _field(given: Mapping[str, Any]) -> Made:
    name = given["name"]
    if isinstance(name, bytes):
        name = name.decode("utf-8", "replace")
    if not isinstance(name, str) or not _is_unicode(name):
        raise RefusedError(f"{said(name)} is no name of a field", "write it as text: pa.field('inputs', ...)")
    type_ = _type(given["type"])
    nullable = given.get("nullable")
    if not isinstance(nullable, bool | None):
        raise RefusedError(f"nullable is {said(nullable)}", "write nullable=True or nullable=False")
    field = Field(name, cast("Type", type_.thing), nullable=nullable is not False)
    lost = type_.metadata or given.get("metadata") is not None
    return replace(type_, thing=field, parts=type_.parts + 1, metadata=lost)


def _is_unicode(name: str) -> bool:
    return not any("\ud800" <= each <= "\udfff" for each in name)


def _type(value: Any) -> Made:
    """A type that was made, or one of the names that pyarrow takes in a type's place."""
    if isinstance(value, Made) and not isinstance(value.thing, Field | Schema):
        return value
    if isinstance(value, str):
        return Made(Scalar(_alias(value)))
    if isinstance(value, Function):
        raise RefusedError(f"pa.{value.name} is a function, not a type", f"call it: pa.{value.name}(...)")
    raise RefusedError(f"{said(value)} is no type", "write one, for example pa.float64()")


def _alias(name: str) -> str:
    if name in _ALIASES:
        return _ALIASES[name]
    if name in REFUSED:
        raise RefusedError(*REFUSED[name])
    found = split(name)
    if found is None or (found[1] and (found[0] not in _IN_UNITS or len(found[1]) > 1)):
        raise RefusedError(f"{said(name)} is no name of a type in pyarrow", "write the type itself: pa.float64()")
    return name


def _item(value: Any, usual: str) -> tuple[Field, Made]:
    """What a list or map is made of: a type, or a field that names it."""
    if isinstance(value, Made) and isinstance(value.thing, Field):
        return value.thing, value
    made = _type(value)
    return Field(usual, cast("Type", made.thing)), made


def _list(given: Mapping[str, Any]) -> Made:
    item, made = _item(given["value_type"], "item")
    size = given.get("list_size", -1)
    if not _is_whole(size) or not (size == -1 or 1 <= size <= INT32_MAX):
        raise RefusedError(f"list_size is {said(size)}", f"write a number from 1 to {INT32_MAX}, or leave it away")
    thing = ListOf(item.type, None if size == -1 else size, item.name, item.nullable)
    return Made(thing, made.parts + 1, made.depth + 1, made.metadata)


def _large_list(given: Mapping[str, Any]) -> Made:
    item, made = _item(given["value_type"], "item")
    thing = ListOf(item.type, None, item.name, item.nullable, large=True)
    return Made(thing, made.parts + 1, made.depth + 1, made.metadata)


def _map(given: Mapping[str, Any]) -> Made:
    key, key_made = _item(given["key_type"], "key")
    value, made = _item(given["item_type"], "value")
    ordered = _flag(given, "keys_sorted")
    depth = max(key_made.depth, made.depth) + 1
    lost = key_made.metadata or made.metadata
    return Made(MapOf(key.type, value.type, ordered, value.nullable), key_made.parts + made.parts + 1, depth, lost)


def _dictionary(given: Mapping[str, Any]) -> Made:
    index, value = _type(given["index_type"]), _type(given["value_type"])
    if not (isinstance(index.thing, Scalar) and index.thing.name in INDICES):
        raise RefusedError("the index type of a dictionary is no integer", "write pa.int32()")
    if isinstance(value.thing, Dictionary):
        raise RefusedError("a dictionary of dictionaries is lost when it is sent", "use its values' type")
    thing = Dictionary(index.thing, cast("Type", value.thing), _flag(given, "ordered"))
    return Made(thing, value.parts + 1, value.depth + 1, value.metadata)


def _alias_type(given: Mapping[str, Any]) -> Made:
    return _type(given["name"])


def _plain(name: str) -> Function:
    return Function(name, (), 0, lambda _: Made(Scalar(ALIASES.get(name, name))))


def _parametrised(name: str, parameters: tuple[str, ...], required: int) -> Function:
    """A dtype with parameters: their order is the notation's."""

    def make(given: Mapping[str, Any]) -> Made:
        values = tuple(None if given.get(each) is None else str(given[each]) for each in parameters)
        if name.startswith("decimal") and values[-1] is None:
            values = (*values[:-1], "0")
        kind = PARAMETRISED[name]
        written = canonical(name, values) if _of_right_kinds(name, given, parameters) else None
        if written is None or split(written) is None:
            shown = ", ".join(said(given[each]) for each in parameters if each in given)
            raise RefusedError(f"pa.{name} takes {kind.expected}, not {shown}", f"for example {kind.example}")
        return Made(Scalar(written))

    return Function(name, parameters, required, make)


def _of_right_kinds(name: str, given: Mapping[str, Any], parameters: tuple[str, ...]) -> bool:
    numbers = name.startswith("decimal")
    values = [given[each] for each in parameters if given.get(each) is not None]
    return all(_is_whole(each) if numbers else isinstance(each, str) for each in values)


def _binary(given: Mapping[str, Any]) -> Made:
    length = given.get("length", -1)
    if length == -1 and _is_whole(length):
        return Made(Scalar("binary"))
    written = canonical("fixed_size_binary", (str(length),)) if _is_whole(length) and length > 0 else None
    if written is None:
        raise RefusedError(f"pa.binary is given {said(length)}", "give it a width in bytes, or nothing")
    return Made(Scalar(written))


def _flag(given: Mapping[str, Any], name: str) -> bool:
    value = given.get(name, False)
    if not isinstance(value, bool):
        raise RefusedError(f"{name} is {said(value)}", f"write {name}=True or {name}=False")
    return value


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def said(value: Any) -> str:
    """A value in a message."""
    if isinstance(value, Made):
        return value.kind
    if isinstance(value, Function):
        return f"the function pa.{value.name}"
    if isinstance(value, list | tuple | dict):
        return {list: "a list", tuple: "a tuple", dict: "a dict"}[type(value)]
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."  # noqa: PLR2004 - as much as a message holds


_ALIASES = {
    **{f"{sign}{size}": f"{kind}{size * 8}" for sign, kind in (("i", "int"), ("u", "uint")) for size in (1, 2, 4, 8)},
    **{f"f{size}": f"float{size * 8}" for size in (2, 4, 8)},
    **{name: ALIASES[name] for name in ("boolean", "halffloat", "double", "str", "utf8", "large_utf8")},
    "float": "float32",
    "large_str": "large_string",
    "date32[day]": "date32",
    "date64[ms]": "date64",
}
"""What `pyarrow.type_for_alias` knows besides the names of the notation."""
_IN_UNITS = ("timestamp", "time32", "time64", "duration")

_NOT_TAKEN = frozenset(
    {
        *("list_view", "large_list_view", "dense_union", "sparse_union", "union", "run_end_encoded"),
        *("decimal32", "decimal64", "fixed_shape_tensor", "bool8", "uuid", "json_", "opaque"),
    }
)

FUNCTIONS = {
    each.name: each
    for each in (
        Function("schema", ("fields", "metadata"), 1, _schema),
        Function("field", ("name", "type", "nullable", "metadata"), 2, _field),
        Function("struct", ("fields",), 1, _struct),
        Function("list_", ("value_type", "list_size"), 1, _list),
        Function("large_list", ("value_type",), 1, _large_list),
        Function("map_", ("key_type", "item_type", "keys_sorted"), 2, _map),
        Function("dictionary", ("index_type", "value_type", "ordered"), 2, _dictionary),
        Function("binary", ("length",), 0, _binary),
        Function("type_for_alias", ("name",), 1, _alias_type),
        _parametrised("timestamp", ("unit", "tz"), 1),
        _parametrised("time32", ("unit",), 1),
        _parametrised("time64", ("unit",), 1),
        _parametrised("duration", ("unit",), 1),
        _parametrised("decimal128", ("precision", "scale"), 1),
        _parametrised("decimal256", ("precision", "scale"), 1),
        *(_plain(name) for name in (*PLAIN, "bool_", "utf8", "large_utf8") if name not in {"bool", "binary"}),
    )
}
"""By the names that they have in pyarrow."""
