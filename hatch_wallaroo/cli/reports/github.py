"""For GitHub Actions: workflow commands that become annotations at the lines they name.

A line `::error file=F,line=L,col=C,title=T::MESSAGE`. In what follows `::` a percent sign and line breaks are written
as %25, %0D and %0A; in properties a colon and a comma as well, as %3A and %2C. GitHub shows ten annotations of a
level in a step: the heaviest come first. Source: GitHub's documentation of workflow commands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from hatch_wallaroo.cli.reports.source_paths import artifact, prefix
from hatch_wallaroo.cli.reports.text import summary
from hatch_wallaroo.findings import PYPROJECT, Finding, Level
from hatch_wallaroo.project.checking import Result
from hatch_wallaroo.report import MOST, in_order, shown_fix
from hatch_wallaroo.text import one_line

_COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def workflow_commands(result: Result, environ: Mapping[str, str]) -> str:
    """A line for each finding, and one that says what was checked, which is no command."""
    root = result.repository.root
    before = prefix(root, environ)
    return "\n".join([*_lines(result, root, before), summary(result)])


def _lines(result: Result, root: Path, before: str) -> Iterator[str]:
    seen: Counter[str] = Counter()
    for finding in in_order(result.findings, heaviest_first=True):
        seen[finding.code] += 1
        if seen[finding.code] <= MOST:
            yield _annotation(finding, root, before)
    for code, count in seen.items():
        if count > MOST:
            yield f"{code}: {count - MOST:,} more are not shown"


def _annotation(finding: Finding, root: Path, before: str) -> str:
    place = finding.place
    file, _ = artifact(root, place.file or PYPROJECT)
    properties = {
        "file": before + file,
        "line": str(place.line or 1),
        **({"col": str(place.column)} if place.column else {}),
        "title": f"{finding.code} {finding.rule.title}",
    }
    written = ",".join(f"{name}={_property(one_line(each))}" for name, each in properties.items())
    fix = shown_fix(finding)
    message = one_line(finding.message) + (f"\nfix: {fix}" if fix else "")
    return f"::{_COMMANDS[finding.level]} {written}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
