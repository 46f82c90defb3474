"""An answer in a file, in the form that its ending names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_wallaroo.files.writing import write_whole
from hatch_wallaroo.preflight.forms import as_arrow
from hatch_wallaroo.preflight.pipeline import records

if TYPE_CHECKING:
    import pyarrow as pa

ENDINGS = (".json", ".jsonl", ".csv", ".parquet", ".arrow")


def write(answer: pa.Table, path: Path) -> None:
    """Write it whole or not at all; `path` has one of the endings. Raises OSError."""
    write_whole(path, _data(answer, path.suffix.lower()))


def _data(answer: pa.Table, ending: str) -> bytes:
    import pyarrow as pa

    if ending == ".arrow":
        return as_arrow(answer)
    if ending == ".json":
        return (json.dumps(records(answer), indent=2) + "\n").encode()
    if ending == ".jsonl":
        return "".join(json.dumps(row) + "\n" for row in records(answer)).encode()
    sink = pa.BufferOutputStream()
    if ending == ".csv":
        from pyarrow import csv

        csv.write_csv(_flat(answer), sink)
    else:
        from pyarrow import parquet

        parquet.write_table(answer, sink)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _flat(answer: pa.Table) -> pa.Table:
    """The columns as CSV holds them: lists and structs are written as JSON."""
    import pyarrow as pa

    rows = records(answer)
    columns = []
    for field, column in zip(answer.schema, answer.columns, strict=True):
        if pa.types.is_nested(field.type) or pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type):
            values = [row[field.name] for row in rows]
            texts = [each if each is None or isinstance(each, str) else json.dumps(each) for each in values]
            columns.append(pa.array(texts, pa.string()))
        else:
            columns.append(column)
    return pa.Table.from_arrays(columns, names=answer.schema.names)
