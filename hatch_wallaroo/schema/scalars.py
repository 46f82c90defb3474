"""The scalar dtypes: Arrow's names, the other spellings that are understood, and those that are refused.

Written as Arrow's own type objects are called (`float64`, `timestamp[us, tz=UTC]`, `decimal128(10, 2)`).
Only what pyarrow 9, the oldest that a Wallaroo release runs, knows as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PLAIN = (
    "bool",
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
    *("float16", "float32", "float64"),
    *("string", "large_string", "binary", "large_binary"),
    *("date32", "date64", "month_day_nano_interval"),
)
"""Dtypes without parameters."""

ALIASES = {
    "boolean": "bool",
    "bool_": "bool",
    "half": "float16",
    "halffloat": "float16",
    "single": "float32",
    "double": "float64",
    "str": "string",
    "utf8": "string",
    "large_utf8": "large_string",
    "bytes": "binary",
}
"""Other names that mean just one dtype, in Arrow, NumPy or Python."""

REFUSED = {
    "null": (
        "null is not allowed: the platform needs a value of the declared type in every field",
        "name the type that the values have; a field that rows may leave out is { type = ..., optional = true }",
    ),
    "float": ("float is 32 bits wide in Arrow and 64 in NumPy and Python", "write float64 or float32"),
    "int": ("int does not say how wide it is", "write int64 or int32"),
    "integer": ("integer does not say how wide it is", "write int64 or int32"),
    "uint": ("uint does not say how wide it is", "write uint64 or uint32"),
    "object": ("object is no Arrow dtype", "name what the objects are, e.g. string"),
    "date": ("Arrow has two kinds of dates", "write date32, which counts days"),
    "datetime": ("a moment in time needs a unit", "write e.g. timestamp[us], or timestamp[us, tz=UTC]"),
    "datetime64": ("datetime64 is NumPy's name", "write timestamp with its unit, e.g. timestamp[ns]"),
    "timedelta64": ("timedelta64 is NumPy's name", "write duration with its unit, e.g. duration[ns]"),
    "bfloat16": ("Arrow has no bfloat16", "write float32 or float16"),
    "string_view": ("the platform's Arrow does not know string_view", "write string"),
    "binary_view": ("the platform's Arrow does not know binary_view", "write binary"),
    "decimal": ("decimal does not say how wide it is", "write decimal128(precision, scale), e.g. decimal128(10, 2)"),
    "list": ("a list is written as a shape", "write e.g. float64[*], or float64[4] for four values"),
    "fixed_size_list": ("a list is written as a shape", "write e.g. float64[4]"),
    "struct": ("a struct cannot be written as text", 'write { type = "struct", fields = { ... } }'),
    "map": ("a map cannot be written as text", 'write { type = "map", key = "string", value = "float64" }'),
    "dictionary": (
        "a dictionary type cannot be written as text",
        'write { type = "dictionary", index = "int32", value = "string" }',
    ),
    "large_list": ("a large_list cannot be written as text", 'write { type = "large_list", items = "float64" }'),
}
"""Names that are no dtype here: why, and what to write."""


@dataclass(frozen=True)
class Parametrised:
    """A dtype with parameters: the bracket it opens with, what stands in it, and an example for messages."""

    opening: str
    pattern: re.Pattern[str]
    example: str
    expected: str


def _in_bits(name: str, digits: int) -> Parametrised:
    return Parametrised(
        "(",
        re.compile(r"\( *([0-9]{1,2}) *, *(-?[0-9]{1,3}) *\)", re.ASCII),
        f"{name}(10, 2)",
        f"a precision of 1 to {digits} digits and a scale",
    )


def _in_units(name: str, *units: str) -> Parametrised:
    return Parametrised(
        "[", re.compile(rf"\[ *({'|'.join(units)}) *\]"), f"{name}[{units[-1]}]", f"a unit ({', '.join(units)})"
    )


PARAMETRISED = {
    "timestamp": Parametrised(
        "[",
        re.compile(r"\[ *(s|ms|us|ns) *(?:, *tz *= *([A-Za-z0-9_+\-/:]{1,64}) *)?\]", re.ASCII),
        "timestamp[us, tz=UTC]",
        "a unit (s, ms, us, ns) and, if wanted, a time zone",
    ),
    "time32": _in_units("time32", "s", "ms"),
    "time64": _in_units("time64", "us", "ns"),
    "duration": _in_units("duration", "s", "ms", "us", "ns"),
    "decimal128": _in_bits("decimal128", 38),
    "decimal256": _in_bits("decimal256", 76),
    "fixed_size_binary": Parametrised(
        "[", re.compile(r"\[ *([0-9]{1,10}) *\]", re.ASCII), "fixed_size_binary[16]", "a width in bytes"
    ),
    # Arrow prints these two with the only unit that they can have.
    "date32": Parametrised("[", re.compile(r"\[ *day *\]"), "date32", "nothing"),
    "date64": Parametrised("[", re.compile(r"\[ *ms *\]"), "date64", "nothing"),
}

INT32_MAX = 2**31 - 1
WIDEST_BINARY = INT32_MAX // 8
"""In bytes: Arrow counts the bits of a fixed-size binary in 32 bits."""
_PRECISIONS = {"decimal128": 38, "decimal256": 76}
_NAME = re.compile(r"[a-z0-9_]+")

KNOWN = (*PLAIN, *(name for name in PARAMETRISED if name not in PLAIN))
"""Every dtype's bare name."""


def canonical(name: str, parameters: tuple[str | None, ...]) -> str | None:
    """How a parametrised dtype is written, or None where a number is out of its range."""
    if name in _PRECISIONS:
        precision, scale = (int(each or 0) for each in parameters)
        return f"{name}({precision}, {scale})" if 1 <= precision <= _PRECISIONS[name] else None
    if name == "fixed_size_binary":
        width = int(parameters[0] or 0)
        return f"{name}[{width}]" if 1 <= width <= WIDEST_BINARY else None
    if name == "timestamp" and parameters[1]:
        return f"timestamp[{parameters[0]}, tz={parameters[1]}]"
    return f"{name}[{parameters[0]}]" if parameters else name


def split(dtype: str) -> tuple[str, tuple[str, ...]] | None:
    """A canonical dtype's bare name and parameters: `("timestamp", ("us", "UTC"))`; None where it is none."""
    if dtype in PLAIN:
        return dtype, ()
    name = _NAME.match(dtype)
    kind = PARAMETRISED.get(name.group()) if name else None
    found = kind.pattern.fullmatch(dtype, name.end()) if kind and name else None
    if name is None or found is None or canonical(name.group(), found.groups()) != dtype:
        return None
    return name.group(), tuple(each for each in found.groups() if each is not None)
