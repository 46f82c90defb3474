"""Types from values: what all rows of a sample have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from hatch_wallaroo.discover.sample import UNTOLD, Row
from hatch_wallaroo.findings import Finding, Level, Place
from hatch_wallaroo.schema.notation import MAX_DEPTH
from hatch_wallaroo.schema.types import Field, ListOf, Scalar, Schema, Struct, Type

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


def rows_of(values: Iterable[dict[str, Any]]) -> tuple[Row, ...]:
    """Rows that stand in no file."""
    return tuple(Row(at, each) for at, each in enumerate(values, start=1))
