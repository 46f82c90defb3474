"""What inference code finds around it on the platform: its Python, its `mac`, and the declared requirements.

`mac`'s classes stand here as the SDK's wheels have them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from hatch_wallaroo.python import distributions
from hatch_wallaroo.python.known_names import (
    Library,
    Version,
    known_versions,
    listed_names,
    module_lifetime,
    name_lifetime,
    names_of,
    nearest_version,
    origin,
    parsed,
)
from hatch_wallaroo.releases.model import Release
from hatch_wallaroo.text import requirement_name

INFERENCE = "mac.inference.Inference"
ASYNC_INFERENCE = "mac.inference.AsyncInference"
BUILDER = "mac.inference.creation.InferenceBuilder"
DATA = "mac.types.InferenceData"


VARIABLES = frozenset({"HOME", "LC_CTYPE", "LOG_LEVEL", "PATH"})
"""The environment variables that code sees on the platform, whatever the release."""


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


@dataclass(frozen=True)
class PlatformEnvironment:
    """One release's environment with the model's requirements in it.

    `python` is the platform's, major and minor. `declared` are normalised distribution
    names, None where the requirements could not be read: then everything may be there.
    `own` answers whether a module lies in the project, though not in the bundle.
    `numpy` are the lines of NumPy (`1.26`) one of which is there, none where that is not known.
    `machine` answers whether an absolute path is of the machine that the project lies on.
    """

    release: Release
    declared: frozenset[str] | None
    own: Callable[[str], bool] = field(default=lambda _: False)
    numpy: tuple[Version, ...] = ()
    machine: Callable[[str], bool] = field(default=lambda _: False)

    @classmethod
    def of(
        cls,
        release: Release,
        lines: Iterable[str] | None,
        own: Callable[[str], bool] = lambda _: False,
        machine: Callable[[str], bool] = lambda _: False,
    ) -> PlatformEnvironment:
        """The environment that requirement lines make (None: they could not be read)."""
        if lines is None:
            return cls(release, None, own, machine=machine)
        listed = list(lines)
        return cls(release, declared_names(listed), own, possible_numpys(release, listed), machine)

    @property
    def python(self) -> tuple[int, int]:
        major, _, minor = self.release.python.partition(".")
        return int(major), int(minor.partition(".")[0] or 0)

    def lacks(self, module: str) -> Library | None:
        """The library that certainly does not have a module of its own there, whatever a later or earlier one has."""
        if _has_module(self.release, module) is False:
            return "mac"
        parts = module.split(".")
        for index in range(1, len(parts) + 1):
            lifetime = module_lifetime("python", ".".join(parts[:index]))
            if lifetime is not None and not lifetime.has(self.python):
                return None if self._declares(parts[0]) else "python"
        return None

    def offers(self, module: str, name: str) -> bool | None:
        """Whether a module has a name there: False where it is certainly missing, None where nothing is known."""
        if module == "mac" or module.startswith("mac."):
            return _mac_offers(self.release, module, name)
        if module == "numpy" or module.startswith("numpy."):
            lifetime, versions = name_lifetime("numpy", module, name), self.numpy
        else:
            lifetime, versions = name_lifetime("python", module, name), (self.python,)
        verdicts = {lifetime.has(each) for each in versions} if lifetime is not None else set()
        return verdicts.pop() if len(verdicts) == 1 else None

    def brought_by(self, module: str, name: str = "") -> str:
        """The version of Python or NumPy that brought a module or name, where it is newer than the platform's."""
        library: Library = "numpy" if module.partition(".")[0] == "numpy" else "python"
        here = self.numpy[-1] if library == "numpy" and self.numpy else self.python
        lifetime = name_lifetime(library, module, name) if name else module_lifetime(library, module)
        if lifetime is None and "." in module and not name:
            return self.brought_by(module.rpartition(".")[0])
        return lifetime.brought_by(here) if lifetime is not None else ""

    @property
    def absent_builtins(self) -> frozenset[str]:
        """The builtins of newer Pythons that the platform's does not have."""
        return listed_names("python", "builtins") - names_of("python", "builtins", self.python)

    def canonical(self, name: str) -> str:
        """One name for one thing of `mac`."""
        return canonical(name)

    def exports(self, module: str) -> Mapping[str, str] | None:
        """What `from module import *` brings, for the modules of `mac` that we know."""
        return _mac_exports(self.release, module)

    def is_stdlib(self, root: str) -> bool:
        """Whether a top-level module comes with the platform's Python."""
        lifetime = module_lifetime("python", root)
        return lifetime.has(self.python) if lifetime is not None else root in sys.stdlib_module_names

    def provides(self, module: str) -> bool:
        """Whether a module is certain to be importable: standard library, the platform's own, or declared."""
        root = module.partition(".")[0]
        return self.is_stdlib(root) or root in distributions.PLATFORM or self._declares(module)

    def is_own(self, root: str) -> bool:
        """Whether a module lies in the project, though the bundle does not have it."""
        return self.own(root)

    def is_elsewhere(self, path: str) -> bool:
        """Whether an absolute path looks like one of the machine that the code was written on."""
        return _PERSONAL.match(path) is not None or (path.startswith("/") and self.machine(path))

    def _declares(self, module: str) -> bool:
        if self.declared is None or distributions.is_shared(module):
            return True
        return bool(self.declared & distributions.candidates(module))


_PERSONAL = re.compile(r"~/|/(?:home|Users|root|mnt|media|Volumes|data|content|kaggle)/")
"""Where people and notebooks keep their files."""


def declared_names(lines: Iterable[str]) -> frozenset[str]:
    """The normalised names of the distributions in requirement lines, and of those they are known to bring."""
    found = {requirement_name(line) for line in lines} - {""}
    brought = {each for name in found for each in distributions.BRINGS.get(name, ())}
    return frozenset(found | brought)


def possible_numpys(release: Release, lines: Iterable[str]) -> tuple[Version, ...]:
    """The lines of NumPy that requirement lines may lead to: the platform's own unless they ask for another.

    A requirement of somebody else's may ask for a newer one: where there are others, all newer ones are possible.
    """
    own = parsed(release.sdk["numpy"])[:2]
    last = _LAST_NUMPY.get(release.python, own)
    later = tuple(each for each in known_versions("numpy") if own < each <= last)
    written = [text for line in lines if (text := line.partition("#")[0].strip())]
    names = {requirement_name(text) for text in written}
    if "" in names:  # an option, or a requirement that is none
        return ()
    if "numpy" not in names:
        return (own, *later) if names else (own,)
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        requirements = [Requirement(text) for text in written]
    except InvalidRequirement:
        return ()
    asked = None
    for requirement in requirements:
        if requirement.name.lower() == "numpy":
            if requirement.marker or requirement.url:
                return ()
            asked = requirement.specifier
    if asked is None or asked.contains(release.sdk["numpy"]):
        return (own, *later) if len(names) > 1 else (own,)
    return tuple(each for each in known_versions("numpy") if any(map(asked.contains, _patches(each))))


def _patches(line: Version) -> Iterator[str]:
    return (".".join(map(str, (*line, patch))) for patch in range(_MOST_PATCHES))


_LAST_NUMPY: Mapping[str, Version] = {"3.8": (1, 24), "3.10": (2, 2)}
"""The last line of NumPy that a Python runs."""
_MOST_PATCHES = 10


# mac


def _has_module(release: Release, module: str) -> bool | None:
    """Whether a release's `mac` has a module; None for modules that are not of `mac`."""
    if module.partition(".")[0] != "mac":
        return None
    lifetime = module_lifetime("mac", module)
    return lifetime is not None and lifetime.has(_wheel(release))


def _mac_offers(release: Release, module: str, name: str) -> bool | None:
    """Whether a release's `mac` has a name in a module; None where it does not have the module."""
    if not _has_module(release, module):
        return None
    lifetime = name_lifetime("mac", module, name)
    return name.startswith("__") or (lifetime is not None and lifetime.has(_wheel(release)))


def _mac_exports(release: Release, module: str) -> Mapping[str, str] | None:
    """The names that `from module import *` brings, and what each is; None for a module that we do not know."""
    if not _has_module(release, module):
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
