"""Schemas from elsewhere: base64 as it is sent, Arrow's files, Python source. What it is, the bytes tell."""

from __future__ import annotations

import base64
import binascii
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO, Literal

from hatch_wallaroo.findings import Finding, Place
from hatch_wallaroo.schema.arrow_files import NO_SCHEMA, PANDAS_INDEX, is_arrow, read_arrow
from hatch_wallaroo.schema.ipc import MAX_TEXT
from hatch_wallaroo.schema.python_source import Found, read_source
from hatch_wallaroo.schema.types import Schema, Side

Form = Literal["base64", "arrow", "python"]
FORMS: tuple[Form, ...] = ("base64", "arrow", "python")

_HEAD = 4096
_BASE64 = re.compile(rb"\s*b?['\"]?[A-Za-z0-9+/\s]{8,}={0,2}\s*['\"]?\s*", re.ASCII)
_NO_BASE64 = re.compile(r"[^A-Za-z0-9+/=\s]")
_NAME_THEM = "call them input_schema and output_schema, or choose one with --name"
_QUOTED = re.compile(r"\s*b?(['\"])(.*)\1\s*", re.DOTALL)


@dataclass(frozen=True)
class Read:
    """A schema that was read. `name` is what it is called there (empty: nothing), `side` None where nothing says it.

    `schema` is None where `findings` say why it cannot be read. `notes` say what was not kept.
    """

    name: str
    side: Side | None
    line: int | None
    schema: Schema | None
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def read(stream: BinaryIO, file: str, form: Form | None = None) -> tuple[Read, ...]:
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
    source = read_source(data, file)
    if source.findings:
        return (Read("", None, None, None, findings=source.findings),)
    return tuple(_of_python(each) for each in source.found) or (_nothing(data, file),)


def choose(found: Sequence[Read], file: str, side: Side | None = None, name: str | None = None) -> tuple[Read, ...]:
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
    if is_arrow(head):
        return "arrow"
    return "base64" if _BASE64.fullmatch(head) else "python"


def _read_arrow(stream: BinaryIO, file: str) -> Read:
    found = read_arrow(stream, file)
    notes = (*_left_out(found.index), *_lost(found.metadata))
    return Read("", None, None, found.schema, notes, found.findings)


def _of_python(found: Found) -> Read:
    schema = found.schema
    index = [each.name for each in schema.fields if PANDAS_INDEX.fullmatch(each.name)] if schema else []
    if schema and 0 < len(index) < len(schema.fields):
        schema = Schema(tuple(each for each in schema.fields if each.name not in index))
    notes = (*_left_out(tuple(index)), *_lost(found.metadata))
    return Read(found.name, found.side, found.line, schema, notes, found.findings)


def _left_out(index: tuple[str, ...]) -> tuple[str, ...]:
    return (f"left out {', '.join(index)}, which is pandas' index and no column",) if index else ()


def _lost(metadata: bool | tuple[str, ...]) -> tuple[str, ...]:
    if not metadata:
        return ()
    names = f" ({', '.join(metadata)[:80]})" if isinstance(metadata, tuple) else ""
    return (f"left out the metadata{names}: the platform refuses schemas that carry some",)


def _read_base64(data: bytes, file: str) -> Read:
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


def _broken(file: str, message: str, line: int | None = None, column: int | None = None) -> Read:
    fix = "copy it again, completely: base64.b64encode(bytes(schema.serialize()))"
    finding = NO_SCHEMA.finding(message, fix=fix, place=Place(file=file, line=line, column=column))
    return Read("", None, line, None, findings=(finding,))


def _nothing(data: bytes, file: str) -> Read:
    if data.lstrip().startswith(b"{") and b'"cells"' in data:
        fix = f"jupyter nbconvert --to script {file}, and read what that writes"
        return _unclear(file, "this is a notebook, not Python source", fix)
    return _unclear(
        file, "no pa.schema([...]) is in it", "write input_schema = pa.schema([pa.field('inputs', pa.float64())])"
    )


def _unclear(file: str, message: str, fix: str) -> Read:
    return Read("", None, None, None, findings=(NO_SCHEMA.finding(message, fix=fix, place=Place(file=file)),))


def _of_side(found: Sequence[Read], side: Side, file: str) -> Read | None:
    """The schema of a side: the one that is called just so, else the only one of another name."""
    of_side = [each for each in found if each.side == side]
    exact = [each for each in of_side if each.name == f"{side}_schema"]
    names = list(dict.fromkeys(each.name for each in of_side))
    if not exact and len(names) > 1:
        unclear = _unclear(file, f"there are several {side} schemas: {_places(of_side)}", "choose one with --name")
        return replace(unclear, side=side)
    several = exact or of_side
    return _last(several) if several else None


def _last(several: Sequence[Read]) -> Read:
    last = several[-1]
    if len(several) == 1:
        return last
    note = f"{last.name or 'a schema'} is made {len(several)} times; the last, in line {last.line}, is taken"
    return replace(last, notes=(*last.notes, note))


def _other_side(found: Sequence[Read], file: str, side: Side | None) -> Read:
    return _unclear(file, f"no {side} schema is in it, only {_places(found)}", "leave out the option, or use --name")


def _places(several: Sequence[Read]) -> str:
    named = {each.name or each.line: each for each in several}
    shown = [
        f"{each.name or 'one without a name'}{f' (line {each.line})' if each.line else ''}" for each in named.values()
    ]
    return ", ".join(shown[:8]) + (", ..." if len(shown) > 8 else "")  # noqa: PLR2004 - as many as one reads
