"""The command `hatch-wallaroo` for tests: run in this process, or as a program."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from hatch_wallaroo.cli import main
from support.fronts import REPOSITORY

QUIET = ("WALLAROO_", "HATCH_", "NO_COLOR", "FORCE_COLOR", "PYTHON", "SSL_CERT_FILE", "LC_", "LANG")


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs a command in this process, in an empty folder, with nothing configured."""
    for key in [each for each in os.environ if each.startswith(QUIET)]:
        monkeypatch.delenv(key)
    monkeypatch.setenv("NO_COLOR", "")  # a command may set it, and this one is put back
    monkeypatch.setenv("HATCH_CONFIG", str(tmp_path / "no-config.toml"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def called(*arguments: str) -> Said:
        capsys.readouterr()
        interrupts = signal.getsignal(signal.SIGINT)
        try:
            with pytest.raises(SystemExit) as left:
                main(arguments)
        finally:
            signal.signal(signal.SIGINT, interrupts)  # a command that was interrupted ignores further ones
        out, err = capsys.readouterr()
        return Said(int(left.value.code or 0), out, err)

    return called


def program(*arguments: str, code: str = "") -> list[str]:
    """The command as a process of its own; `code` runs before it."""
    return [sys.executable, "-c", f"{code}\nfrom hatch_wallaroo.cli import main; main()", *arguments]


def environment(**more: str) -> dict[str, str]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(QUIET)}
    return {**inherited, "PYTHONPATH": str(REPOSITORY), **more}


def output(*arguments: str, cwd: Path, code: str = "", **more: str) -> Said:
    """What the command says as a process of its own; `code` runs before it."""
    done = subprocess.run(
        program(*arguments, code=code),
        cwd=cwd,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )
    return Said(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))


def options_of(command: click.Command) -> Sequence[str]:
    return [name for each in command.params for name in each.opts]
