"""A tolerant scanner of TOML that finds where keys and array items stand, and understands nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from hatch_wallaroo.findings import KeyPath

_SPACE = re.compile(r"[ \t]*")
_GAP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_REST_OF_LINE = re.compile(r"[^\n]*")
_BARE_KEY = re.compile(r"[^\s.=\[\]{}\",'#]+")
_PLAIN_VALUE = re.compile(r"[^\s,\]}#]+(?: (?=[0-9]{2}:)[^\s,\]}#]+)?")
_SHORT_STRING = re.compile(r"\"(?:[^\"\\\n]|\\[^\n])*\"|'[^'\n]*'")
_ENDS = {'"""': re.compile(r'\\.|"{3,5}', re.DOTALL), "'''": re.compile(r"'{3,5}")}
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_LINE_END = re.compile(r"\r?\n")
_FOLDED = re.compile(r"\\[ \t\r]*\n\s*")
"""A backslash at a line's end, with all the white space that it takes away."""
_LETTERS = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b"}
_LAST_CHARACTER = 0x10FFFF
_DEEPEST = 64
"""No table of ours nests so deep; what does is stepped over without being remembered."""


@dataclass(frozen=True)
class Spot:
    """Offsets into the text: of the key's own text, and of the string that stands there, quotes included."""

    key: int
    value: int | None = None


@dataclass
class _Frame:
    """An array or inline table that is being scanned; `index` is the array's next item."""

    path: KeyPath
    array: bool
    index: int = 0


def scan(text: str) -> dict[KeyPath, Spot]:
    """The spots of all tables, keys and array items of a document. Never fails; time grows with the text's length."""
    return _Scanner(text).scan()


@dataclass
class _Scanner:
    text: str
    at: int = 0
    spots: dict[KeyPath, Spot] = field(default_factory=dict)
    explicit: set[KeyPath] = field(default_factory=set)
    counts: dict[KeyPath, int] = field(default_factory=dict)

    def scan(self) -> dict[KeyPath, Spot]:
        table: KeyPath = ()
        while True:
            self._skip(_GAP)
            if self.at >= len(self.text):
                return self.spots
            start = self.at
            if self.text[start] == "[":
                table = self._header(table)
            else:
                self._assignment(table)
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

    def _header(self, before: KeyPath) -> KeyPath:
        """`[a.b]` or `[[a.b]]`: the table that the lines below belong to."""
        several = self.text.startswith("[[", self.at)
        self.at += 2 if several else 1
        parts = self._key()
        if not parts:
            return before
        path: KeyPath = ()
        for name, offset in parts[:-1]:
            path = self._latest((*path, name), offset)
        name, offset = parts[-1]
        path = (*path, name)
        if several:
            self.spots.setdefault(path, Spot(offset))
            index = self.counts.get(path, 0)
            self.counts[path] = index + 1
            path = (*path, index)
        if path not in self.explicit:
            self.explicit.add(path)
            self.spots[path] = Spot(offset)
        return path

    def _latest(self, path: KeyPath, offset: int) -> KeyPath:
        """A table that a header passes through: of an array of tables, the last one."""
        self.spots.setdefault(path, Spot(offset))
        return (*path, self.counts[path] - 1) if path in self.counts else path

    def _assignment(self, table: KeyPath) -> None:
        path = self._assigned(table)
        if path is not None:
            self._value(path)

    def _assigned(self, table: KeyPath) -> KeyPath | None:
        """`a.b =`: the key that a value follows for."""
        parts = self._key()
        if not parts:
            return None
        path = table
        for name, offset in parts[: max(0, _DEEPEST - len(table))]:
            path = (*path, name)
            self.spots.setdefault(path, Spot(offset))
        self._skip(_SPACE)
        return path if self._next("=") else None

    def _key(self) -> list[tuple[str, int]]:
        """A dotted key's parts and where each begins."""
        parts: list[tuple[str, int]] = []
        while True:
            self._skip(_SPACE)
            start = self.at
            end = string_end(self.text, start) or _end(_BARE_KEY, self.text, start)
            if end is None:
                return parts
            self.at = end
            if len(parts) < _DEEPEST:
                parts.append((unquoted(self.text[start:end]), start))
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
                self.spots.setdefault(item, Spot(self.at))
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
        elif (end := string_end(self.text, start)) is not None:
            self.at = end
            if path in self.spots:
                self.spots[path] = Spot(self.spots[path].key, start)
        elif (end := _end(_PLAIN_VALUE, self.text, start)) is not None:
            self.at = end
        else:
            frames.clear()


def _end(pattern: re.Pattern[str], text: str, at: int) -> int | None:
    found = pattern.match(text, at)
    return found.end() if found else None


def string_end(text: str, at: int) -> int | None:
    """Where the string that begins at `at` ends; None where none begins or it does not end."""
    pattern = _ENDS.get(text[at : at + 3])
    if pattern is None:
        return _end(_SHORT_STRING, text, at)
    return next((found.end() for found in pattern.finditer(text, at + 3) if not found[0].startswith("\\")), None)


def unquoted(key: str) -> str:
    """A key as TOML reads it."""
    if key.startswith('"'):
        return _ESCAPE.sub(_character, key[1:-1])
    return key[1:-1] if key.startswith("'") else key


def _character(found: re.Match[str]) -> str:
    digits = found[1] or found[2] or found[3]
    if digits is None:
        return _LETTERS.get(found[4], found[4])
    code = int(digits, 16)
    return chr(code) if code <= _LAST_CHARACTER else "\ufffd"


def escaped_offset(text: str, start: int, column: int) -> int:
    """Where the `column`th character (from 1) of a string value stands; `start` is the offset of its quote."""
    quote = text[start]
    long = text.startswith(quote * 3, start)
    end = (string_end(text, start) or len(text)) - 1
    at = start + (3 if long else 1)
    if long:
        at = _end(_LINE_END, text, at) or at
    for remaining in range(column - 1, -1, -1):
        while quote == '"' and long and (folded := _end(_FOLDED, text, at)):
            at = folded
        if remaining and at < end:
            at = (_end(_ESCAPE, text, at) if quote == '"' else None) or _end(_LINE_END, text, at) or at + 1
    return min(at, end)
