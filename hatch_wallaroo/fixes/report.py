"""Fixes as they are shown: to a person with the difference of each file, to programs as JSON."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from hatch_wallaroo.fixes.changes import ChangedFile, apply
from hatch_wallaroo.fixes.model import Fix
from hatch_wallaroo.fixes.plan import plan
from hatch_wallaroo.project.checking import Result
from hatch_wallaroo.text import one_line, painted_diff, printable


@dataclass(frozen=True)
class Fixing:
    """The fixes of a check, the files that change by them, and whether that was done."""

    fixes: tuple[Fix, ...] = ()
    files: tuple[ChangedFile, ...] = ()
    made: bool = False

    @classmethod
    def of(cls, found: Result) -> Fixing:
        """What can be mended of a check's findings; nothing is written."""
        planned = plan(found.repository, found.report, found.findings)
        changed = apply(found.repository.root, planned)
        return cls(tuple(each for each in planned if each in changed.done), changed.files)

    def all_made(self) -> Fixing:
        return replace(self, made=True)


def display(fixing: Fixing, *, color: bool) -> str:
    """Each fix with the findings that it mends, then what changes in each file."""
    lines = [f"fix[{', '.join(fix.codes)}] {one_line(fix.file)}: {one_line(fix.description)}" for fix in fixing.fixes]
    for file in fixing.files:
        lines += ["", painted_diff(file.difference(), color=color)]
    return "\n".join([*lines, ""])


def to_json(fixing: Fixing) -> list[dict[str, Any]]:
    """Each fix, whether it was made, and its file's whole difference."""
    differences = {file.file: file.difference() for file in fixing.files}
    return [
        {
            "codes": list(fix.codes),
            "description": one_line(fix.description),
            "file": one_line(fix.file),
            "applied": fixing.made,
            "difference": printable(differences.get(fix.file, ""), lines=True),
        }
        for fix in fixing.fixes
    ]
