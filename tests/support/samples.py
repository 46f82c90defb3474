"""Samples that stand in no file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hatch_wallaroo.discover.sample import Row


def rows_of(values: Iterable[dict[str, Any]]) -> tuple[Row, ...]:
    """Rows, numbered from 1 as if each stood on a line of its own."""
    return tuple(Row(at, each) for at, each in enumerate(values, start=1))
