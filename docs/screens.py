"""What a command leaves on a terminal: it runs on a pseudo terminal, and pyte draws what it prints.

The tutorial is tested with it, and the pictures are made with it: a live line, a colour, a table's columns are there
because the command printed them to a terminal, and for no other reason.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pyte
from pyte.graphics import FG_AIXTERM, FG_ANSI
from rich.color import Color
from rich.style import Style
from rich.text import Text

_ROWS = 1000
"""More than any command here prints: nothing scrolls away."""
_LONGEST = 600.0
"""Seconds after which a command counts as hung."""

_FIRST_CODES = {**{name: code - 30 for code, name in FG_ANSI.items()}, **{n: c - 82 for c, n in FG_AIXTERM.items()}}
_COLORS = {name: Color.from_ansi(number) for name, number in _FIRST_CODES.items() if name != "default"}

_OTHERS = (
    *("CI", "COLUMNS", "COV_", "FORCE_COLOR", "GITHUB_", "GIT_", "HATCH_", "LANG", "LC_", "LINES", "NO_COLOR"),
    "PIP_BUILD_TRACKER",
    *("PYTEST", "PYTHON", "SOURCE_DATE_EPOCH", "VIRTUAL_ENV", "WALLAROO_", "XDG_"),
)
"""How the variables begin that would make a command say something else here than elsewhere."""

_CHANGES: tuple[tuple[str, str], ...] = (
    (r"─{3,}", "───"),  # rules, as wide as the program that draws them takes the terminal for
    (r"\b\d+\.\d+ ?s\b", "TIME"),
    (r"(?<=http://127\.0\.0\.1:)\d+", "PORT"),
    (r"\b\d{4}-\d\d-\d\d \d\d:\d\d\b", "DATE"),
    (r"(?<=hatch-wallaroo )\d[\w.+]*|(?<=hatch-wallaroo>=)\d[\w.+]*", "VERSION"),
)
"""What is another one in each run, or at least in each release."""


@dataclass(frozen=True)
class Answer:
    """What a person types once the line of the cursor ends with `prompt`."""

    prompt: str
    text: str


@dataclass(frozen=True)
class Screen:
    """How a command ended, and the rows that it left, in their colours."""

    code: int
    rows: tuple[Text, ...]

    @property
    def lines(self) -> list[str]:
        return [row.plain.rstrip() for row in self.rows]


def run(
    command: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    columns: int,
    answers: Sequence[Answer] = (),
) -> Screen:
    """Run a command to its end on a terminal of so many columns, typing the answers as they are asked for."""
    screen = pyte.Screen(columns, _ROWS)
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, columns, 0, 0))
    try:
        with subprocess.Popen(
            list(command),
            cwd=cwd,
            env={**environment, "TERM": "xterm-256color"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        ) as process:
            os.close(slave)
            try:
                _draw(master, screen, list(answers))
                code = process.wait(_LONGEST)
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise
    finally:
        os.close(master)
    return Screen(code, _rows(screen))


def newcomer(home: Path, wheels: Path) -> dict[str, str]:
    """The variables of somebody who has just come: an empty home, and no say in how things are done.

    pip and uv find this project in `wheels`, and the rest where they find it for whoever runs this.
    """
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(_OTHERS)}
    links = [str(wheels), *os.environ.get("PIP_FIND_LINKS", "").split()]
    return {
        **inherited,
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PIP_FIND_LINKS": " ".join(links),
        "UV_FIND_LINKS": ",".join(links),
        "UV_PYTHON_DOWNLOADS": "never",
    }


def settled(text: str) -> str:
    """The text with what is another one in each run put into words, so that two runs can be compared."""
    for pattern, word in _CHANGES:
        text = re.sub(pattern, word, text)
    return text


def _draw(master: int, screen: pyte.Screen, answers: list[Answer]) -> None:
    stream = pyte.ByteStream(screen)
    end = time.monotonic() + _LONGEST
    while time.monotonic() < end:
        if not select.select([master], [], [], 0.1)[0]:
            continue
        try:
            data = os.read(master, 1 << 16)
        except OSError:  # Linux says so when the last process has closed the terminal
            return
        if not data:
            return
        stream.feed(data)
        if answers and screen.display[screen.cursor.y].rstrip().endswith(answers[0].prompt):
            os.write(master, f"{answers.pop(0).text}\n".encode())
    shown = "\n".join(row.rstrip() for row in screen.display).rstrip()
    raise TimeoutError(f"the command has not ended after {_LONGEST:g} s; so far:\n{shown}")


def _rows(screen: pyte.Screen) -> tuple[Text, ...]:
    filled = [number for number, row in enumerate(screen.display) if row.strip()]
    return tuple(_row(screen, number) for number in range(filled[-1] + 1 if filled else 0))


def _row(screen: pyte.Screen, number: int) -> Text:
    row = screen.buffer[number]
    text = Text()
    for style, columns in groupby(range(screen.columns), lambda column: _style(row[column])):
        text.append("".join(row[column].data for column in columns), style)
    text.rstrip()
    return text


def _style(drawn: pyte.screens.Char) -> Style:
    return Style(color=_COLORS.get(drawn.fg), bold=drawn.bold or None, reverse=drawn.reverse or None)
