"""One model's process: started inside its isolation, watched, asked, and gone afterwards with all that it started."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from hatch_wallaroo.preflight.isolation import Isolation, prefixes

SCRIPT = Path(__file__).with_name("runtime") / "serve.py"
SOCKET = "s"
LARGEST_RECORD = 64 << 20
LARGEST_LOG = 1 << 20
"""Bytes of a log that are read, from its end."""

_GRACE = 3.0
"""Seconds between SIGTERM and SIGKILL."""
_SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of Linux: what a dead process leaves behind becomes ours."""
_Made = TypeVar("_Made")
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
        self._child: subprocess.Popen[bytes] | None = None
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
        adopt_orphans()
        with self.log.open("ab") as log:

            def started() -> subprocess.Popen[bytes]:
                return subprocess.Popen(  # noqa: S603 - the release's Python with our own script
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=_environment(home, self.python),
                    cwd=self.folder,
                    start_new_session=True,
                )

            self._child = by_a_lasting_thread(started)

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    @property
    def code(self) -> int | None:
        """The exit code; negative for a signal, None while it runs."""
        return self._child.poll() if self._child else None

    def wait(self, seconds: float) -> bool:
        """Wait for its end; False where it has not come within the time."""
        try:
            if self._child:
                self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def events(self) -> list[dict[str, Any]]:
        """What it recorded until now. Its code is a stranger's: anything may stand there, and is taken as it is."""
        try:
            with self.record.open("rb") as stream:
                data = stream.read(LARGEST_RECORD)
        except OSError:
            return []
        found = []
        for line in data.splitlines():
            with contextlib.suppress(ValueError, RecursionError):
                made = json.loads(line)
                if isinstance(made, dict) and isinstance(made.get("event"), str):
                    found.append(made)
        return found

    def failure(self) -> Failure | None:
        """The last exception that it recorded."""
        for each in reversed(self.events()):
            causes = each.get("causes")
            if each["event"] == "failed" and isinstance(causes, list):
                return Failure(str(each.get("phase", "")), [one for one in causes if isinstance(one, dict)])
        return None

    def log_tail(self, lines: int = 20) -> list[str]:
        """The last lines that it printed."""
        return last_lines(self.log, lines)

    def end(self) -> None:
        """SIGTERM, then SIGKILL, for it and all that it started; what left its session is looked for, too."""
        child = self._child
        if child is None:
            return
        family = descendants(child.pid)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE)
        self._child = None
        end_all([*family, *(each for each in orphans(self.folder) if each not in family)])


def _environment(home: Path, python: Path) -> dict[str, str]:
    """The server reads its settings from the environment, so nothing of the user's is passed on."""
    return {
        "HOME": str(home),
        "TMPDIR": str(home),
        "PATH": os.pathsep.join([str(python.parent), "/usr/local/bin", "/usr/bin", "/bin"]),
        "LC_ALL": "C.UTF-8",
        "LOG_LEVEL": "ERROR",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
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
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()][-lines:]


def by_a_lasting_thread(work: Callable[[], _Made]) -> _Made:
    """What `work` gives, done by a thread that lives as long as this process.

    A child that is to end with its parent ends with the *thread* that started it (PR_SET_PDEATHSIG).
    """
    if threading.current_thread() is threading.main_thread():
        return work()
    return _starter().submit(work).result()


@cache
def _starter() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "model-starter")


def adopt_orphans() -> None:
    """Have what a killed process leaves behind become ours, so that it can be found (Linux; elsewhere nothing)."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None, use_errno=True).prctl(_SUBREAPER, 1, 0, 0, 0)


def descendants(pid: int) -> list[int]:
    """All processes below one, by /proc; empty where there is none."""
    found: list[int] = []
    todo = [pid]
    while todo:
        for child in _children(todo.pop()):
            if child not in found:
                found.append(child)
                todo.append(child)
    return found


def orphans(folder: Path) -> list[int]:
    """Children of this process whose working folder or environment lies in a model's folder."""
    mine = descendants(os.getpid())
    return [each for each in mine if _belongs(each, folder)]


def _belongs(pid: int, folder: Path) -> bool:
    wanted = os.fsencode(folder)
    with contextlib.suppress(OSError):
        if os.fsencode(os.readlink(f"/proc/{pid}/cwd")).startswith(wanted):  # noqa: PTH115 - bytes of a link
            return True
        return wanted in Path(f"/proc/{pid}/environ").read_bytes()
    return False


def end_all(processes: Sequence[int]) -> None:
    for each in processes:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(each, signal.SIGKILL)
    until = time.monotonic() + _GRACE
    for each in processes:
        while time.monotonic() < until:
            try:
                done, _ = os.waitpid(each, os.WNOHANG)
            except ChildProcessError:
                break
            if done:
                break
            time.sleep(0.01)


def _children(pid: int) -> Iterator[int]:
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                yield from map(int, (thread / "children").read_text().split())
