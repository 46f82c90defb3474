"""How commands, and the template under Hatch, speak to their user: results, remarks, errors with their fix."""

from __future__ import annotations

import json
import sys
from typing import IO, Any

import click

from hatch_wallaroo.exit_codes import CONFIGURATION, FAILED
from hatch_wallaroo.text import colored, printable


class CommandError(click.ClickException):
    """Ends a command: what is wrong, how to mend it (may be empty), and the exit code."""

    def __init__(self, message: str, fix: str = "", code: int = FAILED) -> None:
        super().__init__(message)
        self.fix = fix
        self.exit_code = code  # type: ignore[misc]  # click's own subclasses set it per instance too

    def show(self, file: IO[Any] | None = None) -> None:
        """Print it on standard error."""
        del file
        complain(self.message, self.fix)


def misused(message: str, fix: str = "") -> CommandError:
    """The error of a command that was asked for what cannot be: exit code 2."""
    return CommandError(message, fix, CONFIGURATION)


def say(text: str = "") -> None:
    """Print a result on standard output; what steers a terminal and came from outside is written out."""
    click.echo(printable(text, lines=True))


def tell(text: str) -> None:
    """Print what goes beside the result on standard error."""
    click.echo(printable(text, lines=True), err=True)


def complain(message: str, fix: str = "") -> None:
    """Print an error, and below it how to mend it."""
    head = click.style("error", fg="red") if colored(sys.stderr) else "error"
    click.echo(f"{head}: {printable(message, lines=True)}", err=True, color=True)
    if fix:
        tell("    fix: " + fix.replace("\n", "\n         "))


def one_of_the_two(*, yes: bool, dry_run: bool) -> None:
    """Refuse `--yes` together with `--dry-run`."""
    if yes and dry_run:
        raise misused("--yes makes the changes, and --dry-run makes none", "choose one of the two")


def ask(question: str) -> None:
    """Ask whether to go on, and end the command by no; refuse where nobody is there to be asked."""
    if not sys.stdin.isatty():
        raise misused("nobody is there to be asked", "--yes makes the changes, --dry-run only shows them")
    click.confirm(question, abort=True, err=True)


def say_json(made: Any) -> None:
    """Print a document for programs: UTF-8 whatever the terminal's encoding, two spaces, keys as they were made."""
    text = json.dumps(made, indent=2, ensure_ascii=True, allow_nan=False)
    click.echo(text)
