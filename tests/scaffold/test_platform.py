"""What new repositories hold, on the platform's own runtime and by the libraries that its releases run."""

from __future__ import annotations

import json
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from hatch_wallaroo.plugin.builder import WallarooBuilder
from hatch_wallaroo.project.checking import check_repository
from hatch_wallaroo.project.repository import read_repository
from hatch_wallaroo.releases.load import known, resolve
from support.fronts import REPOSITORY
from support.peers import run_in
from support.scaffolds import scaffold, tree

pytestmark = pytest.mark.peer

FIRST, LAST = known()[0], known()[-1]
SUPPORT = REPOSITORY / "tests" / "support"
PEERS = {"mac-2023.2.1": FIRST, "mac-2025.2.5": "2025.2", "mac-2026.1.3": LAST}


def unpacked(root: Path, folder: Path) -> Path:
    """Build a zip bundle and unpack it as the platform does: its one top folder goes."""
    (bundle,) = list(WallarooBuilder(str(root)).build())
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(folder)
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder


@pytest.mark.parametrize("peer", PEERS)
def test_byop_is_loaded_and_answers(peer: str, tmp_path: Path) -> None:
    root = scaffold(tmp_path / "new", "custom", PEERS[peer], "red-roses")
    folder = unpacked(root, tmp_path / "unpacked")
    functions = ("red_roses.model:load", "red_roses.model:predict")
    script = str(SUPPORT / "byop_predict.py")
    done = run_in(peer, ["-B", script, str(folder), str(root / "sample.json"), str(root), *functions])
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["validator"] in {None, "pass"}
    assert said["served"] == said["plain"]
    assert said["served"]["kind"] == said["expected"]["kind"]
    assert said["served"]["distance"] == pytest.approx(said["expected"]["distance"], abs=1e-3)


def test_a_step_is_what_the_real_loader_takes(tmp_path: Path) -> None:
    root = scaffold(tmp_path / "new", "python", LAST)
    folder = unpacked(root, tmp_path / "unpacked")
    step = {path.name: path.read_text() for path in folder.glob("*.py")}
    wrong = {name: text.replace("npt.NDArray", "np.ndarray") for name, text in step.items()}
    cases = json.dumps({"as it stands": step, "otherwise annotated": wrong})
    done = run_in("mac-2026.1.3", ["-B", str(SUPPORT / "step_oracle.py")], input=cases)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["as it stands"] == "ok"
    assert said["otherwise annotated"] != "ok"


PREDICT = """
import json, pickle, sys, warnings
import numpy as np
warnings.simplefilter("error")
with open(sys.argv[1], "rb") as file:
    model = pickle.load(file)
rows = np.array([row["inputs"] for row in json.load(open(sys.argv[2]))["inputs"]])
print(json.dumps(model.predict(rows).tolist()))
"""


@pytest.mark.parametrize(
    ("framework", "field", "peer", "release"),
    [
        ("sklearn", "predictions", "estimators", FIRST),
        ("sklearn", "predictions", "mac-2026.1.3", LAST),
        ("xgboost", "output", "estimators", FIRST),
    ],
)
def test_a_pickle_is_loaded_without_a_warning_by_the_releases_library(
    framework: str, field: str, peer: str, release: str, tmp_path: Path
) -> None:
    root = scaffold(tmp_path / "new", framework, release)
    sample = json.loads((root / "sample.json").read_text())
    done = run_in(peer, ["-c", PREDICT, str(root / "models/flowers.pkl"), str(root / "sample.json")])
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [row[field] for row in sample["outputs"]]


TRACE = """
import json, sys, torch
model = torch.jit.load(sys.argv[1])
rows = torch.tensor([row["input"] for row in json.load(open(sys.argv[2]))["inputs"]])
print(json.dumps(model(rows).tolist()))
"""


def test_a_torchscript_model_of_the_first_release_is_loaded_by_a_current_pytorch(tmp_path: Path) -> None:
    root = scaffold(tmp_path / "new", "pytorch", LAST)
    done = run_in("torch", ["-c", TRACE, str(root / "models/flowers.pt"), str(root / "sample.json")])
    assert done.returncode == 0, done.stderr
    expected = [row["output"] for row in json.loads((root / "sample.json").read_text())["outputs"]]
    assert json.loads(done.stdout) == [pytest.approx(row, abs=1e-3) for row in expected]


def test_onnx_answers_as_its_sample(tmp_path: Path) -> None:
    import numpy as np
    import onnx
    from onnx.reference import ReferenceEvaluator

    root = scaffold(tmp_path / "new", "onnx", FIRST)
    model = onnx.load(root / "models/flowers.onnx")
    for release in map(resolve, known()):
        assert model.ir_version <= release.onnx.ir
        assert max(each.version for each in model.opset_import) <= release.onnx.opset
    sample = json.loads((root / "sample.json").read_text())
    rows = np.array([row["inputs"] for row in sample["inputs"]], dtype=np.float32)
    (scores,) = ReferenceEvaluator(model).run(None, {"inputs": rows})
    np.testing.assert_allclose(scores, [row["scores"] for row in sample["outputs"]], atol=1e-4)


MAKERS = {
    "custom": (None, LAST),
    "onnx": (None, LAST),
    "sklearn": ("estimators", FIRST),
    "xgboost": ("estimators", FIRST),
    "pytorch": ("torch", LAST),
}
"""What makes each model again: this Python, or a peer. TensorFlow has none here; its two scripts were run by hand."""


@pytest.mark.parametrize("framework", MAKERS)
def test_make_model_makes_the_model_again(framework: str, tmp_path: Path) -> None:
    peer, release = MAKERS[framework]
    root = scaffold(tmp_path / "new", framework, release)
    before = tree(root)
    shutil.rmtree(root / "models")
    (root / "sample.json").unlink()
    if peer:
        done = run_in(peer, ["-B", "make_model.py"], cwd=root)
    else:
        import subprocess

        command = [sys.executable, "-B", "make_model.py"]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    after = tree(root)
    assert set(after) == set(before)
    changed = {path for path in after if after[path] != before[path]}
    # Another machine's arithmetic, or another PyTorch, may change the last digits; what was learnt is the same.
    assert changed <= (
        {path for path in after if path.startswith("models/")} | ({"sample.json"} if peer == "torch" else set())
    )
    assert framework not in {"custom", "onnx"} or not changed
    assert [finding.message for finding in check_repository(read_repository(root)).findings] == []
