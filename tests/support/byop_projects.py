"""Projects with inference code: the examples' specs, and a bundle laid out as a folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from hatch_wallaroo.config.spec import ByopSpec, ModelSpec, Reference
from hatch_wallaroo.findings import Finding
from hatch_wallaroo.frameworks.base import Layout
from hatch_wallaroo.frameworks.byop.family import Custom
from support.factory import make_spec

EXAMPLES = Path(__file__).parents[2] / "example-projects"


def byop_spec(
    root: Path,
    *,
    dependencies: tuple[str, ...] = (),
    release: str = "2023.2.1",
    artifacts: tuple[str, ...] = (),
    **byop: Any,
) -> ModelSpec:
    """A `custom` spec: `byop_spec(root, load="p.m:load", predict="p.m:predict")`, `byop_spec(root, module="inference.py")`."""
    for option in ("load", "predict"):
        if option in byop:
            module, _, function = byop[option].rpartition(":")
            byop[option] = Reference(module, function)
    spec = make_spec(root, "custom", release=release, artifacts=artifacts, byop=ByopSpec(**byop))
    return replace(spec, project=replace(spec.project, dependencies=dependencies))


def write(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return root


def lay_out(layout: Layout, target: Path) -> Path:
    """Write a zip's entries into a folder; gives the top folder."""
    for entry in layout.entries:
        path = target / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with entry.source.open() as stream:
            path.write_bytes(stream.read())
    return target / layout.entries[0].path.partition("/")[0]


def planned(spec: ModelSpec) -> tuple[Layout, tuple[Finding, ...]]:
    result = Custom().plan(spec)
    assert result.layout is not None, result.findings
    return result.layout, result.findings


def checked(spec: ModelSpec) -> list[Finding]:
    """Everything that planning and inspecting say."""
    result = Custom().plan(spec)
    found = list(result.findings)
    if result.layout is not None:
        found += Custom().inspect(spec, result.layout).findings
    return found


def generated_example(**options: Any) -> ModelSpec:
    return byop_spec(
        EXAMPLES / "byop-generated",
        dependencies=("scikit-learn==1.2.2",),
        artifacts=("models/kmeans.pkl",),
        load="flower_clusters.model:load",
        predict="flower_clusters.model:predict",
        **options,
    )


def own_example(**options: Any) -> ModelSpec:
    return byop_spec(
        EXAMPLES / "byop-own-classes",
        artifacts=("artifacts/weights.npz",),
        module="inference.py",
        packages=("bike_features",),
        **{"release": "2026.1", **options},
    )
