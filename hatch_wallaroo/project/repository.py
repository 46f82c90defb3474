"""A repository read without a front end: what `hatch build` would read, for the commands that do not build."""

from __future__ import annotations

import contextlib
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hatch_wallaroo.config.reader import Reading, read_models
from hatch_wallaroo.config.spec import Project
from hatch_wallaroo.config.toml.reading import parse_document, read_document
from hatch_wallaroo.findings import PYPROJECT, Finding, Place
from hatch_wallaroo.project.hatch_config import (
    HATCHLING,
    HatchConfig,
    backend,
    building_findings,
    builds_by_command,
    hook_findings,
    read_hatch_config,
    sdist_findings,
)
from hatch_wallaroo.project.metadata import (
    UNKNOWN_VERSION,
    by_hatchling,
    elsewhere,
    is_computed,
    normal_version,
    wheel_packages,
    written,
)
from hatch_wallaroo.project.rules import NO_PROJECT


@dataclass(frozen=True)
class Repository:
    """A project's folder with everything that was read: `document` is None where pyproject.toml is no TOML.

    `project` is what stands in for the metadata where they cannot be read; `findings` say what is wrong so far.
    `unknown` are the fields of `[project]` that only a build would compute. `text` is what was read in the place of
    the file, where something was. `building` says what keeps a build from making a bundle, `causes` may explain an
    error, and are said only beside one.
    """

    root: Path
    document: Mapping[str, Any] | None
    project: Project
    reading: Reading
    findings: tuple[Finding, ...]
    hatch: HatchConfig = HatchConfig({}, {})  # noqa: RUF009 - frozen, and its tables are never changed
    unknown: frozenset[str] = frozenset()
    text: str | None = None
    building: tuple[Finding, ...] = ()
    causes: tuple[Finding, ...] = ()

    @property
    def has_table(self) -> bool:
        """Whether there is a `[tool.wallaroo]` at all."""
        return _has_table(self.document)


def read_repository(root: Path, text: str | None = None) -> Repository:
    """Read the pyproject.toml of a folder. Never raises for what stands there, imports Hatchling only where needed.

    `text` stands in the place of the file: what would be said if it were written.
    """
    document = read_document(root) if text is None else parse_document(text)
    if document.table is None:
        return Repository(root, None, Project("", UNKNOWN_VERSION), Reading((), ()), document.findings)
    table = document.table
    hatch = read_hatch_config(root, table)
    project, problems, unknown = _project(root, table, hatch, given=text is not None)
    reading = read_models(table, project=project, root=root)
    if backend(table) in {"", HATCHLING}:
        problems += [*_byte_order_mark(root), *hook_findings(hatch)]
    findings = (*hatch.findings, *problems, *reading.findings)
    building = tuple(building_findings(table, hatch)) if _has_table(table) else ()
    causes = tuple(sdist_findings(hatch, root))
    return Repository(root, table, project, reading, findings, hatch, unknown, text, building, causes)


def _has_table(document: Mapping[str, Any] | None) -> bool:
    tool = (document or {}).get("tool")
    return isinstance(tool, Mapping) and "wallaroo" in tool


def _byte_order_mark(root: Path) -> Iterator[Finding]:
    """What our own reader steps over, and Hatchling's does not."""
    with contextlib.suppress(OSError), (root / PYPROJECT).open("rb") as stream:
        if stream.read(len(BOM_UTF8)) == BOM_UTF8:
            place = Place(file=PYPROJECT, line=1, column=1)
            fix = "save it as UTF-8 without a byte order mark"
            message = "begins with a byte order mark, which Hatchling takes for a mistake"
            yield NO_PROJECT.finding(message, fix=fix, place=place, about="byte order mark")


def _project(
    root: Path, document: Mapping[str, Any], hatch: HatchConfig, *, given: bool
) -> tuple[Project, list[Finding], frozenset[str]]:
    """What the project says of itself: by Hatchling where something is computed, else as it is written."""
    table = document.get("project")
    builder = backend(document)
    if not isinstance(table, Mapping):
        return _without_table(document, root)
    if builder not in {"", HATCHLING} and not builds_by_command(hatch):
        return elsewhere(table, hatch, f"{builder} computes it when the project is built")
    if is_computed(table, hatch):
        return by_hatchling(root, table, hatch, document if given else None)
    direct = hatch.value("metadata", "allow-direct-references") is True
    return *written(table, wheel_packages(hatch.table), direct=direct), frozenset()


def _without_table(document: Mapping[str, Any], root: Path) -> tuple[Project, list[Finding], frozenset[str]]:
    """No `[project]`: older Poetry says name and version in a table of its own, others nothing."""
    tool = document.get("tool")
    poetry = tool.get("poetry") if isinstance(tool, Mapping) else None
    table = poetry if isinstance(poetry, Mapping) else {}
    name, version = table.get("name"), table.get("version")
    unknown = frozenset({"dependencies"})
    if isinstance(name, str) and isinstance(version, str) and backend(document) != HATCHLING:
        try:
            return Project(name, normal_version(version)), [], unknown
        except ValueError:
            return Project(name, UNKNOWN_VERSION), [], unknown
    wanted = root.absolute().name or "my-model"
    fix = f'write:\n[project]\nname = "{wanted}"\nversion = "1.0.0"'
    project = Project(wanted, UNKNOWN_VERSION)
    return project, [NO_PROJECT.finding("there is no table [project]", fix=fix, place=Place(file=PYPROJECT))], unknown
