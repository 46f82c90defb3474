"""Where something new goes in the text of a TOML document.

Everything here takes a valid text and gives another, in which all other bytes are what they were: comments, blank
lines, order, each line's own end. tomlkit writes the values; the places are found in the text itself, as tomlkit
counts a comment above a table to the table before it, and writes tables that are out of order in another one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hatch_wallaroo.config.toml.statements import (
    Pair,
    Path,
    Section,
    array_items,
    inline_pairs,
    line_end,
    line_start,
    sections,
    value_end,
)
from hatch_wallaroo.config.toml.text import dotted, line, written
from hatch_wallaroo.text import key_text

_COMMENT_LINE = re.compile(r"[ \t]*#[^\n]*(?:\n|\Z)")
_BLANK_LINE = re.compile(r"[ \t\r]*\n")
_ENDS_BLANK = re.compile(r"(?:\A|\n)[ \t\r]*\n\Z")
_TO_COMMA = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*,")


class PlacingError(Exception):
    """There is no place for it in this document; the message says why, `fix` what to do by hand."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix


@dataclass(frozen=True)
class Home:
    """What a table is made of in the text.

    `path` is the deepest part of it that is there, `section` where that stands. `kind`: a section with a header, or
    the root's; an inline table, `pair` its key; dotted keys of a section; nothing but headers of tables inside of it.
    """

    kind: Literal["section", "inline", "dotted", "implied"]
    path: Path
    section: Section
    pair: Pair | None = None


def home_of(text: str, path: Path) -> Home:
    """Where a table, or the deepest part of it that is there, is made. Raises PlacingError where that is no table."""
    found = sections(text)
    for length in range(len(path), 0, -1):
        home = _made_of(text, found, path[:length])
        if home is not None:
            return home
    return Home("section", (), found[0])


def pair_of(text: str, key: Path) -> Pair | None:
    """The pair that gives a key its value, be it in an inline table; None for what has none, as tables with headers."""
    for section in sections(text):
        for pair in section.pairs if section.array is None else ():
            if pair.path == key[: len(pair.path)]:
                return _inside(text, pair, key)
    return None


def with_key(text: str, key: Path, value: Any) -> str:
    """The text with a key that is not there yet. Tables on the way are made where they lack. Raises PlacingError."""
    home = home_of(text, key[:-1])
    if home.pair is not None:
        return _into_inline(text, home.pair.value, key[len(home.path) :], value)
    if home.kind == "dotted" or (home.kind == "section" and home.path == key[:-1]):
        return _into_section(text, home, key[len(home.section.path) :], value)
    return with_table(text, key[:-1], line(key[-1:], value))


def with_value(text: str, key: Path, old: Any, value: Any) -> str:
    """The text with another value for a key that has one. To a list that only grew, its new items are added.

    Raises PlacingError for what is no single value.
    """
    pair = pair_of(text, key)
    if pair is None:
        raise PlacingError(f"{key_text(key)} is no single value", f"change {key_text(key)} by hand")
    if isinstance(old, list) and isinstance(value, (list, tuple)) and old == list(value[: len(old)]):
        for item in value[len(old) :]:
            text = _into_array(text, pair, item)
        return text
    own_line = pair.end > pair.value_end or pair.end == len(text)
    made = written(value, pair.value - line_start(text, pair.value) if own_line else None)
    return text[: pair.value] + _in_lines(made, _newline(text, pair.value)) + text[pair.value_end :]


def with_table(text: str, path: Path, body: str, *, at_start: bool = False) -> str:
    """The text with `[path]` and these lines, a blank line around them, behind the tables that are related to it.

    `at_start` puts it before the first table instead. Raises PlacingError.
    """
    home = home_of(text, path)
    if home.pair is not None or (home.kind == "dotted" and home.path == path):
        how = "in braces" if home.pair is not None else "with dots in its keys"
        where = key_text(home.path)
        raise PlacingError(f"{where} is written {how}", f"write it as [{where}], with a line for each key")
    found = sections(text)
    if home.kind == "implied" and home.path == path:
        at = above(text, next(each.start for each in found[1:] if each.path[: len(path)] == path))
    elif at_start and len(found) > 1:
        at = above(text, found[1].start)
    else:
        at = _beside(text, found, path)
    return _insert_block(text, at, f"[{dotted(path)}]\n{body}")


def renamed(text: str, old: Path, new: Path) -> str:
    """The text with the headers of a table, and of all tables inside of it, moved to another path.

    Raises PlacingError for a table that has no header.
    """
    home = home_of(text, old)
    if home.path != old or home.kind not in {"section", "implied"}:
        raise PlacingError(f"{key_text(old)} has no header of its own", f"write it as [{key_text(old)}] first")
    for section in reversed(sections(text)[1:]):
        if section.path[: len(old)] == old:
            text = text[: section.key] + dotted((*new, *section.path[len(old) :])) + text[section.key_end :]
    return text


def above(text: str, start: int) -> int:
    """Above a header and the comments right above it, which are its own."""
    while start > 0:
        before = line_start(text, start - 1)
        if not _COMMENT_LINE.fullmatch(text, before, start):
            return start
        start = before
    return start


def behind(text: str, section: Section) -> int:
    """Behind a section and the comments right below its last line, if those do not stand right above another table."""
    at = section.body_end
    while at < len(text) and (found := _COMMENT_LINE.match(text, at)):
        at = found.end()
    return section.body_end if text.startswith("[", _indented(text, at)) else at


def _made_of(text: str, found: Sequence[Section], path: Path) -> Home | None:
    implied: Section | None = None
    with_dots: Section | None = None
    for section in found:
        if section.array is not None and path[: len(section.array)] == section.array:
            raise PlacingError(f"{key_text(section.array)} is a list of tables", f"change {key_text(path)} by hand")
        if section.path == path:
            return Home("section", path, section)
        if section.path[: len(path)] == path:
            implied = implied or section
        elif section.array is None and any(pair.path[: len(path)] == path != pair.path for pair in section.pairs):
            with_dots = section
    if with_dots is not None:
        return Home("dotted", path, with_dots)
    if implied is not None:
        return Home("implied", path, implied)
    pair = pair_of(text, path)
    if pair is None:
        return None
    if text[pair.value] != "{":
        raise PlacingError(f"{key_text(path)} is no table", f"make {key_text(path)} a table, or remove it")
    return Home("inline", path, found[0], pair)


def _inside(text: str, pair: Pair, key: Path) -> Pair | None:
    while pair.path != key:
        inner: Pair | None = None
        if text[pair.value] == "{":
            pairs = inline_pairs(text, pair.value, pair.path)
            inner = next((each for each in pairs if each.path == key[: len(each.path)]), None)
        if inner is None:
            return None
        pair = inner
    return pair


def _into_section(text: str, home: Home, own: Path, value: Any) -> str:
    """A line below the last one of the section, or the last of the dotted keys of one table."""
    section = home.section
    related = [pair for pair in section.pairs if pair.path[: len(home.path)] == home.path]
    if related:
        indent = text[related[-1].start : _indented(text, related[-1].start)]
        return _insert_lines(text, related[-1].end, indent + line(own, value, column=len(indent)))
    headers = sections(text)[1:]
    at = section.end if section.path else above(text, headers[0].start) if headers else len(text)
    return _insert_lines(text, at, line(own, value))


def _into_inline(text: str, start: int, own: Path, value: Any) -> str:
    pairs = list(inline_pairs(text, start, ()))
    with_dots = any(pair.own[:1] == own[:1] for pair in pairs)
    if not with_dots:
        for part in reversed(own[1:]):
            value = {part: value}
        own = own[:1]
    made = f"{dotted(own)} = {written(value)}"
    if not pairs:
        return f"{text[: start + 1]} {made} {text[text.index('}', start) :]}"
    at = pairs[-1].value_end
    return f"{text[:at]}, {made}{text[at:]}"


def _into_array(text: str, pair: Pair, item: Any) -> str:
    """An item more, written as those that are there: on their line, or on one of its own."""
    items = list(array_items(text, pair.value))
    made = written(item)
    if not items:
        return f"{text[: pair.value + 1]}{made}{text[pair.value + 1 :]}"
    begin, at = items[-1]
    indent = text[line_start(text, begin) : begin]
    comma = _TO_COMMA.match(text, at)
    end = line_end(text, comma.end() if comma else at)
    if indent.strip() or value_end(text, pair.value) <= end:
        return f"{text[:at]}, {made}{text[at:]}"
    newline = _newline(text, end)
    if comma:
        return f"{text[:end]}{indent}{made},{newline}{text[end:]}"
    return f"{text[:at]},{text[at:end]}{indent}{made}{newline}{text[end:]}"


def _insert_lines(text: str, at: int, lines: str) -> str:
    newline = _newline(text, at)
    before = text[:at]
    if before and not before.endswith("\n"):
        before += newline
    return before + _in_lines(lines, newline) + text[at:]


def _insert_block(text: str, at: int, block: str) -> str:
    """A table, between blank lines."""
    newline = _newline(text, at)
    before, after = text[:at], text[at:]
    if before and not before.endswith("\n"):
        before += newline
    if before and not _ENDS_BLANK.search(before):
        before += newline
    if not block.endswith("\n"):
        block += "\n"
    if after and not _BLANK_LINE.match(after):
        block += "\n"
    return before + _in_lines(block, newline) + after


def _beside(text: str, found: Sequence[Section], path: Path) -> int:
    """Behind the last section that begins as the path does (`tool` alone says nothing), or at the document's end."""
    best: Section | None = None
    shared = 0
    for section in found[1:]:
        common = _common(section.path, path)
        if common and common >= shared and section.path[:common] != ("tool",):
            best, shared = section, common
    return len(text) if best is None or best is found[-1] else behind(text, best)


def _common(one: Path, other: Path) -> int:
    length = 0
    while length < min(len(one), len(other)) and one[length] == other[length]:
        length += 1
    return length


def _newline(text: str, at: int) -> str:
    """The end of the line before a place, else of the first line."""
    last = text.rfind("\n", 0, at)
    if last < 0:
        last = text.find("\n")
    return "\r\n" if last > 0 and text[last - 1] == "\r" else "\n"


def _in_lines(lines: str, newline: str) -> str:
    return lines if newline == "\n" else lines.replace("\n", newline)


def _indented(text: str, start: int) -> int:
    while start < len(text) and text[start] in " \t":
        start += 1
    return start
