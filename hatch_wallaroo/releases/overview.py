"""What the releases know, as rows: for tables that people read, and as plain values for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from hatch_wallaroo.releases.load import known, resolve
from hatch_wallaroo.releases.model import FrameworkRow, Release


class Known(NamedTuple):
    """How a framework is run, sent and described, and in which releases that holds (`all`, `from 2024.1`)."""

    framework: str
    runtime: str
    route: str
    schemas: str
    releases: str


def all_releases() -> tuple[Release, ...]:
    """Every release that has a data file, oldest first."""
    return tuple(resolve(each) for each in known())


def frameworks(releases: Sequence[Release]) -> tuple[str, ...]:
    """The frameworks that any of the releases knows, in the order in which they came."""
    return tuple(dict.fromkeys(name for each in releases for name in each.frameworks))


def changes(releases: Sequence[Release], name: str) -> Iterator[Known]:
    """A framework's rows: a new one wherever a release treats it in another way than the one before."""
    ways = [_way(each.frameworks.get(name)) for each in releases]
    start = 0
    for index, way in enumerate(ways):
        if index + 1 < len(ways) and ways[index + 1] == way:
            continue
        if way is not None:
            yield Known(name, *way, _span(releases, start, index))
        start = index + 1


def _way(row: FrameworkRow | None) -> tuple[str, str, str] | None:
    return (row.runtime, row.route, row.schemas) if row else None


def _span(releases: Sequence[Release], first: int, last: int) -> str:
    """The releases from the first to the last index in words."""
    since, until = releases[first].version, releases[last].version
    if last == len(releases) - 1:
        return f"from {since}" if first else "all"
    if first == last:
        return since
    return f"{since} to {until}" if first else f"until {until}"


def pairs(table: Mapping[str, object], between: str = " ") -> str:
    """A small table on one line: `torch 1.13.1, torchvision 0.14.1`."""
    return ", ".join(f"{key}{between}{value}" for key, value in table.items())


def accelerators(release: Release) -> str:
    """The accelerators, each with the architectures that it goes with where those are not all: `aio (arm)`."""
    return ", ".join(
        name if set(arches) == set(release.architectures) else f"{name} ({', '.join(arches)})"
        for name, arches in release.accelerators.items()
    )


def document(release: Release, names: Sequence[str]) -> dict[str, Any]:
    """A release for programs, with the frameworks of these names; the keys are those of the data's classes."""
    made = asdict(release)
    del made["asked"], made["version"]
    rows = {name: _row(row) for name, row in release.frameworks.items() if name in names}
    return {"release": release.asked, "rules": release.version, **made, "frameworks": rows}


def _row(row: FrameworkRow) -> dict[str, Any]:
    made = asdict(row)
    del made["name"]
    return made
