"""What reading one value gives: the value, and issues at places inside it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hatch_wallaroo.config import rules
from hatch_wallaroo.findings import Finding, KeyPath, Place, Rule
from hatch_wallaroo.text import found

if TYPE_CHECKING:
    from hatch_wallaroo.config.text_types import ValueType


@dataclass(frozen=True)
class Issue:
    """A finding whose place is not known yet: `path` leads from the value to where it is.

    `column` counts from 1 inside the string that stands there, None where that says nothing.
    """

    rule: Rule
    message: str
    fix: str
    path: KeyPath = ()
    column: int | None = None

    def inside(self, *keys: str | int) -> Issue:
        """The same issue, seen from a level further out."""
        return replace(self, path=(*keys, *self.path))

    def at(self, origin: KeyPath) -> Finding:
        """The finding, for a value that stands at `origin`."""
        return self.rule.finding(self.message, fix=self.fix, place=Place((*origin, *self.path), column=self.column))


@dataclass(frozen=True)
class Read:
    """A value and the issues with it. With issues, the value is what could be read, often None."""

    value: Any
    issues: tuple[Issue, ...] = ()


def wrong_type(value_type: ValueType, value: Any, fix: str) -> Read:
    """Answer a value of another type."""
    return Read(None, (Issue(rules.WRONG_TYPE, f"must be {value_type.words}, not {found(value)}", fix),))
