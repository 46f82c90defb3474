"""Whether `hatch build` would come to a bundle at all: who builds the project, and with which plugins."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from hatch_wallaroo.findings import PYPROJECT, Finding, Level, Place, rule
from hatch_wallaroo.project.hatch_config import HatchConfig
from hatch_wallaroo.project.hook import TARGETS, table_for
from hatch_wallaroo.text import quoted

NO_BUNDLE = rule(
    "WLR665",
    "hatch build makes no bundle here",
    why="The bundle is made by Hatchling, with hatch-wallaroo among the build's requirements and its build hook or "
    "its target `wallaroo` asked for. Everything else builds a wheel, and says nothing of the model.",
    source="[build-system] and [tool.hatch.build]",
    level=Level.WARNING,
)

HATCHLING = "hatchling"

_OURS = "hatch-wallaroo"
_SYSTEM = '[build-system]\nrequires = ["hatchling", "hatch-wallaroo"]\nbuild-backend = "hatchling.build"'
_HOOK = "[tool.hatch.build.hooks.wallaroo]"
_COMMAND = re.compile(r"hatchling build\b.*(?:-t|--target)[ =]wallaroo\b")
_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


def backend(document: Mapping[str, Any]) -> str:
    """The package that builds the project: `hatchling`, `poetry`; empty where nothing says it."""
    system = document.get("build-system")
    found = system.get("build-backend") if isinstance(system, Mapping) else None
    return re.split(r"[.:]", found, maxsplit=1)[0] if isinstance(found, str) else ""


def builds_by_command(config: HatchConfig) -> bool:
    """Whether an environment of Hatch's has a script that makes the bundle with Hatchling, beside another backend."""
    environments = config.value("envs")
    for each in environments.values() if isinstance(environments, Mapping) else ():
        scripts = each.get("scripts") if isinstance(each, Mapping) else None
        told = scripts.values() if isinstance(scripts, Mapping) else ()
        if any(isinstance(script, str) and _COMMAND.search(script) for script in told):
            return True
    return False


def building_findings(document: Mapping[str, Any], config: HatchConfig) -> Iterator[Finding]:
    """What keeps a build from making the bundle of a table that may be perfect."""
    system = document.get("build-system")
    if not isinstance(system, Mapping):
        yield NO_BUNDLE.finding(
            "there is no table [build-system]", fix=f"write:\n{_SYSTEM}", place=Place(file=PYPROJECT)
        )
        return
    builder = backend(document)
    if builder != HATCHLING:
        if builds_by_command(config):
            return
        message = f"the project is built by {quoted(builder)}" if builder else "nothing says what builds the project"
        place = Place(key=("build-system", "build-backend"))
        fix = f"hatch-wallaroo init adds a command that makes it beside {builder}" if builder else f"write:\n{_SYSTEM}"
        yield NO_BUNDLE.finding(f"{message}; the bundle is made by Hatchling", fix=fix, place=place)
        return
    if _OURS not in _names(system.get("requires")) | _names(_dependencies(config)):
        fix = 'requires = ["hatchling", "hatch-wallaroo"]'
        place = Place(key=("build-system", "requires"))
        yield NO_BUNDLE.finding("hatch-wallaroo is not among the build's requirements", fix=fix, place=place)
    target = config.value("build", "targets", "wallaroo")
    if not isinstance(target, Mapping) and not any(table_for(config, each) for each in TARGETS):
        fix = f"write {_HOOK}, or call hatch build -t wallaroo"
        message = "nothing asks for the bundle when the project is built"
        yield NO_BUNDLE.finding(message, fix=fix, place=config.place("build", "hooks"), level=Level.NOTE)


def _dependencies(config: HatchConfig) -> list[Any]:
    """What the hook's and the target's own tables ask for."""
    hooks = [found[1] for target in TARGETS if (found := table_for(config, target))]
    listed = [
        *(table.get("dependencies") for table in hooks),
        config.value("build", "targets", "wallaroo", "dependencies"),
    ]
    return [each for lines in listed if isinstance(lines, list) for each in lines]


def _names(lines: Any) -> set[str]:
    """The names in a list of requirements, as an index compares them."""
    found = (_NAME.match(line) for line in lines if isinstance(line, str)) if isinstance(lines, list) else ()
    return {re.sub(r"[-_.]+", "-", each[1]).lower() for each in found if each}
