"""What Wallaroo's `mac` package offers to inference code: its classes, as the SDK's wheels have them, and its names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hatch_wallaroo.python.known_names import (
    Version,
    module_lifetime,
    name_lifetime,
    names_of,
    nearest_version,
    origin,
    parsed,
)
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


def canonical(name: str) -> str:
    """The public name of something of `mac`, wherever inside `mac` it was imported from."""
    if name.startswith("mac."):
        return _HOMES.get(name.rpartition(".")[2], name)
    return name


def has_module(release: Release, module: str) -> bool | None:
    """Whether a release's `mac` has a module; None for modules that are not of `mac`."""
    if module.partition(".")[0] != "mac":
        return None
    lifetime = module_lifetime("mac", module)
    return lifetime is not None and lifetime.has(_wheel(release))


def offers(release: Release, module: str, name: str) -> bool | None:
    """Whether a release's `mac` has a name in a module; None where it does not have the module."""
    if not has_module(release, module):
        return None
    lifetime = name_lifetime("mac", module, name)
    return name.startswith("__") or (lifetime is not None and lifetime.has(_wheel(release)))


def exports(release: Release, module: str) -> Mapping[str, str] | None:
    """The names that `from module import *` brings, and what each is; None for a module that we do not know."""
    if not has_module(release, module):
        return None
    return {name: canonical(origin("mac", module, name)) for name in names_of("mac", module, _wheel(release))}


def counts_by_member_name(release: Release) -> bool:
    """Whether the loader tells the base class from the user's by the name that it is imported under.

    So from 2024.1 on (`custom_step_loaders`, which came with the `process_data` step);
    before, by the class's own name.
    """
    return release.python_step == "process_data"


def builder_is_abstract(release: Release) -> bool:
    """Whether Python itself refuses a builder without `inference`: InferenceBuilder is an ABC from 2025.1 on."""
    return _line(release) >= (2025, 1)


def _line(release: Release) -> Version:
    return parsed(release.version)[:2]


def _wheel(release: Release) -> Version:
    """The SDK's wheel that speaks for a release: the patch that was asked for, or the last."""
    return nearest_version("mac", parsed(release.asked))
