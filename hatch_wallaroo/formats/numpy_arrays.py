"""Arrays and dtypes as they are described in pickles."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hatch_wallaroo.formats.pickle_nodes import Call, Collection, Global, Node, Value, class_of, state_of

_DTYPE = Global("numpy", "dtype")
_RECONSTRUCT = frozenset(
    Global(f"{core}.multiarray", "_reconstruct") for core in ("numpy.core", "numpy._core", "numpy.core._multiarray")
)
_FROM_BUFFER = frozenset(Global(f"{core}.numeric", "_frombuffer") for core in ("numpy.core", "numpy._core"))
_WRAPPER = "NumpyArrayWrapper"
_UNICODE_WIDTH = 4
_HOLDS_OBJECTS = 1


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
