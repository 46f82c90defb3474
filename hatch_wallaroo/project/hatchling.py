"""What Hatchling knows of a project, as ours."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hatch_wallaroo.config.spec import Project
from hatch_wallaroo.text import normalized


def from_metadata(metadata: Any) -> Project:
    """The project that Hatchling's ProjectMetadata describes; raises whatever that does for metadata with mistakes."""
    core, table = metadata.core, metadata.config["project"]
    return Project(
        name=core.raw_name,
        version=metadata.version,
        dependencies=_as_written(core.dependencies, table.get("dependencies")),
        optional_dependencies=_extras_as_written(core.optional_dependencies, table.get("optional-dependencies")),
        requires_python=core.requires_python,
        packages=wheel_packages(metadata.hatch.config),
        source=source_url(core.urls),
    )


def source_url(urls: Any) -> str:
    """The address of the sources among a project's `urls`, by the labels that PyPI knows; empty without one."""
    known = ("source", "sourcecode", "repository", "github", "code")
    found = {re.sub(r"[^a-z]", "", str(label).lower()): url for label, url in urls.items()} if urls else {}
    url = next((found[label] for label in known if label in found), "")
    return url if isinstance(url, str) and url.isprintable() else ""


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


def _extras_as_written(extras: Mapping[str, Sequence[str]], table: Any) -> dict[str, tuple[str, ...]]:
    """The extras by the names that they have in the table, each in its order; all of Hatchling's where it has none."""
    if not isinstance(table, dict):
        return {extra: tuple(lines) for extra, lines in extras.items()}
    return {extra: _as_written(extras.get(normalized(extra), ()), lines) for extra, lines in table.items()}


def _as_written(dependencies: Sequence[str], written: Any) -> tuple[str, ...]:
    """Hatchling's dependencies, which it sorts, in the order of the table, as findings name them by their place.

    Where the table does not hold them (they are dynamic, or have Hatchling's fields in them), they stay as they are.
    """
    if not isinstance(written, list) or any("{" in line for line in written):
        return tuple(dependencies)
    return tuple(spelt(line) for line in written)


def spelt(line: str) -> str:
    """A requirement as Hatchling writes it into the metadata. Raises packaging's InvalidRequirement."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    requirement = Requirement(line)
    requirement.name = canonicalize_name(requirement.name)
    if requirement.specifier:
        clauses = sorted(map(str, requirement.specifier))
        requirement.specifier = type(requirement.specifier)(",".join(clauses))
    requirement.extras = {str(canonicalize_name(extra)) for extra in requirement.extras}
    # TOML is written with double quotes: so the text can be put between them.
    return str(requirement).replace('"', "'")
