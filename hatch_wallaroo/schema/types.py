"""Field types as plain values: Arrow's, without pyarrow.

A Wallaroo schema describes one row. Everything here is immutable and comparable,
so checks can reason about schemas without importing pyarrow (200 ms); only
`schema.arrow` crosses that border.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Side = Literal["input", "output"]
"""Which of a model's two schemas."""


@dataclass(frozen=True)
class Scalar:
    """A type without parts, by Arrow's own name: `float64`, `string`, `timestamp[us, tz=UTC]`."""

    name: str


@dataclass(frozen=True)
class ListOf:
    """`size` items of one type; None where the number varies from row to row."""

    item: Type
    size: int | None = None
    item_name: str = "item"
    item_nullable: bool = True
    large: bool = False


@dataclass(frozen=True)
class Struct:
    """Named parts, in order."""

    fields: tuple[Field, ...]


@dataclass(frozen=True)
class MapOf:
    """Keys to values. A key is never null."""

    key: Type
    value: Type
    keys_sorted: bool = False
    value_nullable: bool = True


@dataclass(frozen=True)
class Dictionary:
    """Values of one type, sent as indices."""

    index: Scalar
    value: Type
    ordered: bool = False


Type: TypeAlias = Scalar | ListOf | Struct | MapOf | Dictionary


@dataclass(frozen=True)
class Field:
    """A column. `optional`: a row may leave it out (not visible in Arrow, where every field may be null)."""

    name: str
    type: Type
    optional: bool = False
    nullable: bool = True


@dataclass(frozen=True)
class Schema:
    """The columns of a model's input or output, in order."""

    fields: tuple[Field, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    def get(self, name: str) -> Field | None:
        return next((field for field in self.fields if field.name == name), None)


def element(type_: Type) -> Type:
    """What is left when all list dimensions are taken off: the dtype of a tensor."""
    while isinstance(type_, ListOf):
        type_ = type_.item
    return type_


def shape(type_: Type) -> tuple[int | None, ...]:
    """The list dimensions of one row, outermost first; None for a variable one. `()` for a scalar."""
    sizes: list[int | None] = []
    while isinstance(type_, ListOf):
        sizes.append(type_.size)
        type_ = type_.item
    return tuple(sizes)
