"""`hatch-wallaroo`: the commands, each imported when it is called."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click

from hatch_wallaroo.__about__ import __version__
from hatch_wallaroo.cli.common import CommandError, misused, no_color
from hatch_wallaroo.findings import nearest


@dataclass(frozen=True)
class _Command:
    """A command: its module in this package, its function there, a line for the overview, the extra it needs."""

    module: str
    function: str
    summary: str
    extra: str = ""


_COMMANDS = {
    "new": _Command("new", "new", "Make a new model repository."),
    "init": _Command("init", "init", "Add [tool.wallaroo] to a repository that has a model."),
    "check": _Command("check", "check", "Say everything that hatch build would say, without building."),
    "schema": _Command("schema", "schema", "Print, read, infer or write schemas."),
    "frameworks": _Command("frameworks", "frameworks", "Show what each Wallaroo release knows."),
    "models": _Command("models", "models", "Show models, versions, status and logs of a platform.", "publish"),
    "login": _Command("login", "login", "Sign in to a platform, and remember it.", "publish"),
    "logout": _Command("login", "logout", "Forget the logins at a platform.", "publish"),
    "sandbox": _Command("sandbox", "sandbox", "Run a local Wallaroo, to try and test.", "sandbox"),
    "template-config": _Command("new", "template_config", "Print a config.toml that makes `hatch new` use this."),
    "completion": _Command("completion", "completion", "Print what makes a shell complete these commands."),
}
"""In the order in which the overview lists them."""


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in _COMMANDS:
            return None
        wanted = _COMMANDS[cmd_name]
        try:
            command: Any = getattr(import_module(f"hatch_wallaroo.cli.{wanted.module}"), wanted.function)
        except ModuleNotFoundError as error:
            if (error.name or "").startswith("hatch_wallaroo") or not wanted.extra:
                raise
            fix = f"pip install 'hatch-wallaroo[{wanted.extra}]'"
            raise CommandError(f"{cmd_name} needs what is not installed: {error.name}", fix) from error
        if not isinstance(command, click.Command):
            raise TypeError(f"{wanted.module}.{wanted.function} is no command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; for a misspelt one, name the nearest."""
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            close = nearest(args[0], _COMMANDS)
            raise misused(
                f"there is no command {args[0]}",
                f"did you mean {close}?" if close else f"the commands are {', '.join(_COMMANDS)}",
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """The overview imports none of the commands: one whose extra is missing is still listed."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, each.summary) for name, each in _COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hatch-wallaroo")
@click.option(
    "--no-color", is_flag=True, expose_value=False, is_eager=True, callback=no_color, help="No colours. [NO_COLOR]"
)
def commands() -> None:
    """Package models for Wallaroo: what Hatch has no command of its own for."""
