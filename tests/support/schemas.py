"""Hypothesis strategies for our types and schemas: everything that the platform's Arrow knows."""

from __future__ import annotations

from hypothesis import strategies as st

from hatch_wallaroo.schema.scalars import INT32_MAX, PLAIN, WIDEST_BINARY
from hatch_wallaroo.schema.tables import INDICES
from hatch_wallaroo.schema.types import Dictionary, Field, ListOf, MapOf, Scalar, Schema, Struct

_UNITS = ("s", "ms", "us", "ns")
_ZONES = ("UTC", "Europe/Berlin", "+05:30", "America/Argentina/Buenos_Aires", "Etc/GMT-3")
SCALARS = (
    *PLAIN,
    *(f"{name}[{unit}]" for name in ("timestamp", "duration") for unit in _UNITS),
    *(f"timestamp[{unit}, tz={zone}]" for unit in _UNITS for zone in _ZONES),
    *("time32[s]", "time32[ms]", "time64[us]", "time64[ns]"),
    *("decimal128(1, 0)", "decimal128(38, -40)", "decimal256(10, 2)", "decimal256(76, 80)"),
    *("fixed_size_binary[1]", "fixed_size_binary[16]", f"fixed_size_binary[{WIDEST_BINARY}]"),
)
_SIZES = (None, None, 1, 2, 4, 128, INT32_MAX)
_NAMES = ("inputs", "top_k", "x", "", "a b", "a.b", '"', "ä", "\U0001f600", "a\nb", "\0", "\x7f", "item", "type")

scalars = st.sampled_from(SCALARS).map(Scalar)
sizes = st.sampled_from(_SIZES)
names = st.one_of(st.sampled_from(_NAMES), st.text(st.characters(exclude_categories=("Cs",)), max_size=4))


@st.composite
def plain_types(draw):
    """What the notation can say."""
    type_ = draw(scalars)
    for size in draw(st.lists(sizes, max_size=4)):
        type_ = ListOf(type_, size)
    return type_


@st.composite
def types(draw, *, depth=3, optional=True):
    """Any type, at most `depth` deep; fields of structs may be optional, which Arrow cannot say."""
    kind = draw(st.sampled_from(("scalar", "scalar", "list", "struct", "map", "dictionary"))) if depth else "scalar"
    inner = types(depth=depth - 1, optional=optional)
    flag = st.booleans()
    if kind == "list":
        size = draw(sizes)
        name = draw(st.sampled_from(("item", "item", "element", "ä")))
        return ListOf(draw(inner), size, name, draw(st.sampled_from((True, True, False))), size is None and draw(flag))
    if kind == "struct":
        return Struct(draw(fields(inner, optional=optional)))
    if kind == "map":
        return MapOf(draw(inner), draw(inner), draw(flag), draw(flag))
    if kind == "dictionary":
        value = inner.filter(lambda each: not isinstance(each, Dictionary))
        return Dictionary(Scalar(draw(st.sampled_from(INDICES))), draw(value), draw(flag))
    return draw(scalars)


@st.composite
def fields(draw, inner, *, optional=True):
    """One to three fields, each name once."""
    chosen = draw(st.lists(names, min_size=1, max_size=3, unique=True))
    flag = st.booleans()
    return tuple(Field(name, draw(inner), optional and draw(flag), draw(flag)) for name in chosen)


def schemas(*, optional=True):
    return fields(types(optional=optional), optional=optional).map(Schema)
