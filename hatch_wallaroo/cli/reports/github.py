"""For GitHub Actions: workflow commands that become annotations at the lines they name.

A line `::error file=F,line=L,col=C,title=T::MESSAGE`. In what follows `::` a percent sign and line breaks are written
as %25, %0D and %0A; in properties a colon and a comma as well, as %3A and %2C. GitHub shows ten annotations of a
level in a step: the heaviest come first. Source: GitHub's documentation of workflow commands.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

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


def source_root(root: Path, environ: Mapping[str, str]) -> Path:
    """The folder that paths in reports are relative to: the repository's, in which the project may be a sub-folder.

    GitHub says it; elsewhere it is the nearest folder with a `.git`, and without one the project itself.
    """
    here = Path(os.path.realpath(root))
    said = environ.get("GITHUB_WORKSPACE")
    workspace = Path(os.path.realpath(said)) if said else None
    if workspace is not None and here.is_relative_to(workspace):
        return workspace
    return next((each for each in (here, *here.parents) if (each / ".git").exists()), here)


def prefix(root: Path, environ: Mapping[str, str]) -> str:
    """What leads from the repository to the project: empty, or `models/fraud/`."""
    inner = Path(os.path.realpath(root)).relative_to(source_root(root, environ)).as_posix()
    return "" if inner == "." else f"{inner}/"


def artifact(root: Path, file: str) -> tuple[str, str]:
    """The file on disk that a place names, and the member in it where that is an archive's: `a.zip!b`."""
    at = file.find("!")
    while at >= 0 and not os.path.lexists(root / file):
        if (root / file[:at]).is_file():
            return file[:at], file[at + 1 :]
        at = file.find("!", at + 1)
    return file, ""
