"""The border to pyarrow: our types as Arrow's, and back, and as the base64 that the platform takes.

Metadata never crosses it in either direction, but for the mark of an optional field.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hatch_wallaroo.schema.notation import MAX_DEPTH
from hatch_wallaroo.schema.scalars import ALIASES, REFUSED, split
from hatch_wallaroo.schema.types import Dictionary, Field, ListOf, MapOf, Scalar, Schema, Struct, Type

if TYPE_CHECKING:
    import pyarrow as pa


OPTIONAL_FIELD = b"hatch_wallaroo.optional"
"""The metadata of a field that a row may leave out, while `schema.python_source` reads it: Arrow has no such notion."""

MAX_TEXT = 16 * 2**20
"""The longest text that is decoded, in characters: a thousand times what the largest real schema needs."""

_PANDAS_INDEX = re.compile(r"__index_level_[0-9]+__", re.ASCII)


class UnsupportedTypeError(ValueError):
    """An Arrow schema holds what Wallaroo cannot take; the message names the field and its type."""


def to_arrow(schema: Schema) -> pa.Schema:
    """The schema as pyarrow's own, without metadata. `Field.optional` has no counterpart there.

    Raises UnsupportedTypeError for a type that cannot be, such as a large list of fixed size.
    """
    import pyarrow as pa

    return pa.schema([_field_to_arrow(each) for each in schema.fields])


def from_arrow(schema: pa.Schema) -> Schema:
    """A pyarrow schema as ours. Metadata is left behind, of an extension type only its storage is kept.

    Raises UnsupportedTypeError for what the platform cannot take or a table cannot say: null, unions,
    views, lists of size 0, fields of one name, types nested more than 32 deep.
    """
    return Schema(_fields_from_arrow(list(schema), ""))


def type_from_arrow(type_: pa.DataType) -> Type:
    """A pyarrow type as ours. Raises UnsupportedTypeError, as `from_arrow` does."""
    return _from_arrow(type_, "", 0)


def _field_to_arrow(field: Field) -> pa.Field:
    import pyarrow as pa

    return pa.field(field.name, _to_arrow(field.type), nullable=field.nullable)


def _to_arrow(type_: Type) -> pa.DataType:
    import pyarrow as pa

    match type_:
        case Scalar(name):
            return _scalar_to_arrow(name)
        case Struct(fields):
            return pa.struct([_field_to_arrow(each) for each in fields])
        case MapOf():
            value = pa.field("value", _to_arrow(type_.value), nullable=type_.value_nullable)
            return pa.map_(_to_arrow(type_.key), value, keys_sorted=type_.keys_sorted)
        case Dictionary():
            if isinstance(type_.value, Dictionary):
                raise UnsupportedTypeError("a dictionary of dictionaries is lost when it is sent")
            return pa.dictionary(_to_arrow(type_.index), _to_arrow(type_.value), ordered=type_.ordered)
        case ListOf():
            item = pa.field(type_.item_name, _to_arrow(type_.item), nullable=type_.item_nullable)
            if type_.large and type_.size is not None:
                raise UnsupportedTypeError("a large list has no fixed size")
            return pa.large_list(item) if type_.large else pa.list_(item, -1 if type_.size is None else type_.size)


def _scalar_to_arrow(name: str) -> pa.DataType:
    import pyarrow as pa

    found = split(name)
    if found is None:
        raise UnsupportedTypeError(f"{name!r} is no dtype")
    base, parameters = found
    if base == "fixed_size_binary":
        return pa.binary(int(parameters[0]))
    if base == "timestamp":
        return pa.timestamp(parameters[0], tz=parameters[1] if len(parameters) > 1 else None)
    if base.startswith("decimal"):
        return getattr(pa, base)(*map(int, parameters))
    return pa.bool_() if base == "bool" else getattr(pa, base)(*parameters)


def _fields_from_arrow(fields: list[Any], inside: str, depth: int = 0) -> tuple[Field, ...]:
    seen: set[str] = set()
    for each in fields:
        if each.name in seen:
            raise UnsupportedTypeError(f"two fields are called {inside + each.name!r}")
        seen.add(each.name)
    return tuple(
        Field(
            each.name,
            _from_arrow(each.type, f"{inside}{each.name}", depth),
            optional=OPTIONAL_FIELD in (each.metadata or {}),
            nullable=each.nullable,
        )
        for each in fields
    )


def _from_arrow(type_: Any, where: str, depth: int) -> Type:
    """One type; `where` is the field's dotted name, for messages, or empty."""
    import pyarrow as pa

    if depth > MAX_DEPTH:
        raise UnsupportedTypeError(_placed(where, f"types are nested more than {MAX_DEPTH} deep"))
    if isinstance(type_, pa.BaseExtensionType):
        return _from_arrow(type_.storage_type, where, depth)
    if pa.types.is_struct(type_):
        return Struct(_fields_from_arrow([type_.field(at) for at in range(type_.num_fields)], f"{where}.", depth + 1))
    if pa.types.is_map(type_):
        value = _from_arrow(type_.item_type, where, depth + 1)
        key = _from_arrow(type_.key_type, where, depth + 1)
        return MapOf(key, value, type_.keys_sorted, type_.item_field.nullable)
    if pa.types.is_dictionary(type_):
        if pa.types.is_dictionary(type_.value_type):
            raise UnsupportedTypeError(_placed(where, "a dictionary of dictionaries is lost when it is sent"))
        index = _from_arrow(type_.index_type, where, depth)
        value = _from_arrow(type_.value_type, where, depth + 1)
        return Dictionary(index, value, type_.ordered) if isinstance(index, Scalar) else value
    if pa.types.is_list(type_) or pa.types.is_large_list(type_) or pa.types.is_fixed_size_list(type_):
        return _list_from_arrow(type_, where, depth)
    return _scalar_from_arrow(str(type_), where)


def _list_from_arrow(type_: Any, where: str, depth: int) -> ListOf:
    import pyarrow as pa

    size = type_.list_size if pa.types.is_fixed_size_list(type_) else None
    if size is not None and size < 1:
        raise UnsupportedTypeError(_placed(where, f"a list of size {size} holds nothing"))
    item = type_.value_field
    inner = _from_arrow(item.type, where, depth + 1)
    return ListOf(inner, size, item.name, item.nullable, pa.types.is_large_list(type_))


def _scalar_from_arrow(printed: str, where: str) -> Scalar:
    """A scalar by the name that Arrow prints, which for a few is not the name it has in pyarrow."""
    arrows = {"float": "float32", "date32[day]": "date32", "date64[ms]": "date64"}
    name = arrows.get(printed) or ALIASES.get(printed, printed)
    if split(name) is not None:
        return Scalar(name)
    if printed in REFUSED:
        raise UnsupportedTypeError(_placed(where, REFUSED[printed][0]))
    raise UnsupportedTypeError(_placed(where, f"Wallaroo cannot take {printed[:80]}"))


def _placed(where: str, message: str) -> str:
    return f"{where}: {message}" if where else message


class SchemaDecodeError(ValueError):
    """A text that is no encoded schema, or one that Wallaroo cannot take; the message says which."""


def encode(schema: Schema) -> str:
    """The base64 of the schema's Arrow IPC message, as it goes into an upload's `input_schema`.

    The bytes are the same in every version of pyarrow that Wallaroo has used. Raises UnsupportedTypeError.
    """
    return base64.b64encode(bytes(to_arrow(schema).serialize())).decode("ascii")


def decode(text: str) -> Schema:
    """The schema in a base64 text. Raises SchemaDecodeError."""
    import pyarrow as pa

    data = _from_base64(text)
    try:
        return from_arrow(pa.ipc.read_schema(pa.py_buffer(data)))
    except UnsupportedTypeError as error:
        raise SchemaDecodeError(str(error)) from None
    except (pa.ArrowException, OSError, ValueError, OverflowError, KeyError, TypeError) as error:
        raise SchemaDecodeError(f"this is no Arrow schema: {reason(error)}") from None


def _from_base64(text: str) -> bytes:
    if len(text) > MAX_TEXT:
        raise SchemaDecodeError(f"{len(text):,} characters are too many for a schema")
    try:
        data = base64.b64decode("".join(text.split()).encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise SchemaDecodeError("this is no base64 text") from None
    if not data:
        raise SchemaDecodeError("the text is empty")
    return data


def is_pandas_index(name: str) -> bool:
    """Whether a column is called as pyarrow calls a DataFrame's index, where it makes a column of it."""
    return _PANDAS_INDEX.fullmatch(name) is not None


def without_leftovers(schema: pa.Schema) -> tuple[pa.Schema, tuple[str, ...]]:
    """A pyarrow schema without pandas' index, and notes on what is not kept of it, metadata among it."""
    import pyarrow as pa

    index = [each.name for each in schema if is_pandas_index(each.name)]
    metadata = [key for key in metadata_keys(schema) if key != OPTIONAL_FIELD.decode()]
    notes = []
    if index:
        notes.append(f"left out {', '.join(index)}, which is pandas' index and no column")
    if metadata:
        told = ", ".join(metadata)[:80]
        notes.append(f"left out the metadata ({told}): the platform refuses schemas that carry some")
    return pa.schema([each for each in schema if each.name not in index]), tuple(notes)


def reason(error: Exception) -> str:
    """The first line of what pyarrow says."""
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0][:120]


def metadata_keys(schema: Any) -> tuple[str, ...]:
    """The keys of all metadata in a pyarrow schema, of nested fields and of extension types too, each once."""
    return tuple(dict.fromkeys(_metadata(schema)))


def _metadata(schema: Any) -> Iterator[str]:
    yield from _keys(schema.metadata)
    fields = list(schema)
    while fields:
        field = fields.pop()
        yield from _keys(field.metadata)
        fields.extend(_children(field.type))
        if hasattr(field.type, "extension_name"):
            yield "ARROW:extension:name"
            fields.extend(_children(field.type.storage_type))


def _keys(metadata: Any) -> Iterator[str]:
    return (key.decode("utf-8", "backslashreplace") for key in metadata or ())


def _children(type_: Any) -> list[Any]:
    import pyarrow as pa

    if pa.types.is_dictionary(type_):
        return _children(type_.value_type)
    if pa.types.is_map(type_):
        return [type_.key_field, type_.item_field]
    if pa.types.is_struct(type_):
        return [type_.field(at) for at in range(type_.num_fields)]
    return [type_.value_field] if hasattr(type_, "value_field") else []
