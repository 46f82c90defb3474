"""What a new repository begins with: a small model that builds as it stands, and what the table says of it.

The models of the frameworks themselves, as one of the platform's libraries saved them; BYOP's pair of functions; and a
Python step in the release's form. Those of the Hugging Face tasks and engines are in `pretrained_starters`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from packaging.version import Version

from hatch_wallaroo.releases.model import FrameworkRow, Release
from hatch_wallaroo.scaffold import template_files
from hatch_wallaroo.schema.tables import read_schema
from hatch_wallaroo.schema.types import Schema

MAKER = "make_model.py"
"""The script that made a repository's model, or fetches one."""


@dataclass(frozen=True)
class Starter:
    """One framework's beginning, as values; `scaffold.repository` lays a repository around it.

    `model` and `artifacts` are the keys of the table, `files` what lies at which path (relative to the project,
    forward slashes): the model itself and the script that makes it. `inputs` and `outputs` are the schemas that the
    upload guide gives for the framework or task, None where it takes none. `sample` is what `sample.json` holds:
    `{"inputs": [row, …]}`, with `outputs` where the model's answers are known. `dependencies` are what the model
    needs on the platform. `table` holds further keys of `[tool.wallaroo]`, in order. `about` says in a sentence or
    two what the model is, `replace` how to put one's own in its place: both are paragraphs of the README.
    """

    inputs: Schema | None
    outputs: Schema | None
    files: Mapping[str, bytes]
    about: str
    replace: str
    model: str | None = None
    artifacts: tuple[str, ...] = ()
    sample: Mapping[str, Any] = field(default_factory=dict)
    dependencies: tuple[str, ...] = ()
    table: Mapping[str, Any] = field(default_factory=dict)


def schema(fields: Mapping[str, Any]) -> Schema:
    """A schema as the table writes it. Raises ValueError for what is none."""
    made, issues = read_schema(fields)
    if issues:
        raise ValueError(f"no schema: {issues}")
    return made


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


_WEIGHTS = "models/flowers.npz"
_STEP = "step.py"


def byop_starter(row: FrameworkRow, release: Release, package: str) -> Starter:
    """`load` and `predict` in the repository's package, over a file of numbers; NumPy is all that they need.

    For `mlflow` the same pair becomes a container image, which `hatch build` leaves to be built: that takes an engine.
    """
    image = row.family == "mlflow"
    values = {"model": _WEIGHTS, "package": package, "python": release.python, "image": image}
    return Starter(
        inputs=schema({"inputs": "float64[4]"}),
        outputs=schema({"kind": "int64", "distance": "float64"}),
        files={
            _WEIGHTS: template_files.read("custom/flowers.npz"),
            MAKER: template_files.render(f"custom/{MAKER}", values).encode(),
            f"src/{package}/__init__.py": b"",
            f"src/{package}/model.py": template_files.render("custom/model.py", values).encode(),
            "tests/test_model.py": template_files.render("custom/test_model.py", values).encode(),
        },
        about=template_files.paragraphs("custom/about.md", values),
        replace=template_files.paragraphs("custom/replace.md", values),
        artifacts=(_WEIGHTS,),
        sample=template_files.sample("custom"),
        table={
            "byop": {"load": f"{package}.model:load", "predict": f"{package}.model:predict"},
            **({"image": {"build": False}} if image else {}),
        },
    )


def step_starter(row: FrameworkRow, release: Release) -> Starter:
    """A function between two models: `wallaroo_json` up to 2023.4, `process_data` from 2024.1 on."""
    declared = row.schemas != "none"
    form = release.python_step
    values = {"model": _STEP, "release": release.asked, "python": release.python, "schemas": declared}
    return Starter(
        inputs=schema({"scores": "float64[3]"}) if declared else None,
        outputs=schema({"kind": "int64", "score": "float64"}) if declared else None,
        files={
            _STEP: template_files.render(f"python/{form}.py", values).encode(),
            "tests/test_step.py": template_files.render(f"python/test_{form}.py", values).encode(),
        },
        about=template_files.paragraphs("python/about.md", values),
        replace=template_files.paragraphs("python/replace.md", values),
        model=_STEP,
        sample=template_files.sample("python"),
    )
