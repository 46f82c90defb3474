"""For a person: an answer of a pipeline as a table of its in. and out. columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hatch_wallaroo.console import show_table, tell
from hatch_wallaroo.preflight.compare import short

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_ROWS = 20
MOST_COLUMNS = 8
"""Columns of each side that a table shows."""

Rows = Sequence[Mapping[str, Any]]


def show(answer: pa.Table) -> None:
    """Print it on standard output, the first rows and columns; how many are not shown, on standard error."""
    ins = [name for name in answer.schema.names if name.startswith("in.")]
    outs = [name for name in answer.schema.names if name.startswith("out.")]
    names = [*ins[:MOST_COLUMNS], *outs[:MOST_COLUMNS]]
    rows = answer.slice(0, _MOST_ROWS).to_pylist()
    show_rows(names, rows)
    left = [
        f"{number:,} more {what}"
        for number, what in (
            (answer.num_rows - len(rows), "rows"),
            (len(ins) + len(outs) - len(names), "columns"),
        )
        if number
    ]
    if left:
        tell(f"{' and '.join(left)}: --output FILE keeps all of it")


def show_rows(names: Sequence[str], rows: Rows) -> None:
    """Print rows below the names of their columns; what a row has not is shown as None."""
    show_table(names, [[short(row.get(name)) for name in names] for row in rows])
