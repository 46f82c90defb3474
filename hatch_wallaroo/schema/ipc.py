"""Schemas as the platform takes them: the base64 of the bytes that `pyarrow.Schema.serialize()` gives."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hatch_wallaroo.schema.arrow import UnsupportedTypeError, from_arrow, to_arrow
from hatch_wallaroo.schema.types import Schema

MAX_TEXT = 16 * 2**20
"""The longest text that is decoded, in characters: a thousand times what the largest real schema needs."""


class SchemaDecodeError(ValueError):
    """A text that is no encoded schema, or one that Wallaroo cannot take; the message says which."""


@dataclass(frozen=True)
class Decoded:
    """A schema from elsewhere, and the names of the metadata that it carried, which are not kept.

    pandas leaves some (`pandas`, when a schema was made from a DataFrame); the platform refuses those.
    """

    schema: Schema
    metadata: tuple[str, ...]


def encode(schema: Schema) -> str:
    """The base64 of the schema's Arrow IPC message, as it goes into an upload's `input_schema`.

    The bytes are the same in every version of pyarrow that Wallaroo has used. Raises UnsupportedTypeError.
    """
    return base64.b64encode(bytes(to_arrow(schema).serialize())).decode("ascii")


def decode(text: str) -> Schema:
    """The schema in a base64 text. Raises SchemaDecodeError."""
    return read(text).schema


def read(text: str) -> Decoded:
    """The schema in a base64 text, and what metadata it carried. Raises SchemaDecodeError."""
    return read_bytes(_from_base64(text))


def read_bytes(data: bytes) -> Decoded:
    """The schema in an Arrow IPC message, or at the head of a stream. Raises SchemaDecodeError."""
    import pyarrow as pa

    try:
        found = pa.ipc.read_schema(pa.py_buffer(data))
        names = metadata_keys(found)
        return Decoded(from_arrow(found), names)
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
