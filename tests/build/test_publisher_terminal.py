"""`hatch publish -p wallaroo` on a pseudo terminal: what a person sees while it runs, and what is left in the end.

The sandbox stands behind a slow line, which becomes a fast one as soon as the test has seen what it waits for.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import select
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from support.fronts import FrontEnds
from support.packages import write_package
from support.sandboxes import Sandbox, running

pytestmark = pytest.mark.slow

pty = pytest.importorskip("pty")
fcntl = pytest.importorskip("fcntl")
termios = pytest.importorskip("termios")

MB = 1_000_000
LONGEST = 120.0
"""Seconds after which what a test waits for does not come any more."""
SPEED = re.compile(r"\d+\.\d/\d+\.\d MB +\d+\.\d MB/s +\d:\d\d left")

LAUNCHER = """
import fcntl, os, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, signal.SIG_IGN)
pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ, setsigdef=[signal.SIGINT])
_, status, usage = os.wait4(pid, 0)
with open(sys.argv[1], "w") as stream:
    print(os.waitstatus_to_exitcode(status), usage.ru_maxrss, file=stream)
"""
"""Makes the pseudo terminal the process's own, so that Ctrl-C reaches it, and measures from a small process."""


class Terminal:
    """A process on a pseudo terminal; what it draws is interpreted as far as it needs.

    `rows` is what stands on the (endless) screen, `raw` all that was written, `lines` every state of the last row.
    """

    def __init__(self, command: list[str], columns: int, measured: Path, **options: object) -> None:
        self.columns, self._measured = columns, measured
        self.raw, self.rows, self.lines = "", [""], []
        self._row = self._column = 0
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        launcher = [sys.executable, "-I", "-S", "-c", LAUNCHER, str(measured)]
        self.process = subprocess.Popen(
            [*launcher, *command], stdin=slave, stdout=slave, stderr=slave, start_new_session=True, **options
        )
        os.close(slave)

    def read(self) -> bool:
        """Take what has come; False when nothing comes any more."""
        if not select.select([self._master], [], [], 0.05)[0]:
            return True
        try:
            data = os.read(self._master, 1 << 16)
        except OSError:
            return False
        self._interpret(data.decode(errors="replace"))
        return bool(data)

    def until(self, seen: Callable[[], object]) -> None:
        end = time.monotonic() + LONGEST
        while not seen():
            assert self.read(), self.raw
            assert time.monotonic() < end, self.raw

    def sees(self, pattern: str | re.Pattern[str]) -> None:
        """Wait until a row looked like this."""
        self.until(lambda: any(re.search(pattern, line) for line in [*self.lines, *self.rows]))

    def type(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def end(self) -> int:
        """Read to the end; the exit code."""
        end = time.monotonic() + LONGEST
        while self.read():
            assert time.monotonic() < end, self.raw
        self.process.wait(LONGEST)
        return int(self._measured.read_text().split()[0])

    @property
    def peak(self) -> float:
        """Megabytes at most, of the command and what it has started."""
        unit = 1 if sys.platform == "darwin" else 1024
        return int(self._measured.read_text().split()[1]) * unit / 1e6

    @property
    def screen(self) -> list[str]:
        return [row.rstrip() for row in self.rows if row.strip()]

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        os.close(self._master)
        self.process.wait()

    def _interpret(self, text: str) -> None:
        self.raw += text
        for piece in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|[\r\n]|[^\x1b\r\n]+|\x1b", text):
            if piece == "\r":
                self._note()
                self._column = 0
            elif piece == "\n":
                self._note()
                self._row += 1
                self.rows += [""] * (self._row + 1 - len(self.rows))
            elif piece in {"\x1b[K", "\x1b[0K"}:
                self.rows[self._row] = self.rows[self._row][: self._column]
            elif piece == "\x1b[2K":
                self.rows[self._row] = ""
            elif piece == "\x1b[1A":
                self._row -= 1
            elif piece.startswith("\x1b["):
                assert piece.endswith("m"), f"{piece!r} is for a terminal that can do more than this one"
            else:
                row = self.rows[self._row].ljust(self._column)
                self.rows[self._row] = row[: self._column] + piece + row[self._column + len(piece) :]
                self._column += len(piece)

    def _note(self) -> None:
        self.lines.append(self.rows[self._row])


class Line:
    """A connection to a sandbox whose way up is slow (2 MB/s) until it is told otherwise."""

    _PIECE = 1 << 15

    def __init__(self, target: str) -> None:
        host, _, port = target.partition(":")
        self._target = (host, int(port))
        self._fast = threading.Event()
        self._open: list[socket.socket] = []
        self._listening = socket.socket()
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        self._listening.bind(("127.0.0.1", 0))
        self._listening.listen()
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._threads = [self._start(self._accept)]

    def faster(self) -> None:
        self._fast.set()

    def close(self) -> None:
        self._fast.set()
        for each in (self._listening, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for each in self._threads:
            each.join(LONGEST)
        for each in (self._listening, *self._open):
            each.close()

    def _start(self, run: Callable[..., None], *arguments: object) -> threading.Thread:
        thread = threading.Thread(target=run, args=arguments, daemon=True)
        thread.start()
        return thread

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                self._open.append(near)
                far = socket.create_connection(self._target)
                self._open.append(far)
                self._threads += [self._start(self._copy, near, far, 0.016), self._start(self._copy, far, near)]

    def _copy(self, source: socket.socket, sink: socket.socket, pause: float = 0) -> None:
        with suppress(OSError):
            while data := source.recv(self._PIECE):
                sink.sendall(data)
                if len(data) == self._PIECE:
                    self._fast.wait(pause)
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox") / "state", "2023.2.1", pace=0.6) as made:
        made.workspace("my-ws")
        yield made


@pytest.fixture
def line(sandbox: Sandbox) -> Iterator[Line]:
    made = Line(urlsplit(sandbox.url).netloc)
    yield made
    made.close()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    table = '[tool.hatch.publish.wallaroo]\nworkspace = "my-ws"\npoll = 0.2\n'
    (root / "pyproject.toml").write_text(f'[project]\nname = "clusters"\nversion = "1.0"\n{table}')
    return root


Open = Callable[..., Terminal]


@pytest.fixture
def publish(
    fronts: FrontEnds, beside_hatch: Path, project: Path, sandbox: Sandbox, line: Line, tmp_path: Path
) -> Iterator[Open]:
    """Start `hatch publish -p wallaroo …` on a terminal of so many columns."""
    opened: list[Terminal] = []
    ours = ("CI", "NO_COLOR", "FORCE_COLOR", "TMUX", "COLUMNS", "LINES", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
    inherited = {name: value for name, value in fronts.environment.items() if name not in ours}

    def start(*arguments: str, columns: int = 80, **environment: str) -> Terminal:
        given = {
            **inherited,
            "PYTHONPATH": str(beside_hatch),
            "HOME": str(tmp_path),
            "TERM": "xterm-256color",
            "WALLAROO_URL": line.url,
            "WALLAROO_USER": sandbox.user,
            "WALLAROO_PASSWORD": sandbox.password,
            **environment,
        }
        command = ["hatch", "publish", "-p", "wallaroo", *arguments]
        opened.append(Terminal(command, columns, tmp_path / "measured", cwd=project, env=given))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


def package(project: Path, name: str, size: int = 16 * MB, position: int = 0) -> None:
    write_package(project / "dist", name, data=os.urandom(size), position=position)


def left_behind(terminal: Terminal) -> list[str]:
    """Rows of a live line that are still there in the end."""
    return [row for row in terminal.screen if re.search(r"\bleft\b|MB/s|[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏━╸]", row)]


def test_an_upload_and_a_wait(publish: Open, project: Path, line: Line) -> None:
    package(project, "clusters")
    package(project, "second", size=10, position=1)
    terminal = publish()
    terminal.sees(SPEED)
    line.faster()
    terminal.sees(r"^. clusters: .*, is converted and loaded into a container( \(\d+ s\))?$")
    terminal.sees(r"^. clusters: \w+, .* \(1 s\)$")
    assert terminal.end() == 0, terminal.raw
    workspace, sent, also, ready, other, count = "\n".join(terminal.screen).replace("\n    ", "").splitlines()
    assert workspace.endswith("workspace my-ws (1)")
    assert sent.startswith("clusters: sent 16.0 MB, version ")
    assert also.startswith("second: sent 10 B, version ")
    assert ready.startswith("clusters 1.0: ready, version ")
    assert other.startswith("second 1.0: ready, version ")
    assert count == "2 of 2 models published"
    live = [each for each in terminal.lines if re.match(r"[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] |.*\bleft$", each)]
    assert max(map(len, live)) <= 76
    assert "\x1b[?25" not in terminal.raw, "the cursor was hidden"


def test_a_narrow_terminal(publish: Open, project: Path, line: Line) -> None:
    package(project, "a-model-of-some-name")
    terminal = publish("-o", "wait=0", columns=40)
    terminal.sees(r"^a-mo\S*  \d+ %  \d+\.\d MB/s  \d:\d\d left$")
    line.faster()
    assert terminal.end() == 0, terminal.raw
    assert left_behind(terminal) == []


@pytest.mark.parametrize("moment", ["upload", "wait"])
def test_control_c(moment: str, publish: Open, project: Path, line: Line) -> None:
    package(project, "interrupted", size=16 * MB if moment == "upload" else 10)
    terminal = publish("-o", "json=result.json")
    terminal.sees(SPEED if moment == "upload" else r"^. interrupted: version \d+: \w+")
    terminal.type(b"\x03")
    assert terminal.end() == 130, terminal.raw
    assert terminal.screen[-1] == "interrupted; publishing again sends nothing twice, and waits on"
    assert left_behind(terminal) == []
    assert len(terminal.screen) == (2 if moment == "upload" else 3)
    assert "Traceback" not in terminal.raw
    assert "\x1b[?25" not in terminal.raw, "the cursor was hidden"
    assert json.loads((project / "result.json").read_text())["interrupted"] is True


def test_an_upload_that_begins_again(publish: Open, project: Path, sandbox: Sandbox, line: Line) -> None:
    package(project, "again")
    sandbox.fault("503", value=1)
    terminal = publish("-o", "wait=0")
    terminal.sees(SPEED)
    line.faster()
    terminal.sees(r"^. trying again in 1 s$")
    terminal.sees("again: sent 16.0 MB, version ")
    assert terminal.end() == 0, terminal.raw
    told = [row for row in terminal.screen if "the platform answers 503 (Service Unavailable)" in row]
    assert len(told) == 1
    assert left_behind(terminal) == []


def test_time_goes_on_while_the_platform_thinks(publish: Open, project: Path, sandbox: Sandbox, line: Line) -> None:
    line.faster()
    package(project, "slow", size=10)
    sandbox.fault("slow", value=2.2, times=1)
    terminal = publish("-o", "wait=0")
    terminal.sees(r"\(1 s\)$")
    terminal.sees(r"\(2 s\)$")
    assert terminal.end() == 0, terminal.raw


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"CI": "1"}], ids=["dumb", "CI"])
def test_plain_lines_where_nothing_can_live(
    environment: dict[str, str], publish: Open, project: Path, line: Line
) -> None:
    line.faster()
    package(project, "plain", size=10)
    terminal = publish("-o", "wait=0", **environment)
    assert terminal.end() == 0, terminal.raw
    assert "plain: plain-1.0.onnx: 10 B" in terminal.screen
    assert "\r" not in terminal.raw.replace("\r\n", "")
    assert "\x1b[2K" not in terminal.raw


def test_no_color(publish: Open, project: Path, line: Line) -> None:
    package(project, "grey", size=8 * MB)
    terminal = publish("-o", "wait=0", NO_COLOR="1")
    terminal.sees(r"━ .*left$")
    line.faster()
    assert terminal.end() == 0, terminal.raw
    codes = {code for found in re.findall(r"\x1b\[([0-9;]*)m", terminal.raw) for code in found.split(";")}
    assert codes <= {"", "0", "1", "2"}, "colours"


def large(project: Path, size: int) -> Path:
    """A bundle that is written and hashed in pieces."""
    digest, name, part = hashlib.sha256(), "large-1.0.onnx", project / "part"
    with part.open("wb") as stream:
        for _ in range(size // MB):
            piece = os.urandom(MB)
            digest.update(piece)
            stream.write(piece)
    told = {"name": name, "size": size, "sha256": digest.hexdigest(), "profile": "stored"}
    manifest = write_package(project / "dist", "large", data=b"", file=told)
    return part.replace(manifest.with_name(name))


def test_memory_does_not_grow_with_the_bundle(publish: Open, project: Path, line: Line) -> None:
    """With the live line, and with the digest's; benchmarks/upload.py has the figures of 2 GB."""
    line.faster()
    file = large(project, 250 * MB)
    terminal = publish("-o", "wait=0")
    terminal.sees("large: comparing SHA-256")
    assert terminal.end() == 0, terminal.raw
    file.unlink()
    assert terminal.peak < 100
