"""One model is one digest: on two paths, under two umasks, at two times, by two Pythons."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.fronts import REPOSITORY, FrontEnds
from support.peers import interpreter, missing
from support.told import build

pytestmark = [pytest.mark.slow, pytest.mark.peer]

EXAMPLES = ("byop-generated", "hugging-face")
VERSIONS = ("3.13", "3.10", "3.12", "3.11")
RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True)
class Desk:
    """Where a model is built, and under which circumstances. `time` is what the files' times are set to."""

    path: str
    umask: int
    time: int
    environment: dict[str, str]
    backwards: bool = False


HERE = Desk("a", 0o022, 1_000_000_000, {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"})
THERE = Desk(
    "ein anderer/Ort",
    0o077,
    1_700_000_000,
    {"TZ": "Asia/Kolkata", "LC_ALL": "C", "PYTHONHASHSEED": "2"},
    backwards=True,
)


@pytest.fixture(scope="module")
def pythons(fronts: FrontEnds, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two interpreters with the plugin's wheel: of the running version, and of another one."""
    others = {version: interpreter(version) for version in VERSIONS if version != RUNNING}
    other = next((version for version, found in others.items() if found != version), None)
    if other is None:
        missing("there is no second Python of 3.10 to 3.13 on the PATH")
    uv = shutil.which("uv")
    if uv is None:
        missing("uv is not installed")
    home = tmp_path_factory.mktemp("pythons")
    (wheel,) = fronts.wheels.glob("*.whl")
    made = {}
    for name, python in (("running", sys.executable), ("other", others[other])):
        fronts.ok(uv, "venv", "--quiet", "--python", python, str(home / name), cwd=home)
        made[name] = home / name / "bin" / "python"
        fronts.ok(uv, "pip", "install", "--quiet", "--python", str(made[name]), str(wheel), cwd=home)
    return made


def settle(example: str, desk: Desk, home: Path) -> Path:
    """A copy of an example as another clone has it: files of other modes and times, written in another order."""
    source, project = REPOSITORY / "example-projects" / example, home / desk.path / example
    files = [
        path for path in sorted(source.rglob("*")) if path.is_file() and not {"dist", "__pycache__"} & set(path.parts)
    ]
    before = os.umask(desk.umask)
    try:
        for path in reversed(files) if desk.backwards else files:
            copy = project / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
            os.utime(copy, (desk.time, desk.time))
    finally:
        os.umask(before)
    return project


def built(project: Path, python: Path, desk: Desk, fronts: FrontEnds) -> dict[str, bytes]:
    environment = {key: value for key, value in fronts.environment.items() if key != "SOURCE_DATE_EPOCH"}
    done = subprocess.run(
        [str(python), "-m", "hatchling", "build", "-t", "wallaroo"],
        cwd=project,
        env={**environment, **desk.environment},
        umask=desk.umask,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {path.name: path.read_bytes() for path in (project / "dist").iterdir() if path.name != ".gitignore"}


@pytest.mark.parametrize("example", EXAMPLES)
def test_bundle_and_manifest(example: str, pythons: dict[str, Path], fronts: FrontEnds, tmp_path: Path) -> None:
    first = built(settle(example, HERE, tmp_path), pythons["running"], HERE, fronts)
    assert len(first) == 2
    project = settle(example, THERE, tmp_path)
    assert built(project, pythons["running"], THERE, fronts) == first
    shutil.rmtree(project / "dist")
    assert built(project, pythons["other"], THERE, fronts) == first


@pytest.mark.parametrize("example", ["byop-generated", "byop-own-classes"])
def test_what_tools_leave_in_a_clone_changes_nothing(example: str, tmp_path: Path, monkeypatch) -> None:
    made = []
    for desk in (HERE, THERE):
        project = settle(example, desk, tmp_path)
        if desk is THERE:
            for folder in [path for path in project.rglob("*") if path.is_dir()]:
                for junk in (
                    "__pycache__/x.pyc",
                    ".ipynb_checkpoints/x.py",
                    ".DS_Store",
                    ".mypy_cache/x.json",
                    "x.py~",
                ):
                    (folder / junk).parent.mkdir(exist_ok=True)
                    (folder / junk).write_bytes(b"junk")
        (bundle,) = build(project, tmp_path / desk.path / "out", monkeypatch).bundles
        made.append((bundle.sha256, bundle.manifest.read_bytes()))
    assert made[0] == made[1]


def test_the_two_pythons_are_two(pythons: dict[str, Path]) -> None:
    told = {
        subprocess.check_output([str(path), "-c", "import sys; print(sys.version_info[:2])"])
        for path in pythons.values()
    }
    assert len(told) == 2
