"""How commands, and the template under Hatch, speak to their user: results, remarks, errors with their fix.

A table is aligned for a person at a terminal, and has tabs between its columns for programs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import IO, Any

import click

from hatch_wallaroo.exit_codes import CONFIGURATION, FAILED
from hatch_wallaroo.text import colored, one_line, printable


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


NOTHING = "-"
"""Stands in a cell for what is not known or not there."""
_APART = "  "


def show_table(headers: Sequence[str], rows: Iterable[Sequence[str | int | None]]) -> None:
    """Print rows below their headers.

    At a terminal the columns are aligned. Elsewhere there is one tab between two cells, whatever they hold: a cell
    never holds one itself, nor a line break, and is never empty.
    """
    cells = [list(headers), *([cell(each) for each in row] for row in rows)]
    if not sys.stdout.isatty():
        click.echo("\n".join("\t".join(row) for row in cells))
        return
    head, *lines = aligned(cells)
    click.echo(click.style(head, bold=True) if colored(sys.stdout) else head, color=True)
    for line in lines:
        click.echo(line)


def aligned(cells: Sequence[Sequence[str]]) -> list[str]:
    """The rows as lines whose columns begin below each other, as far as the terminal's cells go."""
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    return [
        _APART.join(text + " " * (room - width(text)) for text, room in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def cell(value: str | int | None) -> str:
    """A value as it stands in a cell: one line, nothing that steers a terminal, never empty."""
    text = "" if value is None else one_line(str(value)).strip()
    return text or NOTHING


def width(text: str) -> int:
    """The terminal cells that a text takes: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(each) else 2 if east_asian_width(each) in "WF" else 1 for each in text)
