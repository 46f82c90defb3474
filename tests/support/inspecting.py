"""Run a family over one file, as a build does before it packs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hatch_wallaroo.bundle.plan import family
from hatch_wallaroo.findings import Finding
from hatch_wallaroo.frameworks.base import Layout
from hatch_wallaroo.schema.types import Field, ListOf, Scalar, Schema, Type
from support.factory import make_spec


@dataclass(frozen=True)
class Seen:
    """What a family made of a file."""

    layout: Layout | None
    facts: Any
    findings: tuple[Finding, ...]

    @property
    def said(self) -> dict[str, str]:
        """Level by code: `{"WLR366": "warning"}`."""
        return {each.code: each.level.value for each in self.findings}

    def message(self, code: str) -> str:
        return next(f"{each.message} | {each.fix}" for each in self.findings if each.code == code)


def look(path: Path, framework: str, *, release: str = "2023.2.1", **options: Any) -> Seen:
    """Plan and inspect `path` as a model of a framework."""
    spec = make_spec(path.parent, framework, release=release, model=path.name, **options)
    chosen = family(spec.framework.family)
    planned = chosen.plan(spec)
    if planned.layout is None:
        return Seen(None, {}, (*planned.findings, *chosen.check_schemas(spec, {})))
    inspection = chosen.inspect(spec, planned.layout)
    findings = (*planned.findings, *inspection.findings, *chosen.check_schemas(spec, inspection.facts))
    return Seen(planned.layout, inspection.facts, findings)


def fields(**types: str | Type) -> Schema:
    """A schema from dtypes with an optional size: `fields(inputs="float64*4")`."""
    return Schema(tuple(Field(name, _type(each)) for name, each in types.items()))


def _type(text: str | Type) -> Type:
    if not isinstance(text, str):
        return text
    name, *sizes = text.split("*")
    made: Type = Scalar(name)
    for size in reversed(sizes):
        made = ListOf(made, int(size) if size else None)
    return made
