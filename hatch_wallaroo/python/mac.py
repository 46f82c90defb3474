"""What Wallaroo's `mac` package offers to inference code, as data.

Read from the SDK wheels 2023.2.1, 2023.4.2, 2024.1.0, 2024.4.4, 2025.1.1, 2025.2.5 and 2026.1.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hatch_wallaroo.releases.model import Release

INFERENCE = "mac.inference.Inference"
ASYNC_INFERENCE = "mac.inference.AsyncInference"
BUILDER = "mac.inference.creation.InferenceBuilder"
DATA = "mac.types.InferenceData"


@dataclass(frozen=True)
class KnownClass:
    """A class of `mac` that user code inherits from: its bases, what it leaves abstract, what it defines."""

    bases: tuple[str, ...]
    abstract: frozenset[str]
    concrete: frozenset[str]


_COMMON = frozenset(
    {"__init__", "model", "predict", "_raise_error_if_model_is_not_assigned", "_raise_error_if_model_is_wrong_type"}
)
_STREAMLINED = frozenset({"__init__", "expected_model_types", "model", "_predict", "_preprocess", "_postprocess"})

CLASSES: Mapping[str, KnownClass] = {
    INFERENCE: KnownClass((), frozenset({"expected_model_types", "_predict"}), _COMMON),
    ASYNC_INFERENCE: KnownClass((), frozenset({"expected_model_types", "_predict"}), _COMMON),
    BUILDER: KnownClass((), frozenset({"inference", "create"}), frozenset({"__init__", "custom_config"})),
    "mac.inference.StreamlinedInference": KnownClass(
        (INFERENCE,), frozenset({"_preprocess"}), _STREAMLINED - {"_preprocess"}
    ),
    "mac.inference.StreamlinedDLInference": KnownClass(
        ("mac.inference.StreamlinedInference",), frozenset(), frozenset({"__init__", "_preprocess"})
    ),
    "mac.inference.StreamlinedMLInference": KnownClass((INFERENCE,), frozenset(), _STREAMLINED),
}

_HOMES = {name.rpartition(".")[2]: name for name in (*CLASSES, DATA)}

_ALWAYS = ("2023.2", "9999")
_NAMES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "mac.inference": {
        "Inference": _ALWAYS,
        "AsyncInference": ("2024.4", "9999"),
        "StreamlinedInference": _ALWAYS,
        "StreamlinedDLInference": _ALWAYS,
        "StreamlinedMLInference": _ALWAYS,
    },
    "mac.inference.creation": {"InferenceBuilder": _ALWAYS},
    "mac.config.inference": {"CustomInferenceConfig": _ALWAYS, "InferenceConfig": ("2023.2", "2023.4")},
    "mac.config.python_step": {
        "CustomStepConfig": ("2024.1", "9999"),
        "PythonStepConfig": ("2024.1", "9999"),
        "AutoInferenceConfig": ("2024.1", "9999"),
    },
    "mac.types": {
        "InferenceData": _ALWAYS,
        "SupportedServices": _ALWAYS,
        "SupportedFrameworks": ("2023.2", "2024.4"),
        "PythonStep": ("2024.1", "9999"),
        "AsyncPythonStep": ("2024.4", "9999"),
    },
}
"""Public names of the modules that inference code imports from: the first and the last release line that has each."""

_LATER_MODULES = {"mac.config.python_step": "2024.1", "mac.inference.async_inference": "2024.4"}


def canonical(name: str) -> str:
    """The public name of something of `mac`, wherever inside `mac` it was imported from."""
    if name.startswith("mac."):
        return _HOMES.get(name.rpartition(".")[2], name)
    return name


def offers(release: Release, module: str, name: str) -> bool | None:
    """Whether a release's `mac` has a name in a module; None where we do not know the module or the name."""
    first = _LATER_MODULES.get(module)
    if first is not None and _line(release) < _numbers(first):
        return False
    names = _NAMES.get(module)
    if names is None:
        return None
    if name not in names:
        # A name that no release has ever had there: a sub-module, or a misspelling; False where its home is known.
        return False if name in _HOMES else None
    since, until = names[name]
    return _numbers(since) <= _line(release) <= _numbers(until)


def exports(release: Release, module: str) -> Mapping[str, str] | None:
    """The names that `from module import *` brings, and what each is; None for a module that we do not know.

    `mac.types` and the like define no `__all__`: what they import themselves comes along and is left out here.
    """
    names = _NAMES.get(module)
    if names is None:
        return None
    return {name: canonical(f"{module}.{name}") for name in names if offers(release, module, name)}


def counts_by_member_name(release: Release) -> bool:
    """Whether the loader tells the base class from the user's by the name that it is imported under.

    So from 2024.1 on (`custom_step_loaders`, which came with the `process_data` step);
    before, by the class's own name.
    """
    return release.python_step == "process_data"


def builder_is_abstract(release: Release) -> bool:
    """Whether Python itself refuses a builder without `inference`: InferenceBuilder is an ABC from 2025.1 on."""
    return _line(release) >= (2025, 1)


def _line(release: Release) -> tuple[int, ...]:
    return _numbers(release.version)[:2]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
