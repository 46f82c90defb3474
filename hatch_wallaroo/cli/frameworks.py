"""`hatch-wallaroo frameworks`: what each release knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from hatch_wallaroo.cli.completion import complete_frameworks, complete_releases
from hatch_wallaroo.cli.groups import json_option
from hatch_wallaroo.console import CommandError, cell, misused, say, say_json, show_table, tell
from hatch_wallaroo.findings import nearest
from hatch_wallaroo.releases.load import UnknownReleaseError, all_releases, framework_names, known, resolve

if TYPE_CHECKING:
    from hatch_wallaroo.releases.model import FrameworkRow, Release

FORMAT = 1
_EXAMPLES = """\b
Examples:
    hatch-wallaroo frameworks
    hatch-wallaroo frameworks --release 2024.1
    hatch-wallaroo frameworks --framework python
    hatch-wallaroo frameworks --release 2026.1 --framework vllm --json

`endpoint` is where the platform takes an upload, `schemas` says whether a model needs input-schema and output-schema,
`requirements` whether the platform installs those that a model brings along. The library versions are those that the
platform runs, as far as they are known. Into a pipe the columns are separated by tabs.
"""


class Known(NamedTuple):
    """How a framework is run, sent and described, and in which releases that holds (`all`, `from 2024.1`)."""

    framework: str
    runtime: str
    route: str
    schemas: str
    releases: str


@click.command(epilog=_EXAMPLES)
@click.option("--release", metavar="RELEASE", help="Only this one, in full.", shell_complete=complete_releases)
@click.option("--framework", metavar="NAME", help="Only this one, in full.", shell_complete=complete_frameworks)
@json_option
def frameworks(release: str | None, framework: str | None, as_json: bool) -> None:
    """Show what each Wallaroo release knows: frameworks, runtimes, Python, architectures, library versions."""
    releases = all_releases() if release is None else (_resolved(release),)
    names = framework_names(releases)
    if framework is not None and framework not in names:
        raise _unknown(framework, releases)
    wanted = names if framework is None else (framework,)
    if as_json:
        say_json({"format": FORMAT, "releases": [_document(each, wanted) for each in releases]})
    elif framework is not None:
        _show_framework(releases, framework)
    elif release is not None:
        _show_release(releases[0])
    else:
        _show_all(releases)


def _resolved(asked: str) -> Release:
    try:
        found = resolve(asked)
    except UnknownReleaseError as error:
        hint = f"the nearest known one is {error.nearest}" if error.nearest else f"known are {', '.join(known())}"
        raise misused(f"Wallaroo release {error.asked[:40]} is not known", hint) from None
    if not found.exact and not found.asked.startswith(f"{found.version}."):
        tell(f"{asked} has no data of its own; that of {found.version} answers for it.")
    return found


def _unknown(framework: str, releases: Sequence[Release]) -> CommandError:
    """The error for a framework that is misspelt, or that the release asked for does not have."""
    everything = all_releases()
    elsewhere = [row.releases for row in changes(everything, framework)]
    where = f"Wallaroo {releases[0].asked}" if len(releases) == 1 else "any known release"
    if elsewhere:
        return misused(f"{where} does not know the framework {framework}", f"it is known {', '.join(elsewhere)}")
    close = nearest(framework, framework_names(everything))
    fix = f"did you mean {close}?" if close else "`hatch-wallaroo frameworks` lists them"
    return misused(f"there is no framework {framework} in {where}", fix)


def _document(release: Release, names: Sequence[str]) -> dict[str, Any]:
    """A release for programs, with the frameworks of these names; the keys are those of the data's classes."""
    made = asdict(release)
    del made["asked"], made["version"]
    rows = {name: row for name, row in made["frameworks"].items() if name in names}
    for row in rows.values():
        del row["name"]
    return {"release": release.asked, "rules": release.version, **made, "frameworks": rows}


def _show_all(releases: Sequence[Release]) -> None:
    """All frameworks by their changes, then the releases themselves."""
    rows = [row for name in framework_names(releases) for row in changes(releases, name)]
    show_table(("framework", "runtime", "endpoint", "schemas", "releases"), rows)
    say()
    headers = ("release", "python", "python-version", "arch", "accel", "onnx opset", "byop checked", "async byop")
    show_table(headers, [_facts(each) for each in releases])


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


def _facts(release: Release) -> tuple[str, ...]:
    """A release's row: the Python that runs requirements, what an upload says it is, and the rest."""
    return (
        release.version,
        release.python,
        release.python_version,
        ", ".join(release.architectures),
        _accelerators(release),
        str(release.onnx.opset),
        "by the platform" if release.byop.validator else "no",
        "yes" if release.byop.asynchronous else "no",
    )


def _show_release(release: Release) -> None:
    onnx = release.onnx
    _show_pairs(
        ("release", release.asked),
        ("python", release.python),
        ("python-version", f"{release.python_version} (taken: {', '.join(release.python_versions)})"),
        ("arch", ", ".join(release.architectures)),
        ("accel", _accelerators(release)),
        ("onnx", f"{onnx.onnx}, IR {onnx.ir}, opset {onnx.opset}, ai.onnx.ml {onnx.ml_opset}"),
        ("byop", _byop(release)),
        ("python step", release.python_step),
        ("sdk", _pairs(release.sdk)),
    )
    say()
    show_table(("framework", *_WAYS), [(row.name, *_ways(row)) for row in release.frameworks.values()])


def _byop(release: Release) -> str:
    byop = release.byop
    said = [f"runs as {byop.service}", "checked by the platform" if byop.validator else "not checked by the platform"]
    said += ["async"] if byop.asynchronous else []
    said += ["requirements.txt required"] if byop.requirements_required else []
    return ", ".join(said)


def _show_framework(releases: Sequence[Release], name: str) -> None:
    """A framework in each release; in a single one, with everything that its data says."""
    if len(releases) > 1:
        rows = [(each.version, *_ways(each.frameworks[name])) for each in releases if name in each.frameworks]
        show_table(("release", *_WAYS), rows)
        return
    release, row = releases[0], releases[0].frameworks[name]
    _show_pairs(
        ("framework", f"{name} ({row.family})" if row.family != name else name),
        ("release", release.asked),
        ("runtime", row.runtime),
        ("endpoint", row.route),
        ("schemas", row.schemas),
        ("requirements", "installed by the platform" if row.requirements else "not installed"),
        ("libraries", _pairs(row.libraries)),
        ("python", release.python),
        ("files", ", ".join(row.file_forms)),
        ("framework-config", _pairs(row.default_config or {}, " = ")),
        ("also taken", ", ".join(key for key in row.config_keys or () if key not in (row.default_config or {}))),
        ("not taken", _pairs(row.refused_classes, ": ")),
    )


_WAYS = ("runtime", "endpoint", "schemas", "requirements", "libraries")


def _ways(row: FrameworkRow) -> tuple[str, ...]:
    return row.runtime, row.route, row.schemas, "yes" if row.requirements else "no", _pairs(row.libraries)


def _show_pairs(*pairs: tuple[str, str]) -> None:
    """Names and values, without those that say nothing."""
    show_table(("fact", "value"), [(name, cell(value)) for name, value in pairs if value])


def _pairs(table: Mapping[str, object], between: str = " ") -> str:
    """A small table on one line: `torch 1.13.1, torchvision 0.14.1`."""
    return ", ".join(f"{key}{between}{value}" for key, value in table.items())


def _accelerators(release: Release) -> str:
    """The accelerators, each with the architectures that it goes with where those are not all: `aio (arm)`."""
    return ", ".join(
        name if set(arches) == set(release.architectures) else f"{name} ({', '.join(arches)})"
        for name, arches in release.accelerators.items()
    )
