"""For programs: one JSON document, whose keys are always there."""

from __future__ import annotations

from typing import Any

from hatch_wallaroo.__about__ import __version__
from hatch_wallaroo.bundle.manifest import GENERATOR, bounded, left_out
from hatch_wallaroo.findings import Finding
from hatch_wallaroo.project.checking import ModelResult, Result
from hatch_wallaroo.report import in_order, to_json
from hatch_wallaroo.text import key_text, one_line

FORMAT = 1
"""Raised when a key goes or changes its meaning, not when one is added."""


def document(result: Result) -> dict[str, Any]:
    """The report, ready for JSON. The same repository gives the same document on every machine."""
    project = result.repository.project
    return {
        "format": FORMAT,
        "generator": {"name": GENERATOR, "version": __version__},
        "project": {"name": one_line(project.name), "version": one_line(project.version)},
        "passed": not result.fails(strict=False),
        "counts": {level.value: count for level, count in result.counts.items()},
        "models": [_model(model) for model in result.models],
        "findings": _findings(result.findings),
    }


def _model(model: ModelResult) -> dict[str, Any]:
    checked = model.checked
    spec = checked.spec if checked else None
    return {
        "name": one_line(model.name),
        "key": key_text(model.key),
        "passed": model.passed,
        "version": one_line(spec.version) if spec else None,
        "framework": spec.framework.name if spec else None,
        "release": {"asked": spec.release.asked, "rules": spec.release.version} if spec else None,
        "runtime": spec.framework.runtime if spec else None,
        "python": spec.release.python if spec else None,
        "bundle": one_line(checked.plan.filename) if checked and checked.plan else None,
        "facts": bounded(dict(checked.facts)) if checked else {},
        "requirements": [one_line(line) for line in checked.requirements] if checked else [],
        "left_out": [{"path": one_line(path), "reason": one_line(why)} for path, why in left_out(checked)]
        if checked
        else [],
        "findings": _findings(model.findings),
    }


def _findings(findings: tuple[Finding, ...]) -> list[dict[str, Any]]:
    """The heaviest first, each group by file and line."""
    return [to_json(each) for each in in_order(findings, heaviest_first=True)]
