"""Files outside of any project: which framework a model is of, told by its name and its first bytes."""

from __future__ import annotations

import os.path
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hatch_wallaroo.config.spec import ModelSpec, Project
from hatch_wallaroo.findings import Finding, errors
from hatch_wallaroo.formats.signatures import is_onnx, recognise
from hatch_wallaroo.frameworks.mlflow.signature import MLMODEL

Kind = Literal["model", "sample", "signature", "unknown"]

_SUFFIXES = {
    ".onnx": "onnx",
    **dict.fromkeys((".h5", ".hdf5", ".keras"), "keras"),
    **dict.fromkeys((".pt", ".pth"), "pytorch"),
}
_PICKLES = frozenset({".pkl", ".pickle", ".joblib"})
_HEAD = 64


@dataclass(frozen=True)
class Recognised:
    """What a path is. `frameworks`: of a model, those that may serve it; several where the file does not decide."""

    kind: Kind
    frameworks: tuple[str, ...] = ()


def recognised(path: Path) -> Recognised:
    """Tell what stands at a path. Raises OSError where it cannot be read."""
    if os.path.isdir(path):  # noqa: PTH112 - pathlib raises for names that no file system takes
        return _folder(path)
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    suffix = path.suffix.lower()
    if path.name == MLMODEL:
        return Recognised("signature", ("mlflow",))
    if suffix == ".json":
        return Recognised("sample")
    if suffix in _SUFFIXES:
        return Recognised("model", (_SUFFIXES[suffix],))
    if suffix in _PICKLES or recognise(head) == "a Python pickle":
        return Recognised("model", (_of_pickle(path),))
    if suffix == ".zip" or recognise(head) == "a zip archive":
        return Recognised("model", tuple(_of_zip(path)))
    if is_onnx(head):
        return Recognised("model", ("onnx",))
    return Recognised("unknown")


def spec_of(path: Path, framework: str, release: str) -> tuple[ModelSpec | None, tuple[Finding, ...]]:
    """A model's file or folder as if a project declared it, and what is wrong with the framework or the release."""
    from hatch_wallaroo.config.reader import read_models

    path = Path(os.path.abspath(path))  # noqa: PTH100 - `..` goes, links stay
    table = {"framework": framework, "release": release, "model": path.name}
    if framework == "custom":
        del table["model"]
    document = {"project": {"name": "model"}, "tool": {"wallaroo": table}}
    reading = read_models(document, project=Project("model", "0"), root=path.parent)
    wrong = [each for each in errors(reading.findings) if {"framework", "release"} & set(each.place.key)]
    return (reading.specs[0] if reading.specs else None), tuple(wrong)


def _folder(path: Path) -> Recognised:
    if (path / MLMODEL).is_file():
        return Recognised("signature", ("mlflow",))
    if (path / "saved_model.pb").is_file():
        keras = (path / "keras_metadata.pb").is_file()
        return Recognised("model", ("keras" if keras else "tensorflow",))
    if (path / "model_index.json").is_file() or (path / "config.json").is_file():
        return Recognised("model", tuple(_of_pretrained(path)))
    return Recognised("unknown")


def _of_pretrained(path: Path) -> Iterator[str]:
    """The frameworks of the tasks that the architectures in a config.json fit."""
    import json

    from hatch_wallaroo.frameworks.pretrained.tasks import fitting, tasks

    if not (path / "config.json").is_file():
        yield tasks()["stable-diffusion-text-2-img"].framework
        return
    with (path / "config.json").open("rb") as stream:
        data = stream.read(1 << 20)
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        return
    names = told.get("architectures") if isinstance(told, dict) else None
    found = [task.framework for name in names or () if isinstance(name, str) for task in fitting(name)]
    yield from dict.fromkeys(found)


def _of_pickle(path: Path) -> str:
    """XGBoost's own classes go to xgboost, everything else is scikit-learn's to judge."""
    from hatch_wallaroo.formats.pickle_nodes import class_of
    from hatch_wallaroo.formats.pickles import read_pickle_file

    with path.open("rb") as stream:
        found = read_pickle_file(stream, path.stat().st_size)
    made_by = class_of(found.pickle.root) if found.pickle else None
    return "xgboost" if made_by and made_by.module.partition(".")[0] == "xgboost" else "sklearn"


def _of_zip(path: Path) -> Iterator[str]:
    """A SavedModel, or PyTorch's archive under another suffix."""
    from hatch_wallaroo.files.zip_reading import read_directory

    try:
        names = {each.filename.rpartition("/")[2] for each in read_directory(path)}
    except Exception:  # noqa: BLE001 - what zipfile raises for what is no zip has no common base
        return
    if "saved_model.pb" in names:
        yield "keras" if "keras_metadata.pb" in names else "tensorflow"
    elif "data.pkl" in names:
        yield "pytorch"
