"""Models one after the other, as a pipeline has them: each step's answer is the next one's question."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from datetime import time as clock
from typing import TYPE_CHECKING, Any, Protocol

from hatch_wallaroo.preflight.running import ModelError
from hatch_wallaroo.schema.arrow import to_arrow
from hatch_wallaroo.schema.types import Schema
from hatch_wallaroo.text import few

if TYPE_CHECKING:
    import pyarrow as pa

    from hatch_wallaroo.preflight.client import Answer
    from hatch_wallaroo.preflight.subject import Subject

ANOMALIES = "anomaly.count"
FAILURES = "check_failures"
"""What answers had up to 2023.2.1 in the place of the count."""
_LONGEST_WORDS = 300


class FitError(Exception):
    """Columns are not what a step takes; `fix` says what would."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.fix = fix


class StepError(Exception):
    """A step of a pipeline gives no answer: `step` is its name, `cause` says why."""

    def __init__(self, step: str, cause: FitError | ModelError) -> None:
        super().__init__(f"{step}: {cause}")
        self.step, self.cause = step, cause

    @property
    def fix(self) -> str:
        return self.cause.fix if isinstance(self.cause, FitError) else self.cause.finding.fix

    @property
    def words(self) -> str:
        """What the platform says of it."""
        return self.cause.words if isinstance(self.cause, ModelError) else str(self.cause)


class Step(Protocol):
    """What answers a batch: :class:`Served` does."""

    @property
    def subject(self) -> Subject: ...

    def ask(self, batch: pa.RecordBatch) -> Answer: ...


@dataclass(frozen=True)
class Passed:
    """A question that went through all steps: as the first was asked, as the last answered, and each one's seconds."""

    asked: pa.RecordBatch
    answered: pa.RecordBatch
    seconds: tuple[float, ...]


def fitted(batch: pa.RecordBatch, schema: Schema | None) -> pa.RecordBatch:
    """A batch with a schema's fields, in its order and with its types; what it has besides is left out.

    The runtime looks at no input schema, so whatever stands before a step has to. Without a schema the batch is as it
    was. Raises FitError.
    """
    import pyarrow as pa

    if schema is None:
        return batch
    wanted = to_arrow(schema)
    missing = [name for name in wanted.names if name not in batch.schema.names]
    if missing:
        given = few(map(repr, batch.schema.names)) or "none"
        message = f"its input schema has {few(map(repr, missing))}, which did not come"
        raise FitError(message, f"the fields that come are {given}")
    columns = []
    for field in wanted:
        column = batch.column(batch.schema.names.index(field.name))
        try:
            columns.append(column if column.type == field.type else column.cast(field.type))
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
            said = str(error)[:_LONGEST_WORDS]
            fix = "correct what comes before, or the input schema"
            raise FitError(f"{field.name!r} is {column.type}, not {field.type}: {said}", fix) from error
    return pa.RecordBatch.from_arrays(columns, schema=wanted)


def through(steps: Sequence[Step], batch: pa.RecordBatch) -> Passed:
    """Ask each step with the answer of the one before. Raises StepError, and what `ask` raises besides."""
    asked: pa.RecordBatch | None = None
    seconds = []
    for step in steps:
        try:
            batch = fitted(batch, step.subject.input_schema)
            asked = batch if asked is None else asked
            answer = step.ask(batch)
        except (FitError, ModelError) as error:
            raise StepError(step.subject.name, error) from error
        batch = answer.batch
        seconds.append(answer.seconds)
    if asked is None:
        raise ValueError("a pipeline without steps")
    return Passed(asked, batch, tuple(seconds))


def table(passed: Passed, *, anomalies: bool = True) -> pa.Table:
    """An answer as the platform's pipelines give it: `time` in milliseconds, `in.` and `out.` before the fields.

    `anomalies`: with their count, which is always 0 here; else with the list of failed checks, always empty.
    """
    import pyarrow as pa

    asked, answered = passed.asked, passed.answered
    rows = answered.num_rows
    # Nothing keeps a model from giving another number of rows: each answer stands beside the question of its place.
    asked = asked.slice(0, rows)
    names = ["time", *(f"in.{each}" for each in asked.schema.names), *(f"out.{each}" for each in answered.schema.names)]
    columns: list[Any] = [pa.array([int(time.time() * 1000)] * rows, pa.int64())]
    columns += [_as_long(each, rows) for each in asked.columns]
    columns += answered.columns
    if anomalies:
        columns.append(pa.array([0] * rows, pa.uint32()))
    else:
        columns.append(pa.array([[]] * rows, pa.list_(pa.string())))
    return pa.Table.from_arrays(columns, names=[*names, ANOMALIES if anomalies else FAILURES])


def _as_long(column: pa.Array, rows: int) -> pa.Array:
    """A column with nulls behind it, up to a number of rows."""
    import pyarrow as pa

    if len(column) == rows:
        return column
    return pa.concat_arrays([column, pa.nulls(rows - len(column), column.type)])


def records(answer: pa.Table) -> list[dict[str, Any]]:
    """The rows of an answer as JSON holds them; null stands for NaN and what is infinite."""
    return [{str(name): _plain(value) for name, value in row.items()} for row in answer.to_pylist()]


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, (datetime, date, clock)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return str(value)


def follows(first: Schema | None, second: Schema | None) -> bool | None:
    """Whether a step's output schema has all fields of the next one's input schema; None where one is not known."""
    if first is None or second is None:
        return None
    return set(second.names) <= set(first.names)
