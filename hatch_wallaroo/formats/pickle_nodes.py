"""What a pickle would build, as a description: names and short values, never the objects.

Atoms are Python's own (None, bool, int, float, str, bytes, all short); everything
else is one of the classes here. A description may hold cycles, as pickles may:
walk it with :func:`walk`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True)
class Global:
    """A class or function that unpickling would import: `module` and dotted `name`."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(frozen=True)
class Blob:
    """A payload that was skipped: `size` bytes at `offset` of the pickle, of which `head` was kept.

    `kind`: bytes, bytearray, text or int.
    """

    kind: str
    size: int
    offset: int
    head: bytes


class Opaque:
    """Something that is there, and of which nothing was kept."""

    def __repr__(self) -> str:
        return "OPAQUE"


OPAQUE = Opaque()


@dataclass(eq=False, slots=True)
class Node:
    """Something with parts. `items` and `entries` keep the first ones, `count` counts all.

    `weight` and `kept` are the reader's own, to bound memory.
    """

    items: list[Value] = field(default_factory=list)
    entries: list[tuple[Value, Value]] = field(default_factory=list)
    count: int = 0
    weight: int = 1
    kept: bool = False

    @property
    def complete(self) -> bool:
        """Whether all its parts were kept."""
        return self.count == len(self.items) + len(self.entries)

    def get(self, key: str) -> Value:
        """The value of a text key; OPAQUE where there is none, or where it was not kept."""
        return next((value for name, value in reversed(self.entries) if isinstance(name, str) and name == key), OPAQUE)

    def keys(self) -> list[str]:
        """The text keys that were kept."""
        return [name for name, _ in self.entries if isinstance(name, str)]


@dataclass(eq=False, slots=True)
class Collection(Node):
    """A list, tuple, set, frozenset or dict; `kind` says which."""

    kind: str = "list"


@dataclass(eq=False, slots=True)
class Call(Node):
    """An object: `function` called with `arguments`, then given `state`. Items and entries are added to it."""

    function: Value = OPAQUE
    arguments: Value = OPAQUE
    state: Value = OPAQUE


@dataclass(eq=False, slots=True)
class Persistent(Node):
    """An object that lives outside of the pickle, by its `identity`."""

    identity: Value = OPAQUE


Value: TypeAlias = bool | int | float | str | bytes | Global | Blob | Opaque | Node | None

_RECONSTRUCTORS = frozenset(
    Global(module, name)
    for module in ("copyreg", "copy_reg")
    for name in ("_reconstructor", "__newobj__", "__newobj_ex__")
)


def class_of(value: Value) -> Global | None:
    """What an object is made by: its class, mostly. None for what is no object."""
    if not isinstance(value, Call):
        return None
    function = value.function
    if function in _RECONSTRUCTORS and isinstance(value.arguments, Node) and value.arguments.items:
        function = value.arguments.items[0]
    return function if isinstance(function, Global) else None


def state_of(value: Value) -> Node:
    """An object's attributes, or an empty node. Of a (dict, slots) pair, the dict."""
    state = value.state if isinstance(value, Call) else OPAQUE
    if isinstance(state, Collection) and state.kind == "tuple" and state.items:
        state = state.items[0]
    return state if isinstance(state, Collection) and state.kind == "dict" else Collection(kind="dict")


def walk(root: Value, *, most: int = 500_000) -> Iterator[Value]:
    """All that hangs on a value, itself first, each node once, parents before parts; `most` values at the most."""
    seen: set[int] = set()
    waiting = [root]
    while waiting and most:
        most -= 1
        value = waiting.pop()
        if isinstance(value, Node):
            if id(value) in seen:
                continue
            seen.add(id(value))
            waiting.extend(reversed(_parts(value)))
        yield value


def _parts(node: Node) -> list[Value]:
    parts = [*node.items, *(part for pair in node.entries for part in pair)]
    if isinstance(node, Call):
        return [node.function, node.arguments, node.state, *parts]
    if isinstance(node, Persistent):
        return [node.identity, *parts]
    return parts
