"""Reads schemas from elsewhere: base64 as it is sent, Arrow's files (IPC, Feather, Parquet), Python source.

What it is, the bytes tell. Of several schemas in one source, `choose` takes those that are meant.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, BinaryIO, Literal

from hatch_wallaroo.findings import Place, rule
from hatch_wallaroo.schema.arrow import MAX_TEXT, UnsupportedTypeError, from_arrow, reason, without_leftovers
from hatch_wallaroo.schema.python_source import Found, read_source
from hatch_wallaroo.schema.types import Dictionary, Field, ListOf, MapOf, Schema, Side, Struct, Type
from hatch_wallaroo.text import few

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

Form = Literal["base64", "arrow", "python"]
FORMS: tuple[Form, ...] = ("base64", "arrow", "python")

_HEAD = 4096
_BASE64 = re.compile(rb"\s*b?['\"]?[A-Za-z0-9+/\s]{8,}={0,2}\s*['\"]?\s*", re.ASCII)
_NO_BASE64 = re.compile(r"[^A-Za-z0-9+/=\s]")
_QUOTED = re.compile(r"\s*b?(['\"])(.*)\1\s*", re.DOTALL)


def read(stream: BinaryIO, file: str, form: Form | None = None) -> tuple[Found, ...]:
    """All schemas of a seekable stream; `file` is what findings call it, `form` None: what the bytes say.

    Never raises for what is in it, and never gives nothing: where no schema is, the findings say so.
    """
    head = stream.read(_HEAD)
    stream.seek(0)
    form = form or _form_of(head)
    if form == "arrow":
        return (_read_arrow(stream, file),)
    data = stream.read(MAX_TEXT + 1)
    if form == "base64":
        return (_read_base64(data, file),)
    return read_source(data, file) or (_nothing(data, file),)


def choose(found: Sequence[Found], file: str, side: Side | None = None, name: str | None = None) -> tuple[Found, ...]:
    """The schemas that are meant, one for each side at the most; `findings` of a choice say why there is none.

    Of several that have one name, the last counts, as it does when the code runs.
    """
    if name is not None:
        named = [each for each in found if each.name == name]
        if not named:
            return (_unclear(file, f"no schema is called {name}", f"in it are {_places(found)}"),)
        return (replace(_last(named), side=side or named[-1].side),)
    wanted: tuple[Side, ...] = (side,) if side else ("input", "output")
    sided = [_of_side(found, each, file) for each in wanted]
    chosen = tuple(each for each in sided if each is not None)
    others = [each for each in found if each.side is None]
    if chosen or not others:
        return chosen or (_other_side(found, file, side),)
    if len({each.name or each.line for each in others}) > 1:
        return (
            _unclear(
                file,
                f"there are several schemas: {_places(others)}",
                "give them names, input_schema and output_schema, or choose one with --name",
            ),
        )
    return (replace(_last(others), side=side),)


def _form_of(head: bytes) -> Form:
    if _is_arrow(head):
        return "arrow"
    return "base64" if _BASE64.fullmatch(head) else "python"


def _read_base64(data: bytes, file: str) -> Found:
    """The text as it is sent, or printed: white space and Python's quotes around it do not matter."""
    text = data.decode("utf-8", "replace")
    quoted = _QUOTED.fullmatch(text)
    bare = quoted[2] if quoted else text
    wrong = _NO_BASE64.search(bare)
    if len(data) > MAX_TEXT:
        return _broken(file, f"{len(data):,} characters are too many for a schema")
    if wrong:
        before = text[: wrong.start() + (quoted.start(2) if quoted else 0)]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        return _broken(file, f"{wrong[0]!r} is no character of base64", line, column)
    if not bare.strip():
        return _broken(file, "the text is empty")
    try:
        decoded = base64.b64decode("".join(bare.split()), validate=True)
    except binascii.Error:
        return _broken(file, "this is no base64 text: its end is missing, or = stands in it", 1)
    return _read_arrow(io.BytesIO(decoded), file)


def _broken(file: str, message: str, line: int | None = None, column: int | None = None) -> Found:
    fix = "copy it again, completely: base64.b64encode(bytes(schema.serialize()))"
    finding = NO_SCHEMA.finding(message, fix=fix, place=Place(file=file, line=line, column=column))
    return Found("", None, line, None, findings=(finding,))


def _nothing(data: bytes, file: str) -> Found:
    if data.lstrip().startswith(b"{") and b'"cells"' in data:
        fix = f"jupyter nbconvert --to script {file}, and read what that writes"
        return _unclear(file, "this is a notebook, not Python source", fix)
    return _unclear(
        file, "no pa.schema([...]) is in it", "write input_schema = pa.schema([pa.field('inputs', pa.float64())])"
    )


def _unclear(file: str, message: str, fix: str) -> Found:
    return _refused(file, [message], fix)


def _of_side(found: Sequence[Found], side: Side, file: str) -> Found | None:
    """The schema of a side: the one that is called just so, else the only one of another name."""
    of_side = [each for each in found if each.side == side]
    exact = [each for each in of_side if each.name == f"{side}_schema"]
    names = list(dict.fromkeys(each.name for each in of_side))
    if not exact and len(names) > 1:
        unclear = _unclear(file, f"there are several {side} schemas: {_places(of_side)}", "choose one with --name")
        return replace(unclear, side=side)
    several = exact or of_side
    return _last(several) if several else None


def _last(several: Sequence[Found]) -> Found:
    last = several[-1]
    if len(several) == 1:
        return last
    note = f"{last.name or 'a schema'} is made {len(several)} times; the last, in line {last.line}, is taken"
    return replace(last, notes=(*last.notes, note))


def _other_side(found: Sequence[Found], file: str, side: Side | None) -> Found:
    return _unclear(file, f"no {side} schema is in it, only {_places(found)}", "leave out the option, or use --name")


def _places(several: Sequence[Found]) -> str:
    named = {each.name or each.line: each for each in several}
    shown = (
        f"{each.name or 'one without a name'}{f' (line {each.line})' if each.line else ''}" for each in named.values()
    )
    return few(shown, 8)


def _is_arrow(head: bytes) -> bool:
    """Whether bytes that begin so are Arrow's or Parquet's, rather than a text."""
    return head.startswith((_FILE, _PARQUET, _ENCRYPTED, _FEATHER_1, _CONTINUES)) or b"\0" in head


def _read_arrow(stream: BinaryIO, file: str) -> Found:
    """Found the schema of a seekable stream, and nothing of its rows; `file` is what findings call it."""
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


def _ours(made: Any, file: str) -> Found:
    """A pyarrow schema as ours, without what pandas put there for itself."""
    kept, notes = without_leftovers(made)
    if not len(kept):
        return _refused(file, ["the schema has no fields"], "read one with fields")
    try:
        return Found("", None, None, from_arrow(kept), notes)
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


def _refused(file: str, messages: list[str], fix: str) -> Found:
    place = Place(file=file)
    findings = tuple(NO_SCHEMA.finding(each, fix=fix, place=place) for each in messages)
    return Found("", None, None, None, findings=findings)
