"""Planned BYOP bundles in the platform's own validator and loader."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hatch_wallaroo.findings import errors
from support.byop_projects import EXAMPLES, byop_spec, checked, generated_example, lay_out, own_example, planned, write
from support.peers import run_in

pytestmark = pytest.mark.peer

SCRIPT = Path(__file__).parents[1] / "support" / "byop_predict.py"
PEERS = ("mac-2023.2.1", "mac-2025.2.5", "mac-2026.1.3")
SKLEARN = ("mac-2023.2.1", "mac-2026.1.3")


def serve(peer: str, folder: Path, sample: Path, *plain: str) -> dict:
    done = run_in(peer, ["-B", str(SCRIPT), str(folder), str(sample), *plain])
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("peer", SKLEARN)
def test_generated_kmeans_predicts_as_the_plain_model(peer, tmp_path):
    spec = generated_example(release=peer.removeprefix("mac-").removesuffix(".3"))
    assert not checked(spec)
    folder = lay_out(planned(spec)[0], tmp_path)
    root = EXAMPLES / "byop-generated"
    functions = ("flower_clusters.model:load", "flower_clusters.model:predict")
    said = serve(peer, folder, root / "sample.json", str(root), *functions)
    assert said["validator"] in {None, "pass"}
    assert said["served"] == said["plain"]
    assert said["served"]["cluster"] == said["expected"]["cluster"]
    assert said["served"]["distance"] == pytest.approx(said["expected"]["distance"], rel=1e-9)


@pytest.mark.parametrize("peer", ["mac-2025.2.5", "mac-2026.1.3"])
def test_validator_passes_without_the_models_requirements(peer, tmp_path):
    """The validator executes the generated module in an environment that may lack all the model needs."""
    write(
        tmp_path / "p",
        {
            "thing/__init__.py": "import not_installed_anywhere\n\n\ndef load(folder) -> int: ...\n\n\ndef predict(model, inputs): ...\n"
        },
    )
    spec = byop_spec(
        tmp_path / "p",
        load="thing:load",
        predict="thing:predict",
        release="2025.2",
        dependencies=("not-installed-anywhere",),
    )
    folder = lay_out(planned(spec)[0], tmp_path / "out")
    code = "import sys\nfrom pathlib import Path\nfrom mac.validation import validate_byop_structure\nvalidate_byop_structure(Path(sys.argv[1]))\n"
    done = run_in(peer, ["-B", "-c", code, str(folder)])
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("peer", PEERS)
def test_own_classes(peer, tmp_path):
    spec = own_example(release=peer.removeprefix("mac-").removesuffix(".3"))
    assert not checked(spec)
    folder = lay_out(planned(spec)[0], tmp_path)
    said = serve(peer, folder, EXAMPLES / "byop-own-classes" / "sample.json")
    assert said["validator"] in {None, "pass"}
    assert said["served"]["bikes"] == pytest.approx(said["expected"]["bikes"], rel=1e-9)


MODEL = """
from pathlib import Path
from typing import Dict, List
import numpy as np


class Scale:
    def __init__(self, factor: float) -> None:
        self.factor = factor


def load(folder: Path) -> Scale:
    return Scale(float((folder / "factor.txt").read_text()))


{}def predict(model: Scale, inputs: Dict[str, np.ndarray]) -> Dict[str, List[float]]:
    return {{"out": [model.factor * each for each in inputs["x"]]}}
"""


@pytest.mark.parametrize(
    ("peer", "asynchronous"), [("mac-2023.2.1", False), ("mac-2025.2.5", True), ("mac-2026.1.3", True)]
)
def test_generated_code_with_an_own_type(peer, asynchronous, tmp_path):
    """A class of the user's own, lists returned for arrays, awaited where the release can."""
    root = write(
        tmp_path / "p",
        {
            "src/config/__init__.py": "",
            "src/config/self.py": MODEL.format("async " * asynchronous),
            "factor.txt": "2.5",
        },
    )
    write(
        root,
        {"sample.json": json.dumps({"inputs": [{"x": 1.0}, {"x": 4.0}], "outputs": [{"out": 2.5}, {"out": 10.0}]})},
    )
    release = peer.removeprefix("mac-").removesuffix(".3").removesuffix(".5")
    spec = byop_spec(
        root, load="config.self:load", predict="config.self:predict", artifacts=("factor.txt",), release=release
    )
    layout, findings = planned(spec)
    assert not errors(findings)
    said = serve(peer, lay_out(layout, tmp_path / "out"), root / "sample.json")
    assert said == {
        "validator": None if peer == "mac-2023.2.1" else "pass",
        "asynchronous": asynchronous,
        "served": {"out": [2.5, 10.0]},
        "expected": {"out": [2.5, 10.0]},
    }
