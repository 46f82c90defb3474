"""How fast a model answers on this machine: batches of several sizes, and how much of the time is the model's own."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from hatch_wallaroo.preflight.serving import Served

LARGEST = 256 << 20
"""Bytes of a batch."""
_WARM = 3
"""Calls before any is timed: the first loads what is imported late."""
_CALLS = 2000


@dataclass(frozen=True)
class Measured:
    """Calls with batches of one size: the seconds of each, way there and back included, and the model's own of them.

    `own` is empty where it is not known which call took how long.
    """

    rows: int
    seconds: tuple[float, ...]
    own: tuple[float, ...] = ()

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def fastest(self) -> float:
        return min(self.seconds)

    @property
    def p95(self) -> float:
        """The time that 95 of 100 calls do not exceed."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, -(-len(ordered) * 95 // 100) - 1)]

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.median if self.median else 0.0

    @property
    def own_median(self) -> float | None:
        return statistics.median(self.own) if self.own else None

    @property
    def overhead(self) -> float | None:
        """The runtime's part of a call: turning columns, sending, casting. None where it is not known."""
        if not self.own:
            return None
        return max(0.0, statistics.median(all_ - own for all_, own in zip(self.seconds, self.own, strict=True)))


@dataclass(frozen=True)
class LeftOut:
    """A size that was not measured, and why."""

    rows: int
    reason: str


def bench(
    served: Served,
    batch: pa.RecordBatch,
    sizes: Sequence[int],
    seconds: float,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[list[Measured], list[LeftOut]]:
    """Ask a model with its rows again and again, batches of each size, in about so many seconds. Raises ModelError.

    Each size has an equal part of the time that is left. One whose first call would not end in time, as the last size
    took, is left out.
    """
    until = time.monotonic() + seconds
    measured: list[Measured] = []
    left_out: list[LeftOut] = []
    for _ in range(_WARM):
        served.ask(batch.slice(0, 1))
        if time.monotonic() > until:
            break
    for number, rows in enumerate(sizes):
        reason = _too_much(batch, rows, measured, until - time.monotonic())
        if reason:
            left_out.append(LeftOut(rows, reason))
            continue
        say(f"{rows:,} row{'' if rows == 1 else 's'} a call")
        part = (until - time.monotonic()) / (len(sizes) - number)
        measured.append(_calls(served, repeated(batch, rows), time.monotonic() + part))
    return measured, left_out


def _too_much(batch: pa.RecordBatch, rows: int, before: Sequence[Measured], left: float) -> str:
    """Why a size is not measured; empty where it is."""
    size = batch.nbytes / batch.num_rows * rows
    if size > LARGEST:
        return f"a batch would have {size / (1 << 20):,.0f} MiB"
    if not before:
        return ""
    if left <= 0:
        return "the time was over"
    # Once to warm up, once to be timed, at the most that the rows before took each.
    likely = 2 * before[-1].median * rows / before[-1].rows
    return f"about {likely:.0f} s would be needed" if likely > max(left, 0.1) * 2 else ""


def _calls(served: Served, batch: pa.RecordBatch, until: float) -> Measured:
    served.ask(batch)
    served.forget_calls()
    seconds: list[float] = []
    while len(seconds) < _CALLS and (time.monotonic() < until or not seconds):
        seconds.append(served.ask(batch).seconds)
    own = served.calls()
    return Measured(batch.num_rows, tuple(seconds), tuple(own) if len(own) == len(seconds) else ())


def repeated(batch: pa.RecordBatch, rows: int) -> pa.RecordBatch:
    """The first so many rows of a batch that begins again at its end."""
    import pyarrow as pa

    if rows <= batch.num_rows:
        return batch.slice(0, rows)
    return batch.take(pa.array([number % batch.num_rows for number in range(rows)]))
