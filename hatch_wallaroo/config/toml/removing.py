"""What goes from the text of a TOML document when a key or a table does; all else stays as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hatch_wallaroo.config.toml.inserting import behind
from hatch_wallaroo.config.toml.statements import Pair, Path, inline_pairs, sections

_COMMA_BEHIND = re.compile(r"[ \t]*,[ \t]*")
_COMMA_BEFORE = re.compile(r",[ \t]*\Z")
_BLANK_LINES = re.compile(r"(?:[ \t\r]*\n)*")


def without(text: str, key: Path) -> str:
    """The text without a key, or without a table and all that is in it.

    Comments above it stay; those beside and between its lines go with it.
    """
    while (less := _once(text, key)) is not None:
        text = less
    return text


def _once(text: str, key: Path) -> str | None:
    """One part of it less: a section, a line, a pair of an inline table; None where nothing is left of it."""
    found = sections(text)
    for section in found[1:]:
        if section.path[: len(key)] == key:
            return _without_part(text, section.start, behind(text, section))
    for section in found:
        for pair in section.pairs if section.array is None else ():
            if pair.path[: len(key)] == key:
                return text[: pair.start] + text[pair.end :]
            if pair.path == key[: len(pair.path)]:
                return _without_inner(text, pair, key)
    return None


def _without_part(text: str, start: int, end: int) -> str:
    """Without some lines and the blank ones below them, which separated them from what follows."""
    blank = _BLANK_LINES.match(text, end)
    end = blank.end() if blank else end
    before = text[:start]
    if text[end:].strip():
        return before + text[end:]
    kept = len(before.rstrip(" \t\r\n"))
    return before[: before.index("\n", kept) + 1] if kept else ""


def _without_inner(text: str, pair: Pair, key: Path) -> str | None:
    while text[pair.value] == "{":
        pairs = list(inline_pairs(text, pair.value, pair.path))
        gone = _first(pairs, key)
        if gone is not None:
            return _without_pair(text, gone)
        inner = next((each for each in pairs if each.path == key[: len(each.path)]), None)
        if inner is None:
            return None
        pair = inner
    return None


def _first(pairs: Iterable[Pair], key: Path) -> Pair | None:
    return next((each for each in pairs if each.path[: len(key)] == key), None)


def _without_pair(text: str, pair: Pair) -> str:
    following = _COMMA_BEHIND.match(text, pair.value_end)
    if following:
        return text[: pair.start] + text[following.end() :]
    before = _COMMA_BEFORE.search(text[: pair.start])
    return text[: before.start() if before else pair.start] + text[pair.value_end :]
