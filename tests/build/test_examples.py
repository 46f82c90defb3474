"""Every example project builds by plain `hatch build`, without a finding, into what its manifest says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from hatch_wallaroo.bundle.plan import FAMILIES
from hatch_wallaroo.config.toml.reading import read_document
from hatch_wallaroo.releases.load import resolve
from support.fronts import REPOSITORY, FrontEnds
from support.manifests import load_checked, misfits

pytestmark = pytest.mark.slow

FOLDER = REPOSITORY / "example-projects"
EXAMPLES = sorted(path.parent.name for path in FOLDER.glob("*/pyproject.toml"))
REQUIRED = {
    *("onnx", "tensorflow", "keras", "sklearn", "xgboost", "pytorch", "hugging-face", "python-step"),
    *("byop-generated", "byop-own-classes", "three-steps", "mlflow"),
}
FINDINGS: dict[str, dict[str, str]] = {}
"""Findings that an example is allowed, by code, each with its reason."""

NO_EXAMPLE = {"llm": "the smallest has gigabytes"}


def tables(example: str) -> dict[str, dict[str, object]]:
    """The models of an example by name, each with the keys that it shares filled in."""
    document = read_document(FOLDER / example).table
    assert document is not None
    shared = dict(document["tool"]["wallaroo"])
    several = shared.pop("models", None)
    if several is None:
        return {str(document["project"]["name"]): shared}
    return {name: {**shared, **table} for name, table in several.items()}


def test_there_is_one_for_each_family() -> None:
    assert set(EXAMPLES) >= REQUIRED
    used = [table for example in EXAMPLES for table in tables(example).values()]
    families = {resolve(str(table["release"])).frameworks[str(table["framework"])].family for table in used}
    assert families == set(FAMILIES) - set(NO_EXAMPLE)
    listed = (FOLDER / "README.md").read_text()
    assert [example for example in EXAMPLES if f"]({example})" not in listed] == []


@pytest.mark.parametrize("example", EXAMPLES)
def test_plain_hatch_build(example: str, fronts: FrontEnds, tmp_path: Path) -> None:
    project = tmp_path / example
    shutil.copytree(FOLDER / example, project, ignore=shutil.ignore_patterns("dist", "__pycache__"))
    before = listing(project)
    output = fronts.ok("hatch", "build", cwd=project)
    assert {path for path in listing(project) - before if not path.startswith("dist")} == set()
    models = tables(example)
    manifests = [load_checked(path) for path in sorted((project / "dist").glob("*.wallaroo.json"))]
    assert {made["model"] for made in manifests} == set(models)
    for made in manifests:
        table = models[made["model"]]
        assert {each["code"] for each in made["findings"]} <= set(FINDINGS.get(example, {}))
        assert made["framework"] == table["framework"]
        check_sample(project, table, made)
    assert output.count("sha256:") == len(models)
    assert "warning[" not in output or FINDINGS.get(example)


def listing(project: Path) -> set[str]:
    return {path.relative_to(project).as_posix() for path in project.rglob("*")}


def check_sample(project: Path, table: dict[str, object], manifest: dict[str, object]) -> None:
    """The rows of the sample are what the model takes, and its outputs, if any, what it gives for as many rows."""
    sample = json.loads((project / str(table["sample"])).read_bytes())
    assert set(sample) <= {"inputs", "outputs"}
    assert misfits(sample["inputs"], manifest, "inputs") == []
    if "outputs" in sample:
        assert misfits(sample["outputs"], manifest, "outputs") == []
        assert len(sample["outputs"]) == len(sample["inputs"])


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_a_reader_of_an_example_finds(example: str) -> None:
    readme = (FOLDER / example / "README.md").read_text()
    assert "hatch build" in readme
    made = [
        path for path in (FOLDER / example).rglob("*") if path.suffix in {".onnx", ".h5", ".pkl", ".pt", ".npz", ".pb"}
    ]
    assert (FOLDER / example / "make_model.py").is_file() == bool(made or example == "hugging-face")
    assert sum(path.stat().st_size for path in made) < 1_000_000
