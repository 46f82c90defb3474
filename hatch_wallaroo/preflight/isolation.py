"""What keeps a model apart from this machine: its own namespaces where they can be had, probed once.

`bubblewrap` gives a file system of its own, no network, and an end of all its processes with the first; `unshare` gives
the last two. Without either there are the limits, a clean environment, and the search for what a model left running.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

Kind = Literal["bubblewrap", "unshare", "none"]

SAYS: Mapping[Kind, str] = {
    "bubblewrap": "its own files, processes and no network (bubblewrap)",
    "unshare": "its own processes and no network (unshare); this machine's files are open to it",
    "none": "limits and a clean environment only; install bubblewrap for more",
}
EMPTY_BYTES = 1 << 30
"""What fits into each of the empty folders that bubblewrap makes: they lie in this machine's memory."""
_PROBE_SECONDS = 20
_KEPT = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID")
"""What root may still do inside, as in a container: with the others it could mount the machine's files again."""


class NoIsolationError(Exception):
    """The isolation that HATCH_WALLAROO_ISOLATION names cannot be had here."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"HATCH_WALLAROO_ISOLATION asks for {kind}, which does not work here")
        self.fix = f"one of {', '.join(SAYS)}; without it, the best that works is taken"


@dataclass(frozen=True)
class Isolation:
    """How a command is wrapped."""

    kind: Kind
    program: str = ""

    @property
    def says(self) -> str:
        return SAYS[self.kind]

    def wrapped(self, command: Sequence[str], work: Path, readable: Sequence[Path]) -> list[str]:
        """The command inside its namespaces: it may write below `work` alone, and read its Python and `readable`."""
        if self.kind == "bubblewrap":
            return [self.program, *_bubble(self.program, work, readable), "--", *command]
        if self.kind == "unshare":
            user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
            alone = ["--net", "--pid", "--mount-proc", "--fork", "--kill-child=KILL"]
            return [self.program, *user, *alone, "--", *command]
        return list(command)


def _bubble(program: str, work: Path, readable: Sequence[Path]) -> list[str]:
    """Read-only system folders, empty ones for what belongs to users, the model's own folder to write in."""
    wanted = ["--unshare-all", "--die-with-parent", "--new-session", "--proc", "/proc", "--dev", "/dev"]
    if os.geteuid() == 0:
        wanted += ["--cap-drop", "ALL", *(word for each in _KEPT for word in ("--cap-add", f"CAP_{each}"))]
    for folder in ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc", "/opt"):
        path = Path(folder)
        if path.is_symlink():
            wanted += ["--symlink", os.readlink(folder), folder]  # noqa: PTH115 - as it is written
        elif path.is_dir():
            wanted += ["--ro-bind", folder, folder]
    bound = ("--size", str(EMPTY_BYTES)) if _bounds(program) else ()
    for folder in ("/tmp", "/run", "/home", "/root"):  # noqa: S108 - its own
        wanted += [*bound, "--tmpfs", folder]
    for each in readable:
        wanted += ["--ro-bind", str(each), str(each)]
    return [*wanted, "--bind", str(work), str(work), "--chdir", str(work)]


@lru_cache
def _bounds(program: str) -> bool:
    """Whether this bubblewrap takes a size for its empty folders (0.7 and later)."""
    try:
        done = subprocess.run(  # noqa: S603 - bubblewrap with our own argument
            [program, "--help"], capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return "--size" in done.stdout + done.stderr


def probe(python: Path) -> Isolation:
    """The best isolation that this Python runs in; HATCH_WALLAROO_ISOLATION names one to take instead.

    Raises NoIsolationError where that one does not work.
    """
    return _probed(python, os.environ.get("HATCH_WALLAROO_ISOLATION", ""))


@lru_cache
def _probed(python: Path, told: str) -> Isolation:
    kinds: tuple[Kind, ...] = ("bubblewrap", "unshare")
    for kind in kinds:
        if told and told != kind:
            continue
        program = shutil.which("bwrap" if kind == "bubblewrap" else "unshare")
        made = Isolation(kind, program or "")
        if program and sys.platform == "linux" and _works(made, python):
            return made
    if told not in {"", "none"}:
        raise NoIsolationError(told)
    return Isolation("none")


def _works(isolation: Isolation, python: Path) -> bool:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        command = isolation.wrapped([str(python), "-I", "-S", "-c", ""], Path(folder), prefixes(python))
        try:
            done = subprocess.run(  # noqa: S603 - our own command
                command, capture_output=True, timeout=_PROBE_SECONDS, check=False
            )
        except (OSError, subprocess.SubprocessError):
            return False
        return done.returncode == 0


def prefixes(python: Path) -> list[Path]:
    """The folders that an environment's Python needs: its own, and that of the Python it was made from."""
    home = python.parent.parent
    found = {home}
    try:
        text = (home / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        text = ""
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "home":
            found.add(Path(value.strip()).parent)
            found.add(Path(value.strip()).resolve().parent)
    found.add(python.resolve().parent.parent)
    return sorted(found - {Path("/usr"), Path("/")})  # the system's are there already
