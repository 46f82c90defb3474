"""Values and keys as messages show them: TOML's own notation, cut where they are long."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from hatch_wallaroo.findings import KeyPath

_LONGEST = 80
_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def quoted(text: str, longest: int = _LONGEST) -> str:
    """A string in quotes, as TOML reads it back; what exceeds `longest` characters is cut off."""
    if "\\" in text and "'" not in text and text.isprintable() and len(text) <= longest:
        return f"'{text}'"
    return json.dumps(text if len(text) <= longest else text[: longest - 1] + "…", ensure_ascii=False)


def key_text(key: KeyPath) -> str:
    """A key path as TOML writes it, indices in brackets: `tool.wallaroo.models."a b".artifacts[2]`."""
    text = ""
    for part in key:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _BARE.fullmatch(part) else quoted(part))
    return text


def found(value: Any) -> str:
    """What stands where something else should: `the number 3.8`, `a table`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"the number {number(value)}"
    if isinstance(value, str):
        return f"the string {quoted(value, 40)}"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, (datetime, date, time)):
        return "a date or time"
    return "another value"


def number(value: float) -> str:
    """A number in few characters; Python refuses to write integers of thousands of digits."""
    if isinstance(value, int) and value.bit_length() > 128:  # noqa: PLR2004 - beyond any number that a user means
        return "of very many digits"
    return str(value)


def scalar(value: Any) -> str:
    """A string, number or boolean as TOML writes it, any other value in words."""
    if isinstance(value, str):
        return quoted(value, 40)
    return number(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else found(value)


def listed(words: Mapping[str, Any] | tuple[str, ...] | list[str]) -> str:
    """Words as a sentence lists them: `a, b and c`."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
