"""From findings to fixes: each that can be mended in one way only, and that the file as it is written allows.

A `Fixing` is shown to a person with the difference of each file, to programs as JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from types import MappingProxyType
from typing import Any

from hatch_wallaroo.findings import Finding
from hatch_wallaroo.fixes.changes import ChangedFile, apply
from hatch_wallaroo.fixes.model import Context, Fix, Key, Rename, SetTo
from hatch_wallaroo.project.checking import Report, Result
from hatch_wallaroo.project.repository import Repository
from hatch_wallaroo.text import one_line, painted_diff, printable

_Planner = Callable[[Finding, Context], "Fix | None"]

PLANNERS: Mapping[str, str] = MappingProxyType(
    {
        "WLR010": "table:wrong_type",
        "WLR011": "table:unknown_key",
        "WLR014": "table:unknown_value",
        "WLR015": "table:misfit",
        "WLR022": "table:unknown_framework",
        "WLR030": "table:model_name",
        "WLR032": "table:model_name",
        "WLR041": "table:path_form",
        "WLR244": "table:needless_admission",
        "WLR266": "requirements:misnamed",
        "WLR360": "table:input_field",
        "WLR449": "requirements:missing_package",
        "WLR450": "table:excluded",
        "WLR544": "table:excluded",
        "WLR550": "requirements:missing_package",
        "WLR640": "table:hook_option",
        "WLR641": "table:hook_option",
        "WLR650": "table:byte_order_mark",
        "WLR667": "table:index_field",
    }
)
"""The rules that can be mended here, each with what plans it; documented in docs/how-to/check.md."""

_ALSO = {"WLR010": "table:encoded_schema"}
"""What else to ask where the first has no fix."""


def plan(repository: Repository, report: Report, findings: Iterable[Finding]) -> tuple[Fix, ...]:
    """The fixes of these findings, each once, in the findings' order; those that contradict each other are left out."""
    wanted = set(findings)
    fixes: list[Fix] = []
    for finding, context in _contexts(repository, report):
        fix = _planned(finding, context) if finding in wanted else None
        if fix is None:
            continue
        known = next((at for at, each in enumerate(fixes) if each == fix), None)
        if known is None:
            fixes.append(replace(fix, findings=(finding,)))
        else:
            fixes[known] = replace(fix, findings=(*fixes[known].findings, finding))
    return tuple(each for each in _without_contradictions(fixes) if apply(repository.root, [each]).done)


def _contexts(repository: Repository, report: Report) -> Iterator[tuple[Finding, Context]]:
    """Each finding with the model that it is about."""
    about: dict[Finding, Context] = {}
    for model in report.models:
        for finding in model.findings:
            about.setdefault(finding, Context(repository, model.spec))
        key = model.spec.key
        for finding in report.findings:
            if finding.place.key[: len(key)] == key:
                about.setdefault(finding, Context(repository, model.spec))
    plain = Context(repository)
    return ((finding, about.get(finding, plain)) for finding in report.findings)


def _planned(finding: Finding, context: Context) -> Fix | None:
    for table in (PLANNERS, _ALSO):
        if finding.code in table:
            fix = _planner(table[finding.code])(finding, context)
            if fix is not None:
                return fix
    return None


def _planner(name: str) -> _Planner:
    module, _, function = name.partition(":")
    found: _Planner = getattr(import_module(f"hatch_wallaroo.fixes.{module}"), function)
    return found


def _without_contradictions(fixes: list[Fix]) -> Iterator[Fix]:
    """Two that would give one key different values, or one name to two keys: nobody knows which is meant."""
    targets = [(fix.file, _target(fix)) for fix in fixes]
    return (fix for fix, target in zip(fixes, targets, strict=True) if target[1] is None or targets.count(target) == 1)


def _target(fix: Fix) -> Key | None:
    """The key that a fix makes, or gives a value to."""
    first = fix.changes[0]
    if isinstance(first, Rename):
        return first.new
    return first.key if isinstance(first, SetTo) else None


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
