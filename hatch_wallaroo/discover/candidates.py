"""What was found in a repository: models, or what looks like them, each with what can be done about it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from hatch_wallaroo.bundle.check import inspected
from hatch_wallaroo.config.reader import Reading, read_models
from hatch_wallaroo.config.spec import ModelSpec, Project
from hatch_wallaroo.findings import Finding, errors
from hatch_wallaroo.releases.load import known

_OF_RELEASES = frozenset({"WLR302", "WLR333", "WLR367", "WLR376", "WLR378", "WLR384"})
"""Rules about versions: another release may take the model."""


@dataclass(frozen=True)
class Candidate:
    """A model, or something that may be one.

    `path` is relative to the project. `what` says what it is, `frameworks` how Wallaroo can take it, the best first,
    `why` why that one, where there are several; `advice` what to do with what is not taken as it is. `certain` is what
    a script may take without being asked. `findings` are what its headers said, `facts` likewise (see
    `frameworks.base.Inspection`). `table` holds further keys of its table: `artifacts`, `byop`. `kind`: a trained
    model, code that is one or goes around one, or a pickle of mere data.
    """

    path: str
    what: str
    frameworks: tuple[str, ...] = ()
    certain: bool = False
    kind: Literal["model", "code", "data"] = "model"
    facts: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    why: str = ""
    advice: str = ""
    table: Mapping[str, Any] = field(default_factory=dict)

    @property
    def framework(self) -> str:
        """The framework that it is proposed for; '' for none."""
        return self.frameworks[0] if self.frameworks else ""


@dataclass(frozen=True)
class AdoptionContext:
    """What candidates are judged on: the project as it is, and the release that the models are for."""

    root: Path
    project: Project
    release: str

    def spec(self, framework: str, path: str | None = None, **keys: Any) -> ModelSpec | None:
        """The spec of a model as its table would give it; None where the release has no such framework."""
        reading = self.reading(framework, path, **keys)
        spec = reading.specs[0] if reading.specs else None
        return None if spec is None or spec.files_only else spec

    def reading(self, framework: str, path: str | None = None, **keys: Any) -> Reading:
        """What the reader of tables makes of a model's, with all that is wrong with it."""
        model = {} if path is None or framework == "custom" else {"model": path}
        table = {"framework": framework, "release": self.release, "name": "a-model", **model, **keys}
        return read_models({"tool": {"wallaroo": table}}, project=self.project, root=self.root)


def spec_of_file(path: Path, framework: str, release: str) -> tuple[ModelSpec | None, tuple[Finding, ...]]:
    """A model's file or folder as if a project declared it, and what is wrong with the framework or the release."""
    path = Path(os.path.abspath(path))  # noqa: PTH100 - `..` goes, links stay
    reading = AdoptionContext(path.parent, Project("model", "0"), release).reading(framework, path.name)
    wrong = [each for each in errors(reading.findings) if {"framework", "release"} & set(each.place.key)]
    return (reading.specs[0] if reading.specs else None), tuple(wrong)


def judged(candidate: Candidate, context: AdoptionContext) -> Candidate:
    """The candidate with what its first framework makes of it: what its headers tell, and what is wrong with them.

    It stays certain only where nothing is.
    """
    spec = context.spec(candidate.framework, candidate.path, **candidate.table)
    if spec is None:
        advice = candidate.advice or f"Wallaroo {context.release} has no framework {candidate.framework}"
        return replace(candidate, certain=False, advice=advice)
    found = inspected(spec)
    wrong = errors(found.findings)
    advice = candidate.advice or (wrong[0].fix if wrong else "")
    if wrong and all(each.code in _OF_RELEASES for each in wrong):
        older = next((each for each in reversed(known()) if _fits(candidate, replace(context, release=each))), None)
        advice += f", or choose --release {older}, which takes it as it is" if older else ""
    certain = candidate.certain and not wrong
    return replace(candidate, certain=certain, facts=found.facts, findings=found.findings, advice=advice)


def _fits(candidate: Candidate, context: AdoptionContext) -> bool:
    spec = context.spec(candidate.framework, candidate.path, **candidate.table)
    return spec is not None and not errors(inspected(spec).findings)
