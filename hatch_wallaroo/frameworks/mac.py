"""What inference code finds around it on the platform: `mac`, by which it is called, and what comes with that.

The classes stand here as the SDK's wheels have them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from hatch_wallaroo.python.known_names import nearest_version, parsed
from hatch_wallaroo.python.platform_environment import PlatformEnvironment, declared_names, possible_numpys
from hatch_wallaroo.python.platform_library import KnownClass, PlatformLibrary
from hatch_wallaroo.releases.model import Release

INFERENCE = "mac.inference.Inference"
ASYNC_INFERENCE = "mac.inference.AsyncInference"
BUILDER = "mac.inference.creation.InferenceBuilder"
DATA = "mac.types.InferenceData"

PROVIDED = frozenset(
    {"mac", "pydata_util", "numpy", "pandas", "pyarrow", "typing_extensions", "pydantic", "dateutil", "pytz", "six"}
)
"""Top-level modules of the environment that runs inference code, whatever is declared: `mac` and what it imports."""

_VARIABLES = frozenset({"HOME", "LC_CTYPE", "LOG_LEVEL", "PATH"})
"""The environment variables that code sees on the platform, whatever the release."""

_STREAMLINED = "mac.inference.StreamlinedInference"
_MODEL = {"model": "_model"}
_INFERENCE = KnownClass(
    (),
    frozenset({"expected_model_types", "_predict"}),
    frozenset(
        {"__init__", "model", "predict", "_raise_error_if_model_is_not_assigned", "_raise_error_if_model_is_wrong_type"}
    ),
    _MODEL,
    bare=True,
)
_WRAPPING = frozenset(
    {"__init__", "expected_model_types", "model", "_predict", "_postprocess", "_wrappee", "_data_validator"}
)
_SETTERS = frozenset({"model"})
_CLASSES: Mapping[str, KnownClass] = {
    INFERENCE: _INFERENCE,
    ASYNC_INFERENCE: _INFERENCE,
    BUILDER: KnownClass(
        (), frozenset({"inference", "create"}), frozenset({"__init__", "custom_config", "_custom_config"}), bare=True
    ),
    _STREAMLINED: KnownClass(
        (INFERENCE,),
        frozenset({"_preprocess"}),
        _WRAPPING | {"_preprocessor", "_postprocessor"},
        _MODEL,
        _SETTERS,
    ),
    "mac.inference.StreamlinedDLInference": KnownClass(
        (_STREAMLINED,), frozenset(), frozenset({"__init__", "_preprocess"})
    ),
    "mac.inference.StreamlinedMLInference": KnownClass(
        (INFERENCE,), frozenset(), _WRAPPING | {"_preprocess"}, _MODEL, _SETTERS
    ),
}
_PUBLIC = {name.rpartition(".")[2]: name for name in (*_CLASSES, DATA)}


def environment_of(
    release: Release,
    lines: Iterable[str] | None,
    own: Callable[[str], bool] = lambda _: False,
    machine: Callable[[str], bool] = lambda _: False,
) -> PlatformEnvironment:
    """A release's environment with the model's requirements in it (None: they could not be read).

    `own` answers whether a module lies in the project, though not in the bundle, `machine` whether an absolute path is
    of the machine that the project lies on.
    """
    version = nearest_version("mac", parsed(release.asked))  # of no patch the last, as the platform has it
    library = PlatformLibrary("mac", version, _CLASSES, _PUBLIC, PROVIDED)
    major, minor, *_ = parsed(release.python)
    listed = None if lines is None else list(lines)
    return PlatformEnvironment(
        name=f"Wallaroo {release.asked}",
        python=(major, minor),
        library=library,
        variables=_VARIABLES,
        declared=None if listed is None else declared_names(listed),
        own=own,
        machine=machine,
        numpy=() if listed is None else possible_numpys(release.sdk["numpy"], release.last_numpy, listed),
    )
