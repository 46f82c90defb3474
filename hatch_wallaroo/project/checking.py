"""A repository checked as a build would check it: every model, and all findings with their places.

One pipeline for builds and for the commands that do not build; `result` is what reports and fixes take of it, model by
model, for the models asked for.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from hatch_wallaroo.bundle.check import Checked, check
from hatch_wallaroo.config.declared import TABLE
from hatch_wallaroo.config.model_name import in_platforms_form
from hatch_wallaroo.config.table import MODELS
from hatch_wallaroo.config.toml.reading import locate_all
from hatch_wallaroo.findings import Finding, KeyPath, Level, errors
from hatch_wallaroo.project.hatch_config import HatchConfig
from hatch_wallaroo.project.repository import Repository

_ABOUT_DEPENDENCIES = frozenset({"WLR449", "WLR550"})
"""Rules that miss a requirement: nothing can be said where the project's own are not known."""


@dataclass(frozen=True)
class Report:
    """All that the checks have to say of a repository, and of each model.

    `findings` are all, each once, in no order of weight; a model's are those about its bundle.
    """

    models: tuple[Checked, ...]
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        return not errors(self.findings)


def checked(repository: Repository, directory: str | None = None) -> Report:
    """What a build into a folder says before it packs; by default into the one that is configured. Writes nothing.

    Places are what the checks gave: most of them keys, without line and column.
    """
    project, root = repository.project, repository.root
    built = distributions(root, directory or output(repository.hatch), project.name, project.version)
    models = tuple(_known(repository, check(replace(spec, distributions=built))) for spec in repository.reading.specs)
    found = [*repository.findings, *(each for model in models for each in model.findings), *repository.building]
    if errors(found):
        found += repository.causes
    return Report(models, tuple(dict.fromkeys(found)))


def check_repository(repository: Repository) -> Report:
    """Everything that a build would say, without building; each place has its line and column."""
    report = checked(repository)
    found = report.findings
    located = dict(zip(found, locate_all(found, repository.root, repository.text), strict=True))
    models = (replace(each, findings=tuple(map(located.__getitem__, each.findings))) for each in report.models)
    return Report(tuple(models), tuple(dict.fromkeys(located.values())))


def distributions(root: Path, directory: str, name: str, version: str) -> str | None:
    """What the paths of a project's sdist and wheel begin with, if the output folder is inside the project."""
    folder = Path(os.path.abspath(root / directory))  # noqa: PTH100 - `..` goes, links stay
    root = Path(os.path.abspath(root))  # noqa: PTH100
    if not folder.is_relative_to(root):
        return None
    stem = re.sub(r"[-_.]+", "_", name).lower()
    return (folder.relative_to(root) / f"{stem}-{version}").as_posix()


def output(hatch: HatchConfig) -> str:
    """The folder that Hatchling would build the wheel into, beside which the bundle lies."""
    for keys in (("build", "targets", "wheel", "directory"), ("build", "directory")):
        found = hatch.value(*keys)
        if isinstance(found, str):
            return found
    return "dist"


def _known(repository: Repository, model: Checked) -> Checked:
    """A model without the findings that rest on dependencies which are not known here."""
    if "dependencies" not in repository.unknown or model.spec.requirements.kind != "project":
        return model
    return replace(model, findings=tuple(each for each in model.findings if each.code not in _ABOUT_DEPENDENCIES))


@dataclass(frozen=True)
class ModelResult:
    """One model of the table: `checked` is None where too little of its table could be read.

    `findings` are those about its own table and its bundle.
    """

    name: str
    key: KeyPath
    checked: Checked | None
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        return self.checked is not None and self.checked.plan is not None and not errors(self.findings)


@dataclass(frozen=True)
class Result:
    """What was found about the models asked for; `findings` hold also what is about no model by itself."""

    repository: Repository
    report: Report
    models: tuple[ModelResult, ...]
    findings: tuple[Finding, ...]
    seconds: float

    @property
    def counts(self) -> Mapping[Level, int]:
        """How many findings of each level there are, the heaviest level first."""
        found = Counter(each.level for each in self.findings)
        return {level: found[level] for level in Level}

    def fails(self, *, strict: bool) -> bool:
        """Whether something stands against a build; `strict` takes warnings for errors."""
        return bool(self.counts[Level.ERROR] or (strict and self.counts[Level.WARNING]))


class UnknownModelError(Exception):
    """A model was asked for that the table does not have; `known` are those that it has."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name)
        self.name = name
        self.known = known


def result(repository: Repository, report: Report, wanted: Iterable[str] = (), seconds: float = 0.0) -> Result:
    """What was found about the wanted models, or about all where none is named. Raises UnknownModelError.

    Where no model could be read, of whatever name, all that was found says why.
    """
    models = _models(repository, report)
    names = set(wanted) if models or not errors(report.findings) else set()
    for name in names:
        if not any(name in _names(model) for model in models):
            raise UnknownModelError(name, tuple(dict.fromkeys(model.name for model in models)))
    chosen = tuple(model for model in models if not names or names & _names(model))
    about_others = {each for model in models if model not in chosen for each in model.findings}
    about_chosen = {each for model in chosen for each in model.findings}
    found = tuple(each for each in report.findings if each in about_chosen or each not in about_others)
    return Result(repository, report, chosen, found, seconds)


def _models(repository: Repository, report: Report) -> list[ModelResult]:
    """The models in the table's order, those that could not be read among them."""
    checked = {model.spec.key: model for model in report.models}
    keys = list(dict.fromkeys([*_declared(repository), *checked]))
    return [_model(key, checked.get(key), report, repository) for key in keys]


def _model(key: KeyPath, checked: Checked | None, report: Report, repository: Repository) -> ModelResult:
    own = set(checked.findings) if checked else set()
    found = (each for each in report.findings if each in own or each.place.key[: len(key)] == key)
    name = (
        checked.spec.name if checked else str(key[-1]) if key != TABLE else in_platforms_form(repository.project.name)
    )
    return ModelResult(name, key, checked, tuple(found))


def _declared(repository: Repository) -> list[KeyPath]:
    """The keys of the tables that describe models."""
    if not repository.has_table or repository.document is None:
        return []
    table = repository.document["tool"]["wallaroo"]
    if not isinstance(table, Mapping):
        return []
    models = table.get(MODELS)
    if models is None:
        return [TABLE]
    return [(*TABLE, MODELS, name) for name in models] if isinstance(models, Mapping) else []


def _names(model: ModelResult) -> set[str]:
    """What a model may be called by: its name on the platform, and its table's."""
    return {model.name, str(model.key[-1])} if model.key != TABLE else {model.name}
