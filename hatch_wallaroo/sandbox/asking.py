"""A model that the pages ask: started when it is asked first, kept until another is asked or the sandbox ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from hatch_wallaroo.preflight.preparing import PreflightError, UnresolvedError
from hatch_wallaroo.preflight.rows import RowsError, to_batch
from hatch_wallaroo.preflight.running import ModelError
from hatch_wallaroo.preflight.serving import ClosedError, Served
from hatch_wallaroo.sandbox.runtime import NotRunError, Runtime
from hatch_wallaroo.sandbox.store import StoredVersion
from hatch_wallaroo.text import human_size

MOST_ANSWERS = 20
"""Rows of one answer that are shown."""
_LARGEST_ANSWER = 4 << 20


@dataclass(frozen=True)
class Answer:
    """What a model made of a row. `outputs` are the rows that it gave, the first MOST_ANSWERS of `count`.

    `seconds` is how long it took, without its start. `problem` says in the runtime's words why there is no answer,
    `log` is what the model printed.
    """

    outputs: tuple[Mapping[str, Any], ...] = ()
    count: int = 0
    seconds: float = 0.0
    problem: str = ""
    log: tuple[str, ...] = ()


class Asked:
    """At most one model at a time. Safe to use from several threads: questions wait for each other."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._stack = ExitStack()
        self._served: Served | None = None
        self._version = 0
        self._lock = threading.Lock()

    def ask(self, version: StoredVersion, row: Mapping[str, Any]) -> Answer:
        """Ask a version for one row. Never raises for what a model does."""
        try:
            with self._lock:
                served = self._of(version)
                batch = to_batch([row], served.subject.input_schema, "the form")
                began = time.perf_counter()
                made = served.ask(batch).batch
                took = time.perf_counter() - began
        except ModelError as error:
            return Answer(problem=error.words, log=tuple(error.log))
        except UnresolvedError as error:
            return Answer(problem="; ".join(each.message for each in error.findings))
        except (RowsError, NotRunError, PreflightError, ClosedError) as error:
            return Answer(problem=str(error))
        first = made.slice(0, MOST_ANSWERS)
        if first.nbytes > _LARGEST_ANSWER:
            return Answer(problem=f"The answer has {human_size(made.nbytes)}, too much for a page.")
        return Answer(tuple(first.to_pylist()), made.num_rows, took)

    def close(self) -> None:
        """End the model that runs."""
        self._stack.close()
        self._served, self._version = None, 0

    def _of(self, version: StoredVersion) -> Served:
        """The model of a version, in place of the one that ran before."""
        if self._served is None or self._version != version.id:
            self.close()
            served = self._stack.enter_context(self.runtime.serving(version))
            served.restart()
            self._served, self._version = served, version.id
        return self._served
