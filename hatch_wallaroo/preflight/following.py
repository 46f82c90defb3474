"""A model's log, followed: its lines as they come, bounded in length and number, whatever the model prints."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from hatch_wallaroo.preflight.process import LARGEST_LOG

MOST = 200
"""Lines in a second that are shown; of the others only the number is told."""
LONGEST = 1000
"""Bytes of a line that are shown."""
_POLL = 0.2
_BLOCK = 64 << 10


class Follower:
    """Gives each line of a log to `line`, from a thread of its own; use it as a context manager.

    The file may come later, be another one, or be cut. Once it is large and all of it was shown, it is cut here: the
    processes that write to it only ever add to its end.
    """

    def __init__(self, log: Path, line: Callable[[str], None]) -> None:
        self.log, self.line = log, line
        self._at = 0
        self._file = 0
        self._rest = b""
        self._shown, self._left_out, self._second = 0, 0, 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def __enter__(self) -> Follower:  # noqa: PYI034 - `Self` is younger than Python 3.10
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Show what has come until now, and stop."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # nobody reads any more: a closed stream
            while not self._ended.wait(_POLL):
                self.look()
            self.look()
            if self._rest:
                self._tell(self._rest)
            self._counted()

    def look(self) -> None:
        """Show what has come since the last time."""
        if time.monotonic() - self._second >= 1:
            self._counted()
        try:
            stream = self.log.open("rb")
        except FileNotFoundError:
            return
        with stream:
            status = os.fstat(stream.fileno())
            if status.st_ino != self._file or status.st_size < self._at:
                self._file, self._at, self._rest = status.st_ino, 0, b""
            stream.seek(self._at)
            while block := stream.read(_BLOCK):
                self._at += len(block)
                *lines, self._rest = (self._rest + block).split(b"\n")
                self._rest = self._rest[: 2 * LONGEST]  # a line without an end
                for each in lines:
                    self._tell(each)
            if self._at > LARGEST_LOG:
                self._cut()

    def _tell(self, line: bytes) -> None:
        text = line[:LONGEST].decode("utf-8", "replace").strip("\r")
        if not text.strip():
            return
        if self._shown >= MOST:
            self._left_out += 1
            return
        self._shown += 1
        self.line(text)

    def _counted(self) -> None:
        """A second is over: say how many lines of it were not shown."""
        left_out, self._shown, self._left_out, self._second = self._left_out, 0, 0, time.monotonic()
        if left_out:
            self.line(f"({left_out:,} more lines)")

    def _cut(self) -> None:
        with contextlib.suppress(OSError):
            if self.log.stat().st_size == self._at:
                _empty(self.log)
                self._at = 0


def _empty(path: Path) -> None:
    """Empty the file; a model may have put a link in its place, which is not followed. Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)
