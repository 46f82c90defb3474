"""`hatch-wallaroo`: the commands, each imported when it is called."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from hatch_wallaroo.__about__ import __version__
from hatch_wallaroo.cli.groups import Group, with_no_color
from hatch_wallaroo.console import CommandError
from hatch_wallaroo.exit_codes import EXIT_CODES

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


@dataclass(frozen=True)
class Registered:
    """A command: its module in this package, its function there, a line for the overview, the extra it needs."""

    module: str
    function: str
    summary: str
    extra: str = ""


COMMANDS = {
    "new": Registered("new", "new", "Make a new model repository."),
    "init": Registered("init", "init", "Add [tool.wallaroo] to a repository that has a model."),
    "check": Registered("check", "check", "Say everything that hatch build would say, without building."),
    "schema": Registered("schema", "schema", "Print, read, infer or write schemas."),
    "frameworks": Registered("frameworks", "frameworks", "Show what each Wallaroo release knows."),
    "preflight": Registered("preflight", "preflight", "Run bundles as their release would, before they leave."),
    "serve": Registered("serve", "serve", "Keep models up on this machine, and answer questions."),
    "infer": Registered("infer", "infer", "Ask a model that is up, or start it for one question."),
    "bench": Registered("bench", "bench", "Measure how fast models answer on this machine."),
    "try": Registered("trial", "try_", "Start the image of a built mlflow model, and ask it.", "image"),
    "models": Registered("models", "models", "Show models, versions, status and logs of a platform.", "publish"),
    "login": Registered("login", "login", "Sign in to a platform, and remember it.", "publish"),
    "logout": Registered("login", "logout", "Forget the logins at a platform.", "publish"),
    "sandbox": Registered("sandbox", "sandbox", "Run a local Wallaroo, to try and test.", "sandbox"),
    "template-config": Registered("new", "template_config", "Print a config.toml that makes `hatch new` use this."),
    "completion": Registered("completion", "completion", "Print what makes a shell complete these commands."),
}
"""In the order in which the overview lists them."""


class _Lazy(Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now. While a shell completes, one whose extra is missing is as good as none."""
        if cmd_name not in COMMANDS:
            return None
        wanted = COMMANDS[cmd_name]
        try:
            command: Any = getattr(import_module(f"hatch_wallaroo.cli.{wanted.module}"), wanted.function)
        except ModuleNotFoundError as error:
            missing = _missing_extra(error, cmd_name)
            if missing is None:
                raise
            if ctx.resilient_parsing:
                return None
            raise missing from error
        if not isinstance(command, click.Command):
            raise TypeError(f"{wanted.module}.{wanted.function} is no command")
        return with_no_color(command)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. What its extra brings may be missed only when it is needed."""
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            missing = _missing_extra(error, ctx.invoked_subcommand)
            if missing is None:
                raise
            raise missing from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """The overview imports none of the commands: one whose extra is missing is still listed."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, each.summary) for name, each in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Neither does the list that a shell gets."""
        from click.shell_completion import CompletionItem

        found = [
            CompletionItem(name, help=each.summary) for name, each in COMMANDS.items() if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]


def _missing_extra(error: ModuleNotFoundError, name: str | None) -> CommandError | None:
    """What to say where a command's extra is not installed; any other missing module is a mistake of ours."""
    wanted = COMMANDS.get(name or "")
    if wanted is None or not wanted.extra or (error.name or "").startswith("hatch_wallaroo"):
        return None
    fix = f"pip install 'hatch-wallaroo[{wanted.extra}]'"
    return CommandError(f"{name} needs what is not installed: {error.name}", fix)


_CODES = ", ".join(f"{each.code} {each.name}" for each in EXIT_CODES)
_EPILOG = f"""\b
Examples:
    hatch-wallaroo new my-model --framework sklearn
    hatch-wallaroo check
    hatch-wallaroo sandbox -- hatch publish -p wallaroo -o workspace=try -o create-workspace

`hatch-wallaroo COMMAND --help` says more, and shows examples. Results go to standard output, everything else to
standard error. Exit codes: {_CODES}.
"""


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]}, epilog=_EPILOG)
@click.version_option(__version__, prog_name="hatch-wallaroo")
def commands() -> None:
    """Package models for Wallaroo: what Hatch has no command of its own for."""


with_no_color(commands)
