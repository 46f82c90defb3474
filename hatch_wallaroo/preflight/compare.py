"""What the platform lets pass: an answer held against its question, the output schema, and what the sample expects."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hatch_wallaroo.findings import Finding, Place
from hatch_wallaroo.preflight import rules
from hatch_wallaroo.schema.notation import format_type
from hatch_wallaroo.schema.types import Field, ListOf, Scalar, Schema, Type, element, shape

if TYPE_CHECKING:
    import pyarrow as pa

TOLERANCE = 1e-5
"""How far numbers may lie apart, relative to the larger one; libraries differ in the last digits."""
_LIMITS = {"float": 3.4028235e38, "float32": 3.4028235e38, "float16": 65504.0, "halffloat": 65504.0}


def against_schema(
    batch: pa.RecordBatch, asked: int, call: Mapping[str, Any] | None, schema: Schema | None, place: Place
) -> Iterator[Finding]:
    """What is odd about one answer. `call` is what the step itself gave (`runtime/serve.described`), where known."""
    if batch.num_rows != asked:
        message = f"{asked} rows were asked, {batch.num_rows} were answered"
        yield rules.ROWS.finding(message, fix="answer each row with one row, in their order", place=place)
    if schema is None:
        return
    own = call.get("fields") if call else None
    fields: Mapping[str, Any] = own if isinstance(own, Mapping) else {}
    for each in schema.fields:
        if each.name not in batch.schema.names:
            fix = f"return {each.name!r} too, or take it out of the output schema"
            yield rules.MISSING.finding(f"{each.name!r} is missing", fix=fix, place=place)
        else:
            yield from _field(each, batch.column(batch.schema.names.index(each.name)), fields.get(each.name), place)
    for name in batch.schema.names:
        if schema.get(name) is None:
            fix = f"put {name!r} into the output schema, or do not return it"
            yield rules.EXTRA.finding(f"{name!r} is not in the output schema", fix=fix, place=place)


def _field(field: Field, column: pa.Array, own: Any, place: Place) -> Iterator[Finding]:
    told: Mapping[str, Any] = own if isinstance(own, Mapping) else {}
    wanted = format_type(field.type)
    inner = element(field.type)
    name = inner.name if isinstance(inner, Scalar) else ""
    dtype = str(told.get("dtype", ""))
    if name.startswith(("int", "uint")) and _number(told.get("fractions")):
        message = f"{field.name!r}: {told['fractions']} numbers have fractions, the schema says {wanted}"
        yield rules.CUT.finding(message, fix="round in predict, or say float64 in the output schema", place=place)
    largest = _number(told.get("largest"))
    if name in _LIMITS and largest > _LIMITS[name] and not math.isinf(largest):
        message = f"{field.name!r}: {largest:g} is beyond {wanted}"
        yield rules.OVERFLOWN.finding(message, fix="say float64 in the output schema", place=place)
    if dtype:
        yield from _kind(field, name, dtype, wanted, told, place)
    if column.null_count:
        message = f"{field.name!r}: {column.null_count} of {len(column)} rows are null"
        yield rules.NULLS.finding(message, fix="give every row a value", place=place)
    yield from _shape(field, column, place)


def _kind(field: Field, name: str, dtype: str, wanted: str, told: Mapping[str, Any], place: Place) -> Iterator[Finding]:
    texts = dtype.startswith(("<U", "<S", "|S", ">U")) or told.get("items") == ["str"]
    numbers = dtype.startswith(("int", "uint", "float", "bool"))
    if ("string" in name or "utf8" in name) and numbers:
        message = f"{field.name!r}: numbers ({dtype}) where the schema says {wanted}"
        yield rules.RETYPED.finding(
            message, fix="write the numbers as texts yourself, or correct the schema", place=place
        )
    elif texts and name.startswith(("int", "uint", "float", "double")):
        message = f"{field.name!r}: texts where the schema says {wanted}"
        yield rules.RETYPED.finding(
            message, fix="turn the texts into numbers yourself, or correct the schema", place=place
        )


def _shape(field: Field, column: pa.Array, place: Place) -> Iterator[Finding]:
    """The depth and sizes of lists, where the answer was not cast to the schema."""
    from hatch_wallaroo.schema.arrow import SchemaDecodeError, type_from_arrow

    try:
        seen: Type = type_from_arrow(column.type)
    except SchemaDecodeError:
        return
    wanted, given = shape(field.type), shape(seen)
    lengths = _lengths(column, len(wanted)) if isinstance(seen, ListOf) else ()
    wrong = len(wanted) != len(given) or any(
        size is not None and lengths and level < len(lengths) and lengths[level] - {size}
        for level, size in enumerate(wanted)
    )
    if wrong:
        found = format_type(seen)
        sizes = ", ".join(str(min(each)) for each in lengths if len(each) == 1)
        of = f" of {sizes} items" if sizes else ""
        message = f"{field.name!r} is {found}{of}, the schema says {format_type(field.type)}"
        yield rules.SHAPE.finding(message, fix="return the shape of the schema, or correct the schema", place=place)


def _lengths(column: pa.Array, depth: int) -> tuple[set[int], ...]:
    found: list[set[int]] = []
    values: list[Any] = column.slice(0, 1000).to_pylist()
    for _ in range(depth):
        lists = [each for each in values if isinstance(each, list)]
        found.append({len(each) for each in lists})
        values = [item for each in lists for item in each]
    return tuple(found)


def against_expected(
    batch: pa.RecordBatch, expected: Sequence[Mapping[str, Any]], tolerance: float, place: Place
) -> Iterator[Finding]:
    """Where the answer is not what the sample expects, field by field, the first row that differs."""
    rows = batch.to_pylist()
    fix = "correct the sample if the model is right; else look at the versions of its libraries"
    if len(expected) != len(rows):
        message = f"{len(expected)} rows are expected, {len(rows)} were answered"
        yield rules.UNEXPECTED.finding(message, fix=fix, place=place)
    for name in dict.fromkeys(name for row in expected for name in row):
        for number, (row, wanted) in enumerate(zip(rows, expected, strict=False), 1):
            if name not in wanted:
                continue
            if name not in row:
                yield rules.UNEXPECTED.finding(f"row {number} has no {name!r}", fix=fix, place=place)
                break
            if not alike(row[name], wanted[name], tolerance, written=True):
                message = f"row {number}, {name!r}: {short(row[name])} instead of {short(wanted[name])}"
                yield rules.UNEXPECTED.finding(message, fix=fix, place=place)
                break


def differing(first: pa.RecordBatch, second: pa.RecordBatch) -> str | None:
    """The first difference of two answers to the same question, in words; None where there is none."""
    if first.schema.names != second.schema.names:
        return f"the fields {', '.join(first.schema.names)}, then {', '.join(second.schema.names)}"
    for number, (one, two) in enumerate(zip(first.to_pylist(), second.to_pylist(), strict=False), 1):
        for name, value in one.items():
            if not alike(value, two.get(name), TOLERANCE):
                return f"row {number}, {name!r}: {short(value)}, then {short(two.get(name))}"
    if first.num_rows != second.num_rows:
        return f"{first.num_rows} rows, then {second.num_rows}"
    return None


def alike(one: Any, two: Any, tolerance: float, *, written: bool = False) -> bool:
    """Whether two values are the same, numbers within the tolerance, NaN like NaN.

    `written`: somebody wrote the second, perhaps rounded: 8.486 is met by all that is rounded to it.
    """
    if isinstance(one, (list, tuple)) and isinstance(two, (list, tuple)):
        return len(one) == len(two) and all(
            alike(a, b, tolerance, written=written) for a, b in zip(one, two, strict=True)
        )
    if isinstance(one, Mapping) and isinstance(two, Mapping):
        return one.keys() == two.keys() and all(
            alike(value, two[key], tolerance, written=written) for key, value in one.items()
        )
    if isinstance(one, bool) or isinstance(two, bool):
        return bool(one == two)
    if isinstance(one, (int, float)) and isinstance(two, (int, float)):
        if math.isnan(one) or math.isnan(two):
            return math.isnan(one) and math.isnan(two)
        slack = max(tolerance * 1e-3, _rounding(two) if written else 0.0)
        return one == two or math.isclose(one, two, rel_tol=tolerance, abs_tol=slack)
    return bool(one == two)


def _rounding(number: object) -> float:
    """Half of the last place that a number is written with; 0 where it has less than two behind the point."""
    places = Decimal(repr(number)).as_tuple().exponent if isinstance(number, float) else 0
    if not isinstance(places, int) or places > -2:  # noqa: PLR2004 - 0.5 is mostly meant as it stands
        return 0.0
    return 0.5 * 10.0**places * (1 + 1e-6)


def short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."  # noqa: PLR2004 - a line


def _number(value: Any) -> float:
    try:
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else 0.0
    except OverflowError:
        return math.inf
