"""The library that a platform calls user code through: what it is named, which version is there, and its classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hatch_wallaroo.python.known_names import Library, Version, module_lifetime, name_lifetime, names_of, origin


@dataclass(frozen=True)
class KnownClass:
    """A class that user code inherits from: its bases, what it leaves abstract, what it defines.

    `properties` are kept in an attribute each, which is None at first; those in `setters` can be assigned. The
    constructor of a `bare` class takes nothing.
    """

    bases: tuple[str, ...]
    abstract: frozenset[str]
    concrete: frozenset[str]
    properties: Mapping[str, str] = field(default_factory=dict)
    setters: frozenset[str] = frozenset()
    bare: bool = False


@dataclass(frozen=True, eq=False)
class PlatformLibrary:
    """A library in one version. `public` are the full names of what it has in several of its modules, by the last part.

    `provided` are the top-level modules that are there with it.
    """

    name: Library
    version: Version
    classes: Mapping[str, KnownClass]
    public: Mapping[str, str]
    provided: frozenset[str]

    def owns(self, name: str) -> bool:
        """Whether a dotted name is one of its modules, or lies in one."""
        return name.partition(".")[0] == self.name

    def known(self, ancestor: object) -> KnownClass | None:
        """What is known of an ancestor that is one of its classes."""
        return self.classes.get(ancestor) if isinstance(ancestor, str) else None

    def canonical(self, name: str) -> str:
        """One name for one thing of the library, wherever inside it that was imported from."""
        return self.public.get(name.rpartition(".")[2], name) if self.owns(name) else name

    def has_module(self, module: str) -> bool:
        """Whether this version has a module."""
        lifetime = module_lifetime(self.name, module)
        return lifetime is not None and lifetime.has(self.version)

    def offers(self, module: str, name: str) -> bool | None:
        """Whether a module has a name; None where there is no such module."""
        if not self.has_module(module):
            return None
        lifetime = name_lifetime(self.name, module, name)
        return name.startswith("__") or (lifetime is not None and lifetime.has(self.version))

    def exports(self, module: str) -> Mapping[str, str] | None:
        """The names that `from module import *` brings, and what each is; None where there is no such module."""
        if not self.has_module(module):
            return None
        names = names_of(self.name, module, self.version)
        return {name: self.canonical(origin(self.name, module, name)) for name in names}
