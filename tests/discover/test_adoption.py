"""What a check says of a text that is not written yet, and of a bundle that a command makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from hatch_wallaroo.discover.adoption import trial
from hatch_wallaroo.project.checking import check_repository
from hatch_wallaroo.project.repository import read_repository
from support.trees import EXAMPLES, grow

SETUPTOOLS = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
TABLE = '[tool.wallaroo]\nframework = "onnx"\nmodel = "m.onnx"\n'
DYNAMIC = '[project]\nname = "x"\ndynamic = ["version"]\n[tool.hatch.version]\npath = "v.py"\n'
COMMAND = '[tool.hatch.envs.any.scripts]\nbundle = "{}"\n'


def test_the_text_counts_and_not_the_file(tmp_path: Path) -> None:
    grow(tmp_path, {"m.onnx": EXAMPLES / "onnx" / "models" / "pump_failure.onnx", "pyproject.toml": "= broken\n\n\n"})
    text = f'[build-system]\nrequires = ["hatchling", "hatch-wallaroo"]\nbuild-backend = "hatchling.build"\n{TABLE}colour = 1\n'
    told = {each.code: each.place.line for each in trial(tmp_path, text)}
    assert told["WLR011"] == 7
    assert (tmp_path / "pyproject.toml").read_text() == "= broken\n\n\n"
    assert [each.name for each in sorted(tmp_path.iterdir())] == ["m.onnx", "pyproject.toml"]


def test_the_version_is_computed_from_the_text(tmp_path: Path) -> None:
    grow(tmp_path, {"v.py": '__version__ = "7.1"\n', "pyproject.toml": '[project]\nname = "y"\nversion = "0"\n'})
    system = '[build-system]\nrequires = ["hatchling", "hatch-wallaroo"]\nbuild-backend = "hatchling.build"\n'
    project = read_repository(tmp_path, f"{system}{DYNAMIC}{TABLE}").project
    assert (project.name, project.version) == ("x", "7.1")
    assert read_repository(tmp_path).project.version == "0"


@pytest.mark.parametrize(
    ("script", "made"),
    [
        ("hatchling build -t wallaroo {args}", True),
        ("python -m hatchling build --target=wallaroo", True),
        ("hatchling build --target wallaroo", True),
        ("hatchling build -t wheel", False),
        ("hatchling build -t wallaroos", False),
        ("pytest", False),
    ],
)
def test_a_command_makes_the_bundle_beside_another_backend(script: str, made: bool, tmp_path: Path) -> None:
    grow(tmp_path, {"v.py": '__version__ = "7.1"\n', "m.onnx": EXAMPLES / "onnx" / "models" / "pump_failure.onnx"})
    grow(tmp_path, {"pyproject.toml": f"{SETUPTOOLS}{DYNAMIC}{TABLE}{COMMAND.format(script)}"})
    repository = read_repository(tmp_path)
    told = {each.code: each for each in check_repository(repository).findings}
    assert ("WLR665" not in told) == made
    assert (repository.project.version == "7.1") == made
    if not made:
        assert told["WLR665"].fix == "hatch-wallaroo init adds a command that makes it beside setuptools"
