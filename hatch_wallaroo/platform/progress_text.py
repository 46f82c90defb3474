"""How far a transfer is and how fast it goes, and the words for times, bytes and speeds."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from hatch_wallaroo.text import human_size

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
