"""Where the statements of a TOML document stand in its text: headers, keys, values, the items of lists.

The scanner is our own and only finds places; what a document means is tomllib's business. It is tolerant: what it does
not understand it steps over, so that a document with mistakes has places too.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field, replace

from hatch_wallaroo.findings import KeyPath

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_SPACE = re.compile(r"[ \t]*")
_GAP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_REST_OF_LINE = re.compile(r"[^\n]*")
_BARE_KEY = re.compile(r"[^\s.=\[\]{}\",'#]+")
_PLAIN_VALUE = re.compile(r"[^\s,\]}#]+(?: (?=[0-9]{2}:)[^\s,\]}#]+)?")
_SHORT_STRING = re.compile(r"\"(?:[^\"\\\n]|\\[^\n])*\"|'[^'\n]*'")
_ENDS = {'"""': re.compile(r'\\.|"{3,5}', re.DOTALL), "'''": re.compile(r"'{3,5}")}
_ESCAPE = re.compile(r"\\(?:u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|x[0-9A-Fa-f]{2}|.)", re.DOTALL)
_LINE_END = re.compile(r"\r?\n")
_FOLDED = re.compile(r"\\[ \t\r]*\n\s*")
"""A backslash at a line's end, with all the white space that it takes away."""
_DEEPEST = 64
"""No table of ours nests so deep; what does is stepped over without being remembered."""


@dataclass(frozen=True)
class Spot:
    """Offsets into the text: around the key's own text, and of the string that stands there, quotes included.

    An item of a list has no key: `key` is where it begins.
    """

    key: int
    key_end: int
    value: int | None = None


@dataclass(frozen=True)
class Pair:
    """`key = value`. `path` is the key's from the document's root; `own` as it is written, dots parted.

    `start` and `end` are the offsets of its lines, the last one's end of line included.
    """

    path: KeyPath
    own: KeyPath
    start: int
    value: int
    value_end: int
    end: int


@dataclass
class Section:
    """A header and the pairs below it; the pairs before the first header have one too, without a header's text.

    In a `path` below an array of tables stands the index of its item. `key` and `key_end` stand around the text
    between the brackets, `end` behind the header's line.
    """

    path: KeyPath = ()
    start: int = 0
    key: int = 0
    key_end: int = 0
    end: int = 0
    pairs: list[Pair] = field(default_factory=list)

    @property
    def body_end(self) -> int:
        """Behind the last line that is not a comment or blank."""
        return self.pairs[-1].end if self.pairs else self.end


@dataclass
class _Frame:
    """An array or inline table that is being scanned; `index` is the array's next item."""

    path: KeyPath
    array: bool
    index: int = 0


def spots(text: str) -> dict[KeyPath, Spot]:
    """The spots of all tables, keys and array items of a document. Never fails; time grows with the text's length."""
    return _scanned(text).spots


def sections(text: str) -> list[Section]:
    """All sections of a document, in order; the first is that of the root."""
    return _scanned(text).sections


def line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def line_end(text: str, at: int) -> int:
    """Behind the end of the line that `at` lies in."""
    found = text.find("\n", at)
    return found + 1 if found >= 0 else len(text)


def _scanned(text: str) -> _Scanner:
    scanner = _Scanner(text)
    scanner.scan()
    return scanner


@dataclass
class _Scanner:
    text: str
    at: int = 0
    spots: dict[KeyPath, Spot] = field(default_factory=dict)
    sections: list[Section] = field(default_factory=lambda: [Section()])
    explicit: set[KeyPath] = field(default_factory=set)
    counts: dict[KeyPath, int] = field(default_factory=dict)

    def scan(self) -> None:
        while True:
            self._skip(_GAP)
            if self.at >= len(self.text):
                return
            start = self.at
            if self.text[start] == "[":
                self._header()
            else:
                self._statement()
            self._skip(_REST_OF_LINE)
            self.at = max(self.at, start + 1)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self.text, self.at)
        if found:
            self.at = found.end()

    def _next(self, character: str) -> bool:
        """Step over a character if it comes next."""
        if not self.text.startswith(character, self.at):
            return False
        self.at += len(character)
        return True

    def _header(self) -> None:
        """`[a.b]` or `[[a.b]]`: the table that the lines below belong to."""
        start = self.at
        several = self.text.startswith("[[", start)
        self.at += 2 if several else 1
        parts = self._key()
        if not parts:
            return
        path: KeyPath = ()
        for name, spot in parts[:-1]:
            path = self._latest((*path, name), spot)
        name, spot = parts[-1]
        path = (*path, name)
        if several:
            self.spots.setdefault(path, spot)
            index = self.counts.get(path, 0)
            self.counts[path] = index + 1
            path = (*path, index)
        if path not in self.explicit:
            self.explicit.add(path)
            self.spots[path] = spot
        ends = line_start(self.text, start), parts[0][1].key, spot.key_end, line_end(self.text, self.at)
        self.sections.append(Section(path, *ends))

    def _latest(self, path: KeyPath, spot: Spot) -> KeyPath:
        """A table that a header passes through: of an array of tables, the last one."""
        self.spots.setdefault(path, spot)
        return (*path, self.counts[path] - 1) if path in self.counts else path

    def _statement(self) -> None:
        """`a.b = value`."""
        section, start = self.sections[-1], line_start(self.text, self.at)
        path = self._assigned(section.path)
        if path is not None:
            self._skip(_SPACE)
            value = self.at
            self._value(path)
            own = path[len(section.path) :]
            section.pairs.append(Pair(path, own, start, value, self.at, line_end(self.text, self.at)))

    def _assigned(self, table: KeyPath) -> KeyPath | None:
        """`a.b =`: the key that a value follows for."""
        parts = self._key()
        if not parts:
            return None
        path = table
        for name, spot in parts[: max(0, _DEEPEST - len(table))]:
            path = (*path, name)
            self.spots.setdefault(path, spot)
        self._skip(_SPACE)
        return path if self._next("=") else None

    def _key(self) -> list[tuple[str, Spot]]:
        """A dotted key's parts and where each stands."""
        parts: list[tuple[str, Spot]] = []
        while True:
            self._skip(_SPACE)
            start = self.at
            end = _string_end(self.text, start) or _end(_BARE_KEY, self.text, start)
            if end is None:
                return parts
            self.at = end
            if len(parts) < _DEEPEST:
                parts.append((_unquoted(self.text[start:end]), Spot(start, end)))
            self._skip(_SPACE)
            if not self._next("."):
                return parts

    def _value(self, path: KeyPath) -> None:
        """A value with all that is nested in it, without recursion: documents may nest deeply."""
        frames: list[_Frame] = []
        self._begin(path, frames)
        while frames:
            self._skip(_GAP)
            frame = frames[-1]
            if self.at >= len(self.text) or self._next("]" if frame.array else "}"):
                frames.pop()
            elif self._next(","):
                continue
            elif frame.array:
                item = (*frame.path, frame.index) if len(frames) < _DEEPEST else frame.path
                frame.index += 1
                self.spots.setdefault(item, Spot(self.at, self.at))
                self._begin(item, frames)
            else:
                self._pair(frame, frames)

    def _pair(self, frame: _Frame, frames: list[_Frame]) -> None:
        start = self.at
        inner = self._assigned(frame.path)
        if inner is not None:
            self._begin(inner, frames)
        if self.at == start:
            frames.clear()

    def _begin(self, path: KeyPath, frames: list[_Frame]) -> None:
        """The beginning of a value: a whole scalar, or the bracket that opens an array or inline table."""
        self._skip(_SPACE)
        start = self.at
        if self._next("["):
            frames.append(_Frame(path, array=True))
        elif self._next("{"):
            frames.append(_Frame(path, array=False))
        elif (end := _string_end(self.text, start)) is not None:
            self.at = end
            if path in self.spots:
                self.spots[path] = replace(self.spots[path], value=start)
        elif (end := _end(_PLAIN_VALUE, self.text, start)) is not None:
            self.at = end
        else:
            frames.clear()


def _end(pattern: re.Pattern[str], text: str, at: int) -> int | None:
    found = pattern.match(text, at)
    return found.end() if found else None


def _string_end(text: str, at: int) -> int | None:
    """Where the string that begins at `at` ends; None where none begins or it does not end."""
    pattern = _ENDS.get(text[at : at + 3])
    if pattern is None:
        return _end(_SHORT_STRING, text, at)
    return next((found.end() for found in pattern.finditer(text, at + 3) if not found[0].startswith("\\")), None)


def _unquoted(key: str) -> str:
    """A key as TOML reads it."""
    if not key.startswith(('"', "'")):
        return key
    try:
        return "".join(tomllib.loads(f"{key} = 0"))
    except tomllib.TOMLDecodeError:
        return key[1:-1]


def escaped_offset(text: str, start: int, column: int) -> int:
    """Where the `column`th character (from 1) of a string value stands; `start` is the offset of its quote."""
    quote = text[start]
    long = text.startswith(quote * 3, start)
    end = (_string_end(text, start) or len(text)) - 1
    at = start + (3 if long else 1)
    if long:
        at = _end(_LINE_END, text, at) or at
    for remaining in range(column - 1, -1, -1):
        while quote == '"' and long and (folded := _end(_FOLDED, text, at)):
            at = folded
        if remaining and at < end:
            at = (_end(_ESCAPE, text, at) if quote == '"' else None) or _end(_LINE_END, text, at) or at + 1
    return min(at, end)
