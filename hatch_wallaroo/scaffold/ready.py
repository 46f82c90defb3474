"""The starters with a model of the framework itself, as one of the platform's libraries saved it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from packaging.version import Version

from hatch_wallaroo.releases.model import FrameworkRow, Release
from hatch_wallaroo.scaffold import texts
from hatch_wallaroo.scaffold.starter import Starter
from hatch_wallaroo.schema.tables import read_schema
from hatch_wallaroo.schema.types import Schema

MAKER = "make_model.py"


@dataclass(frozen=True)
class _Ready:
    """A family's model, its schemas as the table writes them, and the library that saved it.

    `saved_by` are the versions of the library that the templates hold a model of, oldest first.
    """

    model: str
    library: str
    saved_by: tuple[str, ...]
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]


_SCORES = {"scores": "float32[3]"}
_READY = {
    "onnx": _Ready("models/flowers.onnx", "onnx", ("1.12.1",), {"inputs": "float32[4]"}, _SCORES),
    "tensorflow": _Ready("models/flowers", "tensorflow", ("2.9.1",), {"inputs": "float32[4]"}, _SCORES),
    "keras": _Ready("models/flowers.h5", "tensorflow", ("2.8.0",), {"inputs": "float32[4]"}, _SCORES),
    "pytorch": _Ready("models/flowers.pt", "torch", ("1.13.1",), {"input": "float32[4]"}, {"output": "float32[3]"}),
    # The upload guide's fields, for flowers like the guide's.
    "sklearn": _Ready(
        "models/flowers.pkl", "scikit-learn", ("1.2.2", "1.3.0"), {"inputs": "float64[4]"}, {"predictions": "int32"}
    ),
    "xgboost": _Ready(
        "models/flowers.pkl", "xgboost", ("1.7.4", "2.1.0"), {"inputs": "float64[4]"}, {"output": "int32"}
    ),
}
FAMILIES = frozenset(_READY)


def starter(row: FrameworkRow, release: Release) -> Starter:
    """The model that the release's own library saved, or the nearest older one that is here."""
    family = row.family
    ready = _READY[family]
    runs = row.libraries.get(ready.library)
    version = _saved_by(ready.saved_by, runs)
    values = {
        "model": ready.model,
        "release": release.asked,
        "runs": runs,
        "version": version,
        "sklearn": row.libraries.get("scikit-learn", "1.2.2"),
        "ir": release.onnx.ir,
        "opset": release.onnx.opset,
    }
    files = _model(family, version, ready.model)
    files[MAKER] = texts.render(f"{family}/{MAKER}", values).encode()
    declared = row.schemas != "none"
    return Starter(
        inputs=schema(ready.inputs) if declared else None,
        outputs=schema(ready.outputs) if declared else None,
        files=files,
        about=texts.paragraphs(f"{family}/about.md", values),
        replace=texts.paragraphs(f"{family}/replace.md", values),
        model=ready.model,
        sample=texts.sample(family),
    )


def schema(fields: Mapping[str, str]) -> Schema:
    """A schema as the table writes it. Raises ValueError for what is none."""
    made, issues = read_schema(fields)
    if issues:
        raise ValueError(f"no schema: {fields}")
    return made


def _saved_by(kept: tuple[str, ...], runs: str | None) -> str:
    """The newest kept version that the platform's own can load; the oldest where that is not known."""
    fitting = [version for version in kept if runs is not None and Version(version) <= Version(runs)]
    return fitting[-1] if fitting else kept[0]


def _model(family: str, version: str, model: str) -> dict[str, bytes]:
    """The model's file, or its folder's files, under their paths in the repository."""
    name = model.rpartition("/")[2]
    home = texts.path(f"{family}/{version}/{name}")
    if home.is_file():
        return {model: home.read_bytes()}
    inside = sorted(path for path in home.rglob("*") if path.is_file())
    return {f"{model}/{path.relative_to(home).as_posix()}": path.read_bytes() for path in inside}
