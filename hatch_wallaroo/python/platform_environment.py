"""What code finds around it on a platform: its Python, the library that calls it, and the declared requirements."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
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
    parsed,
)
from hatch_wallaroo.python.platform_library import PlatformLibrary
from hatch_wallaroo.text import requirement_name


@dataclass(frozen=True)
class PlatformEnvironment:
    """One release's environment with the model's requirements in it.

    `name` is what messages call the platform, `python` its Python, major and minor, `variables` the environment
    variables that code sees there. `declared` are normalised distribution names, None where the requirements could
    not be read: then everything may be there.
    `own` answers whether a module lies in the project, though not in the bundle.
    `numpy` are the lines of NumPy (`1.26`) one of which is there, none where that is not known.
    `machine` answers whether an absolute path is of the machine that the project lies on.
    """

    name: str
    python: tuple[int, int]
    library: PlatformLibrary
    variables: frozenset[str]
    declared: frozenset[str] | None
    own: Callable[[str], bool] = field(default=lambda _: False)
    numpy: tuple[Version, ...] = ()
    machine: Callable[[str], bool] = field(default=lambda _: False)

    @property
    def python_text(self) -> str:
        """The platform's Python in messages: `3.10`."""
        return ".".join(map(str, self.python))

    def lacks(self, module: str) -> Library | None:
        """The library that certainly does not have a module of its own there, whatever a later or earlier one has."""
        if self.library.owns(module) and not self.library.has_module(module):
            return self.library.name
        parts = module.split(".")
        for index in range(1, len(parts) + 1):
            lifetime = module_lifetime("python", ".".join(parts[:index]))
            if lifetime is not None and not lifetime.has(self.python):
                return None if self._declares(parts[0]) else "python"
        return None

    def offers(self, module: str, name: str) -> bool | None:
        """Whether a module has a name there: False where it is certainly missing, None where nothing is known."""
        if self.library.owns(module):
            return self.library.offers(module, name)
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

    def is_stdlib(self, root: str) -> bool:
        """Whether a top-level module comes with the platform's Python."""
        lifetime = module_lifetime("python", root)
        return lifetime.has(self.python) if lifetime is not None else root in sys.stdlib_module_names

    def provides(self, module: str) -> bool:
        """Whether a module is certain to be importable: standard library, the platform's own, or declared."""
        root = module.partition(".")[0]
        return self.is_stdlib(root) or root in self.library.provided or self._declares(module)

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


def possible_numpys(own: str, last: str, lines: Iterable[str]) -> tuple[Version, ...]:
    """The lines of NumPy that requirement lines may lead to: the platform's own unless they ask for another.

    `last` is the last line that the platform's Python runs.
    A requirement of somebody else's may ask for a newer one: where there are others, all newer ones are possible.
    """
    here = parsed(own)[:2]
    later = tuple(each for each in known_versions("numpy") if here < each <= parsed(last))
    written = [text for line in lines if (text := line.partition("#")[0].strip())]
    names = {requirement_name(text) for text in written}
    if "" in names:  # an option, or a requirement that is none
        return ()
    if "numpy" not in names:
        return (here, *later) if names else (here,)
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
    if asked is None or asked.contains(own):
        return (here, *later) if len(names) > 1 else (here,)
    return tuple(each for each in known_versions("numpy") if any(map(asked.contains, _patches(each))))


def _patches(line: Version) -> Iterator[str]:
    return (".".join(map(str, (*line, patch))) for patch in range(_MOST_PATCHES))


_MOST_PATCHES = 10
