"""What a check has to say: rules, findings, and the place each one is about.

A module that checks something declares its rules at its top with :func:`rule`
and makes findings from them. The reference has a page for each rule, made from
these declarations, and a code never changes its meaning.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

PYPROJECT = "pyproject.toml"

KeyPath = tuple[str | int, ...]
"""A place in pyproject.toml: table names, keys and array indices, outermost first."""


class FixableError(Exception):
    """Ends what was asked for: `message` is what is wrong, `fix` what to do about it (may be empty)."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


class Level(str, Enum):
    """How much a finding weighs: an error ends the build, the others do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Place:
    """Where a finding is at home: a key of pyproject.toml, or a line of a file.

    `file` is relative to the project, with forward slashes; a member of an
    archive is written `models/aloha.zip!aloha/saved_model.pb`. Lines and columns
    count from 1. For a key, the position is filled in when findings are reported.
    """

    key: KeyPath = ()
    file: str = ""
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True)
class Rule:
    """A rule with a stable code: `title` in a few words, `why` it exists, and its `source`."""

    code: str
    title: str
    why: str
    source: str
    level: Level = Level.ERROR

    def finding(
        self, message: str, *, fix: str = "", place: Place | None = None, level: Level | None = None, about: str = ""
    ) -> Finding:
        """Make a finding: what is wrong here, in the user's words, and how to mend it."""
        return Finding(self, message, fix, place or Place(), level or self.level, about)


@dataclass(frozen=True)
class Finding:
    """One thing that a check found. See :class:`Rule` for where it comes from.

    `about` names what it is about, by the rule's own notion, for `check --fix`: a package that is missing, a zip.
    """

    rule: Rule
    message: str
    fix: str
    place: Place
    level: Level
    about: str = ""

    @property
    def code(self) -> str:
        return self.rule.code

    @property
    def is_error(self) -> bool:
        return self.level is Level.ERROR

    def at(self, place: Place) -> Finding:
        """The same finding at another place."""
        return replace(self, place=place)


_RULES: dict[str, Rule] = {}


def rule(code: str, title: str, *, why: str, source: str, level: Level = Level.ERROR) -> Rule:
    """Declare a rule; its code (`WLR` and three digits) must be new.

    Raises ValueError when another rule has the code already.
    """
    made = Rule(code, title, why, source, level)
    known = _RULES.setdefault(code, made)
    if known != made:
        raise ValueError(f"{code} is taken: {known.title}")
    return made


def declared_rules() -> tuple[Rule, ...]:
    """All rules of the modules imported so far, by code."""
    return tuple(sorted(_RULES.values(), key=lambda each: each.code))


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Those that end a build."""
    return [each for each in findings if each.is_error]


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that looks most like a misspelt one, or None where nothing comes close."""
    from difflib import get_close_matches

    spellings = {each.lower().replace("_", "-"): each for each in known}
    close = get_close_matches(word.lower().replace("_", "-"), spellings, n=1, cutoff=0.6)
    return spellings[close[0]] if close else None
