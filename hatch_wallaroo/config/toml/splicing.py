"""Where something new goes in the text of a TOML document, and what goes from it with a key or a table.

Everything here takes a valid text and gives another, in which all other bytes are what they were: comments, blank
lines, order, each line's own end. A line or a table is put between those that are there, by their places in the text;
lists and inline tables are changed by tomlkit, which keeps their layout and comments.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Literal

from hatch_wallaroo.config.toml.statements import Pair, Section, line_start, sections
from hatch_wallaroo.config.toml.values import dotted, line, without_key, written
from hatch_wallaroo.config.toml.values import with_value as changed_value
from hatch_wallaroo.findings import KeyPath

_COMMENT_LINE = re.compile(r"[ \t]*#[^\n]*(?:\n|\Z)")
_BLANK_LINE = re.compile(r"[ \t\r]*\n")
_BLANK_LINES = re.compile(r"(?:[ \t\r]*\n)*")
_ENDS_BLANK = re.compile(r"(?:\A|\n)[ \t\r]*\n\Z")
_HEADER = re.compile(r"[ \t]*\[")
_INDENT = re.compile(r"[ \t]*")

Key = tuple[str, ...]


@dataclass(frozen=True)
class Home:
    """What a table is made of in the text.

    `path` is the deepest part of it that is there, `section` where that stands. `kind`: a section with a header, or
    the root's; an inline table, `pair` its key; dotted keys of a section; nothing but headers of tables inside of it.
    """

    kind: Literal["section", "inline", "dotted", "implied"]
    path: KeyPath
    section: Section
    pair: Pair | None = None


def home_of(text: str, path: Key) -> Home:
    """Where a table, or the deepest part of it that is there, is made."""
    found = sections(text)
    for length in range(len(path), 0, -1):
        home = _made_of(text, found, path[:length])
        if home is not None:
            return home
    return Home("section", (), found[0])


def pair_of(text: str, key: Key) -> Pair | None:
    """The pair that gives a key its value, or an inline table that it lies in; None for tables with lines of theirs."""
    pairs = (pair for section in sections(text) for pair in section.pairs)
    return next((pair for pair in pairs if pair.path == key[: len(pair.path)]), None)


def with_key(text: str, key: Key, value: Any) -> str:
    """The text with a key that is not there yet. Tables on the way are made where they lack."""
    home = home_of(text, key[:-1])
    if home.pair is not None:
        return with_value(text, key, value)
    if home.kind == "dotted" or (home.kind == "section" and home.path == key[:-1]):
        return _into_section(text, home, key[len(home.section.path) :], value)
    return with_table(text, key[:-1], line(key[-1:], value))


def with_value(text: str, key: Key, value: Any) -> str:
    """The text with another value for a key that has one, or that lies in an inline table."""
    pair = pair_of(text, key)
    assert pair is not None  # noqa: S101 - it was asked for before
    before = text[pair.value : pair.value_end]
    inside = key[len(pair.path) :]
    if inside or (before.startswith("[") and isinstance(value, (list, tuple))):
        made = changed_value(before, inside, value)
    else:
        made = _in_lines(written(value, pair.value - line_start(text, pair.value)), _newline(text, pair.value))
    return text[: pair.value] + made + text[pair.value_end :]


def with_table(text: str, path: Key, body: str, *, at_start: bool = False) -> str:
    """The text with `[path]` and these lines, a blank line around them, behind the tables that are related to it.

    `at_start` puts it before the first table instead.
    """
    home = home_of(text, path)
    found = sections(text)
    if home.kind == "implied" and home.path == path:
        at = _above(text, next(each.start for each in found[1:] if each.path[: len(path)] == path))
    elif at_start and len(found) > 1:
        at = _above(text, found[1].start)
    else:
        at = _beside(text, found, path)
    return _insert_block(text, at, f"[{dotted(path)}]\n{body}")


def renamed(text: str, old: Key, new: Key) -> str:
    """The text with the headers of a table, and of all tables inside of it, moved to another path."""
    for section in reversed(sections(text)[1:]):
        if section.path[: len(old)] == old:
            rest = [part for part in section.path[len(old) :] if isinstance(part, str)]
            text = text[: section.key] + dotted((*new, *rest)) + text[section.key_end :]
    return text


def without(text: str, key: Key) -> str:
    """The text without a key, or without a table and all that is in it.

    Comments above it stay; those beside and between its lines go with it.
    """
    while (less := _once(text, key)) is not None:
        text = less
    return text


def _above(text: str, start: int) -> int:
    """Above a header and the comments right above it, which are its own."""
    while start > 0:
        before = line_start(text, start - 1)
        if not _COMMENT_LINE.fullmatch(text, before, start):
            return start
        start = before
    return start


def _behind(text: str, section: Section) -> int:
    """Behind a section and the comments right below its last line, if those do not stand right above another table."""
    at = section.body_end
    while at < len(text) and (found := _COMMENT_LINE.match(text, at)):
        at = found.end()
    return section.body_end if _HEADER.match(text, at) else at


def _made_of(text: str, found: Sequence[Section], path: Key) -> Home | None:
    implied: Section | None = None
    with_dots: Section | None = None
    for section in found:
        if section.path == path:
            return Home("section", path, section)
        if section.path[: len(path)] == path:
            implied = implied or section
        elif any(pair.path[: len(path)] == path != pair.path for pair in section.pairs):
            with_dots = section
    if with_dots is not None:
        return Home("dotted", path, with_dots)
    if implied is not None:
        return Home("implied", path, implied)
    pair = pair_of(text, path)
    return Home("inline", pair.path, found[0], pair) if pair is not None else None


def _into_section(text: str, home: Home, own: Key, value: Any) -> str:
    """A line below the last one of the section, or the last of the dotted keys of one table."""
    section = home.section
    related = [pair for pair in section.pairs if pair.path[: len(home.path)] == home.path]
    if related:
        indent = _INDENT.match(text, related[-1].start)
        before = indent[0] if indent else ""
        return _insert_lines(text, related[-1].end, before + line(own, value, column=len(before)))
    headers = sections(text)[1:]
    at = section.end if section.path else _above(text, headers[0].start) if headers else len(text)
    return _insert_lines(text, at, line(own, value))


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


def _beside(text: str, found: Sequence[Section], path: Key) -> int:
    """Behind the last section that begins as the path does (`tool` alone says nothing), or at the document's end."""
    best: Section | None = None
    shared = 0
    for section in found[1:]:
        common = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(section.path, path, strict=False))))
        if common and common >= shared and section.path[:common] != ("tool",):
            best, shared = section, common
    return len(text) if best is None or best is found[-1] else _behind(text, best)


def _newline(text: str, at: int) -> str:
    """The end of the line before a place, else of the first line."""
    last = text.rfind("\n", 0, at)
    if last < 0:
        last = text.find("\n")
    return "\r\n" if last > 0 and text[last - 1] == "\r" else "\n"


def _in_lines(lines: str, newline: str) -> str:
    return lines if newline == "\n" else lines.replace("\n", newline)


def _once(text: str, key: Key) -> str | None:
    """One part of it less: a section, a line, a key of an inline table; None where nothing is left of it."""
    found = sections(text)
    for section in found[1:]:
        if section.path[: len(key)] == key:
            return _without_lines(text, section.start, _behind(text, section))
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
