"""What one Wallaroo release takes, as values. The data stands in the TOML files beside this module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class FrameworkRow:
    """One framework as a release knows it.

    `family` names the code that handles it, `runtime` the space it runs in,
    `route` the upload endpoint (`upload` or `upload_and_convert`), `schemas`
    whether input and output schemas are required, optional or not taken;
    `libraries` maps distribution names to the versions that the platform runs,
    where they are known; `default_config` is what `framework_config` holds when
    the user says nothing (None: the framework has no configuration).
    """

    name: str
    family: str
    runtime: Literal["native", "containerized"]
    route: Literal["upload", "upload_and_convert"]
    schemas: Literal["required", "optional", "none"]
    libraries: Mapping[str, str]
    task: str | None = None
    default_config: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class OnnxSupport:
    """The highest versions that the ONNX runtime of a release takes."""

    onnx: str
    ir: int
    opset: int
    ml_opset: int


@dataclass(frozen=True)
class ByopSupport:
    """How a release runs BYOP code.

    `validator`: a static validator executes every .py before conversion.
    `asynchronous`: AsyncInference exists. `inference_data`: what
    `mac.types.InferenceData` is, `dict` or `union` (2023.2.1's Union[NDArray, Dict]).
    """

    validator: bool
    asynchronous: bool
    service: Literal["mlflow", "flight"]
    requirements_required: bool
    inference_data: Literal["dict", "union"]


@dataclass(frozen=True)
class Release:
    """A release, resolved: `asked` as the user wrote it, `version` the data file that answers."""

    asked: str
    version: str
    python: str
    python_versions: tuple[str, ...]
    python_version: str
    frameworks: Mapping[str, FrameworkRow]
    architectures: tuple[str, ...]
    accelerators: Mapping[str, tuple[str, ...]]
    conversion_keys: tuple[str, ...]
    onnx: OnnxSupport
    byop: ByopSupport
    python_step: Literal["wallaroo_json", "process_data"]
    sdk: Mapping[str, str]
    """The SDK's own pins (pyarrow, numpy, pandas): what its runtime environment holds."""

    @property
    def exact(self) -> bool:
        """Whether a data file of just this version exists."""
        return self.asked == self.version
