"""The starters with a model of the framework itself, as one of the platform's libraries saved it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from packaging.version import Version

from hatch_wallaroo.releases.model import FrameworkRow, Release
from hatch_wallaroo.scaffold import template_files
from hatch_wallaroo.scaffold.starter import MAKER, Starter, schema


@dataclass(frozen=True)
class _Trained:
    """A family's model, its schemas as the table writes them, and the library that saved it.

    `saved_by` are the versions of the library that the templates hold a model of, oldest first.
    """

    model: str
    library: str
    saved_by: tuple[str, ...]
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]


_SCORES = {"scores": "float32[3]"}
_TRAINED = {
    "onnx": _Trained("models/flowers.onnx", "onnx", ("1.12.1",), {"inputs": "float32[4]"}, _SCORES),
    "tensorflow": _Trained("models/flowers", "tensorflow", ("2.9.1",), {"inputs": "float32[4]"}, _SCORES),
    "keras": _Trained("models/flowers.h5", "tensorflow", ("2.8.0",), {"inputs": "float32[4]"}, _SCORES),
    "pytorch": _Trained("models/flowers.pt", "torch", ("1.13.1",), {"input": "float32[4]"}, {"output": "float32[3]"}),
    # The upload guide's fields, for flowers like the guide's.
    "sklearn": _Trained(
        "models/flowers.pkl", "scikit-learn", ("1.2.2", "1.3.0"), {"inputs": "float64[4]"}, {"predictions": "int32"}
    ),
    "xgboost": _Trained(
        "models/flowers.pkl", "xgboost", ("1.7.4", "2.1.0"), {"inputs": "float64[4]"}, {"output": "int32"}
    ),
}
FAMILIES = frozenset(_TRAINED)


def trained_starter(row: FrameworkRow, release: Release) -> Starter:
    """The model that the release's own library saved, or the nearest older one that is here."""
    family = row.family
    trained = _TRAINED[family]
    runs = row.libraries.get(trained.library)
    version = _saved_by(trained.saved_by, runs)
    values = {
        "model": trained.model,
        "release": release.asked,
        "runs": runs,
        "version": version,
        "sklearn": row.libraries.get("scikit-learn", "1.2.2"),
        "ir": release.onnx.ir,
        "opset": release.onnx.opset,
    }
    files = _model(family, version, trained.model)
    files[MAKER] = template_files.render(f"{family}/{MAKER}", values).encode()
    declared = row.schemas != "none"
    return Starter(
        inputs=schema(trained.inputs) if declared else None,
        outputs=schema(trained.outputs) if declared else None,
        files=files,
        about=template_files.paragraphs(f"{family}/about.md", values),
        replace=template_files.paragraphs(f"{family}/replace.md", values),
        model=trained.model,
        sample=template_files.sample(family),
    )


def _saved_by(kept: tuple[str, ...], runs: str | None) -> str:
    """The newest kept version that the platform's own can load; the oldest where that is not known."""
    fitting = [version for version in kept if runs is not None and Version(version) <= Version(runs)]
    return fitting[-1] if fitting else kept[0]


def _model(family: str, version: str, model: str) -> dict[str, bytes]:
    """The model's file, or its folder's files, under their paths in the repository."""
    name = model.rpartition("/")[2]
    home = template_files.path(f"{family}/{version}/{name}")
    if home.is_file():
        return {model: home.read_bytes()}
    inside = sorted(path for path in home.rglob("*") if path.is_file())
    return {f"{model}/{path.relative_to(home).as_posix()}": path.read_bytes() for path in inside}
