"""What a project computes of itself when it is built: its version, its dependencies, whatever a metadata hook adds.

Hatchling is asked where it is the one that builds. What it needs for that may not be installed beside this command.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hatch_wallaroo.config.spec import Project
from hatch_wallaroo.findings import Finding, Level, Place, rule
from hatch_wallaroo.project.hatch_config import HatchConfig
from hatch_wallaroo.project.hatchling import from_metadata, wheel_packages
from hatch_wallaroo.project.written import NO_PROJECT, UNKNOWN_VERSION, twice, written
from hatch_wallaroo.text import describe_error

UNKNOWN_HERE = rule(
    "WLR651",
    "what the project computes of itself is not known here",
    why="A version or dependencies that are computed when the project is built may need a plugin that is not "
    "installed beside this command. All that does not depend on them is checked.",
    source="`dynamic` of [project]",
    level=Level.NOTE,
)

_FIELDS = ("version", "dependencies", "optional-dependencies")
"""What we take of the metadata and a project may compute."""


def is_computed(table: Mapping[str, Any], config: HatchConfig) -> bool:
    """Whether Hatchling has to be asked: dynamic fields, metadata hooks, or its own fields in a dependency."""
    extras = table.get("optional-dependencies")
    lines = [table.get("dependencies", []), *(extras.values() if isinstance(extras, Mapping) else [])]
    fields = any(isinstance(line, str) and "{" in line for each in lines if isinstance(each, list) for line in each)
    return bool(table.get("dynamic")) or bool(config.value("metadata", "hooks")) or fields


def by_hatchling(
    root: Path, table: Mapping[str, Any], config: HatchConfig, document: Mapping[str, Any] | None = None
) -> tuple[Project, list[Finding], frozenset[str]]:
    """The project as Hatchling computes it, and which fields are not known because a plugin is not here.

    `document` stands in the place of the file.
    """
    from hatchling.metadata.core import ProjectMetadata
    from hatchling.plugin.exceptions import UnknownPluginError
    from hatchling.plugin.manager import PluginManager

    metadata: Any = ProjectMetadata(str(root), PluginManager(), None if document is None else dict(document))
    try:
        # A hook may print; what this command prints is for programs.
        with contextlib.redirect_stdout(sys.stderr):
            return from_metadata(metadata), [], frozenset()
    except UnknownPluginError as error:
        with contextlib.redirect_stdout(sys.stderr), contextlib.suppress(Exception):
            table = {"version": metadata.hatch.version.cached, **table}
        return elsewhere(table, config, f"{describe_error(error)}: it is not installed beside this command")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever metadata hooks and version sources raise
        project, findings = _without_dynamic(table, config)
        findings += twice(table)
        if not findings:
            message = f"Hatchling cannot read it: {describe_error(error)}"
            findings.append(NO_PROJECT.finding(message, fix="mend [project]", place=_place(table)))
        return project, findings, frozenset()


def elsewhere(
    table: Mapping[str, Any], config: HatchConfig, reason: str
) -> tuple[Project, list[Finding], frozenset[str]]:
    """The project as far as it is written, with a note of what is not: it is computed elsewhere."""
    project, findings = _without_dynamic(table, config)
    hooks = bool(config.value("metadata", "hooks"))
    dynamic = table.get("dynamic")
    listed = [key for key in _FIELDS if isinstance(dynamic, list) and key in dynamic and key not in table]
    unknown = frozenset(listed or (_FIELDS[1:] if hooks else ()))
    if unknown:
        what = " and ".join(key for key in _FIELDS if key in unknown)
        fix = "install what computes it beside this command, or let hatch build check"
        findings.append(UNKNOWN_HERE.finding(f"{what}: {reason}", fix=fix, place=_place(table)))
    return project, findings, unknown


def _without_dynamic(table: Mapping[str, Any], config: HatchConfig) -> tuple[Project, list[Finding]]:
    static = {key: value for key, value in table.items() if key != "dynamic"}
    return written({"version": UNKNOWN_VERSION, **static}, wheel_packages(config.table))


def _place(table: Mapping[str, Any]) -> Place:
    return Place(key=("project", "dynamic") if "dynamic" in table else ("project",))
