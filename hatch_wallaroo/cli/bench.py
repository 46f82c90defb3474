"""`hatch-wallaroo bench`: how fast models answer on this machine."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hatch_wallaroo.cli.groups import json_option, project_option
from hatch_wallaroo.cli.subjects import (
    How,
    data_option,
    ended_by_sigterm,
    failed,
    read,
    run_options,
    started,
    subjects,
)
from hatch_wallaroo.console import misused, say, say_json, show_table, tell
from hatch_wallaroo.exit_codes import OK
from hatch_wallaroo.text import one_line

if TYPE_CHECKING:
    import pyarrow as pa

    from hatch_wallaroo.preflight.bench import LeftOut, Measured
    from hatch_wallaroo.preflight.rows import Rows
    from hatch_wallaroo.preflight.subject import Subject

_DEFAULT = "1,10,100,1000,10000"
_MOST_ROWS = 1_000_000
_MOST_SIZES = 20
_EPILOG = """\b
Examples:
    hatch-wallaroo bench
    hatch-wallaroo bench fraud --batches 1,32,1024 --seconds 30
    hatch-wallaroo bench --data rows.parquet --json

Rows are repeated until a batch is full. `model` is the time of the model's own code, `runtime` what the platform's
runtime adds to it: columns turned and cast, sent there and back.
"""


def _sizes(context: click.Context, parameter: click.Parameter, value: str) -> tuple[int, ...]:
    """Numbers of rows with commas between them."""
    parts = [each.strip() for each in value.split(",")]
    sizes = [int(each) for each in parts if each.isascii() and each.isdigit() and len(each) < 10]  # noqa: PLR2004
    if len(sizes) != len(parts) or not all(0 < each <= _MOST_ROWS for each in sizes):
        said = f"{value!r} is not numbers from 1 to {_MOST_ROWS:,} with commas between them"
        raise click.BadParameter(said, context, parameter)
    if len(sizes) > _MOST_SIZES:
        raise click.BadParameter(f"more than {_MOST_SIZES} sizes", context, parameter)
    return tuple(dict.fromkeys(sizes))


@click.command(epilog=_EPILOG)
@click.argument("wanted", nargs=-1, metavar="[MODEL | BUNDLE]...")
@project_option
@data_option
@click.option(
    "--batches",
    callback=_sizes,
    default=_DEFAULT,
    show_default=True,
    metavar="N,N",
    help="Rows a call.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0.1, 3600),
    default=10.0,
    show_default=True,
    help="How long each model is asked, without its start.",
)
@run_options
@json_option
def bench(
    wanted: tuple[str, ...],
    project: Path,
    data: Path | None,
    batches: tuple[int, ...],
    seconds: float,
    how: How,
    as_json: bool,
) -> int:
    """Measure rows per second and the time of a call on this machine, for batches of several sizes."""
    from hatch_wallaroo.preflight.folders import private_folder

    made = []
    with ended_by_sigterm(), private_folder() as folder:
        given = read(data) if data else None
        found = subjects(wanted, project, folder)
        asked = [(each, *_batch(each, given)) for each in found]
        for subject, rows, batch in asked:
            measured, left_out = _measured(subject, batch, batches, seconds, how)
            if as_json:
                made.append(_document(subject, rows, measured, left_out))
            else:
                _show(subject, rows, measured, left_out)
    if as_json:
        say_json({"format": 1, "machine": _machine(), "note": _NOTE, "benches": made})
    else:
        say(f"{_NOTE} ({_machine()['processors']} processors, {_machine()['architecture']})")
    return OK


_NOTE = (
    "Measured on this machine, which is not the platform: no engine, no network, other processors; "
    "compare the figures with each other."
)


def _machine() -> dict[str, Any]:
    return {"processors": os.cpu_count(), "architecture": platform.machine(), "system": platform.system()}


def _batch(subject: Subject, given: Rows | None) -> tuple[Rows, pa.RecordBatch]:
    """The rows that are repeated: those that are given, the sample's, or made from the schema."""
    from hatch_wallaroo.preflight.rows import RowsError, made_rows, to_batch

    rows = given or subject.rows
    if rows is None and subject.input_schema is not None:
        rows = made_rows(subject.input_schema)
    if rows is None or not rows.inputs:
        raise misused(f"{one_line(subject.name)}: there are no rows to ask for", "give --data FILE")
    try:
        return rows, to_batch(rows.inputs, subject.input_schema, rows.source)
    except RowsError as error:
        raise misused(str(error), error.fix) from error


def _measured(
    subject: Subject, batch: pa.RecordBatch, sizes: Sequence[int], seconds: float, how: How
) -> tuple[list[Measured], list[LeftOut]]:
    from hatch_wallaroo.preflight import bench as measuring
    from hatch_wallaroo.preflight.running import ModelError

    name = one_line(subject.name)
    with started(subject, how.options()) as served:
        try:
            return measuring.bench(served, batch, sizes, seconds, lambda line: tell(f"{name}: {line}"))
        except ModelError as error:
            raise failed(name, error) from error


def _show(subject: Subject, rows: Rows, measured: Sequence[Measured], left_out: Sequence[LeftOut]) -> None:
    head = f"{subject.name} {subject.version} ({subject.framework.name}, release {subject.release.asked})"
    say(one_line(f"{head}, rows: {rows.source}"))
    headers = ["rows", "calls", "rows/s", "median ms", "p95 ms", "min ms", "model ms", "runtime ms"]
    show_table(headers, [_row(each) for each in measured])
    for each in left_out:
        say(f"not measured: {each.rows:,} rows a call, {each.reason}")
    if not subject.by_platform:
        say("model: our own prediction, as the guide describes it; the platform's loader is not public")


def _row(measured: Measured) -> list[str]:
    figures = (measured.median, measured.p95, measured.fastest, measured.own_median, measured.overhead)
    times = ["" if each is None else f"{each * 1000:.2f}" for each in figures]
    return [f"{measured.rows:,}", f"{len(measured.seconds):,}", f"{measured.rows_per_second:,.0f}", *times]


def _document(
    subject: Subject, rows: Rows, measured: Sequence[Measured], left_out: Sequence[LeftOut]
) -> dict[str, Any]:
    return {
        "model": subject.name,
        "version": subject.version,
        "sha256": subject.sha256,
        "release": subject.release.asked,
        "framework": subject.framework.name,
        "loader": "platform" if subject.by_platform else "emulation",
        "rows": rows.source,
        "batches": [
            {
                "rows": each.rows,
                "calls": len(each.seconds),
                "rows_per_second": each.rows_per_second,
                "median_seconds": each.median,
                "p95_seconds": each.p95,
                "min_seconds": each.fastest,
                "model_median_seconds": each.own_median,
                "runtime_median_seconds": each.overhead,
            }
            for each in measured
        ],
        "not_measured": [{"rows": each.rows, "reason": each.reason} for each in left_out],
    }
