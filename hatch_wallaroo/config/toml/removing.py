"""What goes from the text of a TOML document when a key or a table does; all else stays as it is."""

from __future__ import annotations

import re

from hatch_wallaroo.config.toml.inserting import Key, behind
from hatch_wallaroo.config.toml.statements import sections
from hatch_wallaroo.config.toml.values import without_key

_BLANK_LINES = re.compile(r"(?:[ \t\r]*\n)*")


def without(text: str, key: Key) -> str:
    """The text without a key, or without a table and all that is in it.

    Comments above it stay; those beside and between its lines go with it.
    """
    while (less := _once(text, key)) is not None:
        text = less
    return text


def _once(text: str, key: Key) -> str | None:
    """One part of it less: a section, a line, a key of an inline table; None where nothing is left of it."""
    found = sections(text)
    for section in found[1:]:
        if section.path[: len(key)] == key:
            return _without_lines(text, section.start, behind(text, section))
    for pair in (pair for section in found for pair in section.pairs):
        if pair.path[: len(key)] == key:
            return text[: pair.start] + text[pair.end :]
        if pair.path == key[: len(pair.path)]:
            made = without_key(text[pair.value : pair.value_end], key[len(pair.path) :])
            return None if made is None else text[: pair.value] + made + text[pair.value_end :]
    return None


def _without_lines(text: str, start: int, end: int) -> str:
    """Without some lines and the blank ones below them, which separated them from what follows."""
    blank = _BLANK_LINES.match(text, end)
    end = blank.end() if blank else end
    before = text[:start]
    if text[end:].strip():
        return before + text[end:]
    kept = len(before.rstrip(" \t\r\n"))
    return before[: before.index("\n", kept) + 1] if kept else ""
