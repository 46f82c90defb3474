"""What was found and proposed, as plain JSON for programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hatch_wallaroo.adopt.adoption import Adoption
from hatch_wallaroo.adopt.candidates import Candidate
from hatch_wallaroo.findings import Finding
from hatch_wallaroo.report import one_line, to_json
from hatch_wallaroo.schema.tables import write_schema
from hatch_wallaroo.schema.types import Schema


def document(
    candidates: Iterable[Candidate],
    adoption: Adoption,
    findings: Sequence[Finding],
    *,
    release: str,
    written: bool,
    error: str | None,
) -> dict[str, Any]:
    """Everything that a person is shown; each key is always there, null where it says nothing."""
    return {
        "release": release,
        "candidates": [_candidate(each) for each in candidates],
        "models": [
            {
                "name": each.name,
                "path": each.candidate.path,
                "table": {**each.keys, **({"byop": dict(each.byop)} if each.byop else {})},
                "input_schema": _schema(each.schemas.inputs),
                "output_schema": _schema(each.schemas.outputs),
            }
            for each in adoption.models
        ],
        "changed": bool(adoption.diff),
        "written": written,
        "diff": adoption.diff or None,
        "notes": [one_line(each) for each in adoption.notes],
        "findings": [to_json(each) for each in findings],
        "error": error,
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "path": candidate.path,
        "what": one_line(candidate.what),
        "kind": candidate.kind,
        "frameworks": list(candidate.frameworks),
        "certain": candidate.certain,
        "why": one_line(candidate.why) or None,
        "advice": one_line(candidate.advice) or None,
        "findings": [to_json(each) for each in candidate.findings],
    }


def _schema(schema: Schema | None) -> dict[str, Any] | None:
    return None if schema is None else write_schema(schema)
