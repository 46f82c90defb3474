"""A model that is kept running: loaded once, asked as often as is wanted, started again where it ended."""

from __future__ import annotations

import contextlib
import threading
from types import TracebackType
from typing import TYPE_CHECKING

from hatch_wallaroo.preflight import rules
from hatch_wallaroo.preflight.environment import Say
from hatch_wallaroo.preflight.folders import private_folder, remove
from hatch_wallaroo.preflight.preparing import Options, Prepared, prepare
from hatch_wallaroo.preflight.process import LARGEST_LOG, last_lines
from hatch_wallaroo.preflight.running import ModelError, RunningModel
from hatch_wallaroo.preflight.subject import Subject

if TYPE_CHECKING:
    import pyarrow as pa

    from hatch_wallaroo.preflight.client import Answer


_LARGEST_RECORD = 16 << 20
"""Bytes that a process has recorded when the record begins anew: each call adds to it."""


class ClosedError(Exception):
    """A model was closed, and is asked or started all the same."""


class Served:
    """A model that answers until it is closed. Any thread may ask it; use it as a context manager.

    It belongs to a folder of its own, which is gone with it. `log` is the file that its processes write to, one after
    the other.
    """

    def __init__(self, subject: Subject, prepared: Prepared, options: Options) -> None:
        """Nothing runs yet: :meth:`open` is the way to one that does."""
        self.subject, self.prepared, self.options = subject, prepared, options
        self._stack = contextlib.ExitStack()
        self._folder = self._stack.enter_context(private_folder())
        self.log = self._folder / "log.txt"
        self._lock = threading.Lock()
        self._model: RunningModel | None = None
        self._starts = 0
        self._closed = False

    @classmethod
    def open(cls, subject: Subject, options: Options, say: Say, prepared: Prepared | None = None) -> Served:
        """A model that takes questions; `prepared` spares looking for its environment again.

        Raises PreflightError, UnresolvedError (see :func:`prepare`) and ModelError, and leaves nothing behind then.
        """
        made = cls(subject, prepared or prepare(subject, options, say), options)
        try:
            say("starting")
            made.restart()
        except BaseException:
            made.close()
            raise
        return made

    def __enter__(self) -> Served:  # noqa: PYI034 - `Self` is younger than Python 3.10
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def running(self) -> bool:
        model = self._model
        return model is not None and model.process.running

    def validate(self) -> None:
        """Run the platform's static validator on the bundle, before it is started. Raises ModelError, ClosedError."""
        with self._lock:
            model = self._fresh()
            try:
                model.validate()
            except ModelError as error:
                raise self._closed_or(error) from error
            finally:
                self._end()

    def restart(self) -> None:
        """End its process, and start another from the bundle as it is. Raises ModelError, ClosedError."""
        with self._lock:
            self._start()

    def ask(self, batch: pa.RecordBatch) -> Answer:
        """The answer to a batch. Raises ModelError, ClosedError.

        A process that ended, or that did not answer within its time, is ended for good; the next question starts
        another.
        """
        with self._lock:
            model = self._model
            if model is None or not model.process.running:
                model = self._start()
        try:
            answer = model.ask(batch)
        except ModelError as error:
            if error.finding.code in {rules.TOO_SLOW.code, rules.ENDED.code}:
                with self._lock:
                    if self._model is model:
                        self._end()
            raise
        model.process.forget(_LARGEST_RECORD)
        return answer

    def calls(self) -> list[float]:
        """The model's own seconds of each call that its process has recorded, the oldest first."""
        model = self._model
        events = model.process.events() if model is not None else []
        found = [each.get("seconds") for each in events if each["event"] == "call"]
        return [each for each in found if isinstance(each, float)]

    def forget_calls(self) -> None:
        """Let :meth:`calls` begin anew."""
        if (model := self._model) is not None:
            model.process.forget()

    def logs(self, lines: int = 20) -> list[str]:
        """The last lines that its processes printed."""
        return last_lines(self.log, lines)

    def close(self) -> None:
        """End its process and remove all that is its own; what waits for an answer gets an error."""
        self._closed = True
        while not self._lock.acquire(timeout=0.1):
            if (model := self._model) is not None:  # whoever starts it has the lock until it is ready
                model.process.end()
        try:
            self._end()
            self._stack.close()
        finally:
            self._lock.release()

    def _start(self) -> RunningModel:
        model = self._fresh()
        try:
            model.start()
        except ModelError as error:
            self._end()
            raise self._closed_or(error) from error
        except BaseException:
            self._end()
            raise
        return model

    def _fresh(self) -> RunningModel:
        """A model in a folder of its own, with nothing of the one before."""
        self._end()
        if self._closed:
            raise ClosedError(f"{self.subject.name} was closed")
        with contextlib.suppress(FileNotFoundError):
            if self.log.stat().st_size > LARGEST_LOG:
                self.log.unlink()
        self._starts += 1
        folder = self._folder / str(self._starts)
        self._model = RunningModel(self.subject, self.prepared, self.options.limits, folder, self.log)
        return self._model

    def _closed_or(self, error: ModelError) -> Exception:
        """What ended a model: that it was closed meanwhile, or else its own error."""
        return ClosedError(f"{self.subject.name} was closed") if self._closed else error

    def _end(self) -> None:
        model, self._model = self._model, None
        if model is not None:
            model.end()
            remove(model.process.folder)
