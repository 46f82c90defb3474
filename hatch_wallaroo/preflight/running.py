"""One model in one process: unpacked, started, asked. What goes wrong is a finding, with the model's own line."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from hatch_wallaroo.findings import Finding, Place, Rule
from hatch_wallaroo.preflight import rules
from hatch_wallaroo.preflight.job import UnpackError, job, unpack
from hatch_wallaroo.preflight.preparing import Prepared
from hatch_wallaroo.preflight.process import Failure, Limits, ModelProcess
from hatch_wallaroo.preflight.reasons import Reasons
from hatch_wallaroo.preflight.subject import Subject

if TYPE_CHECKING:
    import pyarrow as pa

    from hatch_wallaroo.preflight.client import Answer, Client


class ModelError(Exception):
    """A model does not load, or does not answer.

    `finding` says what is wrong, `log` what the model printed last, `words` what the platform says of it.
    """

    def __init__(self, finding: Finding, log: tuple[str, ...] = (), words: str = "") -> None:
        super().__init__(finding.message)
        self.finding = finding
        self.log = log
        self.words = words or finding.message


class RunningModel:
    """A model's process and the connection to it. Use it as a context manager: at its end nothing of it is left.

    `folder` is private to it, and `log` a file that what it prints is added to.
    """

    def __init__(
        self, subject: Subject, prepared: Prepared, limits: Limits, folder: Path, log: Path | None = None
    ) -> None:
        self.subject, self.prepared = subject, prepared
        folder.mkdir()
        self.process = ModelProcess(prepared.environment.python, folder, prepared.isolation, limits, log)
        self._model: Path | None = None
        self._client: Client | None = None

    def __enter__(self) -> RunningModel:  # noqa: PYI034 - `Self` is younger than Python 3.10
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def unpack(self) -> Path:
        """The bundle, unpacked once into the folder. Raises ModelError."""
        if self._model is None:
            try:
                self._model = unpack(self.subject, self.process.folder)
            except UnpackError as error:
                raise ModelError(rules.NOT_LOADED.finding(str(error), fix="build it again: hatch build")) from error
        return self._model

    def validate(self) -> None:
        """Run the platform's static validator. Raises ModelError."""
        process, limit = self.process, self.process.limits.start
        process.start(job(self.subject, self.unpack(), process.folder, "validate", ours=False))
        if not process.wait(limit):
            message = f"the validator executes the .py files, and did not end in {limit:g} s"
            raise self._late(rules.INVALID, message, "let no file do work when it is imported")
        if process.code != 0 or not any(each["event"] == "validated" for each in process.events()):
            failure = process.failure()
            if failure is None:
                raise self._ended(rules.INVALID, process.code, "the validator executes the .py files: ", loading=False)
            raise self._failed(rules.INVALID, failure)

    def start(self) -> None:
        """Load the model, and wait until it takes questions. Raises ModelError."""
        from hatch_wallaroo.preflight.client import NoStartError, connect

        process = self.process
        process.start(job(self.subject, self.unpack(), process.folder, ours=self.prepared.own_service))
        try:
            self._client = connect(process)
        except NoStartError as error:
            failure = process.failure()
            if error.code is None:
                message = f"it does not answer after {process.limits.start:g} s"
                fix = "look for an endless loop or a download when it loads; --start-seconds gives it longer"
                raise self._late(rules.NOT_STARTED, message, fix) from error
            if failure is None:
                raise self._ended(rules.NOT_STARTED, error.code, loading=True) from error
            raise self._failed(rules.NOT_LOADED, failure) from error

    def ask(self, batch: pa.RecordBatch, about: str = "") -> Answer:
        """The answer to a batch; `about` begins what is said where there is none. Raises ModelError."""
        from hatch_wallaroo.preflight.client import AnswerError, DiedError, TooSlowError

        if self._client is None:
            raise RuntimeError("the model was not started")
        try:
            return self._client.ask(batch)
        except AnswerError as error:
            told = "; ".join(error.details) or str(error)
            failure = self.process.failure()
            if failure is not None:
                raise self._failed(rules.NOT_ANSWERED, failure, about, told) from error
            details = " ".join(each for each in error.details if not each.endswith("call failed.")) or str(error)
            message, fix = self._reasons().refused(details, self.process.last_call(), self.subject.output_schema)
            place = Place(key=(*self.subject.key, "output-schema"))
            raise self._error(rules.NOT_ANSWERED, about + message, fix, place, told) from error
        except TooSlowError as error:
            message = f"{about}no answer after {self.process.limits.call:g} s"
            fix = "look for an endless loop in predict; --call-seconds gives it longer"
            raise self._late(rules.TOO_SLOW, message, fix) from error
        except DiedError as error:
            raise self._ended(rules.ENDED, error.code, about, loading=False) from error

    def end(self) -> None:
        """End the process and all that it started; its folder stays."""
        if self._client is not None:
            self._client.close()
        self.process.end()

    def _reasons(self) -> Reasons:
        process = self.process
        return Reasons(process.folder / "model", self.subject.sources, process.limits, process.isolation)

    def _failed(self, rule: Rule, failure: Failure, about: str = "", words: str = "") -> ModelError:
        """What an exception of the model's own says."""
        message, fix, place = self._reasons().exception(failure)
        if failure.causes and not words and self.subject.by_platform:
            words = str(failure.causes[0].get("message", "")).strip()
        return self._error(rule, about + message, fix, place, words)

    def _late(self, rule: Rule, message: str, fix: str) -> ModelError:
        """What is said at a limit: the process told shortly before where it is."""
        return self._error(rule, message, fix, self._reasons().dumped(self.process.log_text()))

    def _ended(self, rule: Rule, code: int | None, about: str = "", *, loading: bool) -> ModelError:
        message, fix, place = self._reasons().end(code, self.process.log_text(), loading=loading)
        return self._error(rule, about + message, fix, place)

    def _error(self, rule: Rule, message: str, fix: str, place: Place, words: str = "") -> ModelError:
        """What ends the run, with what the model printed last."""
        finding = rule.finding(message, fix=fix, place=place)
        return ModelError(finding, tuple(self.process.log_tail()), words)
