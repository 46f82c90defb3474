"""The rows that a model is asked for: the sample's, a file's, or made from the input schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatch_wallaroo.files.json_text import JsonError, parse_json
from hatch_wallaroo.schema.arrow import to_arrow
from hatch_wallaroo.schema.types import Dictionary, ListOf, MapOf, Scalar, Schema, Struct, Type
from hatch_wallaroo.text import describe_error

if TYPE_CHECKING:
    import pyarrow as pa

LARGEST = 256 << 20
SUFFIXES = (".json", ".jsonl", ".ndjson", ".csv", ".parquet", ".arrow", ".feather")
_MADE = 2
"""Rows that are made where nobody gives any."""
_FREE = 2
"""Items of a list whose length the schema leaves open."""


@dataclass(frozen=True)
class Rows:
    """The rows to ask for. `outputs` are what the sample expects, empty where it expects nothing.

    `made`: nobody gave any, these are made from the input schema. `source` says where they are from, for the report.
    """

    inputs: tuple[Mapping[str, Any], ...]
    outputs: tuple[Mapping[str, Any], ...] = ()
    source: str = ""
    made: bool = False


class RowsError(Exception):
    """Rows that cannot be read, or do not fit the schema; `fix` says what would."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.fix = fix


def read_rows(path: Path) -> Rows:
    """The rows of a file by its ending: JSON (rows, or a sample), JSON lines, CSV, Parquet, Arrow. Raises RowsError."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise RowsError(f"{path.name}: no ending that tells how it is read", f"one of {', '.join(SUFFIXES)}")
    try:
        if path.stat().st_size > LARGEST:
            raise RowsError(f"{path.name} is larger than {LARGEST >> 20} MiB", "a few rows are enough")
        made = _read(path, suffix)
    except JsonError as error:
        raise RowsError(f"{path.name} {error}", "write one JSON object a row") from error
    except (OSError, ValueError) as error:  # pyarrow's errors are ValueErrors
        raise RowsError(
            f"{path.name} cannot be read: {describe_error(error) if isinstance(error, OSError) else error}"
        ) from error
    if not made.inputs:
        raise RowsError(f"{path.name} holds no rows", "give one at least: what is not asked is not seen")
    return made


def _read(path: Path, suffix: str) -> Rows:
    if suffix == ".json":
        return _json(path)
    if suffix in {".jsonl", ".ndjson"}:
        return Rows(_objects(list(_lines(path)), path), source=path.name)
    return Rows(tuple(_table(path, suffix).to_pylist()), source=path.name)


def _lines(path: Path) -> Iterator[Any]:
    """The values of JSON lines. Raises JsonError with the number of the line that is none."""
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
        if line.strip():
            try:
                yield parse_json(line)
            except JsonError as error:
                raise JsonError(str(error).replace("in line 1", f"in line {number}"), number) from None


def _json(path: Path) -> Rows:
    made = parse_json(path.read_bytes())
    if isinstance(made, dict) and isinstance(made.get("inputs"), list):
        outputs = made.get("outputs", [])
        return Rows(_objects(made["inputs"], path), _objects(outputs, path), source=path.name)
    return Rows(_objects(made if isinstance(made, list) else [made], path), source=path.name)


def _objects(rows: Any, path: Path) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(rows, list) or not all(isinstance(each, dict) for each in rows):
        raise RowsError(f"{path.name} holds no rows", 'a list of objects: [{"field": value, …}, …]')
    return tuple(rows)


def _table(path: Path, suffix: str) -> pa.Table:
    if suffix == ".csv":
        from pyarrow import csv

        return csv.read_csv(path)
    if suffix == ".parquet":
        from pyarrow import parquet

        return parquet.read_table(path)
    from pyarrow import feather

    return feather.read_table(path)


def made_rows(schema: Schema, source: str = "the input schema", count: int | None = None) -> Rows:
    """Zeros and short texts in the shapes of the schema; what may be left out is left out."""
    row = {each.name: _value(each.type) for each in schema.fields if not each.optional}
    return Rows((row,) * (count or _MADE), source=f"made from {source}", made=True)


def _value(type_: Type) -> Any:
    if isinstance(type_, ListOf):
        return [_value(type_.item) for _ in range(_FREE if type_.size is None else type_.size)]
    if isinstance(type_, Struct):
        return {each.name: _value(each.type) for each in type_.fields}
    if isinstance(type_, MapOf):
        return []
    if isinstance(type_, Dictionary):
        return _value(type_.value)
    assert isinstance(type_, Scalar)  # noqa: S101 - the last of the types
    return _scalar(type_.name)


def _scalar(name: str) -> Any:
    if name.startswith(("int", "uint")):
        return 0
    if name.startswith(("float", "double", "half")):
        return 0.0
    if name.startswith("bool"):
        return False
    if "string" in name or "utf8" in name:
        return "text"
    if "binary" in name:
        return b""
    return None


def to_batch(rows: Sequence[Mapping[str, Any]], schema: Schema | None, source: str) -> pa.RecordBatch:
    """The rows as one batch with the schema's types, columns in its order. Raises RowsError.

    A field that may be left out, and that no row has, is no column.
    """
    import pyarrow as pa

    if schema is None:
        try:
            return pa.RecordBatch.from_pylist([dict(row) for row in rows])
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
            raise RowsError(f"{source}: {error}", "rows have the same fields, each of one type") from error
    left = {each.name for each in schema.fields if each.optional and not any(each.name in row for row in rows)}
    arrow = to_arrow(Schema(tuple(each for each in schema.fields if each.name not in left)))
    optional = {each.name for each in schema.fields if each.optional}
    arrays = []
    for field in arrow:
        values = []
        for number, row in enumerate(rows, 1):
            if field.name not in row and field.name not in optional:
                raise RowsError(
                    f"{source}: row {number} has no field {field.name!r}", f"the fields are {', '.join(schema.names)}"
                )
            values.append(row.get(field.name))
        try:
            arrays.append(_array(values, field.type))
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError, ValueError) as error:
            raise RowsError(
                f"{source}: {field.name!r} does not fit {field.type}: {str(error)[:300]}",
                "correct the rows or the schema",
            ) from error
    return pa.RecordBatch.from_arrays(arrays, schema=arrow)


def _array(values: list[Any], type_: pa.DataType) -> pa.Array:
    """Values of a type; whole numbers go into float fields, and what a text stands for into times."""
    import pyarrow as pa

    try:
        return pa.array(values, type=type_)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return pa.array(values).cast(type_)
