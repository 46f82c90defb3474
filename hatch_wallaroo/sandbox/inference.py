"""An inference's rows as the platform takes them, and the columns of its answer that are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_wallaroo.preflight.forms import read_arrow, read_records
from hatch_wallaroo.preflight.rows import to_batch
from hatch_wallaroo.schema.types import Schema

if TYPE_CHECKING:
    import pyarrow as pa


def read_batch(data: bytes, content_type: str, schema: Schema | None) -> pa.RecordBatch:
    """The rows of a request. JSON takes its types from the first step's input schema; Arrow has its own.

    Raises RowsError.
    """
    if "arrow" in content_type:
        return read_arrow(data, "the body")
    return to_batch(read_records(data, "the body"), schema, "the input")


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
