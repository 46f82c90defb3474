"""Runs on the real runtime: environments are made once, beside the other peers, and each run needs uv and a Python."""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hatch_wallaroo.bundle.pack import pack
from hatch_wallaroo.preflight.preparing import Options, PreflightError
from hatch_wallaroo.preflight.run import preflight
from hatch_wallaroo.preflight.subject import Subject, of_checked
from hatch_wallaroo.preflight.verdict import Verdict
from hatch_wallaroo.project.checking import check_repository
from hatch_wallaroo.project.repository import read_repository
from support import peers

Ran = Callable[..., Verdict]


def subjects(project: Path, output: Path) -> list[Subject]:
    """The models of a project, checked and packed, with their samples' rows."""
    report = check_repository(read_repository(project))
    assert report.passed, [each.message for each in report.findings]
    made = []
    for bundle in pack([each for each in report.models if each.plan], output):
        made.append(of_checked(bundle.checked, bundle.path, bundle.sha256))
    return made


@pytest.fixture
def sleep() -> str:
    """Seconds that nobody else sleeps: other tests leave such processes, too, and run at the same time."""
    return f"{600 + time.monotonic_ns() % 10**9 / 10**9:.9f}"


@pytest.fixture
def all_ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Verdict]]:
    """Run the models of a project, as `preflight` does; `project` is a folder, or files by their paths."""
    peers.needs_marker("the runtime of the SDK")
    if shutil.which("uv") is None:
        peers.missing("uv is not installed")
    monkeypatch.setenv("HATCH_WALLAROO_CACHE_DIR", str(peers.folder() / "preflight"))
    for name, value in peers.find_links().items():
        monkeypatch.setenv(name, value)

    def run(project: Path | dict[str, str], options: Options | None = None, **changed: object) -> list[Verdict]:
        if isinstance(project, dict):
            files, project = project, tmp_path / "project"
            for name, content in files.items():
                path = project / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content, encoding="utf-8")
        try:
            return [
                preflight(dataclasses.replace(subject, **changed), options or Options(), lambda _: None)
                for subject in subjects(project, tmp_path / "out")
            ]
        except PreflightError as error:
            peers.missing(f"{error}: {error.fix}")

    return run


@pytest.fixture
def ran(all_ran: Callable[..., list[Verdict]]) -> Ran:
    """The same for a project's only model."""

    def run(project: Path | dict[str, str], options: Options | None = None, **changed: object) -> Verdict:
        (verdict,) = all_ran(project, options, **changed)
        return verdict

    return run
