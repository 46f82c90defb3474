"""The starters whose model is code: BYOP's pair of functions, and a Python step in the release's form."""

from __future__ import annotations

from hatch_wallaroo.releases.model import FrameworkRow, Release
from hatch_wallaroo.scaffold import template_files
from hatch_wallaroo.scaffold.starter import MAKER, Starter, schema

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
