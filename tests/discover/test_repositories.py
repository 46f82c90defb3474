"""`init` on five repositories as people have them: what it says, what it changes, twice, and the builds afterwards.

The differences and what is told beside them stand in files beside the repositories, written by
`HATCH_WALLAROO_WRITE_TEXTS=1 pytest tests/discover/test_repositories.py`; read them before committing them.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from support.command_line import Run
from support.fronts import FrontEnds
from support.manifests import load_checked
from support.told import same_text

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

REPOSITORIES = Path(__file__).parent / "repositories"
FIXTURES = Path(__file__).parents[1] / "fixtures"
FILL_IN = {
    "hatch": "[tool.wallaroo.input-schema]",
    "declared-and-later": "[tool.wallaroo.models.rent.output-schema]",
}
"""Where nothing tells what a model takes or gives: the table that the user fills in."""
NAMES = ("poetry", "setuptools", "hatch", "bare", "declared", "declared-and-later")


def copied(name: str, to: Path) -> Path:
    """A repository as somebody has cloned it; `declared-and-later` is `declared` with a second model in it."""
    root = to / name
    shutil.copytree(REPOSITORIES / name.removesuffix("-and-later"), root)
    if name == "declared-and-later":
        shutil.copy(FIXTURES / "tensorflow" / "sequential.h5", root / "models" / "rent.h5")
    return root


def test_the_repositories_are_these() -> None:
    folders = {each.name for each in REPOSITORIES.iterdir() if each.is_dir()}
    assert folders == {"poetry", "setuptools", "hatch", "bare", "declared"}


@pytest.mark.parametrize("name", NAMES)
def test_what_init_says_and_changes(name: str, run: Run, tmp_path: Path) -> None:
    root = copied(name, tmp_path)
    pyproject = root / "pyproject.toml"
    before = pyproject.read_bytes() if pyproject.exists() else b""
    files = {path: path.read_bytes() for path in root.rglob("*") if path.is_file() and path != pyproject}

    shown = run("init", "--project", str(root), "--dry-run")
    assert (pyproject.read_bytes() if pyproject.exists() else b"") == before

    said = run("init", "--project", str(root), "--yes")
    assert (said.code, said.out) == (0, shown.out)
    same_text(said.out, REPOSITORIES / f"{name}.diff")
    same_text(said.err, REPOSITORIES / f"{name}.told")
    after = pyproject.read_bytes()
    assert_lines_stay(before, after, changed={"[tool.wallaroo]"} if name == "declared-and-later" else set())
    tomllib.loads(after.decode())

    again = run("init", "--project", str(root), "--yes")
    assert (again.code, again.out) == (0, "")
    assert "pyproject.toml needs no change" in again.err
    assert pyproject.read_bytes() == after
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file() and path != pyproject} == files


def assert_lines_stay(before: bytes, after: bytes, changed: set[str]) -> None:
    """Every line of the user's is there, in its order and with its end."""
    left = iter(after.splitlines(keepends=True))
    for line in before.splitlines(keepends=True):
        if line.decode().strip() not in changed:
            assert any(line == each for each in left), line


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "command", "bundle"),
    [
        ("poetry", ("hatch", "run", "wallaroo:build"), "churn-2.3.1.pkl"),
        # What the script runs, here in the environment of the tests: another one like Poetry's takes long to make.
        ("setuptools", (sys.executable, "-m", "hatchling", "build", "-t", "wallaroo"), "pump-monitor-0.9.2.onnx"),
        ("hatch", ("hatch", "build"), "ticket-triage-1.4.0.zip"),
        ("bare", ("hatch", "build"), "bare-0.1.0.pkl"),
        ("declared-and-later", ("hatch", "build"), "rent-3.0.0.h5"),
    ],
)
def test_the_bundle_is_built_for_real(
    name: str, command: tuple[str, ...], bundle: str, run: Run, fronts: FrontEnds, tmp_path: Path
) -> None:
    root = copied(name, tmp_path)
    assert run("init", "--project", str(root), "--yes").code == 0
    if name == "setuptools":
        with (root / "pyproject.toml").open("a") as stream:
            stream.write('\n[tool.hatch.version]\npath = "pump_monitor/__init__.py"\n')
    if name in FILL_IN:
        fill_in(root / "pyproject.toml", FILL_IN[name])
    fronts.ok(*command, cwd=root)
    assert (root / "dist" / bundle).is_file()
    manifest = load_checked(root / "dist" / f"{bundle.rpartition('.')[0]}.wallaroo.json")
    assert manifest["file"]["name"] == bundle


def fill_in(pyproject: Path, first: str) -> None:
    """As the comment says: the # is taken away, from the line that is given on."""
    head, marked, schemas = pyproject.read_text().partition(f"# {first}\n")
    pyproject.write_text(head + (marked + schemas).replace("# ", "").replace("#\n", "\n"))


@pytest.mark.slow
def test_the_other_backend_is_left_to_build_its_wheel(run: Run, fronts: FrontEnds, tmp_path: Path) -> None:
    """What hatch build does not do for such a project, and what it goes on doing."""
    root = copied("setuptools", tmp_path)
    run("init", "--project", str(root), "--yes")
    refused = fronts.run("hatch", "build", "-t", "wallaroo", cwd=root)
    assert refused.returncode == 1
    assert "Target `wallaroo` is not supported by `setuptools.build_meta`" in refused.stdout + refused.stderr
    assert not (root / "dist").exists()
    fronts.ok("hatch", "build", "-t", "wheel", cwd=root)
    assert [each.name for each in (root / "dist").iterdir()] == ["pump_monitor-0.9.2-py3-none-any.whl"]


def test_json_says_the_same(run: Run, tmp_path: Path) -> None:
    root = copied("poetry", tmp_path)
    said = run("init", "--project", str(root), "--json")
    made = json.loads(said.out)
    assert said.code == 0
    assert (made["release"], made["changed"], made["written"], made["error"]) == ("2026.1", True, False, None)
    assert made["diff"] + "\n" == (REPOSITORIES / "poetry.diff").read_text()
    assert [(each["path"], each["frameworks"], each["certain"]) for each in made["candidates"]] == [
        ("models/churn.pkl", ["sklearn"], True),
        ("src/churn/train.py", ["custom"], False),
    ]
    assert made["models"] == [
        {
            "name": "churn",
            "path": "models/churn.pkl",
            "table": {"framework": "sklearn", "release": "2026.1", "model": "models/churn.pkl"},
            "input_schema": {"inputs": "float64[6]"},
            "output_schema": {"predictions": "int64"},
        }
    ]
    written = json.loads(run("init", "--project", str(root), "--json", "--yes").out)
    assert written["written"]
    assert "[tool.wallaroo]" in (root / "pyproject.toml").read_text()
