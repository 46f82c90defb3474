"""The live line of a terminal: drawn again and again in its place, and gone in the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from hatch_wallaroo.platform.lines import Parts

if TYPE_CHECKING:
    from rich.console import Console

_MARGIN = 4
"""Cells that stay free at the line's end."""
_PAUSE = 1 / 8
_SETTLED = 0.3
"""Seconds after which a window that is being resized is taken to have its new width."""


class LiveLine:
    """One line at the end of a terminal, drawn anew until the block ends.

    It is overwritten, not erased first, so that it does not flicker. It stays a little shorter than the terminal is
    wide: what a terminal writes for Ctrl-C then stays beside it, and goes with it. The cursor is never hidden, so
    nothing that ends or stops the process can leave it so.
    """

    def __init__(self, console: Console, line: Callable[[int], Parts], *, reflows: bool) -> None:
        """Draw what `line` makes of the room that there is, in cells; see TerminalScreen for `reflows`."""
        self._console = console
        self._line = line
        self._reflows = reflows
        self._columns = console.width
        self._resized = 0.0
        self._drawn = 0
        self._lock = threading.RLock()
        self._done = threading.Event()

    def start(self) -> None:
        self._draw()
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        self._done.set()
        with self._lock, self._console:
            self._erase()

    def above(self, show: Callable[[], None]) -> None:
        """Print something that stays, above the line."""
        with self._lock, self._console:
            self._erase()
            show()
            self._draw()

    def _run(self) -> None:
        while not self._done.wait(_PAUSE):
            with self._lock:
                if not self._done.is_set():
                    self._draw()

    def _draw(self) -> None:
        from rich.text import Text

        columns, now = self._console.width, time.monotonic()
        if columns != self._columns:
            self._columns, self._resized = columns, now
        if now - self._resized < _SETTLED:
            return
        parts = self._line(max(columns - _MARGIN, 1))
        text = Text.assemble(parts.before, (parts.done, "cyan"), (parts.rest, "dim"), parts.after)
        with self._lock, self._console:
            self._back()
            self._console.print(text, end="", soft_wrap=True)
            self._erase_rest()
        self._drawn = text.cell_len

    def _erase(self) -> None:
        self._back()
        self._erase_rest()
        self._drawn = 0

    def _back(self) -> None:
        """To the line's beginning; where the terminal has broken it into several rows, the lower ones go."""
        from rich.control import Control
        from rich.segment import ControlType

        rows = (self._drawn - 1) // self._console.width if self._reflows and self._drawn else 0
        up = ((ControlType.ERASE_IN_LINE, 2), (ControlType.CURSOR_UP, 1)) * rows
        self._console.control(Control(*up, ControlType.CARRIAGE_RETURN))

    def _erase_rest(self) -> None:
        from rich.control import Control
        from rich.segment import ControlType

        self._console.control(Control((ControlType.ERASE_IN_LINE, 0)))
