"""What Hatchling knows of a project, as ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hatch_wallaroo.config.spec import Project


def from_metadata(metadata: Any) -> Project:
    """The project that Hatchling's ProjectMetadata describes; raises whatever that does for metadata with mistakes."""
    core = metadata.core
    return Project(
        name=core.raw_name,
        version=metadata.version,
        dependencies=_as_written(core.dependencies, metadata.config["project"].get("dependencies")),
        optional_dependencies={extra: tuple(lines) for extra, lines in core.optional_dependencies.items()},
        requires_python=core.requires_python,
        packages=wheel_packages(metadata.hatch.config),
    )


def wheel_packages(hatch: Any) -> tuple[str, ...]:
    """The folders that Hatch is told to ship, from `[tool.hatch]`: the wheel's own `packages`, else all targets'.

    Hatchling judges their types; what is none of ours is left out.
    """
    wheel = _table(_table(_table(hatch, "build"), "targets"), "wheel")
    told = wheel.get("packages", _table(hatch, "build").get("packages", []))
    return tuple(each for each in told if isinstance(each, str)) if isinstance(told, list) else ()


def _table(parent: Any, key: str) -> Any:
    found = parent.get(key, {}) if isinstance(parent, dict) else {}
    return found if isinstance(found, dict) else {}


def _as_written(dependencies: Sequence[str], written: Any) -> tuple[str, ...]:
    """Hatchling's dependencies, which it sorts, in the order of the table, as findings name them by their place.

    Where the table does not hold them (they are dynamic, or have Hatchling's fields in them), they stay as they are.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        known = [(Requirement(line), line) for line in dependencies]
        asked = [Requirement(line) for line in written or ()]
    except (InvalidRequirement, TypeError):
        return tuple(dependencies)
    found = [next((line for each, line in known if each == wanted), "") for wanted in asked]
    return tuple(found) if found and all(found) else tuple(dependencies)
