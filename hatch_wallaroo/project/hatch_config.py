"""`[tool.hatch]` as Hatchling sees it: hatch.toml beside pyproject.toml wins, top-level table by table.

And what a build is told there: the options of the build hook, and whether a build makes a bundle at all. That is judged
alike when a wheel is built and when a project is only checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial, reduce
from pathlib import Path
from typing import Any

from hatch_wallaroo.config.toml.reading import Positions, parse_document
from hatch_wallaroo.findings import PYPROJECT, Finding, KeyPath, Level, Place, nearest
from hatch_wallaroo.project.rules import NO_BUNDLE, NOT_IN_SDIST, UNKNOWN_OPTION, WRONG_TYPE
from hatch_wallaroo.text import listed, quoted, requirement_name

HATCH_TOML = "hatch.toml"
_LARGEST = 16 << 20


@dataclass(frozen=True)
class HatchConfig:
    """The merged table, without `tool.hatch` in front of its keys; `own` is what hatch.toml itself holds.

    `findings` say why hatch.toml could not be read.
    """

    table: Mapping[str, Any]
    own: Mapping[str, Any]
    text: str = ""
    findings: tuple[Finding, ...] = ()

    def value(self, *keys: str) -> Any:
        """What stands at a place, or None."""
        return value(self.table, keys)

    def place(self, *keys: str | int) -> Place:
        """Where a key stands, or would: in hatch.toml with its line, or in pyproject.toml."""
        if keys[0] not in self.own:
            return Place(key=("tool", "hatch", *keys))
        return replace(Positions(self.text).locate(Place(key=keys)), file=HATCH_TOML)


def read_hatch_config(root: Path, document: Mapping[str, Any]) -> HatchConfig:
    """Read the configuration of the project at `root`, whose pyproject.toml is `document`. Never raises."""
    tool = document.get("tool")
    given = tool.get("hatch") if isinstance(tool, Mapping) else None
    table = dict(given) if isinstance(given, Mapping) else {}
    try:
        with (root / HATCH_TOML).open("rb") as stream:
            text = stream.read(_LARGEST).decode(errors="replace")
    except OSError:
        return HatchConfig(table, {})
    read = parse_document(text)
    broken = tuple(each.at(replace(each.place, file=HATCH_TOML)) for each in read.findings)
    own = read.table or {}
    return HatchConfig({**table, **own}, own, text, broken)


def value(table: Any, keys: KeyPath) -> Any:
    """What stands at a place of a document, or None."""
    return reduce(lambda inner, key: inner.get(key) if isinstance(inner, Mapping) else None, keys, table)


TABLE = ("build", "hooks", "wallaroo")
TARGETS = ("sdist", "wheel")
"""What `hatch build` builds where nothing is named; for both, the hook runs."""
OPTIONS = ("sdist", "preflight")

_HATCHLINGS = frozenset(
    {"dependencies", "enable-by-default", "require-runtime-dependencies", "require-runtime-features"}
)


def below(target: str) -> tuple[str, ...]:
    """The hook's table for one target alone, which stands in the place of the one for all."""
    return ("build", "targets", target, "hooks", "wallaroo")


def table_for(config: HatchConfig, target: str) -> tuple[tuple[str, ...], Mapping[str, Any]] | None:
    """The hook's table that a target is built with, and where it stands; None where the hook does not run."""
    for keys in (below(target), TABLE):
        table = config.value(*keys)
        if isinstance(table, Mapping):
            return (keys, table) if table.get("enable-by-default", True) else None
    return None


def option_findings(options: Mapping[str, Any], place: Callable[[str], Place]) -> list[Finding]:
    """What is wrong with the hook's options; `place` says where each stands."""
    findings = []
    for option, value in options.items():
        if option in _HATCHLINGS:
            continue
        if option not in OPTIONS:
            close = nearest(option, OPTIONS)
            fix = f"did you mean {close}?" if close else f"remove it; the hook's options are {listed(OPTIONS)}"
            findings.append(UNKNOWN_OPTION.finding(f"unknown option {option!r}", fix=fix, place=place(option)))
        elif not isinstance(value, bool):
            message, fix = (
                f"{option} must be true or false",
                f"{option} = {'false' if option == OPTIONS[0] else 'true'}",
            )
            findings.append(WRONG_TYPE.finding(message, fix=fix, place=place(option)))
    return findings


def option_place(config: HatchConfig, target: str, option: str) -> Place:
    """Where an option that a target is built with stands."""
    tables = (below(target), TABLE)
    keys = next((keys for keys in tables if config.value(*keys, option) is not None), TABLE)
    return config.place(*keys, option)


def sdist_findings(config: HatchConfig, root: Path) -> list[Finding]:
    """What may be behind a missing model where the project is an unpacked sdist."""
    for_all = config.value(*TABLE) is not None or config.value(*below("sdist")) is not None
    if for_all or not (root / "PKG-INFO").is_file():
        return []
    return [
        NOT_IN_SDIST.finding(
            "this is an unpacked sdist, and the hook was not run to put the model into it",
            fix="write [tool.hatch.build.hooks.wallaroo], or build from the project itself: hatch build, or "
            "python -m build --wheel",
        )
    ]


def hook_findings(config: HatchConfig) -> list[Finding]:
    """What the hook would say of its options, whichever target is built."""
    found: dict[Finding, None] = {}
    for target in TARGETS:
        own = table_for(config, target)
        if own is not None:
            found |= dict.fromkeys(option_findings(own[1], partial(option_place, config, target)))
    return list(found)


HATCHLING = "hatchling"

_OURS = "hatch-wallaroo"
_SYSTEM = '[build-system]\nrequires = ["hatchling", "hatch-wallaroo"]\nbuild-backend = "hatchling.build"'
_HOOK = "[tool.hatch.build.hooks.wallaroo]"
_COMMAND = re.compile(r"hatchling build\b.*(?:-t|--target)[ =]wallaroo\b")


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
    written = [each for each in lines if isinstance(each, str)] if isinstance(lines, list) else []
    return {requirement_name(line) for line in written} - {""}
