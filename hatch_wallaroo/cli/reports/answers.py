"""For a person: an answer of a pipeline as a table of its in. and out. columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_wallaroo.console import show_table, tell
from hatch_wallaroo.preflight.compare import short

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_ROWS = 20
_MOST_COLUMNS = 8


def show(answer: pa.Table) -> None:
    """Print it on standard output, the first rows and columns; how many are not shown, on standard error."""
    ins = [name for name in answer.schema.names if name.startswith("in.")]
    outs = [name for name in answer.schema.names if name.startswith("out.")]
    names = [*ins[:_MOST_COLUMNS], *outs[:_MOST_COLUMNS]]
    rows = answer.slice(0, _MOST_ROWS).to_pylist()
    show_table(names, [[short(row[name]) for name in names] for row in rows])
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
