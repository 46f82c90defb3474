"""From the chosen candidates to an edited pyproject.toml, in memory, and what there is to say of it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import translate
from pathlib import Path
from typing import Any

from hatch_wallaroo.config.model_name import LONGEST, in_platforms_form, is_name
from hatch_wallaroo.config.table import DEFAULT_RELEASE
from hatch_wallaroo.config.toml.editing import Edit
from hatch_wallaroo.config.toml.values import dotted, line
from hatch_wallaroo.discover.candidates import AdoptionContext, Candidate
from hatch_wallaroo.discover.project import Completion, project_name
from hatch_wallaroo.files.presence import is_file
from hatch_wallaroo.findings import Finding
from hatch_wallaroo.report import to_json
from hatch_wallaroo.schema.tables import format_schema, write_schema
from hatch_wallaroo.schema.types import Schema
from hatch_wallaroo.text import one_line

TABLE = ("tool", "wallaroo")
_SAYS_NOTHING = frozenset(
    (
        "model", "models", "best", "final", "latest", "weights", "saved-model", "checkpoint", "export", "output",
        "inference", "src", "artifacts", "predict", "main", "app", "step", "model-final", "best-model",
    )
)  # fmt: skip
"""Names of files and folders that tell no model from another."""
_NUMBERED = re.compile(r"(?:checkpoint|epoch|v|version)?-?[0-9]+(?:-[0-9]+)*")
_EXAMPLES: Mapping[str, tuple[str, str]] = {
    "sklearn": ('inputs = "float64[4]"', 'predictions = "int64"'),
    "xgboost": ('inputs = "float64[4]"', 'predictions = "float64"'),
    "keras": ('inputs = "float32[4]"', 'outputs = "float32[1]"'),
    "pytorch": ('input = "float32[4]"', 'output = "float32[1]"'),
    "vllm": ('prompt = "string"', 'generated_text = "string"'),
    "sglang": ('prompt = "string"', 'generated_text = "string"'),
}
_EXAMPLE = ('inputs = "float64[4]"', 'outputs = "float64"')
_SAMPLES = ("sample.json", "samples/{stem}.json", "{folder}/{stem}.json", "{folder}/sample.json", "{path}/sample.json")
MODELS = (*TABLE, "models")


@dataclass(frozen=True)
class Proposed:
    """One model's table. `name` is NAME in `[tool.wallaroo.models.NAME]`, or that of a repository's only model."""

    candidate: Candidate
    name: str
    keys: Mapping[str, Any]
    byop: Mapping[str, Any]
    schemas: Schemas


def proposed(
    candidate: Candidate, context: AdoptionContext, name: str, *, alone: bool, more: Mapping[str, Any]
) -> Proposed:
    """The table of one candidate. `alone`: it is the repository's only model; `more`: further keys, release first."""
    table = dict(candidate.table)
    byop = table.pop("byop", {})
    sample = _sample(candidate, context, alone=alone)
    keys: dict[str, Any] = {"framework": candidate.framework}
    if "release" in more:
        keys["release"] = more["release"]
    keys |= table if candidate.framework == "custom" else {"model": candidate.path}
    keys |= more
    if sample is not None:
        keys["sample"] = sample
    return Proposed(candidate, name, keys, byop, propose_schemas(candidate, context, sample))


def table_text(model: Proposed, path: tuple[str, ...], *, name: bool = False) -> str:
    """The lines below `[path]`, with the tables inside of it; what is not known is there as a comment to fill in.

    `name`: the model's name is written, as neither the table nor the project gives it.
    """
    keys = {**({"name": model.name} if name else {}), **model.keys}
    blocks = ["".join(line((key,), value) for key, value in keys.items())]
    if model.byop:
        blocks.append(_table(path, "byop", "".join(line((key,), value) for key, value in model.byop.items())))
    if model.schemas.wanted:
        blocks += _schema_tables(model, path)
    return "\n".join(blocks)


def _schema_tables(model: Proposed, path: tuple[str, ...]) -> list[str]:
    sides = (("input-schema", model.schemas.inputs, "takes"), ("output-schema", model.schemas.outputs, "gives"))
    examples = _EXAMPLES.get(model.candidate.framework, _EXAMPLE)
    blocks, missing, does = [], [], []
    for (key, schema, verb), example in zip(sides, examples, strict=True):
        if schema is not None:
            blocks.append(_table(path, key, format_schema(schema)))
        else:
            missing.append(_commented(_table(path, key, f"{example}\n")))
            does.append(verb)
    if missing:
        what = f"Nothing tells what the model {' and '.join(does)}"
        first = f"# {what}: fill in the fields, a line each, and take the # away.\n"
        blocks.append(first + "#\n".join(missing))
    return blocks


def _table(path: tuple[str, ...], key: str, body: str) -> str:
    return f"[{dotted((*path, key))}]\n{body}"


def _commented(text: str) -> str:
    return "".join(f"# {each}\n" for each in text.splitlines())


def names_for(candidates: Sequence[Candidate], taken: Collection[str] = ()) -> list[str]:
    """A name for each, in the platform's form: of its file, or of its folder where that says nothing; none twice."""
    used = set(taken)
    made = []
    for each in candidates:
        wanted = _name_of(each.path)
        name, number = wanted, 2
        while name in used:
            name, number = f"{wanted[: LONGEST - 4]}-{number}", number + 1
        used.add(name)
        made.append(name)
    return made


def _name_of(path: str) -> str:
    """The last part of a path that says something, as far as the platform takes it."""
    parts = path.split("/")
    parts[-1] = re.sub(r"\.[A-Za-z0-9]{1,12}$", "", parts[-1]) if "." in parts[-1][1:] else parts[-1]
    for part in reversed(parts):
        name = platform_name(part)
        if name and name not in _SAYS_NOTHING and not _NUMBERED.fullmatch(in_platforms_form(part)):
            return name
    return "model"


def platform_name(text: str) -> str:
    """A text as a name that the platform takes; '' where nothing is left of it."""
    name = re.sub(r"[^a-z0-9-]+", "-", in_platforms_form(text)).strip("-")
    name = re.sub(r"-{2,}", "-", name)[:LONGEST].strip("-")
    return name if is_name(name) else f"model-{name}"[:LONGEST].strip("-") if name else ""


def _sample(candidate: Candidate, context: AdoptionContext, *, alone: bool) -> str | None:
    """A file of rows beside the model, or in the project's folder where there is but one model."""
    from hatch_wallaroo.discover.sample import read_sample

    folder, _, name = candidate.path.rpartition("/")
    stem = name.rpartition(".")[0] or name
    for pattern in _SAMPLES if alone else _SAMPLES[1:]:
        label = pattern.format(stem=stem, folder=folder or ".", path=candidate.path).removeprefix("./")
        if is_file(context.root / label) and (alone or label != "sample.json"):
            rows, _ = read_sample(context.root / label, label)
            if rows is not None and rows.inputs:
                return label
    return None


@dataclass(frozen=True)
class Schemas:
    """`wanted`: whether the framework takes schemas at all; each is None where nothing tells it."""

    wanted: bool
    inputs: Schema | None = None
    outputs: Schema | None = None
    notes: tuple[str, ...] = ()


def propose_schemas(candidate: Candidate, context: AdoptionContext, sample: str | None = None) -> Schemas:
    """What is known of a candidate's schemas for its framework; headers and the sample are read, nothing is run."""
    from hatch_wallaroo.discover.infer import infer

    keys = {"sample": sample} if sample else {}
    spec = context.spec(candidate.framework, candidate.path, **candidate.table, **keys)
    if spec is None or spec.framework.schemas == "none":
        return Schemas(wanted=False)
    found = infer(spec)
    notes = (*found.guesses, *found.notes)
    return Schemas(spec.framework.schemas == "required", found.input_schema, found.output_schema, notes)


def declared_table(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """The table as it stands, None where there is none."""
    tool = document.get("tool")
    table = tool.get("wallaroo") if isinstance(tool, Mapping) else None
    return dict(table) if isinstance(table, Mapping) else None


def declared_release(document: Mapping[str, Any]) -> str | None:
    """The release that all models share, None where there is no table."""
    table = declared_table(document)
    if table is None:
        return None
    release = table.get("release")
    return release if isinstance(release, str) else DEFAULT_RELEASE if table else None


def model_names(document: Mapping[str, Any]) -> list[str]:
    """The names of the models in `[tool.wallaroo.models]`."""
    models = (declared_table(document) or {}).get("models")
    return [str(each) for each in models] if isinstance(models, Mapping) else []


def is_covered(candidate: Candidate, document: Mapping[str, Any]) -> bool:
    """Whether some model of the table is this one, holds it, or lies in it."""
    return any(_names(table, candidate) for table in _tables(declared_table(document) or {}))


def _tables(table: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield table
    models = table.get("models")
    if isinstance(models, Mapping):
        yield from (each for each in models.values() if isinstance(each, Mapping))


def _names(table: Mapping[str, Any], candidate: Candidate) -> bool:
    model, artifacts, byop = table.get("model"), table.get("artifacts"), table.get("byop")
    code = byop if isinstance(byop, Mapping) else {}
    paths = [each for each in (model, code.get("module")) if isinstance(each, str)]
    patterns = [each for each in artifacts if isinstance(each, str)] if isinstance(artifacts, list) else []
    own = candidate.table.get("byop", {})
    if own.get("load") is not None and code.get("load") == own.get("load"):
        return True
    return any(_touch(each.strip("/"), candidate.path) for each in paths) or any(
        _touch(each.strip("/"), candidate.path) or re.match(translate(each), candidate.path) for each in patterns
    )


def _touch(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


def is_one_model(document: Mapping[str, Any]) -> bool:
    """Whether the table describes a model itself."""
    table = declared_table(document) or {}
    return "models" not in table and bool(table.keys() & {"framework", "model", "artifacts", "byop"})


def write_tables(edit: Edit, models: Sequence[Proposed], release: str, *, name: bool = False) -> None:
    """Put the models' tables into the document. Raises EditError where it is written in a way that forbids it.

    `release` is what a new `[tool.wallaroo]` for several models says. `name`: the only model says its name.
    """
    table = declared_table(edit.document)
    if table is None and len(models) == 1:
        edit.add_table(dotted(TABLE), table_text(models[0], TABLE, name=name))
    elif table is None:
        shared = f"# What the models share. Each below is a bundle of its own.\n{line(('release',), release)}"
        edit.add_table(dotted(TABLE), "\n".join([shared, *(_one_of_several(each) for each in models)]))
    elif not table and len(models) == 1:
        edit.add_table(dotted(TABLE), table_text(models[0], TABLE, name=name))
    else:
        for each in models:
            path = (*MODELS, each.name)
            edit.add_table(dotted(path), table_text(each, path))


def split_table(edit: Edit, project: str) -> str:
    """Make the table of the only model one of several, under the name that it has on the platform; gives that name.

    Raises EditError where it has no header of its own.
    """
    told = edit.get((*TABLE, "name"))
    name = told if isinstance(told, str) and told else in_platforms_form(project)
    edit.rename_table(TABLE, (*MODELS, name))
    return name


def _one_of_several(model: Proposed) -> str:
    path = (*MODELS, model.name)
    return f"[{dotted(path)}]\n{table_text(model, path)}"


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
