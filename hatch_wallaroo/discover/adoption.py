"""From the chosen candidates to an edited pyproject.toml, in memory, and what there is to say of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hatch_wallaroo.config.model_name import in_platforms_form, is_name
from hatch_wallaroo.config.table import DEFAULT_RELEASE
from hatch_wallaroo.config.toml.editing import Edit
from hatch_wallaroo.discover.candidates import AdoptionContext, Candidate
from hatch_wallaroo.discover.project import Completion, project_name
from hatch_wallaroo.discover.propose import (
    TABLE,
    Proposed,
    declared_release,
    is_one_model,
    model_names,
    names_for,
    platform_name,
    proposed,
    split_table,
    write_tables,
)
from hatch_wallaroo.findings import Finding
from hatch_wallaroo.report import to_json
from hatch_wallaroo.schema.tables import write_schema
from hatch_wallaroo.schema.types import Schema
from hatch_wallaroo.text import one_line


@dataclass(frozen=True)
class Adoption:
    """The document with its changes, the models that were added, and what to say besides; `diff` is '' for none."""

    edit: Edit
    diff: str
    models: tuple[Proposed, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]

    @classmethod
    def none(cls, edit: Edit) -> Adoption:
        """No change."""
        return cls(edit, "", (), (), ())


def adopt(context: AdoptionContext, edit: Edit, chosen: Sequence[Candidate], name: str | None = None) -> Adoption:
    """Add the chosen models, and what their project lacks. Writes nothing. Raises EditError."""
    completion = Completion(context.root, edit)
    requirements, left = completion.requirements()
    notes: list[str] = []
    more = _Keys(context, requirements)
    models = _models(context, edit, chosen, name, more, notes) if chosen else []
    needing = [each for each in models if "requirements" in each.keys or each.candidate.framework == "custom"]
    if left and needing:
        notes.append(f"requirements do not say {', '.join(left)}: Poetry's notation for it has no counterpart")
    completion.complete()
    notes += [note for each in models for note in _told(each, several=len(models) > 1)]
    return Adoption(edit, edit.diff(), tuple(models), tuple(completion.findings), (*notes, *completion.notes))


@dataclass(frozen=True)
class _Keys:
    """The keys of a model's table that are not its candidate's."""

    context: AdoptionContext
    requirements: Any

    def of(self, candidate: Candidate, *, shared: str | None) -> dict[str, Any]:
        """`shared` is the release that the table above gives the model, None where it gives none."""
        made: dict[str, Any] = {}
        if shared != self.context.release:
            made["release"] = self.context.release
        spec = self.context.spec(candidate.framework, candidate.path, **candidate.table)
        if spec is not None and spec.framework.requirements and self.requirements is not None:
            made["requirements"] = self.requirements
        return made


def _models(
    context: AdoptionContext, edit: Edit, chosen: Sequence[Candidate], name: str | None, keys: _Keys, notes: list[str]
) -> list[Proposed]:
    """Write the tables of the chosen; gives what was proposed for each."""
    document = edit.document
    project = context.project.name or project_name(context.root)
    if is_one_model(document):
        first = split_table(edit, project)
        notes.append(f"[tool.wallaroo] was one model's table; it is [tool.wallaroo.models.{first}] now, the name stays")
        taken = [first]
        shared: str | None = DEFAULT_RELEASE
    else:
        taken = model_names(document)
        shared = declared_release(document)
    alone = len(chosen) == 1 and not taken
    if alone and not edit.get(TABLE):
        own = name or (in_platforms_form(project) if is_name(in_platforms_form(project)) else platform_name(project))
        model = proposed(chosen[0], context, own, alone=True, more=keys.of(chosen[0], shared=None))
        write_tables(edit, [model], context.release, name=own != in_platforms_form(project))
        return [model]
    several = shared if edit.get(TABLE) is not None else context.release
    names = [name] if name and len(chosen) == 1 else names_for(chosen, taken)
    models = [
        proposed(each, context, own, alone=False, more=keys.of(each, shared=several))
        for each, own in zip(chosen, names, strict=True)
    ]
    write_tables(edit, models, context.release)
    return models


def _told(model: Proposed, *, several: bool) -> list[str]:
    """Why a model is proposed as it is."""
    about = f"{model.name}: " if several else ""
    told = [model.candidate.why, *model.schemas.notes]
    return [f"{about}{each}" for each in told if each]


def trial(root: Path, text: str) -> tuple[Finding, ...]:
    """What a check says of the repository with this text as its pyproject.toml; writes nothing."""
    from hatch_wallaroo.project.checking import check_repository
    from hatch_wallaroo.project.repository import read_repository

    return check_repository(read_repository(root, text)).findings


def json_document(
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
        "candidates": [_candidate_document(each) for each in candidates],
        "models": [
            {
                "name": each.name,
                "path": each.candidate.path,
                "table": {**each.keys, **({"byop": dict(each.byop)} if each.byop else {})},
                "input_schema": _schema_document(each.schemas.inputs),
                "output_schema": _schema_document(each.schemas.outputs),
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


def _candidate_document(candidate: Candidate) -> dict[str, Any]:
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


def _schema_document(schema: Schema | None) -> dict[str, Any] | None:
    return None if schema is None else write_schema(schema)
