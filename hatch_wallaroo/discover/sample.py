"""The rows of a sample, each with its line.

A sample is JSON: `{"inputs": [row, ...], "outputs": [row, ...]}`, or the list of the input rows alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hatch_wallaroo.findings import Finding, Place, nearest, rule
from hatch_wallaroo.text import describe_error

UNTOLD = rule(
    "WLR672",
    "a type that nothing tells",
    why="A type is inferred from what the model's file says, and from the values of all rows of a sample: they have to "
    "be there, and of one kind that a column of a table can hold.",
    source="The key `sample`; Arrow's columns, of which each has one type",
)

LARGEST = 64 << 20
"""Bytes of a sample that are read."""
SIDES = ("inputs", "outputs")

_SPACE = re.compile(r"[ \t\n\r]*")
_EXAMPLE = '{"inputs": [{"x": 1.5}], "outputs": [{"y": 2}]}'


@dataclass(frozen=True)
class Row:
    """What one row holds by field, and the line that it begins in."""

    line: int
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Sample:
    """`file` is how messages call it. `outputs` are empty where the sample has none."""

    file: str
    inputs: tuple[Row, ...] = ()
    outputs: tuple[Row, ...] = ()


def read_sample(path: Path, file: str) -> tuple[Sample | None, tuple[Finding, ...]]:
    """Read a sample; None where the findings say why it cannot be. Never raises."""
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        return None, (_finding(file, f"cannot be read: {describe_error(error)}", "correct the path"),)
    if len(data) > LARGEST:
        return None, (_finding(file, f"is larger than {LARGEST >> 20} MiB", "a few rows are enough"),)
    return parse_sample(data, file)


def parse_sample(data: bytes, file: str) -> tuple[Sample | None, tuple[Finding, ...]]:
    """The sample in the bytes of a JSON file."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return None, (_finding(file, "is not UTF-8 from here on", "save it as UTF-8", line),)
    reader = _Reader(text, file)
    try:
        sample = reader.sample()
    except json.JSONDecodeError as error:
        said = error.msg[:1].lower() + error.msg[1:]
        return None, (_finding(file, f"is no JSON: {said}", "mend it there", error.lineno, error.colno),)
    except (ValueError, RecursionError):
        return None, (_finding(file, "holds numbers of very many digits, or nests too deeply", f"write {_EXAMPLE}"),)
    return (None if reader.findings else sample), tuple(reader.findings)


def _finding(file: str, message: str, fix: str, line: int | None = None, column: int | None = None) -> Finding:
    return UNTOLD.finding(f"{file} {message}", fix=fix, place=Place(file=file, line=line, column=column))


class _Reader:
    """Walks the outermost list or object itself, so that each row's line is known; what is inside, `json` reads."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._json = json.JSONDecoder()
        self._at = 0
        self._counted = 0
        self._line = 1
        self.findings: list[Finding] = []

    def sample(self) -> Sample:
        first = self._peek()
        if first == "[":
            sample = Sample(self._file, tuple(self._rows("inputs")))
        elif first == "{":
            sample = self._object()
        else:
            self._say("must be an object with inputs, or a list of rows", f"write {_EXAMPLE}")
            return Sample(self._file)
        if self._peek():
            raise json.JSONDecodeError("something follows after the end", self._text, self._at)
        if not sample.inputs and not self.findings:
            self._say("holds no input rows", f"write {_EXAMPLE}")
        return sample

    def _object(self) -> Sample:
        rows: dict[str, tuple[Row, ...]] = {}
        for key in self._keys():
            if key not in SIDES:
                close = nearest(key[:40], SIDES)
                self._say(f"has the key {key[:40]!r}", f"did you mean {close}?" if close else f"write {_EXAMPLE}")
                self._value()
            elif self._peek() != "[":
                self._say(f"has {key} that are no list of rows", f"write {_EXAMPLE}")
                self._value()
            else:
                rows[key] = tuple(self._rows(key))
        return Sample(self._file, rows.get("inputs", ()), rows.get("outputs", ()))

    def _rows(self, side: str) -> Iterator[Row]:
        for at in self._items("[", "]"):
            line = self._line_at(self._at)
            value = self._value()
            if isinstance(value, dict):
                yield Row(line, value)
            else:
                self._say(f"{side}, row {at}: a row is an object of fields", 'write {"x": 1.5}', line)

    def _keys(self) -> Iterator[str]:
        for _ in self._items("{", "}"):
            if self._peek() != '"':
                raise json.JSONDecodeError("a key in double quotes is expected", self._text, self._at)
            key = self._value()
            self._expect(":")
            yield key

    def _items(self, opening: str, closing: str) -> Iterator[int]:
        """Steps from item to item, counting from 1; whoever iterates reads each."""
        self._expect(opening)
        if self._peek() == closing:
            self._at += 1
            return
        count = 1
        while True:
            self._peek()
            yield count
            count += 1
            if self._peek() == closing:
                self._at += 1
                return
            self._expect(",")

    def _value(self) -> Any:
        self._peek()
        try:
            value, self._at = self._json.raw_decode(self._text, self._at)
        except StopIteration as error:
            raise json.JSONDecodeError("a value is expected", self._text, error.value) from None
        return value

    def _peek(self) -> str:
        """The next character that is no space; empty at the end."""
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._text[self._at : self._at + 1]

    def _expect(self, character: str) -> None:
        if self._peek() != character:
            raise json.JSONDecodeError(f"{character} is expected", self._text, self._at)
        self._at += 1

    def _line_at(self, offset: int) -> int:
        """Counts on from the last row, so that all rows together are counted once."""
        self._line += self._text.count("\n", self._counted, offset)
        self._counted = offset
        return self._line

    def _say(self, message: str, fix: str, line: int | None = None) -> None:
        line = line or self._text.count("\n", 0, self._at) + 1
        self.findings.append(_finding(self._file, message, fix, line))
