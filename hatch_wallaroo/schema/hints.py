"""What a model's own file tells of its schemas, field by field, before a schema is made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hatch_wallaroo.findings import Finding
from hatch_wallaroo.schema.notation import of_shape
from hatch_wallaroo.schema.scalars import ALIASES, split
from hatch_wallaroo.schema.types import Scalar, Type, element, shape

Size = int | str | None


@dataclass(frozen=True)
class Hint:
    """One field, as far as it is told.

    `free`: the name is a proposal, and any other would do. `dtype` is by Arrow's name, None where it is not told;
    `sizes` are those of one row, None as a whole where not even their number is told. `whole` is a type that no dtype
    and shape can say. `floats` is the dtype of numbers with a fraction, where only that is told. `varies`: a size that
    is open differs from row to row. `untold` says why there is no type, `guess` what was chosen without being told.
    """

    name: str
    dtype: str | None = None
    sizes: tuple[int | None, ...] | None = None
    whole: Type | None = None
    free: bool = False
    optional: bool = False
    floats: str | None = None
    varies: bool = False
    untold: str = ""
    guess: str = ""

    @property
    def type(self) -> Type | None:
        """The type, where all of it is told."""
        if self.whole is not None or self.dtype is None or self.sizes is None:
            return self.whole
        return of_shape(Scalar(self.dtype), self.sizes)


@dataclass(frozen=True)
class Header:
    """What a file tells of both sides; None for a side of which it tells nothing.

    `source` is the file and what it is, in words: `wine.pkl (RandomForestClassifier, 13 features)`. `notes` say what
    else the user should know. `findings` say what is wrong with the file.
    """

    source: str = ""
    inputs: tuple[Hint, ...] | None = None
    outputs: tuple[Hint, ...] | None = None
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def tensor(name: str, dtype: str | None, shape: Sequence[Size] | None, *, free: bool = False) -> Hint:
    """A tensor that a header declares, its first dimension the rows."""
    known = arrow_dtype(dtype)
    untold = f"is {dtype}, which no column of a table can hold" if dtype and known is None else ""
    return Hint(name, known, row_sizes(shape), free=free, untold=untold)


def arrow_dtype(name: str | None) -> str | None:
    """A header's dtype by Arrow's name; None for what no column can hold, such as bfloat16 or a complex number."""
    if name is None:
        return None
    known = ALIASES.get(name, name)
    return known if split(known) is not None else None


def row_sizes(shape: Sequence[Size] | None) -> tuple[int | None, ...] | None:
    """The sizes of one row of a tensor: without the first dimension, which counts the rows; None varies."""
    if shape is None:
        return None
    return tuple(each if isinstance(each, int) and each > 0 else None for each in shape[1:])


def told_type(hint: Hint, other: Type) -> Type:
    """A type that takes from another what the hint does not tell."""
    if hint.type is not None:
        return hint.type
    item = element(other) if hint.dtype is None else Scalar(hint.dtype)
    if hint.floats and item == Scalar("float64"):
        item = Scalar(hint.floats)
    return of_shape(item, shape(other) if hint.sizes is None else hint.sizes)
