"""What a publication shows while it runs: lines, one live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, TextIO

from hatch_wallaroo.report import human_size, printable

if TYPE_CHECKING:
    from rich.console import Console

Update = Callable[[str], None]
Advance = Callable[[int, int], None]

_QUIET_SECONDS = 30.0
"""How long a plain status may stay silent before it says that it is still there."""


class Screen(Protocol):
    """Where a publication speaks. What it is given may come from a platform: it shows no control characters."""

    def line(self, text: str) -> None: ...
    def success(self, text: str) -> None: ...
    def warning(self, text: str) -> None: ...
    def error(self, text: str) -> None: ...

    def result(self, text: str) -> None:
        """What was asked for (a plan), as opposed to what is told on the way."""

    def status(self, text: str) -> AbstractContextManager[Update]:
        """A line that lives while the block runs; the value changes its text."""

    def progress(self, text: str, total: int) -> AbstractContextManager[Advance]:
        """A transfer of `total` bytes; the value takes (sent, total), and may go back to 0."""


class PlainScreen:
    """Lines only: for files, pipes and CI. A status speaks when it changes, and every half minute.

    `verbosity` is Hatch's: below 0 no information, below -1 no warnings, below -2 no errors.
    """

    def __init__(
        self, err: TextIO, out: TextIO, *, verbosity: int = 0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Speak on `err`; results go to `out`."""
        self._err = err
        self._out = out
        self._verbosity = verbosity
        self._clock = clock

    def line(self, text: str) -> None:
        self._say(text, 0, "")

    def success(self, text: str) -> None:
        self._say(text, 0, "bold cyan")

    def warning(self, text: str) -> None:
        self._say(text, -1, "yellow")

    def error(self, text: str) -> None:
        self._say(text, -2, "bold red")

    def result(self, text: str) -> None:
        _print(self._out, text)

    @contextlib.contextmanager
    def status(self, text: str) -> Iterator[Update]:
        said, at = text, self._clock()
        self.line(text)

        def update(new: str) -> None:
            nonlocal said, at
            if _without_time(new) != _without_time(said) or self._clock() - at >= _QUIET_SECONDS:
                self.line(new)
                said, at = new, self._clock()

        yield update

    @contextlib.contextmanager
    def progress(self, text: str, total: int) -> Iterator[Advance]:
        start = at = self._clock()
        step = 0
        self.line(f"{text}: {human_size(total)}")

        def advance(sent: int, total: int) -> None:
            nonlocal step, at
            now = self._clock()
            tenth = sent * 10 // total if total else 10
            if sent < total and (tenth > step or now - at >= _QUIET_SECONDS) and now - at >= 1:
                speed = sent / (now - start) if now > start else 0.0
                left = f", {duration((total - sent) / speed)} left" if speed else ""
                self.line(f"{text}: {100 * sent // total} %, {human_size(int(speed))}/s{left}")
                at = now
            step = tenth

        yield advance

    def _say(self, text: str, level: int, style: str) -> None:  # noqa: ARG002 - a terminal's screen has styles
        if self._verbosity >= level:
            _print(self._err, text)


class TerminalScreen(PlainScreen):
    """A terminal's: statuses and transfers are one live line, drawn by rich on standard error."""

    def __init__(self, err: TextIO, out: TextIO, *, verbosity: int = 0, color: bool = True) -> None:
        """Draw on `err`, which must be a terminal."""
        from rich.console import Console

        super().__init__(err, out, verbosity=verbosity)
        self._console: Console = Console(file=err, markup=False, emoji=False, highlight=False, no_color=not color)

    @contextlib.contextmanager
    def status(self, text: str) -> Iterator[Update]:
        from rich.text import Text

        if self._verbosity < 0:
            yield lambda _: None
            return
        with self._console.status(Text(printable(text))) as status:
            yield lambda new: status.update(Text(printable(new)))

    @contextlib.contextmanager
    def progress(self, text: str, total: int) -> Iterator[Advance]:
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
        from rich.progress import TransferSpeedColumn as Speed

        label = TextColumn("{task.description}", markup=False)
        columns = (label, BarColumn(), DownloadColumn(), Speed(), TimeRemainingColumn())
        with Progress(*columns, console=self._console, transient=True, disable=self._verbosity < 0) as progress:
            task = progress.add_task(printable(text), total=total)
            yield lambda sent, total: progress.update(task, completed=sent, total=total)

    def _say(self, text: str, level: int, style: str) -> None:
        if self._verbosity >= level:
            self._console.print(printable(text, lines=True), style=style or None, soft_wrap=True)


def screen(err: TextIO, out: TextIO, *, verbosity: int = 0, color: bool = True, interactive: bool = True) -> Screen:
    """The screen that fits: a live line only where standard error is a terminal that can draw one."""
    import os

    if interactive and err.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("CI"):
        return TerminalScreen(err, out, verbosity=verbosity, color=color)
    return PlainScreen(err, out, verbosity=verbosity)


def duration(seconds: float) -> str:
    """Seconds for a person: `0.4 s`, `12 s`, `3 min 20 s`, `1 h 5 min`."""
    if seconds < 10:  # noqa: PLR2004 - below this a tenth matters
        return f"{seconds:.1f} s"
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _without_time(text: str) -> str:
    return text.rsplit(" (", 1)[0]


def _print(stream: TextIO, text: str) -> None:
    """Print what the stream's encoding can hold."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    shown = printable(text, lines=True).encode(encoding, "replace").decode(encoding)
    print(shown, file=stream, flush=True)
