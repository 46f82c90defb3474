"""What a publication shows while it runs: lines, one live line on a terminal, plain lines elsewhere.

How far a transfer is and how fast it goes is measured here, and put into words.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol, TextIO

from hatch_wallaroo.text import human_size, printable

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live
    from rich.table import Table
    from rich.text import Text

_WINDOW = 5.0
"""Seconds over which a speed is measured: what is shown is how fast it is now, not how fast it was."""
_APART = 0.1
_BURST = 1.0
"""Seconds at the beginning that say nothing: what fills the buffers on the way looks like a speed."""
_TOLD = 1.5
"""Seconds from which on a speed is told."""
_UNITS = ("B", "KB", "MB", "GB", "TB")


class Transfer:
    """How far a transfer is, and how fast it goes. It may go back, which begins it anew. Bytes and seconds."""

    def __init__(self, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.total = total
        self.sent = 0
        self._clock = clock
        self._begin(clock())

    def _begin(self, now: float) -> None:
        self._begun = now
        self._samples = deque([(now, 0)])
        self._complete: float | None = None

    def advance(self, sent: int, total: int) -> None:
        now = self._clock()
        if sent < self.sent:
            self._begin(now)
        if now - self._begun < _BURST:
            self._samples = deque([(now, sent)])
        elif now - self._samples[-1][0] >= _APART:
            self._samples.append((now, sent))
        self.sent, self.total = sent, total
        if self.complete and self._complete is None:
            self._complete = now

    @property
    def complete(self) -> bool:
        return self.sent >= self.total

    @property
    def percent(self) -> int:
        return 100 * self.sent // self.total if self.total else 100

    @property
    def since_complete(self) -> float:
        return self._clock() - self._complete if self._complete is not None else 0.0

    @property
    def speed(self) -> float | None:
        """Bytes a second, over the last seconds: 0 where nothing moves, None as long as nobody can tell."""
        samples, now = self._samples, self._clock()
        while len(samples) > 1 and now - samples[0][0] > _WINDOW:
            samples.popleft()
        start, before = samples[0]
        if now - self._begun < _TOLD or now <= start:
            return None
        return (self.sent - before) / (now - start) if now - samples[-1][0] <= _WINDOW else 0.0

    @property
    def left(self) -> float | None:
        """Seconds until everything is sent, at this speed; None where nobody can tell."""
        speed = self.speed
        return (self.total - self.sent) / speed if speed and speed >= 1 else None


def duration(seconds: float) -> str:
    """Seconds for a person: `0.4 s`, `12 s`, `3 min 20 s`, `1 h 5 min`."""
    if seconds < 10:  # noqa: PLR2004 - below this a tenth matters
        return f"{seconds:.1f} s"
    return ticking(round(seconds))


def ticking(seconds: float) -> str:
    """The same in whole seconds, for a time that is shown while it passes."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def a_second(speed: float | None) -> str:
    """`6.9 MB/s`; empty where it is not known."""
    return "" if speed is None else f"{human_size(int(speed))}/s"


def time_left(seconds: float | None) -> str:
    """`0:07 left`, `1:02:30 left`: its width stays the same while it ticks."""
    if seconds is None or seconds >= 360_000:  # noqa: PLR2004 - a hundred hours say nothing any more
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02} left" if hours else f"{minutes}:{rest:02} left"


def bytes_sent(transfer: Transfer) -> str:
    """`20.7/62.9 MB`, in the unit of the whole, as wide at the beginning as at the end."""
    unit = human_size(transfer.total).rpartition(" ")[2]
    whole = human_size(transfer.total).rpartition(" ")[0]
    sent = transfer.sent / 1000 ** _UNITS.index(unit)
    shown = f"{transfer.sent}" if unit == "B" else f"{sent:.1f}"
    return f"{shown:>{len(whole)}}/{whole} {unit}"


_QUIET_SECONDS = 30.0
"""How long a plain status may stay silent before it says that it is still there."""
_MARGIN = 4
"""Cells that stay free at a live line's end: what a terminal writes for Ctrl-C stays beside it, and goes with it."""
_BAR = (8, 24)
"""Cells of the shortest bar that tells something, and of the longest that is worth its room."""
_ROOM_FOR_BAR = 76
"""Cells from which on a transfer has a bar."""


class Update(Protocol):
    """Changes a status. `shorter` say the same with less, for a terminal that has no room for `text`."""

    def __call__(self, text: str, *shorter: str) -> None: ...


Advance = Callable[[int, int], None]


class Screen:
    """Where a publication speaks: lines only, as files, pipes and CI take them.

    What it is given may come from a platform: it shows no control characters.
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
        """What was asked for (a plan), as opposed to what is told on the way."""
        _print(self._out, text)

    def pause(self, text: str, seconds: float) -> None:  # noqa: ARG002 - a terminal counts them
        """A warning after which nothing happens for so many seconds, and then the same once more."""
        self.warning(text)

    @contextlib.contextmanager
    def status(self, text: str, *, brief: bool = False) -> Iterator[Update]:
        """Say that something lasts while the block runs: when it changes, and every half minute.

        The value changes the text. `brief`: it is usually over in a moment, so that the first change begins it.
        """
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
        """A transfer of `total` bytes; the value takes (sent, total), and may go back to 0.

        `then` is what is waited for when everything is sent.
        """
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


class TerminalScreen(Screen):
    """A terminal's: statuses and transfers are one live line, which rich draws on standard error."""

    def __init__(
        self,
        err: TextIO,
        out: TextIO,
        *,
        verbosity: int = 0,
        color: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Draw on `err`, which must be a terminal."""
        from rich.console import Console

        super().__init__(err, out, verbosity=verbosity, clock=clock)
        self._console: Console = Console(file=err, markup=False, emoji=False, highlight=False, no_color=not color)
        # Never hidden, so that nothing that kills or stops the process can leave it so.
        self._console.show_cursor = lambda show=True: False  # type: ignore[method-assign]  # noqa: ARG005
        self._live: Live | None = None
        self._resumes = 0.0

    def result(self, text: str) -> None:
        """Print it above the live line: standard output may be the same terminal."""
        if self._live is None:
            super().result(text)
            return
        self._live.stop()
        super().result(text)
        self._live.start(refresh=True)

    def pause(self, text: str, seconds: float) -> None:
        self._resumes = self._clock() + seconds
        self.warning(text)

    @contextlib.contextmanager
    def status(self, text: str, *, brief: bool = False) -> Iterator[Update]:  # noqa: ARG002 - it goes as it came
        texts: tuple[str, ...] = (text,)
        start = self._clock()

        def update(text: str, *shorter: str) -> None:
            nonlocal texts
            texts = (text, *shorter)

        with self._living(lambda room: status_row(texts, self._clock() - start, room)):
            yield update

    @contextlib.contextmanager
    def progress(self, text: str, total: int, then: str = "") -> Iterator[Advance]:
        transfer, start = Transfer(total, self._clock), self._clock()

        def row(room: int) -> Table:
            size = human_size(transfer.total)
            if not transfer.sent and transfer.total:
                return status_row((f"{text}: {size} to go", f"{size} to go"), self._clock() - start, room)
            if transfer.complete and then:
                texts = (f"{text}: {size} sent, {then}", f"{size} sent, {then}", then)
                return status_row(texts, transfer.since_complete, room)
            return transfer_row(text, transfer, room)

        with self._living(row):
            yield transfer.advance

    @contextlib.contextmanager
    def _living(self, row: Callable[[int], Table]) -> Iterator[None]:
        from rich.constrain import Constrain
        from rich.live import Live

        def current() -> Constrain:
            room = max(self._console.width - _MARGIN, 1)
            rest = self._resumes - self._clock()
            waiting = (f"trying again in {math.ceil(rest)} s",)
            return Constrain(row(room) if rest <= 0 else status_row(waiting, 0, room), room)

        if self._verbosity < 0:
            yield
            return
        self._live = Live(
            console=self._console,
            get_renderable=current,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        try:
            self._live.start(refresh=True)
            yield
        finally:
            self._live.stop()
            self._live = None

    def _say(self, text: str, level: int, style: str) -> None:
        from rich.text import Text

        if self._verbosity >= level:  # a style given to print would colour the live line too
            self._console.print(Text(printable(text, lines=True), style), soft_wrap=True)


def status_row(texts: Sequence[str], passed: float, room: int) -> Table:
    """The first text that has room (they say the same, the longest first), and how long it lasts already."""
    from rich.spinner import Spinner

    spent = f"({ticking(passed)})" if passed >= 1 else ""
    shown = [_name(each) for each in texts]
    within = room - len(f"* {spent} ")
    fitting = next((each for each in shown if each.cell_len <= within), shown[-1])
    return _row(Spinner("dots"), fitting, spent)


def transfer_row(text: str, transfer: Transfer, room: int) -> Table:
    """Text, bar, bytes, speed and time left; where there is no room for a bar, a percentage in its place."""
    from rich.progress_bar import ProgressBar

    speed, left, name = a_second(transfer.speed), time_left(transfer.left), _name(text)
    if room < _ROOM_FOR_BAR:
        figures = (f"{transfer.percent} %", speed, left)
        return _row(name, " " + "  ".join(each for each in figures if each))
    told = f" {bytes_sent(transfer)}  {speed:>10}  {left:>10}"
    width = min(max(room - name.cell_len - len(told) - 2, _BAR[0]), _BAR[1])
    bar = ProgressBar(transfer.total or 1, transfer.sent if transfer.total else 1, width, complete_style="cyan")
    return _row(name, bar, told)


def _row(*cells: RenderableType) -> Table:
    """Cells in a row; a text gives way to the others, and words that are figures keep their room."""
    from rich.table import Table

    row = Table.grid(padding=(0, 1))
    kept = [each for each in cells if each != ""]
    for each in kept:
        row.add_column(no_wrap=isinstance(each, str), overflow="ellipsis")
    row.add_row(*kept)
    return row


def _name(text: str) -> Text:
    from rich.text import Text

    return Text(printable(text), no_wrap=True, overflow="ellipsis")


def screen(err: TextIO, out: TextIO, *, verbosity: int = 0, color: bool = True, interactive: bool = True) -> Screen:
    """The screen that fits: a live line only where standard error is a terminal that can draw one."""
    import os

    dumb = os.environ.get("TERM", "").lower() in {"dumb", "unknown"}
    if interactive and err.isatty() and not dumb and not os.environ.get("CI"):
        return TerminalScreen(err, out, verbosity=verbosity, color=color)
    return Screen(err, out, verbosity=verbosity)


def _print(stream: TextIO, text: str) -> None:
    """Print what the stream's encoding can hold."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    shown = printable(text, lines=True).encode(encoding, "replace").decode(encoding)
    print(shown, file=stream, flush=True)
