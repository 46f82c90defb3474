"""`hatch-wallaroo`: the commands, each imported when it is called."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click

from hatch_wallaroo.__about__ import __version__


@dataclass(frozen=True)
class _Command:
    """Where a command is at home, the extra that brings what it imports, and what the overview says of it."""

    module: str
    function: str
    extra: str
    summary: str


_COMMANDS = {
    "login": _Command("hatch_wallaroo.cli.login", "login", "publish", "Sign in to a platform, and remember it."),
    "logout": _Command("hatch_wallaroo.cli.login", "logout", "publish", "Forget the logins at a platform."),
    "sandbox": _Command("hatch_wallaroo.sandbox.command", "main", "sandbox", "Run a local Wallaroo, to try and test."),
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in _COMMANDS:
            return None
        wanted = _COMMANDS[cmd_name]
        try:
            command: Any = getattr(import_module(wanted.module), wanted.function)
        except ModuleNotFoundError as error:
            if (error.name or "").startswith("hatch_wallaroo"):
                raise
            needed = f"{cmd_name} needs an extra: pip install 'hatch-wallaroo[{wanted.extra}]'"
            raise click.ClickException(needed) from error
        if not isinstance(command, click.Command):
            raise TypeError(f"{wanted.module}.{wanted.function} is no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """The overview imports none of the commands: one whose extra is missing is still listed."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, each.summary) for name, each in _COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hatch-wallaroo")
def commands() -> None:
    """Beside Hatch's own commands: sign in to a Wallaroo platform, or run a local one to try and test."""
