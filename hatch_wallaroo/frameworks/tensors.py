"""Named tensors that a header declares, compared with the schema that the user declares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from hatch_wallaroo.schema.types import Field, ListOf, Scalar, element, shape

Dimension = int | str | None
Shape = tuple[Dimension, ...]

_ARROW_NAMES = {
    "halffloat": "float16",
    "half_float": "float16",
    "float": "float32",
    "double": "float64",
    "large_string": "string",
    "utf8": "string",
    "boolean": "bool",
}


@dataclass(frozen=True)
class Tensor:
    """`shape` has the rows as its first dimension; None where it is not told, as is `dtype`."""

    name: str
    dtype: str | None
    shape: Shape | None

    @property
    def row(self) -> Shape | None:
        """What one row is: the shape without its first dimension."""
        return self.shape[1:] if self.shape else None

    def facts(self) -> dict[str, object]:
        """As plain JSON: unknown dimensions are null."""
        return {"name": self.name, "dtype": self.dtype, "shape": None if self.shape is None else list(self.shape)}


def written(sizes: Sequence[Dimension] | None) -> str:
    """A shape as messages write it: `[N, 29]`, `[?, 29]`."""
    if sizes is None:
        return "an unknown shape"
    return "[" + ", ".join("?" if each is None else str(each) for each in sizes) + "]"


def type_difference(field: Field, tensor: Tensor) -> str | None:
    """How a field's type cannot hold one row of a tensor, or None where it may.

    Lists of the same number of elements count as equal: rows may be sent flat.
    A dimension that either side leaves open fits any.
    """
    kind = element(field.type)
    sizes = shape(field.type)
    if not isinstance(kind, Scalar):
        return f"{field.name} is no tensor"
    dtype = _ARROW_NAMES.get(kind.name, kind.name)
    if tensor.dtype is not None and dtype != tensor.dtype:
        return f"{field.name} is {dtype}, the model's {tensor.name} is {tensor.dtype}"
    row = tensor.row
    if row is None or not _fixed(row) or not all(isinstance(each, int) for each in sizes):
        return None
    if prod(each for each in sizes if each is not None) != prod(each for each in row if isinstance(each, int)):
        return f"one row of {field.name} is {_row(field)}, the model's {tensor.name} takes {written(row)}"
    return None


def _row(field: Field) -> str:
    return written(shape(field.type)) if isinstance(field.type, ListOf) else "a single value"


def _fixed(row: Shape) -> bool:
    return all(isinstance(each, int) for each in row)
