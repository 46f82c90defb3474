"""Which names the standard library, NumPy and `mac` have in which version: complete lists, as data.

The lists stand in `known_names.json`, which `tests/support/known_names.py` makes from the interpreters, from NumPy's
releases and from the SDK's wheels. Of the standard library and NumPy they hold what not every version has.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

Version: TypeAlias = tuple[int, ...]
Library: TypeAlias = Literal["python", "numpy", "mac"]


@dataclass(frozen=True)
class Lifetime:
    """The versions that have a name, as ranges of first and last ones; None stands for an open end."""

    ranges: tuple[tuple[Version | None, Version | None], ...]

    def has(self, version: Version) -> bool:
        """Whether a version has the name."""
        return any(
            (first is None or first <= version) and (last is None or version <= last) for first, last in self.ranges
        )

    def brought_by(self, version: Version) -> str:
        """The first later version that has the name; empty where only earlier ones have."""
        later = [first for first, _ in self.ranges if first is not None and first > version]
        return ".".join(map(str, min(later))) if later else ""


@dataclass(frozen=True)
class _Names:
    """One library's modules and names. `origins`: what names of its modules stand for that it has from others.

    `generics`: the classes that `[…]` makes a type of.
    """

    versions: tuple[Version, ...]
    modules: Mapping[str, Lifetime]
    names: Mapping[str, Mapping[str, Lifetime]]
    origins: Mapping[str, str]
    generics: Mapping[str, Lifetime]


def module_lifetime(library: Library, module: str) -> Lifetime | None:
    """When a library has a module; None where every version has it, or none that is known."""
    return _names(library).modules.get(module)


def name_lifetime(library: Library, module: str, name: str) -> Lifetime | None:
    """When a module has a name; None where every version has it, or none that is known."""
    return _names(library).names.get(module, {}).get(name)


def generic_lifetime(name: str) -> Lifetime | None:
    """When `[…]` makes a type of a class of the standard library (`builtins.list`); None where it never does."""
    return _names("python").generics.get(name)


def listed_names(library: Library, module: str) -> frozenset[str]:
    """The names of a module that are listed, whatever version has them."""
    return frozenset(_names(library).names.get(module, {}))


def names_of(library: Library, module: str, version: Version) -> frozenset[str]:
    """The names of a module in a version, of those that are listed."""
    listed = _names(library).names.get(module, {})
    return frozenset(name for name, lifetime in listed.items() if lifetime.has(version))


def origin(library: Library, module: str, name: str) -> str:
    """The full name of what a module has under a name: that of its own, or of what it imports from elsewhere."""
    return _names(library).origins.get(name, f"{module}.{name}")


def nearest_version(library: Library, wanted: Version) -> Version:
    """The last version that is not newer than the one wanted; of `2025.2`, its last patch."""
    versions = _names(library).versions
    before = [each for each in versions if each[: len(wanted)] <= wanted]
    return max(before, default=versions[0])


def known_versions(library: Library) -> tuple[Version, ...]:
    """The versions that the lists speak of, oldest first."""
    return _names(library).versions


def parsed(version: str) -> Version:
    """The numbers of a version."""
    return tuple(int(part) for part in re.findall(r"\d+", version))


@cache
def _names(library: Library) -> _Names:
    text = Path(__file__).with_name("known_names.json").read_text(encoding="utf-8")
    table = json.loads(text)[library]
    return _Names(
        tuple(parsed(each) for each in table["versions"]),
        _lifetimes(table["modules"]),
        {module: _lifetimes(names) for module, names in table["names"].items()},
        table.get("origins", {}),
        _lifetimes(table.get("generics", {})),
    )


def _lifetimes(patterns: Mapping[str, list[str]]) -> dict[str, Lifetime]:
    return {name: _lifetime(pattern) for pattern, names in patterns.items() for name in names}


@cache
def _lifetime(pattern: str) -> Lifetime:
    """The ranges of a pattern: `3.9-`, `-1.23 2.0-`, `-` for all versions."""
    ends = (each.partition("-") for each in pattern.split(" "))
    return Lifetime(tuple((parsed(first) or None, parsed(last) or None) for first, _, last in ends))


_TYPING = {
    **{name: name.capitalize() for name in ("list", "dict", "set", "tuple", "type")},
    "frozenset": "FrozenSet", "deque": "Deque", "defaultdict": "DefaultDict",
    "AbstractContextManager": "ContextManager", "AbstractAsyncContextManager": "AsyncContextManager",
    **{
        name: name
        for name in (
            "AsyncGenerator", "AsyncIterable", "AsyncIterator", "Awaitable", "Callable", "ChainMap", "Collection",
            "Container", "Coroutine", "Counter", "Generator", "ItemsView", "Iterable", "Iterator", "KeysView",
            "Mapping", "MappingView", "Match", "MutableMapping", "MutableSequence", "MutableSet", "OrderedDict",
            "Pattern", "Reversible", "Sequence", "Set", "ValuesView",
        )
    },
}  # fmt: skip
"""What `typing` calls the classes that it has a type of its own for."""
_NUMPY = {"numpy.ndarray": "numpy.typing.NDArray", "numpy.dtype": "numpy.typing.DTypeLike"}
_NUMPY_SINCE = Lifetime((((3, 9), None),))


def generic(name: str) -> Lifetime | None:
    """The Pythons in which `[…]` makes a type of a class; None for a class that is no such one."""
    return _NUMPY_SINCE if name in _NUMPY else generic_lifetime(name)


def spelt(name: str) -> str:
    """How to write such a type for every Python; empty where there is no other way."""
    if name in _NUMPY:
        return _NUMPY[name]
    other = _TYPING.get(name.rpartition(".")[2])
    return f"typing.{other}" if other else ""
