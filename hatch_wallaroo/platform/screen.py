"""What a publication shows while it runs: lines, one live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, TextIO

from hatch_wallaroo.platform.lines import ASCII, Glyphs, Parts, Transfer, a_second, duration, progress_line, status_line
from hatch_wallaroo.text import human_size, printable

if TYPE_CHECKING:
    from rich.console import Console

    from hatch_wallaroo.platform.live_line import LiveLine

_QUIET_SECONDS = 30.0
"""How long a plain status may stay silent before it says that it is still there."""


class Update(Protocol):
    """Changes a status. `shorter` say the same with less, for a terminal that has no room for `text`."""

    def __call__(self, text: str, *shorter: str) -> None: ...


Advance = Callable[[int, int], None]


class Screen(Protocol):
    """Where a publication speaks. What it is given may come from a platform: it shows no control characters."""

    def line(self, text: str) -> None: ...
    def success(self, text: str) -> None: ...
    def warning(self, text: str) -> None: ...
    def error(self, text: str) -> None: ...

    def result(self, text: str) -> None:
        """What was asked for (a plan), as opposed to what is told on the way."""

    def pause(self, text: str, seconds: float) -> None:
        """A warning after which nothing happens for so many seconds, and then the same once more."""

    def status(self, text: str, *, brief: bool = False) -> AbstractContextManager[Update]:
        """A line that lives while the block runs, and says how long that is; the value changes its text.

        `brief`: it is usually over in a moment, so that plain lines begin with the first change.
        """

    def progress(self, text: str, total: int, then: str = "") -> AbstractContextManager[Advance]:
        """A transfer of `total` bytes; the value takes (sent, total), and may go back to 0.

        `then` is what is waited for when everything is sent.
        """


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

    def pause(self, text: str, seconds: float) -> None:  # noqa: ARG002 - a terminal counts them
        self.warning(text)

    @contextlib.contextmanager
    def status(self, text: str, *, brief: bool = False) -> Iterator[Update]:
        said, start = text, self._clock()
        at = start
        if not brief:
            self.line(text)

        def update(text: str, *shorter: str) -> None:  # noqa: ARG001 - a terminal may have less room
            nonlocal said, at
            now = self._clock()
            if text != said or now - at >= _QUIET_SECONDS:
                self.line(f"{text} ({duration(now - start)})" if now - start >= 1 else text)
                said, at = text, now

        yield update

    @contextlib.contextmanager
    def progress(self, text: str, total: int, then: str = "") -> Iterator[Advance]:
        transfer, at, step, waiting = Transfer(total, self._clock), self._clock(), 0, False
        self.line(f"{text}: {human_size(total)}")

        def advance(sent: int, total: int) -> None:
            nonlocal at, step, waiting
            transfer.advance(sent, total)
            now, tenth = self._clock(), transfer.percent // 10
            if transfer.complete:
                if then and not waiting and now - at >= 1:
                    self.line(f"{text}: sent; {then}")
                waiting = True
                return
            if (tenth > step or now - at >= _QUIET_SECONDS) and now - at >= 1:
                left = f"{duration(transfer.left)} left" if transfer.left is not None else ""
                figures = (f"{transfer.percent} %", a_second(transfer.speed), left)
                self.line(f"{text}: {', '.join(each for each in figures if each)}")
                at = now
            step, waiting = tenth, False

        yield advance

    def _say(self, text: str, level: int, style: str) -> None:  # noqa: ARG002 - a terminal's screen has styles
        if self._verbosity >= level:
            _print(self._err, text)


class TerminalScreen(PlainScreen):
    """A terminal's: statuses and transfers are one live line, drawn on standard error."""

    def __init__(
        self,
        err: TextIO,
        out: TextIO,
        *,
        verbosity: int = 0,
        color: bool = True,
        reflows: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Draw on `err`, which must be a terminal. `reflows`: it breaks lines anew when it becomes narrower."""
        from rich.console import Console

        super().__init__(err, out, verbosity=verbosity, clock=clock)
        self._console: Console = Console(file=err, markup=False, emoji=False, highlight=False, no_color=not color)
        self._glyphs = Glyphs() if self._console.encoding.startswith("utf") else ASCII
        self._reflows = reflows
        self._live: LiveLine | None = None
        self._resumes = 0.0

    def result(self, text: str) -> None:
        self._above(lambda: _print(self._out, text))

    def pause(self, text: str, seconds: float) -> None:
        self._resumes = self._clock() + seconds
        self.warning(text)

    @contextlib.contextmanager
    def status(self, text: str, *, brief: bool = False) -> Iterator[Update]:  # noqa: ARG002 - it goes as it came
        texts: tuple[str, ...] = (printable(text),)
        start = self._clock()

        def update(text: str, *shorter: str) -> None:
            nonlocal texts
            texts = tuple(printable(each) for each in (text, *shorter))

        with self._living(lambda room: status_line(texts, self._clock() - start, room, self._glyphs)):
            yield update

    @contextlib.contextmanager
    def progress(self, text: str, total: int, then: str = "") -> Iterator[Advance]:
        transfer, shown, start = Transfer(total, self._clock), printable(text), self._clock()

        def line(room: int) -> Parts:
            size, passed = human_size(transfer.total), self._clock() - start
            if not transfer.sent and transfer.total:
                return status_line((f"{shown}: {size} to go", f"{size} to go"), passed, room, self._glyphs)
            if transfer.complete and then:
                texts = (f"{shown}: {size} sent, {then}", f"{size} sent, {then}", then)
                return status_line(texts, transfer.since_complete, room, self._glyphs)
            return progress_line(shown, transfer, room, self._glyphs)

        with self._living(line):
            yield transfer.advance

    @contextlib.contextmanager
    def _living(self, line: Callable[[int], Parts]) -> Iterator[None]:
        from hatch_wallaroo.platform.live_line import LiveLine

        def current(room: int) -> Parts:
            rest = self._resumes - self._clock()
            if rest <= 0:
                return line(room)
            return status_line((f"trying again in {math.ceil(rest)} s",), -rest % 1, room, self._glyphs)

        if self._verbosity < 0:
            yield
            return
        live = self._live = LiveLine(self._console, current, reflows=self._reflows)
        try:
            live.start()
            yield
        finally:
            self._live = None
            live.stop()

    def _say(self, text: str, level: int, style: str) -> None:
        if self._verbosity >= level:
            shown = printable(text, lines=True)
            self._above(lambda: self._console.print(shown, style=style or None, soft_wrap=True))

    def _above(self, show: Callable[[], None]) -> None:
        if self._live is None:
            show()
        else:
            self._live.above(show)


def screen(err: TextIO, out: TextIO, *, verbosity: int = 0, color: bool = True, interactive: bool = True) -> Screen:
    """The screen that fits: a live line only where standard error is a terminal that can draw one."""
    import os

    dumb = os.environ.get("TERM", "").lower() in {"dumb", "unknown"}
    if interactive and err.isatty() and not dumb and not os.environ.get("CI"):
        return TerminalScreen(err, out, verbosity=verbosity, color=color, reflows="TMUX" in os.environ)
    return PlainScreen(err, out, verbosity=verbosity)


def _print(stream: TextIO, text: str) -> None:
    """Print what the stream's encoding can hold."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    shown = printable(text, lines=True).encode(encoding, "replace").decode(encoding)
    print(shown, file=stream, flush=True)
