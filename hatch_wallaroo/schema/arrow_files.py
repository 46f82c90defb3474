"""Schemas out of what Arrow and its kin write: IPC messages, streams and files (Feather), and Parquet's footer."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from hatch_wallaroo.findings import Finding, Place, rule
from hatch_wallaroo.schema.arrow import UnsupportedTypeError, from_arrow
from hatch_wallaroo.schema.ipc import metadata_keys, reason
from hatch_wallaroo.schema.types import Dictionary, Field, ListOf, MapOf, Schema, Struct, Type

NO_SCHEMA = rule(
    "WLR670",
    "no schema that Wallaroo takes",
    why="The platform reads schemas as Arrow's IPC messages, in base64. Other bytes, and types that its Arrow does not "
    "know, are refused with the upload.",
    source="SDK 2023.2.1 to 2026.1.3: base64 of pyarrow.Schema.serialize()",
)

_FILE, _PARQUET, _ENCRYPTED, _FEATHER_1 = b"ARROW1", b"PAR1", b"PARE", b"FEA1"
_CONTINUES = b"\xff\xff\xff\xff"
"""What each message of Arrow's IPC begins with since 0.15."""

PANDAS_INDEX = re.compile(r"__index_level_[0-9]+__", re.ASCII)


@dataclass(frozen=True)
class ArrowSchema:
    """What was read: `schema` is None where `findings` say why not.

    `metadata` are the names of the metadata and `index` those of pandas' index columns, neither of which is kept.
    """

    schema: Schema | None
    metadata: tuple[str, ...] = ()
    index: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def is_arrow(head: bytes) -> bool:
    """Whether bytes that begin so are Arrow's or Parquet's, rather than a text."""
    return head.startswith((_FILE, _PARQUET, _ENCRYPTED, _FEATHER_1, _CONTINUES)) or b"\0" in head


def read_arrow(stream: BinaryIO, file: str) -> ArrowSchema:
    """Read the schema of a seekable stream, and nothing of its rows; `file` is what findings call it."""
    import pyarrow as pa

    head = stream.read(8)
    stream.seek(0)
    if head.startswith((_FEATHER_1, _ENCRYPTED)):
        what = "Feather, version 1" if head.startswith(_FEATHER_1) else "encrypted Parquet"
        return _refused(file, [f"this is {what}"], "write it anew: pyarrow.feather.write_feather(table, 'table.arrow')")
    try:
        read = _ours(_open(stream, head), file)
    except (pa.ArrowException, OSError, ValueError, OverflowError, KeyError, TypeError) as error:
        return _refused(file, [f"this is no Arrow schema: {reason(error)}"], "copy it again, completely")
    if head.startswith(_PARQUET) and read.schema is not None:
        return replace(read, schema=Schema(tuple(_field_of_parquet(each) for each in read.schema.fields)))
    return read


def _open(stream: BinaryIO, head: bytes) -> Any:
    import pyarrow as pa

    source = pa.PythonFile(stream, mode="r")
    if head.startswith(_FILE):
        return pa.ipc.open_file(source).schema
    if head.startswith(_PARQUET):
        from pyarrow import parquet

        return parquet.read_schema(source)
    return pa.ipc.read_schema(source)


def _ours(found: Any, file: str) -> ArrowSchema:
    """A pyarrow schema as ours, without what pandas put there for itself."""
    import pyarrow as pa

    index = tuple(each.name for each in found if PANDAS_INDEX.fullmatch(each.name))
    kept = pa.schema([each for each in found if each.name not in index])
    if not len(kept):
        return _refused(file, ["the schema has no fields"], "read one with fields")
    try:
        return ArrowSchema(from_arrow(kept), metadata_keys(found), index)
    except UnsupportedTypeError as error:
        return _refused(file, _each_field(kept) or [str(error)], "give the fields types that the platform takes")


def _field_of_parquet(field: Field) -> Field:
    return replace(field, type=_of_parquet(field.type))


def _of_parquet(type_: Type) -> Type:
    """A type whose lists call their items as Arrow does: Parquet has a name of its own for them."""
    match type_:
        case ListOf():
            return replace(type_, item=_of_parquet(type_.item), item_name="item")
        case Struct(fields):
            return Struct(tuple(_field_of_parquet(each) for each in fields))
        case MapOf():
            return replace(type_, key=_of_parquet(type_.key), value=_of_parquet(type_.value))
        case Dictionary():
            return replace(type_, value=_of_parquet(type_.value))
    return type_


def _each_field(schema: Any) -> list[str]:
    """What is wrong with each field by itself."""
    return [said for each in schema if (said := _wrong_with(each)) is not None]


def _wrong_with(field: Any) -> str | None:
    import pyarrow as pa

    try:
        from_arrow(pa.schema([field]))
    except UnsupportedTypeError as error:
        return str(error)
    return None


def _refused(file: str, messages: list[str], fix: str) -> ArrowSchema:
    place = Place(file=file)
    return ArrowSchema(None, findings=tuple(NO_SCHEMA.finding(each, fix=fix, place=place) for each in messages))
