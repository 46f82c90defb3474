"""`hatch run demo`, but for the environment that Hatch makes for it: the README's first command."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.fronts import REPOSITORY

pytestmark = pytest.mark.slow

EXAMPLES = REPOSITORY / "example-projects"


@pytest.fixture
def demo(tmp_path: Path):
    """Run a copy of the examples, so that no dist/ of the repository changes under other tests."""
    copy = tmp_path / "example-projects"
    shutil.copytree(EXAMPLES, copy, ignore=shutil.ignore_patterns("dist"))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(copy / "demo.py"), *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)

    return run


@pytest.mark.parametrize(("example", "models"), [((), 1), (("three-steps",), 3)])
def test_the_demo_ends_with_models_that_are_ready(demo, example: tuple[str, ...], models: int) -> None:
    done = demo(*example)
    assert done.returncode == 0, done.stderr
    ready = [line for line in done.stderr.splitlines() if ": ready, version " in line]
    assert len(ready) == models
    assert all("in workspace demo" in line for line in ready)
    assert "hatch publish -p wallaroo -o workspace=demo" in done.stdout


def test_an_example_that_is_none(demo) -> None:
    done = demo("nothing")
    assert done.returncode == 2
    assert "the examples are byop-generated" in done.stderr
