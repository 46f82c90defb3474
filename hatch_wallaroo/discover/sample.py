"""The rows of a sample, each with its line, and the types that all of them have in common.

A sample is JSON: `{"inputs": [row, ...], "outputs": [row, ...]}`, or the list of the input rows alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from hatch_wallaroo.findings import Finding, Level, Place, nearest, rule
from hatch_wallaroo.schema.notation import MAX_DEPTH
from hatch_wallaroo.schema.types import Field, ListOf, Scalar, Schema, Struct, Type
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


_INT64, _UINT64 = 2**63, 2**64
_WORDS = {"bool": "true or false", "int": "whole numbers", "float": "numbers", "str": "texts", "list": "lists"}
_WORDS |= {"dict": "objects"}
_WIDTH = "{0}, where {1} may be meant: values do not tell how wide their type is"
_PLAIN = {bool: "bool", int: "int", float: "float", str: "str"}


@dataclass(frozen=True)
class Guess:
    """What was chosen for a field, as nothing tells it: the width of its numbers, or the size of a list in it."""

    field: str
    about: Literal["width", "size"]
    text: str


@dataclass(frozen=True)
class Typed:
    """The schema of some rows, None where `findings` hold an error. `guesses` say what values cannot tell."""

    schema: Schema | None
    guesses: tuple[Guess, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass
class _Seen:
    """What was seen at one place of all rows: each kind of value with the line of the first such.

    `count` counts the values, null ones among them. `sizes` holds the lengths of lists, two different ones at the
    most. `low` and `high` are the least and the greatest whole number.
    """

    kinds: dict[str, int] = field(default_factory=dict)
    count: int = 0
    null: int | None = None
    low: int = 0
    high: int = 0
    sizes: set[int] = field(default_factory=set)
    objects: int = 0
    item: _Seen | None = None
    fields: dict[str, _Seen] = field(default_factory=dict)
    deep: bool = False

    def see(self, value: Any, line: int, depth: int = 0) -> None:
        self.count += 1
        if value is None:
            self.null = self.null or line
        elif isinstance(value, list):
            self.kinds.setdefault("list", line)
            self._see_list(value, line, depth + 1)
        elif isinstance(value, dict):
            self.kinds.setdefault("dict", line)
            self._see_object(value, line, depth + 1)
        else:
            self.kinds.setdefault(_PLAIN[type(value)], line)
            if type(value) is int:
                self.low, self.high = min(self.low, value), max(self.high, value)

    def _see_list(self, values: list[Any], line: int, depth: int) -> None:
        if len(self.sizes) < 2:  # noqa: PLR2004 - the second says that they differ
            self.sizes.add(len(values))
        self.item = self.item or _Seen()
        if depth > MAX_DEPTH:
            self.deep = True
            return
        kinds = set(map(type, values))
        if not kinds <= _PLAIN.keys():
            for each in values:
                self.item.see(each, line, depth)
            return
        # Pictures have millions of numbers: these are judged together.
        self.item.count += len(values)
        for kind in kinds:
            self.item.kinds.setdefault(_PLAIN[kind], line)
        if int in kinds:
            whole = values if kinds == {int} else [each for each in values if type(each) is int]
            self.item.low, self.item.high = min(self.item.low, *whole), max(self.item.high, *whole)

    def _see_object(self, values: dict[str, Any], line: int, depth: int) -> None:
        self.objects += 1
        if depth > MAX_DEPTH:
            self.deep = True
            return
        for name, value in values.items():
            self.fields.setdefault(name, _Seen()).see(value, line, depth)


def schema_of(rows: Sequence[Row], side: str, file: str) -> Typed:
    """The schema that all rows fit, with everything that keeps them from having one.

    Whole numbers are int64, others float64: values do not tell how wide a type was meant to be. Lists of one length
    everywhere have a fixed size. A field that some rows lack is optional.
    """
    seen = _Seen()
    for row in rows:
        seen.see(row.values, row.line, -1)  # a row itself is no type that nests
    judge = _Judge(side, file, rows[0].line if rows else None, "the only row" if len(rows) == 1 else "all rows")
    fields = tuple(judge.fields(seen, ""))
    wrong = any(each.is_error for each in judge.findings)
    if not fields and not wrong:
        judge.say("", "the rows have no fields", 'write {"x": 1.5}')
        wrong = True
    return Typed(None if wrong else Schema(fields), tuple(dict.fromkeys(judge.guesses)), tuple(judge.findings))


@dataclass
class _Judge:
    side: str
    file: str
    line: int | None
    rows: str
    findings: list[Finding] = field(default_factory=list)
    guesses: list[Guess] = field(default_factory=list)
    field: str = ""

    def say(self, path: str, message: str, fix: str, line: int | None = None, level: Level = Level.ERROR) -> None:
        where = f"{self.side}, {path}: " if path else f"{self.side}: "
        place = Place(file=self.file, line=line or self.line)
        self.findings.append(UNTOLD.finding(f"{where}{message}", fix=fix, place=place, level=level))

    def guess(self, about: Literal["width", "size"], text: str) -> None:
        self.guesses.append(Guess(self.field, about, text))

    def fields(self, seen: _Seen, path: str) -> Iterator[Field]:
        """The fields of all objects at a place."""
        for name, inner in seen.fields.items():
            self.field = self.field if path else name
            where = f"{path}.{name}" if path else name
            if any("\ud800" <= each <= "\udfff" for each in name):
                self.say(ascii(where), "is no name of a field", "use a name of ordinary characters")
                continue
            type_ = self.type(inner, where)
            if type_ is not None:
                yield Field(name, type_, optional=self.optional(inner, seen, where))

    def optional(self, inner: _Seen, outer: _Seen, path: str) -> bool:
        if inner.null is not None:
            message = "null is taken as a field that a row may leave out"
            self.say(path, message, "leave the field out of that row", inner.null, Level.WARNING)
        return inner.null is not None or inner.count < outer.objects

    def type(self, seen: _Seen, path: str) -> Type | None:
        if seen.deep:
            self.say(path, f"types are nested more than {MAX_DEPTH} deep", "make the rows flatter")
            return None
        kinds = seen.kinds
        if set(kinds) == {"int", "float"}:
            kinds = {"float": min(kinds.values())}
        if not kinds:
            self.say(path, "there are only nulls, of which no type can be known", "write a value", seen.null)
            return None
        if len(kinds) > 1:
            listed = " and ".join(f"{_WORDS[kind]} (line {line})" for kind, line in kinds.items())
            self.say(path, f"holds {listed}", "a field has one type: make them alike", max(kinds.values()))
            return None
        (kind,) = kinds
        if kind == "list":
            return self.list(seen, path)
        if kind == "dict":
            return self.struct(seen, path)
        return self.scalar(kind, seen, path)

    def list(self, seen: _Seen, path: str) -> Type | None:
        items = seen.item or _Seen()
        inside = f"{path}[]"
        if not items.count and not items.deep:
            self.say(path, "all lists are empty, so that the type of their items cannot be known", "write an item")
            return None
        if items.null is not None and items.kinds:
            message, fix = "null inside of a list: the platform needs a value there", "write a value, e.g. 0 or NaN"
            self.say(inside, message, fix, items.null)
        item = self.type(items, inside)
        size = next(iter(seen.sizes)) if len(seen.sizes) == 1 else None
        if size is not None:
            self.guess("size", f"the size is that of {self.rows}: write * where it can differ")
        return None if item is None else ListOf(item, size)

    def struct(self, seen: _Seen, path: str) -> Type | None:
        before = len([each for each in self.findings if each.is_error])
        fields = tuple(self.fields(seen, path))
        if not seen.fields:
            self.say(path, "all objects are empty, so that their fields cannot be known", 'write {"x": 1.5}')
        return Struct(fields) if len([each for each in self.findings if each.is_error]) == before else None

    def scalar(self, kind: str, seen: _Seen, path: str) -> Type | None:
        if kind == "int":
            return self.whole(seen, path)
        if kind == "float":
            self.guess("width", _WIDTH.format("float64", "float32"))
        return Scalar({"float": "float64", "str": "string", "bool": "bool"}[kind])

    def whole(self, seen: _Seen, path: str) -> Type | None:
        if seen.low >= -_INT64 and seen.high < _INT64:
            self.guess("width", _WIDTH.format("int64", "int32"))
            return Scalar("int64")
        if seen.low >= 0 and seen.high < _UINT64:
            return Scalar("uint64")
        self.say(path, "holds a whole number that no 64 bits can", "write it as a text, or with a decimal point")
        return None
