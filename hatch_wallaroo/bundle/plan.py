"""What a bundle will hold, decided before a byte of a model is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.files.paths import check_paths
from hatch_wallaroo.findings import Finding, errors
from hatch_wallaroo.frameworks.base import Family, Layout

FAMILIES: Mapping[str, str] = MappingProxyType(
    {
        "custom": "hatch_wallaroo.frameworks.byop.family:Custom",
        "hugging-face": "hatch_wallaroo.frameworks.pretrained.hugging_face:HuggingFace",
        "keras": "hatch_wallaroo.frameworks.saved_models.keras:Keras",
        "llm": "hatch_wallaroo.frameworks.pretrained.llm:Llm",
        "mlflow": "hatch_wallaroo.frameworks.mlflow.family:MLflow",
        "onnx": "hatch_wallaroo.frameworks.onnx:Onnx",
        "python": "hatch_wallaroo.frameworks.step.family:PythonStep",
        "pytorch": "hatch_wallaroo.frameworks.pytorch:PyTorch",
        "sklearn": "hatch_wallaroo.frameworks.pickled.sklearn:Sklearn",
        "tensorflow": "hatch_wallaroo.frameworks.saved_models.tensorflow:TensorFlow",
        "xgboost": "hatch_wallaroo.frameworks.pickled.xgboost:XGBoost",
    }
)
"""Where each family of the releases' data lives; imported when a model needs it."""


def family(name: str) -> Family:
    """The family that a framework's row names."""
    module, _, attribute = FAMILIES[name].partition(":")
    made: Family = getattr(import_module(module), attribute)()
    return made


@dataclass(frozen=True)
class BundlePlan:
    """One model's bundle-to-be: its file name in the output folder and its layout, entries in archive order."""

    spec: ModelSpec
    filename: str
    layout: Layout

    @property
    def manifest_name(self) -> str:
        return manifest_name(self.spec)


def stem(spec: ModelSpec) -> str:
    """What a model's files in the output folder begin with."""
    return f"{spec.name}-{spec.version}"


def manifest_name(spec: ModelSpec) -> str:
    return f"{stem(spec)}.wallaroo.json"


def plan(spec: ModelSpec) -> tuple[BundlePlan | None, tuple[Finding, ...]]:
    """Decide what a model's bundle holds; None where the findings leave nothing to pack."""
    planned = family(spec.framework.family).plan(spec)
    if planned.layout is None:
        return None, planned.findings
    layout = planned.layout
    if layout.form != "file":
        entries = tuple(sorted(layout.entries, key=lambda entry: entry.path.encode()))
        layout = Layout(layout.form, layout.suffix, entries, layout.stripped)
    findings = (*planned.findings, *check_paths(layout.entries))
    if errors(findings) and not layout.entries:
        return None, findings
    return BundlePlan(spec, stem(spec) + layout.suffix, layout), findings
