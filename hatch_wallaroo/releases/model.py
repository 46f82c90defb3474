"""What one Wallaroo release takes, as values. The data stands in the TOML files beside this module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class FrameworkRow:
    """One framework as a release knows it.

    `family` names the code that handles it, `runtime` the space it runs in,
    `route` the upload endpoint (`upload` or `upload_and_convert`), `schemas`
    whether input and output schemas are required, optional or not taken;
    `libraries` maps distribution names to the versions that the platform runs,
    where they are known; `default_config` is the `config` inside `framework_config`
    when the user says nothing (None: the framework has no configuration).

    `config_keys` are the keys that its configuration takes (None: any), `conversion_keys`
    replaces the release's where a framework is registered with fewer, and `refused_classes`
    names model classes that the platform does not convert, with what to do instead.
    `zipped` tells whether the upload is always a zip, `requirements` whether the platform installs those that a model
    brings along, and
    `file_forms` the forms of a model that a family takes, where it knows several.
    """

    name: str
    family: str
    runtime: Literal["native", "containerized"]
    route: Literal["upload", "upload_and_convert"]
    schemas: Literal["required", "optional", "none"]
    libraries: Mapping[str, str]
    task: str | None = None
    default_config: Mapping[str, Any] | None = None
    config_keys: tuple[str, ...] | None = None
    conversion_keys: tuple[str, ...] | None = None
    refused_classes: Mapping[str, str] = field(default_factory=dict)
    zipped: bool = False
    requirements: bool = False
    file_forms: tuple[Literal["saved-model", "h5", "keras"], ...] = ()


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

    `validator`: a static validator executes every .py before conversion. `lenient_validator`: it is that of 2025.2.0
    and 2025.2.1, which executes artifacts/ too, goes on after a file that does not import, knows no way past it for
    completion handlers, and looks at no return type.
    `asynchronous`: AsyncInference exists. `service`: what a converted model's runtime is called.
    `requirements_required`: an archive without requirements.txt is refused.
    `member_names`: the loader tells the base class from the user's by the name that it is imported under, not by the
    class's own. `abstract_builder`: Python itself refuses a builder that leaves a method of the base class undone.
    """

    validator: bool
    asynchronous: bool
    service: Literal["mlflow", "flight"]
    requirements_required: bool
    member_names: bool
    abstract_builder: bool
    lenient_validator: bool = False


@dataclass(frozen=True)
class RuntimeSet:
    """What runs a model of a release on this machine: `mac` out of the SDK's wheel, and what it imports.

    `wheels` are the versions of the SDK that the release has, oldest first; `requirements` the packages beside it, with
    the versions that the wheel names or was run with. `flight`: the wheel has an Arrow Flight service. `typed`: that
    service casts answers to the output schema.
    """

    wheels: tuple[str, ...]
    requirements: tuple[str, ...]
    flight: bool
    typed: bool


@dataclass(frozen=True)
class ApiSupport:
    """What a release's API answers.

    `native_statuses` and `container_statuses` come between `uploading` and the end, in order.
    `file_size`: a version's `file_info` has a `size`. `config`: `GET /v1/api/config` exists.
    `nested_lists`: `models/list` gives `{model, model_versions, workspace}` instead of the model alone.
    `error_summary`: a version has one, and its upload logs can be asked for.
    `anomaly_count`: an inference's rows have an `anomaly.count`, else the list `check_failures`.
    `plain_errors`: an inference's error is an object, else a list of one.
    """

    native_statuses: tuple[str, ...]
    container_statuses: tuple[str, ...]
    file_size: bool
    config: bool
    nested_lists: bool
    error_summary: bool
    anomaly_count: bool
    plain_errors: bool


@dataclass(frozen=True)
class Release:
    """A release, resolved: `asked` as the user wrote it, `version` the data file that answers.

    `python` runs the requirements on the platform (`3.8`), and no line of NumPy after `last_numpy`; `python_version` is
    what an upload says
    (out of `python_versions`); the two differ from 2024.4 on. `accelerators` maps each accelerator
    to the architectures that it goes with, `conversion_keys` are the keys of the upload's `conversion`
    in the order in which they are sent. A release without arch or accel has none of them.
    `python_step` is the form of Python steps, `python_step_signature` what must be right about that
    of their function: the annotations, or all of it.
    """

    asked: str
    version: str
    python: str
    last_numpy: str
    python_versions: tuple[str, ...]
    python_version: str
    frameworks: Mapping[str, FrameworkRow]
    architectures: tuple[str, ...]
    accelerators: Mapping[str, tuple[str, ...]]
    conversion_keys: tuple[str, ...]
    onnx: OnnxSupport
    byop: ByopSupport
    api: ApiSupport
    python_step: Literal["wallaroo_json", "process_data"]
    python_step_signature: Literal["annotations", "exact"]
    sdk: Mapping[str, str]
    """The SDK's own pins (pyarrow, numpy, pandas): what its runtime environment holds."""
    runtime_set: RuntimeSet
    default_arch: str | None = None
    """What is sent as `arch` when the user says nothing; None is sent as null."""
    default_accel: str | None = None
    accelerator_configs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The accelerators that are sent with a configuration, and the SDK's defaults for it."""

    @property
    def exact(self) -> bool:
        """Whether a data file of just this version exists."""
        return self.asked == self.version
