"""uv, asked for versions: the program, one question to it, and its answer in words. Nothing is installed."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hatch_wallaroo.requirements.lines import without_login
from hatch_wallaroo.text import describe_error

SECONDS = 600
"""How long a resolution may take: it downloads metadata, and builds it where there are no wheels."""

PLATFORMS = {"x86_64": "x86_64-manylinux2014", "aarch64": "aarch64-manylinux2014"}
"""What uv calls the platform's machines: Linux with the oldest glibc that wheels are made for today."""
_LONGEST_REASON = 700
_NO_WHEELS = re.compile(
    r"Wheels are required for `([^`]+)`|([A-Za-z0-9][\w.-]*?)(?:[<>=!~]=?\S*)? ha(?:s|ve) no usable wheels"
)
"""As uv says it: later versions in a hint, earlier ones in the reason alone."""


@dataclass(frozen=True)
class Compiled:
    """uv's answer: `pins` are `name==version` lines, None where there are none; `error` is what it wrote then."""

    pins: tuple[str, ...] | None
    error: str = ""

    @property
    def passed(self) -> bool:
        return self.pins is not None

    @property
    def decided(self) -> bool:
        """Whether uv came to an answer; else it could not read a line, or did not reach an index."""
        return self.passed or "No solution found" in self.error

    @property
    def without_wheels(self) -> tuple[str, ...]:
        """The packages that only building from source would give, where wheels alone were asked for."""
        text = re.sub(r"[\s│]+", " ", self.error)
        return tuple(dict.fromkeys(found[1] or found[2] for found in _NO_WHEELS.finditer(text)))

    @property
    def reason(self) -> str:
        """What uv says, as one sentence: no frames, no hints, no logins."""
        told = []
        for line in self.error.splitlines():
            plain = re.sub(r"^[\s×╰─▶│├]+", "", line)
            plain = re.sub(r"^(?:error|cause):\s*", "", plain).strip()
            if plain.startswith("hint:"):
                break
            if plain and not plain.startswith(("warning:", "No solution found when resolving")):
                told.append(plain)
        reason = re.sub(r",? we can conclude that your requirements are unsatisfiable\.?", "", " ".join(told))
        reason = without_login(reason) or "uv gave no reason"
        return reason if len(reason) <= _LONGEST_REASON else f"{reason[:_LONGEST_REASON]}…"


def find_uv() -> str | None:
    """The uv program: on the PATH, or in the environment that runs us."""
    import shutil

    on_path = shutil.which("uv")
    if on_path:
        return on_path
    try:
        from uv import find_uv_bin  # type: ignore[import-not-found,import-untyped,unused-ignore]  # optional
    except ImportError:
        return None
    try:
        return str(find_uv_bin())
    except FileNotFoundError:
        return None


def compile_lines(
    uv: str,
    python: str,
    lines: Sequence[str],
    *,
    platform: str | None = None,
    constraints: Sequence[str] = (),
    root: Path | None = None,
    binary: bool = False,
    lowest: bool = False,
    torch: bool = False,
    like_pip: bool = False,
) -> Compiled:
    """Resolve requirement lines (options among them) for a Python, and a platform in uv's words (None: this one).

    `binary`: wheels only, so that nobody's setup.py runs. `lowest`: the oldest versions that the lines take. `torch`:
    PyTorch's own index of CPU builds is asked for its packages. `like_pip`: of several indexes the best version is
    taken, as pip does, not that of the first that knows the package. `root` is the folder that relative paths begin at.
    The same question is asked once in a process.
    """
    limits = "".join(f"{each}\n" for each in constraints)
    options: tuple[str, ...] = ("--python-version", python)
    options += ("--python-platform", platform) if platform else ()
    # Where nothing is built, any Python will do, and uv need not look for one of that version.
    options += ("--only-binary", ":all:", "--python", sys.executable) if binary else ()
    options += ("--resolution", "lowest-direct") if lowest else ()
    options += ("--torch-backend", "cpu") if torch else ()
    options += ("--index-strategy", "unsafe-best-match") if like_pip else ()
    code, out, error = _compiled(uv, str(root or Path.home()), options, "\n".join(lines) + "\n", limits)
    if code != 0:
        return Compiled(None, error)
    found = (line.partition(";")[0].strip() for line in out.splitlines())
    return Compiled(tuple(line for line in found if line and not line.startswith(("#", "-"))))


@lru_cache(maxsize=32)
def _compiled(uv: str, root: str, options: tuple[str, ...], text: str, constraints: str) -> tuple[int, str, str]:
    """Run uv once for the same question in one process; its exit code, output and errors."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        limits = Path(folder) / "constraints.txt"
        limits.write_text(constraints, encoding="utf-8")
        return _run(uv, root, [*options, "-c", str(limits)], text)


def _run(uv: str, root: str, arguments: Sequence[str], text: str) -> tuple[int, str, str]:
    import subprocess

    command = [uv, "pip", "compile", "-", "--quiet", "--no-header", "--no-annotate", "--color", "never"]
    command += arguments
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1"}
    try:
        done = subprocess.run(  # noqa: S603 - uv with our own arguments; the user's text goes in by stdin
            command,
            input=text,
            cwd=root,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 1, "", f"uv took longer than {SECONDS} seconds"
    except OSError as error:
        return 1, "", f"uv could not be run: {describe_error(error)}"
    return done.returncode, done.stdout, done.stderr
