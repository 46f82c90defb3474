"""The build hook's own options, judged alike when a wheel is built and when a project is only checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from hatch_wallaroo.findings import Finding, Level, Place, nearest, rule
from hatch_wallaroo.project.hatch_config import HatchConfig

UNKNOWN_OPTION = rule(
    "WLR640",
    "unknown option of the build hook",
    why="An option that nobody reads is most often a misspelt one.",
    source="[tool.hatch.build.hooks.wallaroo]",
)
WRONG_TYPE = rule(
    "WLR641",
    "an option of the build hook has the wrong type",
    why="The hook would act on something that was not meant.",
    source="[tool.hatch.build.hooks.wallaroo]",
)
NOT_IN_SDIST = rule(
    "WLR642",
    "the hook does not run for the sdist",
    why="Without it the sdist holds what git tracks, and models are most often ignored by git: there is nothing to "
    "build the bundle from where a front end makes the wheel from the sdist.",
    source="python -m build and uv build, which build the wheel from an unpacked sdist",
    level=Level.WARNING,
)

TABLE = ("build", "hooks", "wallaroo")
TARGETS = ("sdist", "wheel")
"""What `hatch build` builds where nothing is named; for both, the hook runs."""
OPTIONS = ("sdist",)

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
            fix = f"did you mean {close}?" if close else f"remove it; the hook's option is {OPTIONS[0]}"
            findings.append(UNKNOWN_OPTION.finding(f"unknown option {option!r}", fix=fix, place=place(option)))
        elif not isinstance(value, bool):
            message, fix = f"{option} must be true or false", f"{option} = false"
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
