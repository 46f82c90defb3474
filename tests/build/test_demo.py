"""`hatch run demo`, but for the environment that Hatch makes for it: the README's first command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hatch_wallaroo.preflight.preparing import lacking
from support import peers
from support.fronts import REPOSITORY

pytestmark = pytest.mark.slow

EXAMPLES = REPOSITORY / "example-projects"


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run a copy of the examples, so that no dist/ of the repository changes under other tests."""
    copy = tmp_path / "example-projects"
    shutil.copytree(EXAMPLES, copy, ignore=shutil.ignore_patterns("dist"))
    monkeypatch.setenv("HATCH_WALLAROO_CACHE_DIR", str(tmp_path / "cache"))

    def run(*arguments: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(copy / "demo.py"), *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=seconds)

    return run


@pytest.fixture
def without_the_runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No uv but one that finds no Python, as on a machine with neither the platform's Python nor uv's."""
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text("#!/bin/sh\nexit 1\n")
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{uv.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "no-pyenv"))


@pytest.mark.parametrize(("example", "models"), [((), 1), (("three-steps",), 3)])
@pytest.mark.usefixtures("without_the_runtime")
def test_the_demo_ends_with_models_that_are_ready(demo, example: tuple[str, ...], models: int) -> None:
    done = demo(*example)
    assert done.returncode == 0, done.stderr
    ready = [line for line in done.stderr.splitlines() if ": ready, version " in line]
    assert len(ready) == models
    assert all("in workspace demo" in line for line in ready)
    assert "hatch publish -p wallaroo -o workspace=demo" in done.stdout
    assert "--runtime" not in done.stdout
    python = "3.10" if example else "3.8"
    assert done.stdout.splitlines()[-1].startswith(
        f"Not deployed and asked: no Python {python} is on this machine (uv "
    )


def test_a_large_library_is_not_installed_for_a_demo(demo) -> None:
    done = demo("keras")
    assert done.returncode == 0, done.stderr
    last = "Not deployed and asked: the libraries of keras are large; hatch-wallaroo sandbox --runtime installs them"
    assert done.stdout.splitlines()[-1] == last


@pytest.mark.peer
@pytest.mark.parametrize(
    ("example", "python", "steps", "answer"),
    [
        ((), "3.8", "flower-clusters", ["out.cluster: 0", "out.distance: 0.163257"]),
        (
            ("three-steps",),
            "3.10",
            "house-prices-scale -> house-prices -> house-prices-dollars",
            ["in.sqft: 1180", "out.dollars: "],
        ),
    ],
)
def test_the_demo_ends_with_a_prediction(demo, monkeypatch, example, python, steps, answer) -> None:
    lack = lacking(python)
    if lack is not None:
        peers.missing(f"{lack}: {lack.fix}")
    monkeypatch.setenv("HATCH_WALLAROO_CACHE_DIR", str(peers.folder() / "preflight"))
    done = demo(*example, seconds=400)
    assert done.returncode == 0, done.stderr
    assert "hatch-wallaroo sandbox --runtime --release" in done.stdout
    assert f"deploy {steps}, and ask for a row of " in done.stdout
    for each in answer:
        assert f"\n  {each}" in done.stdout


def test_an_example_that_is_none(demo) -> None:
    done = demo("nothing")
    assert done.returncode == 2
    assert "the examples are byop-generated" in done.stderr
