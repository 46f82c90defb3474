"""A repository checked as a build would check it: every model, and all findings with their places.

One pipeline for builds and for the commands that do not build.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from hatch_wallaroo.bundle.check import Checked, check
from hatch_wallaroo.config.toml.reading import locate_all
from hatch_wallaroo.findings import Finding, errors
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
