"""Fixes as values: which findings are mended, and by which changes of which file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from hatch_wallaroo.findings import Finding

Key: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class SetTo:
    """A key of TOML gets a value."""

    key: Key
    value: Any


@dataclass(frozen=True)
class Rename:
    """A key of TOML gets another name, or moves into another table, with its value and comments."""

    old: Key
    new: Key


@dataclass(frozen=True)
class Append:
    """A list of TOML gets one more item; a list that is not there is made."""

    key: Key
    value: str


@dataclass(frozen=True)
class Drop:
    """A list of TOML loses an item, or where `key` is no list, a table that key."""

    key: Key
    value: str | None = None


@dataclass(frozen=True)
class Replace:
    """An item of a list of TOML gets another value."""

    key: Key
    old: str
    new: str


@dataclass(frozen=True)
class AddLine:
    """A text file gets one more line at its end."""

    line: str


@dataclass(frozen=True)
class ChangeLine:
    """A line of a text file (its number counts from 1) says something else, or goes where `new` is None."""

    number: int
    old: str
    new: str | None


@dataclass(frozen=True)
class NoByteOrderMark:
    """A text file loses the mark at its beginning."""


@dataclass(frozen=True)
class WithoutMembers:
    """A zip loses members; `tops` are the folders and files that a person sees go."""

    members: frozenset[str]
    tops: tuple[str, ...]


TomlChange: TypeAlias = SetTo | Rename | Append | Drop | Replace
Change: TypeAlias = TomlChange | AddLine | ChangeLine | NoByteOrderMark | WithoutMembers


@dataclass(frozen=True)
class Fix:
    """One thing that is done: `description` says it to a person, `file` is the project's, with forward slashes."""

    description: str
    file: str
    changes: tuple[Change, ...]
    findings: tuple[Finding, ...] = field(default=(), compare=False)

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(each.code for each in self.findings))
