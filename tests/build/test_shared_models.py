"""Real public models, declared and built: what their headers tell, and what is told about them.

`pytest -s tests/build/test_shared_models.py` prints the table of all of them.
"""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from support.shared_table import FILES, Built, build_one, table

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(shared_models: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Built]:
    home = tmp_path_factory.mktemp("shared-models")
    return {file: build_one(shared_models, file, home) for file in FILES}


def tensor(name: str, *shape: int | str | None) -> dict[str, object]:
    return {"name": name, "dtype": "float32", "shape": list(shape)}


ALOHA = [
    "banjori",
    "corebot",
    "cryptolocker",
    "dircrypt",
    "gozi",
    "kraken",
    "locky",
    "main",
    "matsnu",
    "pykspa",
    "qakbot",
    "ramdo",
    "ramnit",
    "simda",
    "suppobox",
]
FACTS: dict[str, dict[str, object]] = {
    "ccfraud.onnx": {
        "ir_version": 4,
        "opsets": {"ai.onnx": 9},
        "inputs": [tensor("dense_input", "N", 29)],
        "outputs": [tensor("dense_1", "N", 1)],
    },
    "xgboost_ccfraud.onnx": {
        "ir_version": 7,
        "opsets": {"ai.onnx.ml": 1},
        "inputs": [tensor("feature_input", None, 29)],
        "outputs": [tensor("variable", None, 1)],
    },
    "alohacnnlstm.zip": {
        "tensorflow": "1.15.0",
        "signatures": {
            "serving_default": {
                "inputs": [tensor("text_input", None, 50)],
                "outputs": [tensor(name, None, 1) for name in ALOHA],
            }
        },
    },
    "keras_single_io_sequential_model.h5": {
        "keras": "2.8.0",
        "model": "Sequential",
        "inputs": [tensor("dense_input", None, 10)],
    },
    "pytorch_single_io_model.pt": {
        "format": "TorchScript",
        "class": "SingleIOModel",
        "inputs": [{"name": "x", "type": "Tensor", "optional": False}],
        "returns": "Tensor",
        "traced": False,
    },
    "sklearn_kmeans.pkl": {
        "class": "sklearn.cluster._kmeans.KMeans",
        "libraries": {"scikit-learn": "1.1.3"},
        "features": 4,
    },
    "sklearn_logreg.pkl": {
        "class": "sklearn.linear_model._logistic.LogisticRegression",
        "libraries": {"scikit-learn": "1.1.2"},
        "features": 4,
    },
    "xgb_classifier.pkl": {
        "class": "xgboost.sklearn.XGBClassifier",
        "libraries": {"xgboost": "1.7.4"},
        "features": 4,
    },
}
FINDINGS = {
    **{name: {("WLR366", "warning")} for name in ("sklearn_kmeans.pkl", "sklearn_logreg.pkl")},
    "alohacnnlstm.zip": {("WLR666", "note")},
}
"""Two are older than the platform's scikit-learn, one was zipped by a desktop. The others have nothing to be told."""


def test_every_file_is_declared(shared_models: Path) -> None:
    assert {path.name for path in shared_models.iterdir() if path.is_file()} == set(FILES) == set(FACTS)


@pytest.mark.parametrize("file", FILES)
def test_facts_and_findings(file: str, built: dict[str, Built]) -> None:
    made = built[file].manifest
    assert {key: made["facts"].get(key) for key in FACTS[file]} == FACTS[file]
    assert {(each["code"], each["level"]) for each in made["findings"]} == FINDINGS.get(file, set())
    assert made["runtime"] == ("native" if made["framework"] in {"onnx", "tensorflow"} else "containerized")


@pytest.mark.parametrize("file", sorted(set(FILES) - {"alohacnnlstm.zip"}))
def test_a_single_file_goes_up_as_it_is(file: str, built: dict[str, Built], shared_models: Path) -> None:
    assert built[file].bundle.suffix == Path(file).suffix
    digest = hashlib.sha256((shared_models / file).read_bytes()).hexdigest()
    assert built[file].manifest["file"]["sha256"] == digest


def test_a_zip_is_packed_anew_without_what_macos_added(built: dict[str, Built], shared_models: Path) -> None:
    made = built["alohacnnlstm.zip"]
    with zipfile.ZipFile(made.bundle) as ours, zipfile.ZipFile(shared_models / made.file) as theirs:
        kept = [each for each in theirs.namelist() if not each.startswith("__MACOSX") and not each.endswith("/")]
        assert sorted(ours.namelist()) == sorted(kept)
        assert {each.partition("/")[0] for each in ours.namelist()} == {"alohacnnlstm"}
        assert all(ours.read(each) == theirs.read(each) for each in kept)
    assert [each["path"] for each in made.manifest["left_out"]] == ["alohacnnlstm.zip!__MACOSX/"]


def test_the_table(built: dict[str, Built]) -> None:
    text = table(list(built.values()))
    print(f"\n{text}")
    assert text.count("\n") == len(FILES) + 1
