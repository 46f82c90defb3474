"""Rows on the way to a pipeline and back, as the platform has them: pandas records, or a table as an Arrow file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hatch_wallaroo.files.json_text import JsonError, parse_json
from hatch_wallaroo.preflight.pipeline import records
from hatch_wallaroo.preflight.rows import RowsError

if TYPE_CHECKING:
    import pyarrow as pa

ARROW = "application/vnd.apache.arrow.file"
ROWS = "application/json; format=pandas-records"


def read_records(body: bytes, what: str) -> list[dict[str, Any]]:
    """The rows of a JSON body, which `what` names. Raises RowsError."""
    try:
        made = parse_json(body)
    except JsonError as error:
        raise RowsError(f"{what} {error}") from error
    if not isinstance(made, list) or not all(isinstance(each, dict) for each in made):
        raise RowsError(f"{what} holds no rows", 'a list of objects: [{"field": value, …}, …]')
    return made


def read_arrow(body: bytes, what: str) -> pa.RecordBatch:
    """The rows of an Arrow file, which may be none, as one batch. Raises RowsError."""
    import pyarrow as pa

    try:
        read = pa.ipc.open_file(pa.BufferReader(body)).read_all()
        # A file may say anything of itself: lengths and offsets that lead out of it end the process that believes them.
        read.validate(full=True)
        read = read.combine_chunks()
        columns = [each.chunk(0) if each.num_chunks else pa.array([], each.type) for each in read.columns]
        return pa.RecordBatch.from_arrays(columns, schema=read.schema)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise RowsError(f"{what} is no Arrow file: {str(error)[:200]}") from error


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
