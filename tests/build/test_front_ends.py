"""Every front end leaves the same bundle in dist/, or leaves the installation alone."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from support.fronts import FrontEnds

pytestmark = pytest.mark.slow

PYPROJECT = """\
[build-system]
requires = ["hatchling", "hatch-wallaroo"]
build-backend = "hatchling.build"

[project]
name = "doubler"
version = "1.0"
requires-python = ">=3.8"

[tool.wallaroo]
framework = "onnx"
model = "models/doubler.onnx"

[tool.hatch.build.hooks.wallaroo]
{hook}
"""
BUNDLE = "doubler-1.0.onnx"
MANIFEST = "doubler-1.0.wallaroo.json"


def write_model(path: Path) -> bytes:
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "x"], ["y"])],
        "doubler",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4])],
    )
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return path.read_bytes()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A model repository without any Python package; its model is ignored by git, as models are."""
    root = tmp_path / "doubler"
    root.mkdir()
    (root / "pyproject.toml").write_text(PYPROJECT.format(hook=""))
    (root / ".gitignore").write_text("*.onnx\ndist/\n")
    write_model(root / "models" / "doubler.onnx")
    return root


def made(project: Path) -> set[str]:
    folder = project / "dist"
    return {path.name for path in folder.iterdir()} - {".gitignore"} if folder.is_dir() else set()


def check_bundle(project: Path) -> str:
    """The bundle is the model, and the manifest tells its digest."""
    model = (project / "models" / "doubler.onnx").read_bytes()
    bundle = (project / "dist" / BUNDLE).read_bytes()
    manifest = json.loads((project / "dist" / MANIFEST).read_bytes())
    assert bundle == model
    assert manifest["file"]["sha256"] == hashlib.sha256(model).hexdigest()
    return hashlib.sha256((project / "dist" / MANIFEST).read_bytes()).hexdigest()


SDIST, WHEEL = "doubler-1.0.tar.gz", "doubler-1.0-py3-none-any.whl"
BUILDS = {
    "hatch build": (["hatch", "build"], {SDIST, WHEEL, BUNDLE, MANIFEST}),
    "hatch build -t wallaroo": (["hatch", "build", "-t", "wallaroo"], {BUNDLE, MANIFEST}),
    "python -m build": ([sys.executable, "-m", "build", "--installer", "uv"], {SDIST, WHEEL, BUNDLE, MANIFEST}),
    "python -m build --wheel": ([sys.executable, "-m", "build", "--wheel"], {WHEEL, BUNDLE, MANIFEST}),
    "uv build": (["uv", "build"], {SDIST, WHEEL, BUNDLE, MANIFEST}),
    "uv build --wheel": (["uv", "build", "--wheel"], {WHEEL, BUNDLE, MANIFEST}),
}


@pytest.mark.parametrize("name", BUILDS)
def test_a_build_leaves_the_bundle_in_dist(name: str, project: Path, fronts: FrontEnds) -> None:
    command, files = BUILDS[name]
    output = fronts.ok(*command, cwd=project)
    assert made(project) == files
    check_bundle(project)
    assert output.count("doubler 1.0, onnx (native), release 2023.2.1 -> dist/doubler-1.0.onnx") == 1 or "uv" in command


def test_all_faces_make_the_same_files(project: Path, fronts: FrontEnds) -> None:
    digests = set()
    for command in (["hatch", "build"], ["hatch", "build", "-t", "wallaroo"], ["uv", "build"]):
        fronts.ok(*command, cwd=project)
        digests.add(check_bundle(project))
        shutil.rmtree(project / "dist")
    assert len(digests) == 1


def test_the_sdist_carries_the_model_once_and_the_wheel_does_not(project: Path, fronts: FrontEnds) -> None:
    fronts.ok("hatch", "build", cwd=project)
    with tarfile.open(project / "dist" / SDIST) as sdist:
        assert sdist.getnames().count("doubler-1.0/models/doubler.onnx") == 1
    with zipfile.ZipFile(project / "dist" / WHEEL) as wheel:
        assert not [name for name in wheel.namelist() if ".dist-info/" not in name]


def test_the_sdist_can_leave_the_model_out(project: Path, fronts: FrontEnds) -> None:
    (project / "pyproject.toml").write_text(PYPROJECT.format(hook="sdist = false"))
    output = fronts.ok(sys.executable, "-m", "build", "--installer", "uv", cwd=project)
    assert made(project) == {SDIST, WHEEL}
    assert "`sdist = false` left the model out" in output
    fronts.ok("hatch", "build", "-t", "wheel", cwd=project)
    check_bundle(project)


INSTALLS = {
    "pip wheel": [sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", "{out}", "."],
    "pip install": ["{python}", "-m", "pip", "install", "--no-deps", "."],
    "pip install -e": ["{python}", "-m", "pip", "install", "--no-deps", "-e", "."],
    "uv pip install": ["uv", "pip", "install", "--python", "{python}", "."],
    "uv pip install -e": ["uv", "pip", "install", "--python", "{python}", "-e", "."],
    "hatch env create": ["hatch", "env", "create"],
}


@pytest.fixture(scope="session")
def target_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("target") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True, capture_output=True)
    return home / "bin" / "python"


@pytest.mark.parametrize("name", INSTALLS)
def test_an_installation_is_left_alone(
    name: str, project: Path, fronts: FrontEnds, tmp_path: Path, target_python: Path
) -> None:
    # A hook that ran here would stop at the missing model: installations neither break nor wait.
    (project / "models" / "doubler.onnx").unlink()
    command = [part.format(out=tmp_path / "out", python=target_python) for part in INSTALLS[name]]
    fronts.ok(*command, cwd=project)
    assert made(project) == set()


def test_a_project_with_a_package_ships_it_as_ever(project: Path, fronts: FrontEnds) -> None:
    (project / "src" / "doubler").mkdir(parents=True)
    (project / "src" / "doubler" / "__init__.py").write_text("VALUE = 1\n")
    fronts.ok("hatch", "build", "-t", "wheel", cwd=project)
    with zipfile.ZipFile(project / "dist" / WHEEL) as wheel:
        assert [name for name in wheel.namelist() if ".dist-info/" not in name] == ["doubler/__init__.py"]
    check_bundle(project)


@pytest.mark.parametrize(
    "command",
    [
        ["hatch", "build"],
        ["hatch", "build", "-t", "wallaroo"],
        [sys.executable, "-m", "build", "-w"],
        ["uv", "build", "--wheel"],
    ],
    ids=" ".join,
)
def test_a_broken_table_ends_the_build_and_keeps_dist(command: list[str], project: Path, fronts: FrontEnds) -> None:
    fronts.ok("hatch", "build", cwd=project)
    before = {path.name: path.read_bytes() for path in (project / "dist").iterdir()}
    text = (project / "pyproject.toml").read_text().replace('framework = "onnx"', 'framework = "onx"\nmodle = "x"')
    (project / "pyproject.toml").write_text(text)
    done = fronts.run(*command, cwd=project)
    output = done.stdout + done.stderr
    assert done.returncode != 0
    assert "onnx" in output
    assert "modle" in output
    assert "pyproject.toml:12" in output
    if command[0] == "hatch":
        assert "Traceback" not in output
    after = {path.name: path.read_bytes() for path in (project / "dist").iterdir() if path.name != ".gitignore"}
    assert after == before


def test_a_misspelt_hook_option_is_told(project: Path, fronts: FrontEnds) -> None:
    (project / "pyproject.toml").write_text(PYPROJECT.format(hook="sdits = false"))
    done = fronts.run("hatch", "build", "-t", "wheel", cwd=project)
    assert done.returncode == 1
    assert "pyproject.toml:15:1" in done.stdout + done.stderr
    assert "did you mean sdist?" in done.stdout + done.stderr


def test_hatch_clean_deletes_what_builds_made_and_nothing_else(project: Path, fronts: FrontEnds) -> None:
    fronts.ok("hatch", "build", cwd=project)
    (project / "dist" / "mine.txt").write_text("keep")
    other = project / "dist" / "other-1.0.wallaroo.json"
    other.write_text('{"format": 1, "generator": {"name": "hatch-wallaroo"}, "model": "other", "file": {"name": "x"}}')
    fronts.ok("hatch", "clean", cwd=project)
    assert made(project) == {"mine.txt", other.name}


def test_an_old_bundle_of_another_form_goes_when_the_new_one_is_there(project: Path, fronts: FrontEnds) -> None:
    fronts.ok("hatch", "build", "-t", "wallaroo", cwd=project)
    (project / "step.py").write_text("def wallaroo_json(data):\n    return []\n")
    text = (project / "pyproject.toml").read_text()
    text = text.replace('framework = "onnx"', 'framework = "python"').replace("models/doubler.onnx", "step.py")
    (project / "pyproject.toml").write_text(text)
    fronts.ok("hatch", "build", "-t", "wallaroo", cwd=project)
    assert made(project) == {"doubler-1.0.py", MANIFEST}


def test_a_missing_model_ends_hatch_build_before_the_sdist(project: Path, fronts: FrontEnds) -> None:
    fronts.ok("hatch", "build", cwd=project)
    before = {path.name: path.read_bytes() for path in (project / "dist").iterdir()}
    (project / "notes.txt").write_text("would make the sdist another")
    (project / "models" / "doubler.onnx").unlink()
    done = fronts.run("hatch", "build", cwd=project)
    assert done.returncode == 1
    assert "'models/doubler.onnx' does not exist" in done.stdout + done.stderr
    assert {path.name: path.read_bytes() for path in (project / "dist").iterdir()} == before
