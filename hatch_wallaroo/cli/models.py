"""`hatch-wallaroo models`: what stands on a platform, for people and for programs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from hatch_wallaroo.cli.connection import (
    open_platform,
    platform_errors,
    platform_options,
    project_root,
    read_settings,
)
from hatch_wallaroo.cli.groups import Group, json_option
from hatch_wallaroo.console import say, say_json, show_table, tell
from hatch_wallaroo.exit_codes import CONVERSION, OK

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from hatch_wallaroo.platform.api import Platform
    from hatch_wallaroo.platform.publish_settings import Settings
    from hatch_wallaroo.platform.screen import Screen
    from hatch_wallaroo.platform.workspace import Bundles, FoundVersion

FORMAT = 1
_EXAMPLES = """\b
Examples:
    hatch-wallaroo models list --all
    hatch-wallaroo models status flowers --wait

Address, user and workspace are found where `hatch publish -p wallaroo` finds them; a login is taken from the
environment, or from `hatch-wallaroo login`. Into a pipe the columns are separated by tabs.
"""
_connected = platform_options("url", "user", "target", "workspace", "ca-cert")


def _bundled(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The models in dist/, for a shell that completes; no platform is asked for that."""
    from click.shell_completion import CompletionItem

    from hatch_wallaroo.platform.workspace import bundles

    del ctx, param
    names = sorted({name for name, _ in bundles(project_root())})
    return [CompletionItem(each) for each in names if each.startswith(incomplete)]


_version = click.argument("version", metavar="NAME|ID", shell_complete=_bundled)


@click.group(cls=Group, epilog=_EXAMPLES)
def models() -> None:
    """Show models, their versions, status and logs on a platform. Nothing is changed there."""


@models.command(
    "list",
    epilog="""\b
Examples:
    hatch-wallaroo models list
    hatch-wallaroo models list --all --json

`dist` names the bundle in dist/ that the newest version holds, byte for byte.
""",
)
@_connected
@click.option("--all", "-a", "everything", is_flag=True, help="Of all workspaces, even where one is configured.")
@json_option
def list_models(everything: bool, as_json: bool, **given: str | None) -> None:
    """List the models, each with its newest version."""
    from hatch_wallaroo.cli import model_rows
    from hatch_wallaroo.platform import workspace

    with platform_errors():
        settings, platform, _ = _open(given)
        wanted = None if everything else settings.workspace
        found = workspace.entries(platform, workspace.workspaces(platform, wanted))
    local = workspace.bundles(project_root())
    if as_json:
        say_json(_document(settings, models=[model_rows.entry_document(each, local) for each in found]))
        return
    show_table(model_rows.LIST, [model_rows.list_row(each, local) for each in found])


@models.command(
    "versions",
    epilog="""\b
Examples:
    hatch-wallaroo models versions flowers
    hatch-wallaroo models versions flowers --workspace prod --json

`dist` names the bundle in dist/ that a version holds, byte for byte.
""",
)
@click.argument("name", metavar="NAME", shell_complete=_bundled)
@_connected
@json_option
def list_versions(name: str, as_json: bool, **given: str | None) -> None:
    """List the versions of a model, the newest first."""
    from hatch_wallaroo.cli import model_rows
    from hatch_wallaroo.platform import workspace

    with platform_errors():
        settings, platform, _ = _open(given)
        found = workspace.versions(platform, workspace.workspaces(platform, settings.workspace), name)
    local = workspace.bundles(project_root())
    if as_json:
        say_json(_document(settings, model=name, versions=[model_rows.version_document(each, local) for each in found]))
        return
    show_table(model_rows.VERSIONS, [model_rows.version_row(each, local) for each in found])


@models.command(
    "status",
    epilog="""\b
Examples:
    hatch-wallaroo models status flowers
    hatch-wallaroo models status 42 --wait --at-most 600

A NAME means the newest version of that model. The exit code is 5 where the version ended in error, and 6 where the
platform was still at work when the waiting was over; without --wait, a version that is still converted gives 0.
""",
)
@_version
@_connected
@click.option("--wait", is_flag=True, help="Wait until the platform says ready or error.")
@click.option(
    "--at-most", type=click.FloatRange(0, 86400), metavar="SECONDS", help="How long --wait waits. [1800, or `wait`]"
)
@json_option
def status(version: str, wait: bool, at_most: float | None, as_json: bool, **given: str | None) -> int:
    """Show a version's status, and its error if it has one."""
    from hatch_wallaroo.cli import model_rows
    from hatch_wallaroo.platform import workspace

    with platform_errors():
        settings, platform, shown = _open(given)
        found = _find(platform, settings, version)
        if wait or at_most is not None:
            found = _waited(platform, settings, shown, found, at_most)
    local = workspace.bundles(project_root())
    if as_json:
        say_json(_document(settings, **model_rows.version_document(found, local)))
    else:
        _show_status(found, local)
    return CONVERSION if found.version.is_failed else OK


@models.command(
    "logs",
    epilog="""\b
Examples:
    hatch-wallaroo models logs flowers
    hatch-wallaroo models logs 42 --lines 50

A NAME means the newest version of that model. Platforms before 2025.2 keep no logs.
""",
)
@_version
@_connected
@click.option("--lines", "-n", type=click.IntRange(1), metavar="N", help="Only the last N lines.")
@json_option
def logs(version: str, lines: int | None, as_json: bool, **given: str | None) -> None:
    """Show the log of a version's conversion."""
    from hatch_wallaroo.cli import model_rows

    with platform_errors():
        settings, platform, _ = _open(given)
        found = _find(platform, settings, version)
        said = platform.upload_logs(found.version.id)
    kept = said if lines is None else said[-lines:]
    if as_json:
        known = {key: model_rows.version_document(found, {})[key] for key in ("model", "model_version_id", "status")}
        say_json(_document(settings, **known, lines=kept))
        return
    if not said:
        tell(
            f"{_name(found)}, {found.version.status or 'without a status'}: the platform has no log of it. "
            "Platforms before 2025.2 keep none, and newer ones show it when the conversion has ended."
        )
    for line in kept:
        say(line)


def _open(given: dict[str, str | None]) -> tuple[Settings, Platform, Screen]:
    from hatch_wallaroo.platform.screen import screen
    from hatch_wallaroo.text import colored

    settings = read_settings(**given)
    shown = screen(sys.stderr, sys.stdout, color=colored(sys.stderr))
    return settings, open_platform(settings, shown), shown


def _find(platform: Platform, settings: Settings, version: str) -> FoundVersion:
    """A version by its id, or the newest one of a model: names begin with a letter."""
    from hatch_wallaroo.platform import workspace
    from hatch_wallaroo.platform.model_versions import identifier

    number = identifier(version)
    if number is not None:
        return workspace.by_id(platform, number)
    return workspace.newest(platform, workspace.workspaces(platform, settings.workspace), version)


def _waited(
    platform: Platform, settings: Settings, shown: Screen, found: FoundVersion, at_most: float | None
) -> FoundVersion:
    from dataclasses import replace

    from hatch_wallaroo.platform.sending import wait

    version = wait(
        platform,
        found.version.id,
        name=found.version.name or "the model",
        seconds=settings.wait if at_most is None else at_most,
        poll=settings.poll,
        screen=shown,
        again=f"to look again: hatch-wallaroo models status {found.version.id} --wait",
    )
    return replace(found, version=version)


def _name(found: FoundVersion) -> str:
    return f"version {found.version.id} of {found.version.name or 'a model'}"


def _show_status(found: FoundVersion, local: Bundles) -> None:
    from hatch_wallaroo.cli.model_rows import status_rows

    show_table(("fact", "value"), status_rows(found, local))
    if found.version.is_failed:
        say()
        say(found.version.error_summary.strip() or "The platform gives no reason.")


def _document(settings: Settings, **found: Any) -> dict[str, Any]:
    """The frame of every document: which form it has, and whose platform was asked."""
    return {"format": FORMAT, "url": settings.url, **found}
