"""The statements of a TOML document, and where each stands in its text: what an edit has to know to spare the rest.

Only documents that tomllib takes are read here, so nothing is judged, and what is read is read once more by whoever
changes it. `config.toml.scanner` is its tolerant sister, for documents with mistakes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from hatch_wallaroo.config.toml.scanner import string_end, unquoted

Path = tuple[str, ...]

_SPACE = re.compile(r"[ \t]*")
_GAP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_COMMENT = re.compile(r"#[^\n]*")
_LAST_PLAIN = re.compile(r"[^\n#]*[^\s#]")
_PLAIN = re.compile(r"[^\s,=\[\]{}#\"']+(?: (?=[0-9]{2}:)[^\s,\]}#]+)?")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


@dataclass(frozen=True)
class Pair:
    """`key = value`. `path` is the key's from the document's root, `own` as it is written, dots parted.

    `start` and `end` are the offsets of its lines, the last one's end of line included; in an inline table those of
    the pair itself.
    """

    path: Path
    own: Path
    start: int
    value: int
    value_end: int
    end: int


@dataclass
class Section:
    """A header and the pairs below it; the pairs before the first header have one too, without a header's text.

    `array` is the array of tables that it is an item of, or lies in. `key` and `key_end` stand around the text between
    the brackets, `end` behind the header's line.
    """

    path: Path
    array: Path | None
    start: int
    key: int
    key_end: int
    end: int
    pairs: list[Pair] = field(default_factory=list)

    @property
    def body_end(self) -> int:
        """Behind the last line that is not a comment or blank."""
        return self.pairs[-1].end if self.pairs else self.end


def sections(text: str) -> list[Section]:
    """All sections of a valid document, in order; the first is that of the root."""
    found = [Section((), array=None, start=0, key=0, key_end=0, end=0)]
    arrays: set[Path] = set()
    at = 0
    while True:
        at = _skip(_GAP, text, at)
        if at >= len(text):
            return found
        if text[at] == "[":
            found.append(_header(text, at, arrays))
            at = found[-1].end
        else:
            pair = _pair(text, at, found[-1].path, nested=False)
            end = line_end(text, pair.value_end)
            found[-1].pairs.append(Pair(pair.path, pair.own, line_start(text, at), pair.value, pair.value_end, end))
            at = end


def inline_pairs(text: str, start: int, path: Path) -> Iterator[Pair]:
    """The pairs of the inline table whose brace stands at `start`."""
    at = _skip(_GAP, text, start + 1)
    while text[at] != "}":
        pair = _pair(text, at, path, nested=True)
        yield pair
        at = _skip(_GAP, text, pair.value_end)
        if text[at] == ",":
            at = _skip(_GAP, text, at + 1)


def array_items(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Where the items of the array whose bracket stands at `start` begin and end."""
    at = _skip(_GAP, text, start + 1)
    while text[at] != "]":
        end = value_end(text, at, nested=True)
        yield at, end
        at = _skip(_GAP, text, end)
        if text[at] == ",":
            at = _skip(_GAP, text, at + 1)


def value_end(text: str, at: int, *, nested: bool = False) -> int:
    """Where the value that begins at `at` ends. `nested`: it stands in an array or an inline table.

    Without recursion: values may nest as deep as tomllib follows.
    """
    depth = 0
    while True:
        character = text[at]
        if character in "[{":
            depth += 1
            at += 1
        elif character in "]}":
            depth -= 1
            at += 1
        elif character in "\"'":
            at = string_end(text, at) or len(text)
        elif character == "#":
            at = _skip(_COMMENT, text, at)
        elif depth and character in " \t\r\n,=":
            at += 1
        else:
            at = _skip(_PLAIN if depth or nested else _LAST_PLAIN, text, at)
        if not depth:
            return at


def line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def line_end(text: str, at: int) -> int:
    """Behind the end of the line that `at` lies in."""
    found = text.find("\n", at)
    return found + 1 if found >= 0 else len(text)


def read_key(text: str, at: int) -> tuple[Path, int]:
    """A dotted key that begins at `at`, and where it ends."""
    parts: list[str] = []
    while True:
        at = _skip(_SPACE, text, at)
        end = string_end(text, at) or _skip(_BARE_KEY, text, at)
        parts.append(unquoted(text[at:end]))
        following = _skip(_SPACE, text, end)
        if not text.startswith(".", following):
            return tuple(parts), end
        at = following + 1


def _header(text: str, at: int, arrays: set[Path]) -> Section:
    several = text.startswith("[[", at)
    start = _skip(_SPACE, text, at + (2 if several else 1))
    path, end = read_key(text, start)
    if several:
        arrays.add(path)
    inside = next((path[:length] for length in range(1, len(path) + 1) if path[:length] in arrays), None)
    return Section(path, array=inside, start=line_start(text, at), key=start, key_end=end, end=line_end(text, end))


def _pair(text: str, at: int, table: Path, *, nested: bool) -> Pair:
    own, end = read_key(text, at)
    value = _skip(_SPACE, text, _skip(_SPACE, text, end) + 1)
    ends = value_end(text, value, nested=nested)
    return Pair((*table, *own), own, at, value, ends, ends)


def _skip(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at
