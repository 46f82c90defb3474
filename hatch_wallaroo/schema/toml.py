"""A schema as text for pyproject.toml: a line a field, in order.

Writers of TOML that take plain tables move those behind the other keys; the order of fields is part of a
schema, so every table is written inline here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from hatch_wallaroo.schema.tables import write_schema
from hatch_wallaroo.schema.types import Schema

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
