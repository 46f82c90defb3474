"""What is deployed: a pipeline's version, a process for each of its steps, for as long as it stays."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from hatch_wallaroo.preflight.pipeline import Passed, through
from hatch_wallaroo.preflight.preparing import PreflightError, UnresolvedError
from hatch_wallaroo.preflight.running import ModelError
from hatch_wallaroo.preflight.serving import ClosedError, Served
from hatch_wallaroo.sandbox.runtime import NotRunError, Runtime
from hatch_wallaroo.sandbox.store import StoredPipelineVersion, StoredVersion

if TYPE_CHECKING:
    import pyarrow as pa

NO_RUNTIME = "this sandbox runs no models, so nothing can be deployed: start it with hatch-wallaroo sandbox --runtime"

_ENDS = 10.0
"""Seconds that an undeployment waits for the processes."""


class Deployment:
    """A deployment of a pipeline's version. Its steps start at once, and end when it is closed.

    `status` is `Starting`, `Running` or `Error`, as the platform has them; `details` say why it is an error.
    """

    def __init__(
        self, number: int, name: str, version: StoredPipelineVersion, engine_config: Mapping[str, Any]
    ) -> None:
        self.id, self.name, self.version, self.engine_config = number, name, version, engine_config
        self.created_at = time.time()
        self.status = "Starting"
        self.details: tuple[str, ...] = ()
        self._steps: dict[int, Served] = {}
        self._lock = threading.Lock()
        self._ends = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def deployed(self) -> bool:
        return not self._ends.is_set()

    @property
    def steps(self) -> Sequence[Served]:
        """The models in the order of the steps; all of them run where the status is `Running`."""
        return [self._steps[each] for each in sorted(self._steps)]

    def start(self, runtime: Runtime, versions: Sequence[StoredVersion]) -> None:
        """Start a model for each step; returns at once."""
        self._thread = threading.Thread(target=self._run, args=(runtime, versions), name=f"deployment-{self.id}")
        self._thread.start()

    def ask(self, batch: pa.RecordBatch) -> Passed:
        """What the steps make of a batch, one after the other. Raises StepError, ClosedError."""
        return through(self.steps, batch)

    def close(self, seconds: float = _ENDS) -> None:
        """End the steps, and wait for that."""
        with self._lock:
            self._ends.set()
            steps = list(self._steps.values())
        for each in steps:
            each.close()
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self, runtime: Runtime, versions: Sequence[StoredVersion]) -> None:
        """The life of a deployment: its steps start together, stay, and end with it."""
        with ExitStack() as stack:

            def begin(numbered: tuple[int, StoredVersion]) -> None:
                number, version = numbered
                served = stack.enter_context(runtime.serving(version))
                with self._lock:
                    if self._ends.is_set():
                        return
                    self._steps[number] = served
                served.restart()

            try:
                with ThreadPoolExecutor(len(versions)) as pool:
                    list(pool.map(begin, enumerate(versions)))
                self.status = "Running"
            except Exception as error:  # noqa: BLE001 - whatever it is, the SDK waits for a status
                self.details = _details(error)
                self.status = "Error"
            self._ends.wait()


def _details(error: Exception) -> tuple[str, ...]:
    """Why steps did not start, in lines for a status."""
    if isinstance(error, ModelError):
        return (error.words, *error.log[-5:])
    if isinstance(error, UnresolvedError):
        return tuple(each.message for each in error.findings)
    if isinstance(error, (NotRunError, PreflightError, ClosedError)):
        return (str(error),)
    return (f"{type(error).__name__}: {error}",)


class Deployments:
    """All deployments since the sandbox started, by their ids. Without a runtime there are none."""

    def __init__(self, runtime: Runtime | None) -> None:
        self.runtime = runtime
        self._all: dict[int, Deployment] = {}
        self._lock = threading.Lock()

    def all(self) -> list[Deployment]:
        return list(self._all.values())

    def get(self, deployment_id: int) -> Deployment | None:
        return self._all.get(deployment_id)

    def of_pipeline(self, pipeline_id: int) -> Deployment | None:
        """A pipeline's deployment, also where it has ended; None where it never was deployed."""
        found = [each for each in self.all() if each.version.pipeline.id == pipeline_id]
        return found[-1] if found else None

    def named(self, name: str) -> Deployment | None:
        """One that is deployed, by the name that addresses have: `<its name>-<its id>`."""
        return next((each for each in self.all() if each.deployed and f"{each.name}-{each.id}" == name), None)

    def deploy(
        self,
        runtime: Runtime,
        name: str,
        version: StoredPipelineVersion,
        engine_config: Mapping[str, Any],
        models: Sequence[StoredVersion],
    ) -> Deployment:
        """Deploy a version under a name, in place of what is deployed under it."""
        with self._lock:
            before = next((each for each in self.all() if each.name == name), None)
            if before is not None:
                before.close()
            number = before.id if before else len(self._all) + 1
            made = self._all[number] = Deployment(number, name, version, engine_config)
        made.start(runtime, models)
        return made

    def close(self) -> None:
        for each in self.all():
            each.close()
