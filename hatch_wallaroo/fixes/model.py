"""Fixes as values: which findings are mended, by which changes of which file; and what their planners may look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any, TypeAlias

from hatch_wallaroo.config.declared import OPTIONS, TABLE
from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.config.table import MODELS, Option, options
from hatch_wallaroo.config.toml.documents import value_at
from hatch_wallaroo.findings import Finding
from hatch_wallaroo.project.repository import Repository

Key: TypeAlias = tuple[str, ...]

_CLOSE = 0.8
_APART = 0.1


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


TomlChange: TypeAlias = SetTo | Rename | Append | Drop | Replace
Change: TypeAlias = TomlChange | AddLine | ChangeLine | NoByteOrderMark


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


@dataclass(frozen=True)
class Context:
    """A finding's surroundings; `spec` is None where the finding is about no model that could be read."""

    repository: Repository
    spec: ModelSpec | None = None

    @property
    def document(self) -> Mapping[str, Any]:
        return self.repository.document or {}

    def at(self, key: Key) -> Any:
        """What stands at a key of pyproject.toml, None where nothing does."""
        return value_at(self.document, key)


def plain_key(finding: Finding) -> Key | None:
    """The key of a finding in pyproject.toml, None where it is about another file or an item of a list."""
    key = finding.place.key
    texts = tuple(part for part in key if isinstance(part, str))
    return texts if key and len(texts) == len(key) and finding.place.file in {"", "pyproject.toml"} else None


def item(finding: Finding) -> tuple[Key, int] | None:
    """The list and the index in it that a finding in pyproject.toml is about."""
    *most, last = finding.place.key or ("",)
    texts = tuple(part for part in most if isinstance(part, str))
    return (texts, last) if texts and len(texts) == len(most) and isinstance(last, int) else None


def model_table(key: Key) -> int | None:
    """How many parts of a key lead to the table of a model, or to the one that models share."""
    if key[: len(TABLE)] != TABLE:
        return None
    return len(TABLE) + 2 if key[len(TABLE) : len(TABLE) + 1] == (MODELS,) else len(TABLE)


def option_at(key: Key) -> Option | None:
    """What the table's model says about a key, None for one that it does not have."""
    depth = model_table(key)
    inside = key[depth:] if depth is not None else ()
    if not inside:
        return None
    option = OPTIONS.get(inside[0])
    if option is None or len(inside) == 1:
        return option
    parts = options(option.table) if option.table is not None and len(inside) == 2 else {}  # noqa: PLR2004
    return parts.get(inside[1])


def one_near(word: str, known: Iterable[str]) -> str | None:
    """The known word that a misspelt one can only mean: close to it, and far from all others."""
    plain = _plain(word)
    rated = sorted(((SequenceMatcher(None, plain, _plain(each)).ratio(), each) for each in known), reverse=True)
    if not rated or rated[0][0] < _CLOSE or (len(rated) > 1 and rated[0][0] - rated[1][0] < _APART):
        return None
    return rated[0][1]


def _plain(word: str) -> str:
    return word[:60].lower().replace("_", "-").replace(" ", "-")
