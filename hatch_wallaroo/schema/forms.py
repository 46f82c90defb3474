"""Schemas as they are printed: for pyproject.toml, as Arrow shows them, as Python, and as they are sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hatch_wallaroo.schema import python_code
from hatch_wallaroo.schema.arrow import to_arrow
from hatch_wallaroo.schema.ipc import encode
from hatch_wallaroo.schema.tables import write_schema
from hatch_wallaroo.schema.toml import format_key, format_schema
from hatch_wallaroo.schema.types import Schema, Side

PrintForm = Literal["notation", "arrow", "python", "base64"]
PRINT_FORMS: tuple[PrintForm, ...] = ("notation", "arrow", "python", "base64")

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


def shown(schemas: Sequence[Labelled], form: PrintForm, encoding: str = "utf-8") -> str:
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
    lines = [python_code.IMPORT]
    for each in schemas:
        name = f"{each.side}_schema" if each.side else "schema"
        prefix = re.sub(r"\W", "_", each.model, flags=re.ASCII) + "_" if each.model else ""
        lines.append(f"{prefix}{name} = {python_code.write_schema(each.schema)}")
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
