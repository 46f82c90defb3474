"""Every framework: what `new` makes is built, and becomes a model that is ready; its own tests pass."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hatch_wallaroo.plugin.builder import WallarooBuilder
from hatch_wallaroo.releases.load import known
from support.fronts import REPOSITORY, FrontEnds
from support.manifests import load_checked, misfits
from support.sandboxes import Sandbox, running
from support.scaffolds import frameworks, scaffold, tree

pytestmark = pytest.mark.slow

FIRST, LAST = known()[0], known()[-1]
OURS = ("custom", "onnx", "tensorflow", "keras", "pytorch", "sklearn", "xgboost", "python", "mlflow")
IMAGE = "mlflow"
"""Published only where an engine is: tests/image has that."""


@pytest.fixture(scope="module", params=[FIRST, LAST])
def release(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def platform(release: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox"), release) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def built(release: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A repository of each framework, built as `hatch build -t wallaroo` does; gives the manifests."""
    home = tmp_path_factory.mktemp("built")
    manifests = {}
    for framework in frameworks(release):
        root = scaffold(home / framework, framework, release, f"a-{framework}")
        before = tree(root)
        list(WallarooBuilder(str(root)).build())
        (manifests[framework],) = (root / "dist").glob("*.wallaroo.json")
        assert {path: data for path, data in tree(root).items() if not path.startswith("dist/")} == before
    return manifests


def test_bundles_have_no_finding_and_take_the_sample(built: dict[str, Path]) -> None:
    for framework, path in built.items():
        manifest = load_checked(path)
        assert (manifest["framework"], manifest["findings"]) == (framework, [])
        if framework in OURS:
            sample = json.loads((path.parents[1] / "sample.json").read_text())
            assert {side: misfits(rows, manifest, side) for side, rows in sample.items()} == {
                "inputs": [],
                "outputs": [],
            }


def test_all_are_published_and_ready(
    built: dict[str, Path], platform: Sandbox, fronts: FrontEnds, beside_hatch: Path, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "nothing"\nversion = "1"\n')
    options = ("workspace=all", "create-workspace", "poll=0.1", "json=result.json")
    done = fronts.run(
        *("hatch", "publish", "-p", "wallaroo"),
        *(part for option in options for part in ("-o", option)),
        *(str(path) for framework, path in built.items() if framework != IMAGE),
        cwd=tmp_path,
        PYTHONPATH=str(beside_hatch),
        HOME=str(tmp_path),
        **platform.environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    models = json.loads((tmp_path / "result.json").read_text())["models"]
    assert {model["model"]: (model["outcome"], model["status"]) for model in models} == {
        f"a-{framework}": ("ready", "ready") for framework in built if framework != IMAGE
    }


@pytest.mark.parametrize("framework", OURS)
def test_the_repositorys_own_tests_pass(framework: str, tmp_path: Path) -> None:
    """With pytest alone, in this environment, which has the plugin."""
    for release in dict.fromkeys((FIRST, LAST) if framework == "python" else (LAST,)):
        root = scaffold(tmp_path / release, framework, release)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "-rs"]
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stdout + done.stderr
        without_pandas = framework == "python" and release == FIRST
        assert " passed" in done.stdout
        assert ("skipped" in done.stdout) <= without_pandas


BREAK = {
    "the model": ("models/flowers.npz", None, "test_model"),
    "the code": ("src/my_model/model.py", "argmin", "test_model"),
    "the sample": ("sample.json", '"kind": 0', "test_bundle"),
    "the schema": ("pyproject.toml", 'inputs = "float64[4]"', "test_bundle"),
}
INSTEAD = {"argmin": "argmax", '"kind": 0': '"kind": "rose"', 'inputs = "float64[4]"': 'inputs = "float64[5]"'}


@pytest.mark.parametrize("what", BREAK)
def test_the_repositorys_own_tests_fail_where_something_breaks(what: str, tmp_path: Path) -> None:
    root = scaffold(tmp_path / "new", "custom", LAST)
    name, old, told = BREAK[what]
    if old is None:
        (root / name).unlink()
    else:
        text = (root / name).read_text()
        assert old in text
        (root / name).write_text(text.replace(old, INSTEAD[old]))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 1, done.stdout
    assert f"tests/{told}.py" in done.stdout


@pytest.mark.parametrize("framework", ["custom", "python"])
def test_hatch_test(framework: str, fronts: FrontEnds, tmp_path: Path) -> None:
    """The environment that Hatch makes for it, with what the repository itself asks for."""
    root = scaffold(tmp_path / "new", framework, LAST)
    output = fronts.ok("hatch", "test", cwd=root)
    assert "5 passed" in output


def test_pytest_needs_nothing_of_wallaroos(tmp_path: Path) -> None:
    """Where the plugin is not installed, the model's own test is what runs."""
    root = scaffold(tmp_path / "new", "custom", LAST)
    hide = "import sys\nsys.modules['hatch_wallaroo'] = None\n"
    (root / "conftest.py").write_text(hide)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed, 1 skipped" in done.stdout
