"""Exact versions for the platform, found by uv."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hatch_wallaroo.findings import Finding, Place
from hatch_wallaroo.requirements import problems
from hatch_wallaroo.requirements.addresses import without_login
from hatch_wallaroo.requirements.target import Target

SECONDS = 600
"""How long a resolution may take: it downloads metadata, and builds it where there are no wheels."""

_PLATFORMS = {"x86_64": "x86_64-manylinux2014", "aarch64": "aarch64-manylinux2014"}
_LONGEST_REASON = 700


@dataclass(frozen=True)
class Locked:
    """`name==version` lines, or None with the findings that say why there are none."""

    lines: tuple[str, ...] | None
    findings: tuple[Finding, ...] = ()


def lock(root: Path, target: Target, lines: Sequence[str], place: Place, constraints: Sequence[str] = ()) -> Locked:
    """Resolve requirement lines (options among them) for the target; nothing is installed."""
    platform = _PLATFORMS.get(target.machine)
    if platform is None:
        message = f"uv resolves for x86_64 and aarch64, not for {target.machine}"
        fix = "write exact versions yourself, or a pylock.toml, and set lock = false"
        return Locked(None, (problems.UNRESOLVABLE.finding(message, fix=fix, place=place),))
    uv = find_uv()
    if uv is None:
        message = "lock = true needs uv, which is not on the PATH"
        fix = 'write "hatch-wallaroo[lock]" in [build-system] requires, or put uv on the PATH'
        return Locked(None, (problems.NO_UV.finding(message, fix=fix, place=place),))
    if not lines:
        return Locked(())
    question = ("\n".join(lines) + "\n", "".join(f"{each}\n" for each in constraints))
    code, out, error = _compiled(uv, str(root), target.python, platform, *question)
    if code != 0:
        message = f"no versions found for {target}: {_reason(error)}"
        fix = f"choose versions that exist for Python {target.python}"
        return Locked(None, (problems.UNRESOLVABLE.finding(message, fix=fix, place=place),))
    found = (line.partition(";")[0].strip() for line in out.splitlines())
    return Locked(tuple(line for line in found if line and not line.startswith(("#", "-"))))


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


@lru_cache(maxsize=32)
def _compiled(uv: str, root: str, python: str, platform: str, text: str, constraints: str) -> tuple[int, str, str]:
    """Run uv once for the same question in one process; its exit code, output and errors."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        limits = Path(folder) / "constraints.txt"
        limits.write_text(constraints, encoding="utf-8")
        return _run(uv, root, ["--python-version", python, "--python-platform", platform, "-c", str(limits)], text)


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
        return 1, "", f"uv could not be run: {error.strerror or error}"
    return done.returncode, done.stdout, done.stderr


def _reason(error: str) -> str:
    """What uv says, as one sentence: no frames, no hints, no logins."""
    told = []
    for line in error.splitlines():
        plain = re.sub(r"^[\s×╰─▶│├]+", "", line)
        plain = re.sub(r"^(?:error|cause):\s*", "", plain).strip()
        if plain.startswith("hint:"):
            break
        if plain and not plain.startswith(("warning:", "No solution found when resolving")):
            told.append(plain)
    reason = re.sub(r",? we can conclude that your requirements are unsatisfiable\.?", "", " ".join(told))
    reason = without_login(reason) or "uv gave no reason"
    return reason if len(reason) <= _LONGEST_REASON else f"{reason[:_LONGEST_REASON]}…"
