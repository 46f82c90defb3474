"""Models that are up together: each by its name, some as the steps of a pipeline, exchanged while they are asked."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from hatch_wallaroo.preflight.pipeline import Passed, through
from hatch_wallaroo.preflight.rows import to_batch
from hatch_wallaroo.preflight.serving import Served

if TYPE_CHECKING:
    import pyarrow as pa

    from hatch_wallaroo.preflight.subject import Subject

_PATIENCE = 10.0
"""Seconds that a model which was exchanged has for the questions that it was asked before."""


class UnknownNameError(Exception):
    """Nothing of this name is up; `known` is what is."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"nothing called {name!r} is served")
        self.known = tuple(known)


class Lineup:
    """Models by their names, and the steps of a pipeline. Any thread may ask; use it as a context manager.

    `steps` are names of models, in the order of the pipeline; without any, each model stands by itself.
    """

    def __init__(self, models: Sequence[Served], steps: Sequence[str] = ()) -> None:
        self._models = {each.subject.name: each for each in models}
        self._users: dict[Served, int] = {}
        self._changed = threading.Condition()
        self.steps = tuple(steps)
        self.pipeline = _unlike("pipeline", self._models) if steps else ""

    def __enter__(self) -> Lineup:  # noqa: PYI034 - `Self` is younger than Python 3.10
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def models(self) -> Mapping[str, Served]:
        return dict(self._models)

    @property
    def names(self) -> tuple[str, ...]:
        """What can be asked, what is asked without a name first; it is the only one, or the pipeline."""
        return (*((self.pipeline,) if self.pipeline else ()), *self._models)

    @property
    def default(self) -> str | None:
        """What is asked where no name is given; None where there is a choice."""
        return self.pipeline or (next(iter(self._models)) if len(self._models) == 1 else None)

    def members(self, name: str) -> tuple[str, ...]:
        """The models that answer one after the other. Raises UnknownNameError."""
        if self.pipeline and name == self.pipeline:
            return self.steps
        if name not in self._models:
            raise UnknownNameError(name, self.names)
        return (name,)

    def subject(self, name: str) -> Subject:
        """The model that is asked first. Raises UnknownNameError."""
        return self._models[self.members(name)[0]].subject

    def ask_rows(self, name: str, rows: Sequence[Mapping[str, object]], source: str) -> Passed:
        """The answer to rows. Raises UnknownNameError, RowsError, StepError, ClosedError."""
        return self.ask(name, to_batch(rows, self.subject(name).input_schema, source))

    def ask(self, name: str, batch: pa.RecordBatch) -> Passed:
        """The answer to a batch, whose columns are cast. Raises UnknownNameError, StepError, ClosedError."""
        with self._used(self.members(name)) as steps:
            return through(steps, batch)

    def exchange(self, model: Served) -> None:
        """Put a model in the place of the one of its name, which ends once it has answered what it was asked."""
        with self._changed:
            before = self._models.get(model.subject.name)
            self._models[model.subject.name] = model
            if before is not None:
                self._changed.wait_for(lambda: not self._users.get(before), timeout=_PATIENCE)
        if before is not None:
            before.close()

    def close(self) -> None:
        """End all of them; what waits for an answer gets an error."""
        with contextlib.ExitStack() as stack:
            for each in self._models.values():
                stack.callback(each.close)

    @contextlib.contextmanager
    def _used(self, names: Sequence[str]) -> Iterator[list[Served]]:
        with self._changed:
            steps = [self._models[name] for name in names]
            for each in steps:
                self._users[each] = self._users.get(each, 0) + 1
        try:
            yield steps
        finally:
            with self._changed:
                for each in steps:
                    self._users[each] -= 1
                    if not self._users[each]:
                        del self._users[each]
                self._changed.notify_all()


def _unlike(name: str, others: Mapping[str, object]) -> str:
    """The name, with more behind it as long as something else has it."""
    while name in others:
        name += "-of-all"
    return name
