"""For a person: a verdict in one line, the rows as the platform shows them, the findings, and the figures."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import click

from hatch_wallaroo.cli.reports.answers import MOST_COLUMNS, show_rows
from hatch_wallaroo.console import say
from hatch_wallaroo.preflight.isolation import SAYS
from hatch_wallaroo.preflight.verdict import Verdict
from hatch_wallaroo.report import render
from hatch_wallaroo.text import colored, human_size, one_line

_MOST_ROWS = 5
_COLORS = {"passed": "green", "failed": "red", "not run": "yellow"}


def show(verdict: Verdict) -> None:
    """Print it on standard output."""
    word = verdict.word
    if colored(sys.stdout):
        word = click.style(word, fg=_COLORS[verdict.word], bold=True)
    click.echo(f"{_head(verdict)}: {word}", color=True)
    if verdict.answered:
        _show_rows(verdict)
    if verdict.findings:
        click.echo(render(verdict.findings, color=colored(sys.stdout)), color=True)
    if not verdict.passed and verdict.log:
        say("the model's log ends with")
        for line in verdict.log:
            say(f"  | {one_line(line)}")
    for line in _figures(verdict):
        say(line)


def _head(verdict: Verdict) -> str:
    subject = verdict.subject
    return one_line(f"{subject.name} {subject.version} ({subject.framework.name}, release {subject.release.asked})")


def _show_rows(verdict: Verdict) -> None:
    """What was asked and what was answered, side by side; either may have fewer rows."""
    nothing: Mapping[str, Any] = {}
    pairs = itertools.zip_longest(verdict.asked, verdict.answered, fillvalue=nothing)
    rows = [
        {
            **{f"in.{name}": value for name, value in one.items()},
            **{f"out.{name}": value for name, value in two.items()},
        }
        for one, two in itertools.islice(pairs, _MOST_ROWS)
    ]
    ins = [name for name in rows[0] if name.startswith("in.")][:MOST_COLUMNS]
    outs = [name for name in rows[0] if name.startswith("out.")][:MOST_COLUMNS]
    show_rows([*ins, *outs], rows)


def _figures(verdict: Verdict) -> Iterator[str]:
    times = verdict.times
    if verdict.rows:
        yield f"rows: {verdict.rows}" + (" (nobody gave any: see sample and --data)" if verdict.made_rows else "")
    figures = []
    if times.load is not None:
        figures.append(f"loaded in {times.load:.1f} s")
    if times.row is not None:
        figures.append(f"{times.row * 1000:.2f} ms a row after warming up")
    if times.peak is not None:
        figures.append(f"{human_size(times.peak)} at the peak")
    if figures:
        yield ", ".join(figures)
    for part in verdict.parts:
        whose = "the platform's own code" if part.by == "platform" else "an emulation"
        yield f"{part.name}: {whose} ({part.what})"
    if verdict.isolation:
        yield f"isolation: {SAYS[verdict.isolation]}"
