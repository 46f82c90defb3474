"""What messages are made of: text from outside made safe to show, and keys, values, errors and sizes in words.

The lowest module: it imports nothing of this package, and any other may import it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from typing import Any, TextIO

LONGEST = 1000
"""Characters of a message, fix or place that are shown; what is longer is cut off."""

_LONGEST_QUOTED = 80
_LONGEST_DISPLAYED = 40
_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_REQUIREMENT_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_COLOR = re.compile(r"\x1b\[[0-9;]*m")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_OF_DIFF = {"+": "32", "-": "31", "@": "36"}
_HIDDEN = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\xad\\u061c\\u180e\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ud800-\\udfff\\ufeff\\ufff9-\\ufffb"
    "\\U0001d173-\\U0001d17a\\U000e0000-\\U000e007f]"
)
"""Characters that steer a terminal, or cannot be seen. Listed, as Unicode's categories change from Python to Python."""


def one_line(text: str) -> str:
    """Text from outside on one line: without characters that steer a terminal, and cut."""
    return cut(printable(text))


def printable(text: str, *, lines: bool = False) -> str:
    """Text whose characters that steer a terminal, or hide, are written as numbers. `lines` keeps line breaks."""
    if text.isascii() and text.isprintable():
        return text
    return _HIDDEN.sub(lambda found: "\n" if lines and found[0] == "\n" else _escaped(found[0]), text)


def uncolored(text: str) -> str:
    """What a program wrote, without the codes that colour it. It is not yet safe to show."""
    return _COLOR.sub("", text)


def colored(stream: TextIO) -> bool:
    """Whether a stream should get colours: NO_COLOR and FORCE_COLOR count first, then whether it is a terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def painted_diff(diff: str, *, color: bool) -> str:
    """A unified difference for a terminal: in colours where they are wanted, and nothing in it that steers one."""
    clean = [printable(line) for line in diff.split("\n")]
    if color:
        clean = [f"\x1b[{_OF_DIFF[line[0]]}m{line}\x1b[0m" if line[:1] in _OF_DIFF else line for line in clean]
    return "\n".join(clean)


def human_size(size: int) -> str:
    """Bytes in the largest unit that leaves a number of at least one: `1.9 KB`, decimal units."""
    amount, unit = float(size), "B"
    for larger in ("KB", "MB", "GB", "TB"):
        if amount < 1000:  # noqa: PLR2004 - decimal units
            break
        amount, unit = amount / 1000, larger
    return f"{size} B" if unit == "B" else f"{amount:.1f} {unit}"


def _escaped(character: str) -> str:
    code = ord(character)
    if code < 0x100:  # noqa: PLR2004 - what two hexadecimal digits hold
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004 - four digits


def quoted(text: str, longest: int = _LONGEST_QUOTED) -> str:
    """A string in quotes, as TOML reads it back; what exceeds `longest` characters is cut off."""
    if "\\" in text and "'" not in text and text.isprintable() and len(text) <= longest:
        return f"'{text}'"
    return json.dumps(text if len(text) <= longest else text[: longest - 1] + "…", ensure_ascii=False)


def key_text(key: Iterable[str | int]) -> str:
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


def few(things: Iterable[object], most: int = 3, *, counted: bool = False) -> str:
    """The first of many, as a message lists them: `a, b, c, …`, or `counted`: `a, b, c and 2 more`."""
    words = [str(each) for each in things]
    shown, left = ", ".join(words[:most]), len(words) - most
    if left <= 0:
        return shown
    return f"{shown} and {left:,} more" if counted else f"{shown}, …"


def display(value: Any) -> str:
    """A value as Python writes it: short, and never a whole nested document."""
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list | tuple):
        return "an array"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) > 10**_LONGEST_DISPLAYED:
        return "so great a number"
    return shortened(repr(value))


def shortened(text: str) -> str:
    """A text as short as a message can hold it, which any encoding can show; what is left out is three dots."""
    if not is_unicode(text):
        text = text.encode("ascii", "backslashreplace").decode()
    return text if len(text) <= _LONGEST_DISPLAYED else f"{text[: _LONGEST_DISPLAYED - 3]}..."


def is_unicode(value: Any) -> bool:
    """Whether a value is text with a UTF-8 form; text with half a surrogate pair in it has none."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def display_path(name: str) -> str:
    """A path or name of a file: bytes that are no text and control characters are escaped."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def describe_error(error: BaseException) -> str:
    """What went wrong: the system's own words, else the first line of the error, else its kind."""
    words = getattr(error, "strerror", None) or str(error)
    return next(iter(str(words).strip().splitlines()), "") or type(error).__name__


def cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text) - LONGEST:,} more characters)"


def normalized(name: str) -> str:
    """A distribution's or an extra's name as indexes compare it: `Scikit_Learn` is `scikit-learn` (PEP 503).

    What packaging's canonicalize_name gives, without what importing that brings along.
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def requirement_name(line: str) -> str:
    """The normalized name that a requirement begins with; empty where it begins with none."""
    found = _REQUIREMENT_NAME.match(line)
    return normalized(found[1]) if found else ""
