"""`hatch-wallaroo frameworks`: what each release knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from hatch_wallaroo.cli.completion import complete_frameworks, complete_releases
from hatch_wallaroo.cli.groups import json_option
from hatch_wallaroo.console import CommandError, cell, misused, say, say_json, show_table, tell
from hatch_wallaroo.findings import nearest
from hatch_wallaroo.releases import overview
from hatch_wallaroo.releases.load import UnknownReleaseError, known, resolve

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


@click.command(epilog=_EXAMPLES)
@click.option("--release", metavar="RELEASE", help="Only this one, in full.", shell_complete=complete_releases)
@click.option("--framework", metavar="NAME", help="Only this one, in full.", shell_complete=complete_frameworks)
@json_option
def frameworks(release: str | None, framework: str | None, as_json: bool) -> None:
    """Show what each Wallaroo release knows: frameworks, runtimes, Python, architectures, library versions."""
    releases = overview.all_releases() if release is None else (_resolved(release),)
    names = overview.frameworks(releases)
    if framework is not None and framework not in names:
        raise _unknown(framework, releases)
    wanted = names if framework is None else (framework,)
    if as_json:
        say_json({"format": FORMAT, "releases": [overview.document(each, wanted) for each in releases]})
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
    everything = overview.all_releases()
    elsewhere = [row.releases for row in overview.changes(everything, framework)]
    where = f"Wallaroo {releases[0].asked}" if len(releases) == 1 else "any known release"
    if elsewhere:
        return misused(f"{where} does not know the framework {framework}", f"it is known {', '.join(elsewhere)}")
    close = nearest(framework, overview.frameworks(everything))
    fix = f"did you mean {close}?" if close else "`hatch-wallaroo frameworks` lists them"
    return misused(f"there is no framework {framework} in {where}", fix)


def _show_all(releases: Sequence[Release]) -> None:
    """All frameworks by their changes, then the releases themselves."""
    rows = [row for name in overview.frameworks(releases) for row in overview.changes(releases, name)]
    show_table(("framework", "runtime", "endpoint", "schemas", "releases"), rows)
    say()
    headers = ("release", "python", "python-version", "arch", "accel", "onnx opset", "byop checked", "async byop")
    show_table(headers, [_facts(each) for each in releases])


def _facts(release: Release) -> tuple[str, ...]:
    """A release's row: the Python that runs requirements, what an upload says it is, and the rest."""
    return (
        release.version,
        release.python,
        release.python_version,
        ", ".join(release.architectures),
        overview.accelerators(release),
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
        ("accel", overview.accelerators(release)),
        ("onnx", f"{onnx.onnx}, IR {onnx.ir}, opset {onnx.opset}, ai.onnx.ml {onnx.ml_opset}"),
        ("byop", _byop(release)),
        ("python step", release.python_step),
        ("sdk", overview.pairs(release.sdk)),
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
        ("libraries", overview.pairs(row.libraries)),
        ("python", release.python),
        ("files", ", ".join(row.file_forms)),
        ("framework-config", overview.pairs(row.default_config or {}, " = ")),
        ("also taken", ", ".join(key for key in row.config_keys or () if key not in (row.default_config or {}))),
        ("not taken", overview.pairs(row.refused_classes, ": ")),
    )


_WAYS = ("runtime", "endpoint", "schemas", "requirements", "libraries")


def _ways(row: FrameworkRow) -> tuple[str, ...]:
    return row.runtime, row.route, row.schemas, "yes" if row.requirements else "no", overview.pairs(row.libraries)


def _show_pairs(*pairs: tuple[str, str]) -> None:
    """Names and values, without those that say nothing."""
    show_table(("fact", "value"), [(name, cell(value)) for name, value in pairs if value])
