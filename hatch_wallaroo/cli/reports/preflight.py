"""For a person: a verdict in one line, the rows as the platform shows them, the findings, and the figures."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from hatch_wallaroo.console import say, show_table
from hatch_wallaroo.preflight.compare import short
from hatch_wallaroo.preflight.isolation import SAYS
from hatch_wallaroo.preflight.verdict import Verdict
from hatch_wallaroo.report import render
from hatch_wallaroo.text import colored, human_size, one_line

_MOST_ROWS = 5
_MOST_COLUMNS = 8
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
    asked, answered = list(verdict.asked), list(verdict.answered)
    ins = list(asked[0] if asked else ())[:_MOST_COLUMNS]
    outs = list(answered[0])[:_MOST_COLUMNS]
    headers = [*(f"in.{name}" for name in ins), *(f"out.{name}" for name in outs)]
    rows = []
    for number in range(min(_MOST_ROWS, max(len(asked), len(answered)))):
        one = asked[number] if number < len(asked) else {}
        two = answered[number] if number < len(answered) else {}
        rows.append([*(short(one.get(name)) for name in ins), *(short(two.get(name)) for name in outs)])
    show_table(headers, rows)


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
        yield f"isolation: {SAYS[verdict.isolation]}"  # type: ignore[index]  # one of its kinds
