"""What a pickle would build, as a description: names and short values, never the objects; arrays by shape and dtype.

Atoms are Python's own (None, bool, int, float, str, bytes, all short); everything
else is one of the classes here. A description may hold cycles, as pickles may:
walk it with :func:`walk`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

_NODES = 2_000
_VALUES = 20_000
_RECENT = 256
_WRAPPER = "NumpyArrayWrapper"
_UNICODE_WIDTH = 4
_HOLDS_OBJECTS = 1


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

_DTYPE = Global("numpy", "dtype")
_RECONSTRUCT = frozenset(
    Global(f"{core}.multiarray", "_reconstruct") for core in ("numpy.core", "numpy._core", "numpy.core._multiarray")
)
_FROM_BUFFER = frozenset(Global(f"{core}.numeric", "_frombuffer") for core in ("numpy.core", "numpy._core"))
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


class Memo:
    """What was stored for later: the first nodes and texts, and the latest texts.

    Pickles memoize every text and every object, millions of them; later uses are
    of classes and of the parts of their names, which :meth:`pin` keeps.
    """

    def __init__(self) -> None:
        self._values: dict[int, Value] = {}
        self._nodes = 0
        self._recent: dict[int, Value] = {}
        self._first = -1
        self._next = -1
        self._odd: set[int] = set()

    @property
    def size(self) -> int:
        return self._next - self._first + len(self._odd)

    def knows(self, index: int) -> bool:
        return self._first <= index < self._next or index in self._odd

    def get(self, index: int) -> Value:
        value = self._values.get(index, OPAQUE)
        return self._recent.get(index, OPAQUE) if value is OPAQUE else value

    def put(self, index: int, value: Value) -> bool:
        """Store a value; False where the numbering is no pickler's."""
        if index < 0:
            return False
        if self._first < 0:
            self._first = self._next = index
        if index == self._next:
            self._next += 1
        elif not self.knows(index):
            if len(self._odd) >= _VALUES:
                return False
            self._odd.add(index)
        self._values.pop(index, None)
        self._recent.pop(index, None)
        if isinstance(value, Node):
            if self._nodes < (_VALUES if _is_dtype(value) else _NODES):
                self._nodes += 1
                value.kept = True
                self._values[index] = value
        elif isinstance(value, Global) or len(self._values) < _VALUES:
            self._values[index] = value
        elif isinstance(value, (str, bytes)):
            self._recent[index] = value
            if len(self._recent) > _RECENT:
                del self._recent[next(iter(self._recent))]
        return True

    def pin(self, *values: Value) -> None:
        """Keep recent texts for good: they name a class."""
        for index, recent in list(self._recent.items())[-4:]:
            if any(recent is value for value in values):
                self._values[index] = recent


def _is_dtype(value: Node) -> bool:
    """Arrays share their dtypes, and joblib's arrays cannot be passed over without them."""
    return isinstance(value, Call) and value.function == _DTYPE


@dataclass(frozen=True)
class Dtype:
    """`kind` is NumPy's letter (f, i, u, b, U, S, O, V, M, m, c), `itemsize` in bytes."""

    kind: str
    itemsize: int
    holds_objects: bool = False


@dataclass(frozen=True)
class Array:
    """An array's shape, and its dtype where it was followed."""

    shape: tuple[int, ...]
    dtype: Dtype | None


def shape_of(value: Value) -> tuple[int, ...] | None:
    """A tuple of lengths, or None for anything else."""
    if not isinstance(value, Collection) or value.kind != "tuple" or not value.complete:
        return None
    lengths = [each for each in value.items if isinstance(each, int) and not isinstance(each, bool) and each >= 0]
    return tuple(lengths) if len(lengths) == len(value.items) else None


def dtype_of(value: Value) -> Dtype | None:
    """What a `numpy.dtype(...)` call describes."""
    if not isinstance(value, Call) or value.function != _DTYPE or not isinstance(value.arguments, Node):
        return None
    name = value.arguments.items[0] if value.arguments.items else None
    match = re.fullmatch(r"[<>|=]?([a-zA-Z])([0-9]{0,9})", name) if isinstance(name, str) else None
    if not match:
        return None
    kind, size = match[1], int(match[2] or 0)
    if kind == "U":
        size *= _UNICODE_WIDTH
    itemsize, flags = _from_state(value.state)
    return Dtype(kind, itemsize or size, kind == "O" or bool(flags & _HOLDS_OBJECTS))


def _from_state(state: Value) -> tuple[int, int]:
    """A dtype's state is (version, byte order, subarray, names, fields, itemsize, alignment, flags)."""
    if not isinstance(state, Collection) or len(state.items) < 8:  # noqa: PLR2004 -- as above
        return 0, 0
    itemsize, flags = state.items[5], state.items[7]
    return (
        itemsize if isinstance(itemsize, int) and itemsize > 0 else 0,
        flags if isinstance(flags, int) else 0,
    )


def array_of(value: Value) -> Array | None:
    """The array that an object is, pickled by NumPy or by joblib; None for what is none."""
    made_by = class_of(value)
    if not isinstance(value, Call) or made_by is None:
        return None
    if made_by.name == _WRAPPER:
        state = state_of(value)
        return _array(state.get("shape"), state.get("dtype"))
    if made_by in _RECONSTRUCT:
        parts = value.state.items if isinstance(value.state, Node) else []
        return _array(parts[1], parts[2]) if len(parts) > 2 else None  # noqa: PLR2004 -- (version, shape, dtype, …)
    if made_by in _FROM_BUFFER:
        parts = value.arguments.items if isinstance(value.arguments, Node) else []
        return _array(parts[2], parts[1]) if len(parts) > 2 else None  # noqa: PLR2004 -- (data, dtype, shape, …)
    return None


def _array(shape: Value, dtype: Value) -> Array | None:
    lengths = shape_of(shape)
    return Array(lengths, dtype_of(dtype)) if lengths is not None else None
