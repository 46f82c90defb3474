"""Processes of this machine that know of a folder or a word: what a run must not leave behind (Linux)."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path


def processes(word: str) -> dict[int, str]:
    """Their command lines by process id, but our own: a word in those, in the environment or in the working folder."""
    found = {}
    for each in Path("/proc").iterdir():
        if not each.name.isdecimal() or int(each.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            command = (each / "cmdline").read_text(errors="replace").replace("\0", " ")
            if word in command + (each / "environ").read_text(errors="replace") + str((each / "cwd").readlink()):
                found[int(each.name)] = command
    return found


def until(condition: Callable[[], bool], seconds: float = 10) -> bool:
    """Wait for a condition; whether it came true in time."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()
