"""Where a Python of a version is on this machine: nothing is downloaded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


class NoInterpreterError(Exception):
    """There is no Python of this version; `install` says how to get one, `fix` what else would do."""

    def __init__(self, version: str) -> None:
        super().__init__(f"no Python {version} is on this machine")
        self.install = f"uv python install {version}, or pyenv install {version}"
        self.fix = f"{self.install}; or try another: --python current"


def find(uv: str, version: str) -> Path:
    """The interpreter of a version (`3.8`): uv's own, on the PATH, or pyenv's. Raises NoInterpreterError."""
    if version == "current":
        return Path(sys.executable)
    roots = [Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"]
    homes = sorted((each for root in roots for each in root.glob(f"{version}.*")), key=_patch, reverse=True)
    candidates = [each / "bin" / "python" for each in homes]
    told = _by_uv(uv, version)
    for candidate in ([told] if told else []) + candidates:
        if _is(candidate, version):
            return candidate
    raise NoInterpreterError(version)


def version_of(python: Path) -> str:
    """`3.11` of an interpreter; raises OSError or ValueError where it does not run."""
    done = subprocess.run(  # noqa: S603 - an interpreter of this machine with our own arguments
        [str(python), "-I", "-S", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode:
        raise ValueError(done.stderr.strip())
    return done.stdout.strip()


def _by_uv(uv: str, version: str) -> Path | None:
    done = subprocess.run(  # noqa: S603 - uv with our own arguments
        [uv, "python", "find", "--no-project", "--system", "--no-python-downloads", version],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path.home(),
    )
    return Path(done.stdout.strip()) if done.returncode == 0 and done.stdout.strip() else None


def _is(python: Path, version: str) -> bool:
    try:
        return version_of(python) == version
    except (OSError, ValueError, subprocess.SubprocessError):
        return False


def _patch(home: Path) -> int:
    last = home.name.rpartition(".")[2]
    return int(last) if last.isdecimal() else -1
