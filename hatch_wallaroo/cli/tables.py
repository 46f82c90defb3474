"""Tables on standard output: aligned for a person at a terminal, tabs between the columns for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

import click

from hatch_wallaroo.text import colored, one_line

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
