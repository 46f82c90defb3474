"""An inference's rows as the platform takes and gives them: pandas records as JSON, or a table as an Arrow file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_wallaroo.files.json_text import JsonError, parse_json
from hatch_wallaroo.preflight.pipeline import records
from hatch_wallaroo.preflight.rows import RowsError, to_batch
from hatch_wallaroo.schema.types import Schema

if TYPE_CHECKING:
    import pyarrow as pa

JSON = "application/json; format=pandas-records"
ARROW = "application/vnd.apache.arrow.file"


class InputError(Exception):
    """Rows that cannot be read; the message says why."""


def read_batch(data: bytes, content_type: str, schema: Schema | None) -> pa.RecordBatch:
    """The rows of a request. JSON takes its types from the first step's input schema; Arrow has its own.

    Raises InputError.
    """
    if "arrow" in content_type:
        return _arrow(data)
    try:
        rows = parse_json(data)
    except JsonError as error:
        raise InputError(f"the body {error}") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError("the sandbox takes a DataFrame's records or an Arrow table, and the body is neither")
    try:
        return to_batch(rows, schema, "the input")
    except RowsError as error:
        raise InputError(str(error)) from error


def _arrow(data: bytes) -> pa.RecordBatch:
    import pyarrow as pa

    try:
        table = pa.ipc.open_file(pa.py_buffer(data)).read_all().combine_chunks()
        columns = [each.chunk(0) if each.num_chunks else pa.array([], each.type) for each in table.columns]
        return pa.RecordBatch.from_arrays(columns, schema=table.schema)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"the body is no Arrow file: {error}") from error


@dataclass(frozen=True)
class Wanted:
    """Which columns an answer has, as the request's parameters `dataset[]` and `dataset.exclude[]` say."""

    dataset: Sequence[str] = ("*",)
    exclude: Sequence[str] = ()

    def has(self, column: str) -> bool:
        return _among(column, self.dataset) and not _among(column, self.exclude)


def _among(column: str, named: Sequence[str]) -> bool:
    return any(each in {"*", column} or column.startswith(f"{each}.") for each in named)


def chosen(table: pa.Table, wanted: Wanted) -> pa.Table:
    """The columns that are wanted, in the table's order."""
    return table.select([name for name in table.schema.names if wanted.has(name)])


def as_json(table: pa.Table) -> bytes:
    """A table's rows as records."""
    return json.dumps(records(table)).encode()


def as_arrow(table: pa.Table) -> bytes:
    """A table as an Arrow file."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    made: bytes = sink.getvalue().to_pybytes()
    return made
