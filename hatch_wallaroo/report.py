"""How findings look: as text for a person, and as plain JSON for programs.

A low module: it knows findings alone, and whoever shows or writes something may import it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from hatch_wallaroo.findings import PYPROJECT, Finding, Level, Place
from hatch_wallaroo.text import cut, key_text, one_line, printable

MOST = 50
"""Findings of one rule that are shown one by one."""

_ORDER = (Level.NOTE, Level.WARNING, Level.ERROR)
_COLORS = {Level.ERROR: "31", Level.WARNING: "33", Level.NOTE: "36"}


def render(findings: Iterable[Finding], *, color: bool) -> str:
    """The findings as text, errors last, each group by file and line; the last line counts them. Empty for none."""
    ordered = in_order(findings)
    if not ordered:
        return ""
    seen: Counter[tuple[str, Level]] = Counter()
    totals = Counter((finding.code, finding.level) for finding in ordered)
    blocks = []
    for finding in ordered:
        group = (finding.code, finding.level)
        seen[group] += 1
        if seen[group] <= MOST:
            blocks.append(_block(finding, color))
        elif seen[group] == MOST + 1:
            blocks.append(_rest(finding, totals[group] - MOST, color))
    return "\n".join([*blocks, _count(ordered, color)])


def in_order(findings: Iterable[Finding], *, heaviest_first: bool = False) -> list[Finding]:
    """Each finding once, errors last or first, each group by file and line."""
    ordered = sorted(dict.fromkeys(findings), key=_rank)
    if not heaviest_first:
        return ordered
    return [each for level in reversed(_ORDER) for each in ordered if each.level is level]


def shown_fix(finding: Finding) -> str:
    """A fix as it may be shown: cut, on several lines where it has them."""
    return cut(printable(finding.fix, lines=True))


def to_json(finding: Finding) -> dict[str, Any]:
    """A finding for the manifest and other programs; each key is always there, null where it says nothing."""
    place = finding.place
    return {
        "code": finding.code,
        "level": finding.level.value,
        "message": one_line(finding.message),
        "fix": shown_fix(finding) or None,
        "key": one_line(key_text(place.key)) or None,
        "file": one_line(place.file) or None,
        "line": place.line,
        "column": place.column,
    }


def _rank(finding: Finding) -> tuple[int, str, int, int, str]:
    place = finding.place
    return _ORDER.index(finding.level), place.file, place.line or 0, place.column or 0, finding.code


def _block(finding: Finding, color: bool) -> str:
    """A finding's lines: what is wrong and where, then the fix, indented."""
    head = f"{_paint(finding.level.value, _COLORS[finding.level], color)}[{finding.code}]"
    where = _where(finding.place)
    message = _said(one_line(finding.message), one_line(finding.place.file))
    first = f"{head} {_paint(where, '1', color)}: {message}" if where else f"{head} {message}"
    fix = shown_fix(finding).split("\n")
    if not finding.fix:
        return first
    return "\n".join([first, f"    fix: {fix[0]}", *(f"         {line}" for line in fix[1:])])


def _said(message: str, file: str) -> str:
    """A message without the file that it begins with, as the place before it has just named that."""
    begun = re.match(re.escape(file) + r"(?:(?::\d+)*:)? (?!and |or )", message) if file else None
    return message[begun.end() :] if begun else message


def _where(place: Place) -> str:
    """`pyproject.toml:4:1 tool.wallaroo.model`, `step.py:5`; the key of another file's finding is for programs."""
    position = ":".join(str(each) for each in (place.line, place.column) if each is not None)
    file = one_line(place.file)
    key = "" if file and file != PYPROJECT else one_line(key_text(place.key))
    parts = [f"{file}:{position}" if file and position else file, key]
    return " ".join(part for part in parts if part)


def _rest(finding: Finding, count: int, color: bool) -> str:
    head = f"{_paint(finding.level.value, _COLORS[finding.level], color)}[{finding.code}]"
    return f"{head} and {count:,} more: {finding.rule.title}"


def _count(findings: list[Finding], color: bool) -> str:
    counts = Counter(finding.level for finding in findings)
    parts = [
        _paint(f"{counts[level]:,} {level.value}{'s' if counts[level] > 1 else ''}", _COLORS[level], color)
        for level in reversed(_ORDER)
        if counts[level]
    ]
    return ", ".join(parts)


def _paint(text: str, code: str, color: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if color else text
