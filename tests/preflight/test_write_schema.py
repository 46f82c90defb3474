"""`preflight --write-schema`: what a model answered is written down, and what was written builds and passes."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hatch_wallaroo.cli.commands import commands
from hatch_wallaroo.project.repository import read_repository
from support import peers
from support.fronts import REPOSITORY

pytestmark = [pytest.mark.peer, pytest.mark.slow]

TABLE = re.compile(r"\[tool\.wallaroo\.output-schema\]\n(?:[^\n\[]+\n)+")


@pytest.fixture
def example(tmp_path, monkeypatch):
    if shutil.which("uv") is None:
        peers.missing("uv is not installed")
    monkeypatch.setenv("HATCH_WALLAROO_CACHE_DIR", str(peers.folder() / "preflight"))

    def copy(name: str) -> Path:
        shutil.copytree(REPOSITORY / "example-projects" / name, tmp_path / name, ignore=shutil.ignore_patterns("dist"))
        return tmp_path / name

    return copy


def preflight(project: Path, *options: str) -> Result:
    done = CliRunner().invoke(commands, ["preflight", "-p", str(project), *options])
    if "no Python" in done.output:
        peers.missing("no Python of the release")
    return done


@pytest.mark.parametrize("name", ["sklearn", "byop-own-classes"])
def test_what_was_observed_is_written_builds_and_passes(example, name):
    project = example(name)
    path = project / "pyproject.toml"
    (before,) = read_repository(project).reading.specs
    path.write_text(TABLE.sub("", path.read_text()))
    refused = preflight(project)
    assert refused.exit_code == 1
    assert "needs an output-schema" in refused.output

    shown = preflight(project, "--write-schema", "--dry-run")
    assert shown.exit_code == 0, shown.output
    assert "+[tool.wallaroo.output-schema]" in shown.output
    assert "[tool.wallaroo.output-schema]" not in path.read_text()

    written = preflight(project, "--write-schema", "--yes")
    assert written.exit_code == 0, written.output
    (after,) = read_repository(project).reading.specs
    assert after.output_schema == before.output_schema
    assert CliRunner().invoke(commands, ["check", "-p", str(project)]).exit_code == 0
    assert preflight(project).exit_code == 0

    again = preflight(project, "--write-schema", "--yes")
    assert "says so already" in again.output


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("byop-own-classes", 'bikes = "float64"', 'bikes = "float32"'),
        ("byop-own-classes", 'bikes = "float64"', 'pikes = "int64[3]"'),
        ("sklearn", 'predictions = "int64"', 'predictions = "float64"'),
    ],
)
def test_a_schema_that_is_wrong_is_replaced_by_what_the_model_gives(example, name, right, wrong):
    """The platform casts to a wrong type without a word, and fails with a wrong name."""
    project = example(name)
    path = project / "pyproject.toml"
    before = path.read_text()
    assert before.count(right) == 1
    path.write_text(before.replace(right, wrong))
    (project / "dist").mkdir()
    done = preflight(project, "--write-schema", "--replace", "--yes")
    assert done.exit_code == 0, done.output
    assert path.read_text() == before
    assert list((project / "dist").iterdir()) == []


def test_a_model_that_takes_no_schemas_gets_none(example):
    project = example("onnx")
    before = (project / "pyproject.toml").read_text()
    done = preflight(project, "--write-schema", "--yes")
    assert done.exit_code == 0, done.output
    assert "framework onnx takes no schemas" in done.output
    assert (project / "pyproject.toml").read_text() == before


def test_other_errors_stay_errors(example):
    project = example("sklearn")
    path = project / "pyproject.toml"
    path.write_text(TABLE.sub("", path.read_text()).replace('model = "wine.pkl"', 'model = "nowhere.pkl"'))
    done = preflight(project, "--write-schema", "--yes")
    assert done.exit_code == 1
    assert "nothing was run" in done.output
