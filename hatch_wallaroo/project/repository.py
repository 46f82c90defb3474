"""A repository read without a front end: what `hatch build` would read, for the commands that do not build."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hatch_wallaroo.bundle.check import Checked, check
from hatch_wallaroo.config.document import read_document
from hatch_wallaroo.config.positions import PYPROJECT, locate_all
from hatch_wallaroo.config.reader import Reading, read_models
from hatch_wallaroo.config.spec import Project
from hatch_wallaroo.findings import Finding, Level, Place, errors, rule
from hatch_wallaroo.project.hatchling import from_metadata, wheel_packages

NO_PROJECT = rule(
    "WLR650",
    "the project's own metadata cannot be read",
    why="A bundle is named by the project's name and version, and takes its requirements from there.",
    source="PEP 621, and what Hatchling answers",
)
NO_VERSION = rule(
    "WLR651",
    "the project's version is not known here",
    why="Something else computes it when the project is built; everything but the bundle's file name can be checked.",
    source="`dynamic` of [project]",
    level=Level.NOTE,
)

UNKNOWN_VERSION = "0"
_HATCHLING = "hatchling"


@dataclass(frozen=True)
class Repository:
    """A project's folder with everything that was read: `document` is None where pyproject.toml is no TOML.

    `project` is what stands in for the metadata where they cannot be read; `findings` say what is wrong so far.
    """

    root: Path
    document: Mapping[str, Any] | None
    project: Project
    reading: Reading
    findings: tuple[Finding, ...]

    @property
    def has_table(self) -> bool:
        """Whether there is a `[tool.wallaroo]` at all."""
        tool = (self.document or {}).get("tool")
        return isinstance(tool, Mapping) and "wallaroo" in tool


def read_repository(root: Path) -> Repository:
    """Read the pyproject.toml of a folder. Never raises for what stands there, imports Hatchling only where needed."""
    document = read_document(root)
    if document.table is None:
        return Repository(root, None, Project("", UNKNOWN_VERSION), Reading((), ()), document.findings)
    project, problems = _project(root, document.table)
    reading = read_models(document.table, project=project, root=root)
    return Repository(root, document.table, project, reading, (*problems, *reading.findings))


@dataclass(frozen=True)
class Report:
    """All that the checks have to say of a repository, with each place's line and column filled in."""

    models: tuple[Checked, ...]
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        return not errors(self.findings)


def check_repository(repository: Repository) -> Report:
    """Everything that a build would say, without building: writes nothing."""
    project, root = repository.project, repository.root
    built = distributions(root, _output(repository.document), project.name, project.version)
    models = tuple(check(replace(spec, distributions=built)) for spec in repository.reading.specs)
    found = [*repository.findings, *(finding for model in models for finding in model.findings)]
    return Report(models, tuple(locate_all(dict.fromkeys(found), root)))


def distributions(root: Path, output: str, name: str, version: str) -> str | None:
    """What the paths of a project's sdist and wheel begin with, if the output folder is inside the project."""
    folder = Path(os.path.abspath(root / output))  # noqa: PTH100 - `..` goes, links stay
    root = Path(os.path.abspath(root))  # noqa: PTH100
    if not folder.is_relative_to(root):
        return None
    stem = re.sub(r"[-_.]+", "_", name).lower()
    return (folder.relative_to(root) / f"{stem}-{version}").as_posix()


def _output(document: Mapping[str, Any] | None) -> str:
    found: Any = document
    for key in ("tool", "hatch", "build", "directory"):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else "dist"


def _project(root: Path, document: Mapping[str, Any]) -> tuple[Project, list[Finding]]:
    """What the project says of itself: by Hatchling where something is computed, else as it is written."""
    table = document.get("project")
    if isinstance(table, Mapping) and not _computed(document, table):
        return _written(document, table)
    if _backend(document) == _HATCHLING or isinstance(table, Mapping):
        return _by_hatchling(root, document)
    return _poetry(document, root)


def _backend(document: Mapping[str, Any]) -> str:
    system = document.get("build-system")
    backend = system.get("build-backend") if isinstance(system, Mapping) else None
    return backend.partition(".")[0] if isinstance(backend, str) else ""


def _computed(document: Mapping[str, Any], table: Mapping[str, Any]) -> bool:
    """Whether Hatchling has to be asked: dynamic fields, metadata hooks, or its own fields in a dependency."""
    hatch = document.get("tool", {}).get("hatch", {}) if isinstance(document.get("tool"), Mapping) else {}
    hooks = isinstance(hatch, Mapping) and isinstance(hatch.get("metadata"), Mapping) and "hooks" in hatch["metadata"]
    extras = table.get("optional-dependencies")
    lines = [table.get("dependencies", []), *(extras.values() if isinstance(extras, Mapping) else [])]
    fields = any(isinstance(line, str) and "{" in line for each in lines if isinstance(each, list) for line in each)
    return bool(table.get("dynamic")) or hooks or fields


def _written(document: Mapping[str, Any], table: Mapping[str, Any]) -> tuple[Project, list[Finding]]:
    """`[project]` as it stands, with what PEP 621 does not allow said."""
    problems = []
    name, version = table.get("name"), table.get("version")
    for key, value in (("name", name), ("version", version)):
        if not isinstance(value, str) or not value.strip():
            message = f"[project] has no {key}" if value is None else f"{key} of [project] must be a string"
            example = '"my-model"' if key == "name" else '"1.0.0"'
            problems.append(
                NO_PROJECT.finding(message, fix=f"write {key} = {example}", place=Place(key=("project", key)))
            )
    dependencies, wrong = _lines(table.get("dependencies", []), ("project", "dependencies"))
    problems += wrong
    extras = table.get("optional-dependencies", {})
    optional = {}
    for extra, lines in extras.items() if isinstance(extras, Mapping) else ():
        optional[extra], wrong = _lines(lines, ("project", "optional-dependencies", extra))
        problems += wrong
    python = table.get("requires-python")
    tool = document.get("tool")
    hatch = tool.get("hatch") if isinstance(tool, Mapping) else None
    project = Project(
        name=name if isinstance(name, str) else "",
        version=_normal(version) if isinstance(version, str) and version.strip() else UNKNOWN_VERSION,
        dependencies=dependencies,
        optional_dependencies=optional,
        requires_python=python if isinstance(python, str) else "",
        packages=wheel_packages(hatch),
    )
    return project, problems


def _lines(value: Any, key: tuple[str, ...]) -> tuple[tuple[str, ...], list[Finding]]:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value), []
    finding = NO_PROJECT.finding("must be a list of strings", fix='write ["numpy>=1.26"]', place=Place(key=key))
    return (), [finding]


def _normal(version: str) -> str:
    """A version as Hatchling writes it into file names."""
    from packaging.version import InvalidVersion, Version

    try:
        return str(Version(version))
    except InvalidVersion:
        return version


def _by_hatchling(root: Path, document: Mapping[str, Any]) -> tuple[Project, list[Finding]]:
    """Ask Hatchling; a version that a plugin computes is known only where that plugin is."""
    from hatchling.metadata.core import ProjectMetadata
    from hatchling.plugin.manager import PluginManager

    try:
        return from_metadata(ProjectMetadata(str(root), PluginManager(), dict(document))), []
    except Exception as error:  # noqa: BLE001 - whatever metadata hooks and version sources raise
        said = str(error).strip().splitlines() or [type(error).__name__]
    table = document.get("project")
    static = {key: value for key, value in table.items() if key != "dynamic"} if isinstance(table, Mapping) else {}
    version = static.get("version", UNKNOWN_VERSION)
    project, problems = _written(document, {"name": "", **static, "version": version})
    place = Place(key=("project", "dynamic"))
    if isinstance(table, Mapping) and "version" in (table.get("dynamic") or ()) and not problems:
        fix = "install the plugin that computes it beside this command, or let hatch build check"
        return project, [NO_VERSION.finding(f"the version is dynamic: {said[0]}", fix=fix, place=place)]
    return project, problems or [
        NO_PROJECT.finding(f"Hatchling cannot read it: {said[0]}", fix="mend [project]", place=Place(key=("project",)))
    ]


def _poetry(document: Mapping[str, Any], root: Path) -> tuple[Project, list[Finding]]:
    """No `[project]`: older Poetry says name and version in a table of its own, others nothing."""
    tool = document.get("tool")
    poetry = tool.get("poetry") if isinstance(tool, Mapping) else None
    table = poetry if isinstance(poetry, Mapping) else {}
    name, version = table.get("name"), table.get("version")
    if isinstance(name, str) and isinstance(version, str):
        return Project(name, _normal(version)), []
    fix = f'write:\n[project]\nname = "{root.name or "my-model"}"\nversion = "1.0.0"'
    place = Place(file=PYPROJECT)
    project = Project(root.name, UNKNOWN_VERSION)
    return project, [NO_PROJECT.finding("there is no table [project]", fix=fix, place=place)]
