"""One model's process: started inside its isolation, watched, asked, and gone afterwards with all that it started."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from hatch_wallaroo.preflight.isolation import Isolation, prefixes

SCRIPT = Path(__file__).with_name("runtime") / "serve.py"
GUARD = SCRIPT.with_name("guard.py")
SOCKET = "s"
LARGEST_RECORD = 64 << 20
LARGEST_LOG = 1 << 20
"""Bytes of a log that are read, from its end."""

_GRACE = 3.0
"""Seconds between SIGTERM and SIGKILL."""
_LONGEST = 20.0
"""Seconds for its guard to end."""
_LONGEST_SOCKET = 100
"""Bytes of a Unix socket's path; the system's limit is 108, 104 on macOS."""


@dataclass(frozen=True)
class Limits:
    """Seconds to start and to answer, bytes of memory (address space) and of each file that is written."""

    start: float = 120.0
    call: float = 60.0
    memory: int = 8 << 30
    file: int = 2 << 30


@dataclass
class Failure:
    """What an event of the record tells of an exception: the phase, and its causes from the outermost in."""

    phase: str
    causes: Sequence[Mapping[str, Any]] = field(default_factory=tuple)


class ModelProcess:
    """A running `serve.py`. Use it as a context manager: at its end nothing of it is left.

    `folder` is private to this process: the job, the socket and the model are below it. What it prints is added to
    `log`, which is below it, too, where none is named.
    """

    def __init__(
        self, python: Path, folder: Path, isolation: Isolation, limits: Limits, log: Path | None = None
    ) -> None:
        self.python, self.folder, self.isolation, self.limits = python, folder, isolation, limits
        self.socket = folder / SOCKET
        self.record = folder / "record.jsonl"
        self.log = log or folder / "log.txt"
        self._guard: subprocess.Popen[bytes] | None = None
        self._files: dict[Path, BinaryIO] = {}
        if len(os.fsencode(self.socket)) > _LONGEST_SOCKET:
            raise OSError(f"the temporary folder's path is too long for a socket: {folder}")

    def __enter__(self) -> ModelProcess:  # noqa: PYI034 - `Self` is younger than Python 3.10
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def start(self, job: Mapping[str, Any]) -> None:
        """Write the job and start its process; returns at once."""
        path = self.folder / "job.json"
        path.write_text(json.dumps({**job, "limits": vars(self.limits)}), encoding="utf-8")
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        runtime = SCRIPT.parent
        command = self.isolation.wrapped(
            [str(self.python), "-B", str(SCRIPT), str(path)], self.folder, [*prefixes(self.python), runtime]
        )
        # Opened before the model can put something else in their places.
        for name in (self.record, self.log):
            self._files[name] = name.open("ab+")
        log = self._files[self.log]
        self._guard = subprocess.Popen(  # noqa: S603 - our own script, and the release's Python with another one
            [sys.executable, "-I", "-S", str(GUARD), str(_GRACE), *command],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=_environment(home, self.python),
            cwd=self.folder,
            start_new_session=True,
        )

    @property
    def running(self) -> bool:
        return self._guard is not None and self._guard.poll() is None

    @property
    def code(self) -> int | None:
        """The exit code, 128 and its number for a signal; None while it runs."""
        return self._guard.poll() if self._guard else None

    def wait(self, seconds: float) -> bool:
        """Wait for its end; False where it has not come within the time."""
        try:
            if self._guard:
                self._guard.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def events(self) -> list[dict[str, Any]]:
        """What it recorded until now. Its code is a stranger's: anything may stand there, and is taken as it is."""
        found = []
        for line in self._read(self.record, LARGEST_RECORD).splitlines():
            with contextlib.suppress(ValueError, RecursionError):
                made = json.loads(line)
                if isinstance(made, dict) and isinstance(made.get("event"), str):
                    found.append(made)
        return found

    def forget(self, beyond: int = 0) -> None:
        """Drop what it recorded until now, where that is more than so many bytes."""
        with contextlib.suppress(KeyError, OSError, ValueError):
            descriptor = self._files[self.record].fileno()
            if os.fstat(descriptor).st_size > beyond:
                os.ftruncate(descriptor, 0)

    def failure(self) -> Failure | None:
        """The last exception that it recorded."""
        for each in reversed(self.events()):
            causes = each.get("causes")
            if each["event"] == "failed" and isinstance(causes, list):
                return Failure(str(each.get("phase", "")), [one for one in causes if isinstance(one, dict)])
        return None

    def last_call(self) -> Mapping[str, Any] | None:
        """What it recorded of its last prediction that came to an end."""
        return next((each for each in reversed(self.events()) if each["event"] == "call"), None)

    def log_text(self) -> str:
        """The end of what it printed."""
        return self._read(self.log, LARGEST_LOG).decode("utf-8", "replace")

    def log_tail(self, lines: int = 20) -> list[str]:
        """The last lines that it printed."""
        return _lines(self._read(self.log, LARGEST_LOG))[-lines:]

    def _read(self, path: Path, most: int) -> bytes:
        """The end of a file that it writes."""
        try:
            descriptor = self._files[path].fileno()
            return os.pread(descriptor, most, max(0, os.fstat(descriptor).st_size - most))
        except (KeyError, OSError, ValueError):  # the last where it was closed
            return b""

    def end(self) -> None:
        """SIGTERM, then SIGKILL, for it and all that it started; what it recorded cannot be read any more."""
        guard = self._guard
        if guard is None:
            return
        if guard.stdin:
            guard.stdin.close()
        try:
            guard.wait(_LONGEST)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(guard.pid, signal.SIGKILL)
        for each in self._files.values():
            each.close()


def _environment(home: Path, python: Path) -> dict[str, str]:
    """The server reads its settings from the environment, so nothing of the user's is passed on."""
    return {
        "HOME": str(home),
        "TMPDIR": str(home),
        "PATH": os.pathsep.join([str(python.parent), "/usr/local/bin", "/usr/bin", "/bin"]),
        "LC_ALL": "C.UTF-8",
        "LOG_LEVEL": "ERROR",
        "COLUMNS": "200",  # of the platform's log, which is broken into lines of 80 without it
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "PYTHONUNBUFFERED": "1",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
    }


def last_lines(log: Path, lines: int) -> list[str]:
    """The last lines of a file that say something; none where it is not there."""
    try:
        with log.open("rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - LARGEST_LOG))
            return _lines(stream.read())[-lines:]
    except OSError:
        return []


def _lines(printed: bytes) -> list[str]:
    return [line.rstrip() for line in printed.decode("utf-8", "replace").splitlines() if line.strip()]
