"""Poetry's projects: its versions as other tools write them, and its wheels, which stay as they were. By poetry-core."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from hatch_wallaroo.discover.project import poetry_requirements
from support.command_line import Run
from support.peers import peer, run_in

REPOSITORY = Path(__file__).parent / "repositories" / "poetry"

CONSTRAINTS = (
    "*", "", "^1.2.3", "^1.2", "^1", "^0.2.3", "^0.0.3", "^0.0", "^0", "^1.2.3rc1", "~1.2.3", "~1.2", "~1", "1.2.3", "1.2",
    "1.*", "1.2.*", ">=1.2", ">=1.2,<2", ">=1.2, !=1.5, <2", "==1.2.3", "~=1.4.2", "!=1.3", "^ 1.2", "~ 1.2", "^1.2,!=1.3",
)  # fmt: skip
VERSIONS = (
    "0", "0.0.1", "0.0.3", "0.0.4", "0.1", "0.2.2", "0.2.3", "0.2.9", "0.3", "1", "1.2", "1.2.2", "1.2.3", "1.2.4", "1.3",
    "1.4.2", "1.4.3", "1.5", "1.9.9", "2", "2.0.1", "3",
)  # fmt: skip
JUDGE = """
import json, sys
from poetry.core.constraints.version import Version, parse_constraint
constraints, versions = json.load(sys.stdin)
print(json.dumps([[each for each in versions if parse_constraint(told).allows(Version.parse(each))] for told in constraints]))
"""
WHEEL = """
import sys, zipfile
from pathlib import Path
from poetry.core.masonry import api
name = api.build_wheel(sys.argv[1])
with zipfile.ZipFile(Path(sys.argv[1]) / name) as wheel:
    for member in sorted(wheel.namelist()):
        if not member.endswith("RECORD"):
            print(member, wheel.read(member))
"""


@pytest.mark.peer
@pytest.mark.parametrize("version", ["1.9.1", "2.5.0"])
def test_versions_mean_what_they_mean_to_poetry(version: str) -> None:
    from packaging.specifiers import SpecifierSet

    told = ["*" if each == "" else each for each in CONSTRAINTS]
    done = run_in(f"poetry-core-{version}", ["-c", JUDGE], input=json.dumps([told, VERSIONS]))
    assert done.returncode == 0, done.stderr
    for constraint, allowed in zip(CONSTRAINTS, json.loads(done.stdout), strict=True):
        lines, left = poetry_requirements({"dependencies": {"x": constraint}})
        assert left == []
        specifiers = SpecifierSet(lines[0].removeprefix("x"), prereleases=True)
        assert [each for each in VERSIONS if each in specifiers] == allowed, constraint


@pytest.mark.peer
@pytest.mark.parametrize("version", ["1.9.1", "2.5.0"])
def test_the_wheel_stays_as_it_was(version: str, run: Run, tmp_path: Path) -> None:
    """Content and metadata, byte for byte, whichever Poetry builds it."""
    peer(f"poetry-core-{version}")
    made = []
    for name in ("before", "after"):
        root = tmp_path / name / "churn"
        shutil.copytree(REPOSITORY, root)
        if name == "after":
            assert run("init", "--project", str(root), "--yes").code == 0
        (tmp_path / name / "out").mkdir()
        done = run_in(f"poetry-core-{version}", ["-c", WHEEL, str(tmp_path / name / "out")], cwd=root)
        assert done.returncode == 0, done.stderr
        made.append(done.stdout)
    assert "Requires-Dist: pandas (>=2.0,<3.0)" in made[0]
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("told", "line"),
    [
        ({"version": "^1.2", "extras": ["a", "b"]}, "x[a,b]>=1.2,<2"),
        ({"version": "1.2.3", "markers": "sys_platform == 'linux'"}, "x==1.2.3; sys_platform == 'linux'"),
        ({"version": "^1.2", "optional": True}, ""),
        ({"version": "^1.2", "optional": False}, "x>=1.2,<2"),
        ({"git": "https://example.com/x.git"}, None),
        ({"path": "../x", "develop": True}, None),
        ({"version": "^1.2", "python": "<3.9"}, None),
        ([{"version": "^1"}, {"version": "^2"}], None),
        ("^1.2 || ^3", None),
        ("latest", None),
        (1, None),
        ({"version": 1}, None),
        ({"version": "^1", "extras": "a"}, None),
    ],
)
def test_requirements_one_by_one(told: object, line: str | None) -> None:
    lines, left = poetry_requirements({"dependencies": {"python": "^3.9", "x": told}})
    assert (lines, left) == ([line] if line else [], ["x"] if line is None else [])


@pytest.mark.parametrize("table", [{}, {"dependencies": 1}, {"dependencies": []}])
def test_no_requirements(table: dict[str, object]) -> None:
    assert poetry_requirements(table) == ([], [])


def test_a_custom_model_takes_them_along(run: Run, tmp_path: Path) -> None:
    root = tmp_path / "churn"
    shutil.copytree(REPOSITORY, root)
    (root / "src" / "churn" / "train.py").unlink()
    (root / "src" / "churn" / "serve.py").write_text(
        "import pickle\n\n\ndef load(folder):\n    return pickle.load(open(folder / 'models' / 'churn.pkl', 'rb'))\n\n\n"
        "def predict(model, inputs):\n    return {'left': model.predict(inputs['rows'])}\n"
    )
    with (root / "pyproject.toml").open("a") as stream:
        stream.write('\n[tool.poetry.dependencies.own]\ngit = "https://example.com/own.git"\n')
    said = run("init", "--project", str(root), "--dry-run")
    assert said.code == 0
    assert '+requirements = ["scikit-learn==1.3.0", "pandas>=2.0,<3"]' in said.out
    assert "note: requirements do not say own: Poetry's notation for it has no counterpart" in said.err
