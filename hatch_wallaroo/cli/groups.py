"""What commands have in common: options, and groups that name the nearest to a misspelt command."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from hatch_wallaroo.console import misused
from hatch_wallaroo.exit_codes import CONFIGURATION
from hatch_wallaroo.findings import nearest

Command = TypeVar("Command", bound=Callable[..., Any])


class Group(click.Group):
    """A group of commands, each of which takes `--no-color` wherever it is written."""

    def __init__(self, *given: Any, **settings: Any) -> None:
        # What click does where no subcommand is named changed from release to release, so it is done below.
        settings.setdefault("subcommand_metavar", "COMMAND [ARGS]...")
        super().__init__(*given, **{**settings, "invoke_without_command": True, "no_args_is_help": False})

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand. Without one, the help on standard error and exit code 2: a script asked for nothing."""
        result = super().invoke(ctx)
        if ctx.invoked_subcommand is None:
            click.echo(ctx.get_help(), err=True)
            ctx.exit(CONFIGURATION)
        return result

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The subcommands in the order in which they were declared, not in that of their letters."""
        return list(self.commands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The subcommand, with the options that all have."""
        found = super().get_command(ctx, cmd_name)
        return found if found is None else with_no_color(found)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; for a misspelt one, name the nearest."""
        names = self.list_commands(ctx)
        if args and args[0] not in names and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise misused(f"there is no command {ctx.command_path} {args[0]}", _meant(args[0], names))
        return super().resolve_command(ctx, args)


def with_no_color(command: click.Command) -> click.Command:
    """The command with `--no-color`, so that it can stand behind the command's name too."""
    if not any("--no-color" in each.opts for each in command.params):
        command.params.append(no_color_option())
    return command


def no_color_option() -> click.Option:
    return click.Option(
        ["--no-color"],
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=no_color,
        help="No colours. [NO_COLOR]",
    )


def _meant(typed: str, names: Iterable[str]) -> str:
    close = nearest(typed, names)
    return f"did you mean {close}?" if close else f"the commands are {', '.join(names)}"


def json_option(command: Command) -> Command:
    """`--json`, given to the command as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")(command)


def project_option(command: Command) -> Command:
    """`--project DIR`, given to the command as `project`: the folder with the pyproject.toml, by default this one."""
    kind = click.Path(exists=True, file_okay=False, path_type=Path)
    option = click.option("--project", "-p", type=kind, default=Path(), help="The project's folder.", metavar="DIR")
    return option(command)


def no_color(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    """The callback of `--no-color`: what is asked for once holds for all that runs after."""
    del context, parameter
    if value:
        os.environ["NO_COLOR"] = "1"
