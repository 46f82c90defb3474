"""docs/explanation/architecture.md and its drawing: no folder of the package that they leave out or make up."""

from __future__ import annotations

import re
import sys

import pytest

from make_drawings import FOLDER, mark
from support.fronts import REPOSITORY

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PAGE = REPOSITORY / "docs" / "explanation" / "architecture.md"
PACKAGE = REPOSITORY / "hatch_wallaroo"
FOLDERS = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
CONTRACTS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
    "contracts"
]
PLACE = re.compile(r"`((?:hatch_wallaroo|docs|tests|templates|example-projects|\.ci)/[\w./-]*)`")


def test_the_rows_are_the_layers_of_the_contract() -> None:
    """Each folder and module in its row, from top to bottom; that none is left out is in the contract (`exhaustive`)."""
    rows: dict[str, set[str]] = {}
    for row, named in re.findall(r"^\| (\d+) \| `(\w+)(?:/|\.py)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE):
        rows.setdefault(row, set()).add(named)
    (layers,) = [each["layers"] for each in CONTRACTS if each["type"] == "layers"]
    assert list(rows) == [str(number) for number in range(1, len(layers) + 1)]
    assert list(rows.values()) == [set(layer.split(" | ")) for layer in layers]


def test_each_folder_has_its_row() -> None:
    rows = re.findall(r"^\| \d+ \| `(\w+)/` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(FOLDERS)


def test_modules_and_folders_that_are_named_exist() -> None:
    named = set(re.findall(r"`([\w/]+(?:/|\.py))`", PAGE.read_text(encoding="utf-8")))
    heads = {"byop/", "step/", "pretrained/", "pickled/", "mlflow/"}
    assert named
    assert [each for each in named if not (PACKAGE / ("frameworks/" if each in heads else "") / each).exists()] == []


def test_contributing_names_what_exists() -> None:
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = [each for each in PLACE.findall(text) if "YEAR" not in each]
    assert len(named) > 10
    assert [each for each in named if not (REPOSITORY / each).exists()] == []
    modules = re.findall(r"`((?:[\w-]+/)+\w+\.py)`", text)
    assert [each for each in modules if not any((root / each).exists() for root in (REPOSITORY, PACKAGE))] == []


@pytest.mark.parametrize("source", sorted(FOLDER.glob("*.dot")), ids=lambda path: path.name)
def test_the_drawing_is_up_to_date(source) -> None:
    """Mend with: hatch run docs:drawings"""
    assert source.with_suffix(".svg").read_text(encoding="utf-8").startswith(mark(source))


def test_the_drawing_names_folders_that_exist() -> None:
    text = (FOLDER / "way-of-the-data.dot").read_text(encoding="utf-8")
    named = {name for line in text.splitlines() if not line.startswith("//") for name in re.findall(r"\[(\w+)\]", line)}
    assert named
    assert named <= FOLDERS
