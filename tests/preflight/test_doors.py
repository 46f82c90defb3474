"""The build hook and the command around a run: what they make, what they leave, how they end."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from hatch_wallaroo.cli.commands import commands
from hatch_wallaroo.requirements.uv import find_uv
from support import peers
from support.fronts import REPOSITORY

EXAMPLE = REPOSITORY / "example-projects" / "byop-own-classes"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A BYOP that passes; its hook runs it."""
    shutil.copytree(EXAMPLE, tmp_path / "bikes", ignore=shutil.ignore_patterns("dist"))
    path = tmp_path / "bikes" / "pyproject.toml"
    text = path.read_text()
    hook = "[tool.hatch.build.hooks.wallaroo]\n"
    assert hook in text
    path.write_text(text.replace(hook, f"{hook}preflight = true\n"))
    monkeypatch.setenv("HATCH_WALLAROO_CACHE_DIR", str(peers.folder() / "preflight"))
    return tmp_path / "bikes"


def build(project: Path) -> subprocess.CompletedProcess[str]:
    if shutil.which("uv") is None:
        peers.missing("uv is not installed")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=600)
    if "no Python" in done.stderr:
        peers.missing("no Python of the release")
    return done


def command(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(commands, ["preflight", *arguments], standalone_mode=True)
    return done.exit_code, done.output


@pytest.mark.peer
@pytest.mark.slow
def test_a_build_runs_its_bundle(project):
    done = build(project)
    assert done.returncode == 0, done.stderr
    assert "rental-bikes: preflight passed" in done.stderr
    record = json.loads((project / "dist" / "rental-bikes-1.0.0.preflight.json").read_text())
    manifest = json.loads((project / "dist" / "rental-bikes-1.0.0.wallaroo.json").read_text())
    assert record["verdict"] == "passed"
    assert record["file"]["sha256"] == manifest["file"]["sha256"]

    before = {path.name: path.read_bytes() for path in (project / "dist").iterdir()}
    module = project / "inference.py"
    text = module.read_text()
    assert "def _predict" in text
    module.write_text(text.replace('input_data["hour"]', 'input_data["hour"].reshape(7, 11)'))
    assert module.read_text() != text
    failed = build(project)
    assert failed.returncode == 1
    assert "error[WLR713] inference.py:" in failed.stderr
    assert "cannot reshape array" in failed.stderr
    assert 'Traceback (most recent call last):\n  File "<frozen' not in failed.stderr
    assert {path.name: path.read_bytes() for path in (project / "dist").iterdir()} == before


@pytest.mark.peer
@pytest.mark.slow
def test_a_named_bundle_is_run(project):
    assert build(project).returncode == 0
    bundle = project / "dist" / "rental-bikes-1.0.0.zip"
    (project / "dist" / "rental-bikes-1.0.0.preflight.json").unlink()
    code, output = command(str(bundle), "--json", "-p", str(project))
    assert code == 0, output
    told = json.loads(output[output.index("{") :])["preflights"][0]
    assert told["verdict"] == "passed"
    assert told["answers"]["answered"][0].keys() == {"bikes"}
    assert (project / "dist" / "rental-bikes-1.0.0.preflight.json").exists()


def test_errors_of_the_checks_come_first(project):
    (project / "inference.py").write_text("import nothing_of_the_kind\n")
    code, output = command("-p", str(project))
    assert code == 1
    assert "WLR" in output
    assert "nothing was run" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nosuch"], "the project has no model nosuch"),
        (["dist/none.zip"], "none.zip"),
        (["--all"], "--all goes with --clean"),
        (["--yes"], "--yes goes with --write-schema"),
        (["--data", "rows.txt"], "rows.txt"),
        (["--memory", "0"], "--memory"),
    ],
)
def test_what_cannot_be_asked_for(project, arguments, message):
    code, output = command(*arguments, "-p", str(project))
    assert code == 2
    assert message in output
    assert "Traceback" not in output


def test_environments_are_removed(tmp_path, monkeypatch):
    monkeypatch.setenv("HATCH_WALLAROO_CACHE_DIR", str(tmp_path))
    for name in ("a", "b"):
        (tmp_path / "environments" / name).mkdir(parents=True)
    (tmp_path / "environments" / "a" / "hatch-wallaroo.json").write_text("{}")
    code, output = command("--clean")
    assert (code, output) == (0, "removed 1 environment, 0 B\n")
    code, output = command("--clean", "--all")
    assert output.startswith("removed 1 environment, ")
    assert not list((tmp_path / "environments").iterdir())


def test_a_python_that_is_missing_is_told_in_one_line(project, tmp_path, monkeypatch):
    uv = find_uv()
    if uv is None:
        peers.missing("uv is not installed")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "uv").symlink_to(uv)
    for name in ("HOME", "PYENV_ROOT", "UV_PYTHON_INSTALL_DIR", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    path = project / "pyproject.toml"
    path.write_text(path.read_text().replace('release = "2026.1"', 'release = "2023.4"'))
    code, output = command("-p", str(project))
    assert code == 2
    assert "no Python 3.8 is on this machine, which 2023.4 runs models with" in output
    assert "uv python install 3.8" in output
    assert "Traceback" not in output
