"""What a run showed: a value, the file beside the bundle that keeps it, and whether a bundle has passed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from hatch_wallaroo.__about__ import __version__
from hatch_wallaroo.files.json_text import JsonError, read_object
from hatch_wallaroo.files.writing import write_whole
from hatch_wallaroo.findings import Finding, errors
from hatch_wallaroo.preflight.isolation import Kind
from hatch_wallaroo.preflight.subject import Subject
from hatch_wallaroo.report import to_json

FORMAT = 1
SUFFIX = ".preflight.json"


@dataclass(frozen=True)
class Part:
    """A part of the way, and whose code went it: the platform's own, or one that stands for it."""

    name: str
    by: Literal["platform", "emulation"]
    what: str


@dataclass(frozen=True)
class Times:
    """Seconds, and bytes at the peak; None where it did not come that far. `row`: after warming up, of a batch."""

    load: float | None = None
    first: float | None = None
    row: float | None = None
    peak: int | None = None


@dataclass(frozen=True)
class Verdict:
    """The verdict on one bundle.

    `ran`: the model was started, or tried to; where nothing here can run it, it neither passed nor failed. `asked` and
    `answered` are rows, each a field's value by name; `observed` is the schema of the answer by field, as the table
    writes it.
    """

    subject: Subject
    findings: tuple[Finding, ...]
    ran: bool = True
    parts: tuple[Part, ...] = ()
    isolation: Kind | Literal[""] = ""
    environment: Mapping[str, Any] = field(default_factory=dict)
    rows: str = ""
    made_rows: bool = False
    asked: Sequence[Mapping[str, Any]] = ()
    answered: Sequence[Mapping[str, Any]] = ()
    observed: Mapping[str, str] = field(default_factory=dict)
    times: Times = Times()
    log: Sequence[str] = ()

    @property
    def passed(self) -> bool:
        return self.ran and not errors(self.findings)

    @property
    def word(self) -> str:
        return "passed" if self.passed else "failed" if self.ran or errors(self.findings) else "not run"


def document(verdict: Verdict) -> dict[str, Any]:
    """The verdict for JSON, with nothing of this machine in it but what ran."""
    subject = verdict.subject
    times = verdict.times
    return {
        "format": FORMAT,
        "generator": {"name": "hatch-wallaroo", "version": __version__},
        "model": subject.name,
        "version": subject.version,
        "file": {"name": subject.file.name, "sha256": subject.sha256},
        "release": subject.release.asked,
        "framework": subject.framework.name,
        "verdict": verdict.word,
        "parts": [{"name": each.name, "by": each.by, "what": each.what} for each in verdict.parts],
        "isolation": verdict.isolation,
        "environment": dict(verdict.environment),
        "rows": {"source": verdict.rows, "made": verdict.made_rows, "count": len(verdict.asked)},
        "observed": dict(verdict.observed),
        "load_seconds": times.load,
        "first_seconds": times.first,
        "row_seconds": times.row,
        "peak_bytes": times.peak,
        "findings": [to_json(each) for each in verdict.findings],
    }


def record_path(bundle: Path) -> Path:
    """The file beside a bundle that keeps its verdict: `dist/NAME-VERSION.preflight.json`."""
    stem = bundle.name
    for suffix in (".wallaroo.json", bundle.suffix):
        if suffix and stem.endswith(suffix):
            stem = stem[: -len(suffix)]
            break
    return bundle.with_name(stem + SUFFIX)


def keep(verdict: Verdict) -> Path:
    """Write the verdict beside its bundle."""
    path = record_path(verdict.subject.file)
    write_whole(path, (json.dumps(document(verdict), indent=2, default=str) + "\n").encode())
    return path


def has_passed(bundle: Path, sha256: str) -> str | None:
    """None where a bundle of this digest has passed; else why not, as the end of a sentence."""
    path = record_path(bundle)
    try:
        with path.open("rb") as stream:
            made = read_object(stream)
    except FileNotFoundError:
        return "has no verdict of a preflight"
    except (OSError, JsonError):
        return f"has a verdict that cannot be read: {path.name}"
    file = made.get("file")
    if not isinstance(file, dict) or file.get("sha256") != sha256:
        return "was built anew after its preflight"
    if made.get("verdict") != "passed":
        return f"{made.get('verdict')} its preflight" if made.get("verdict") == "failed" else "was not run"
    return None
