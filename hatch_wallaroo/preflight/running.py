"""One model in one process: unpacked, started, asked. What goes wrong is a finding, with the model's own line."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from hatch_wallaroo.findings import Finding, Place, Rule
from hatch_wallaroo.preflight import rules
from hatch_wallaroo.preflight.job import UnpackError, job, unpack
from hatch_wallaroo.preflight.preparing import Prepared
from hatch_wallaroo.preflight.process import Failure, Limits, ModelProcess
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
            raise self._error(rules.INVALID, message, "let no file do work when it is imported", None)
        if process.code != 0 or not any(each["event"] == "validated" for each in process.events()):
            failure = process.failure()
            message = _message(failure) or f"it ended with {_exit(process.code)}"
            raise self._error(rules.INVALID, message, _fix(failure), failure)

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
                raise self._error(rules.NOT_STARTED, message, fix, None) from error
            if failure is None:
                message = f"its process ended with {_exit(error.code)} before it answered"
                raise self._error(rules.NOT_STARTED, message, "let it not end itself when it loads", None) from error
            raise self._error(rules.NOT_LOADED, _message(failure) or "", _fix(failure), failure) from error

    def ask(self, batch: pa.RecordBatch, about: str = "") -> Answer:
        """The answer to a batch; `about` begins what is said where there is none. Raises ModelError."""
        from hatch_wallaroo.preflight.client import AnswerError, DiedError, TooSlowError

        if self._client is None:
            raise RuntimeError("the model was not started")
        try:
            return self._client.ask(batch)
        except AnswerError as error:
            failure = self.process.failure()
            words = " ".join(each for each in error.details if not each.endswith("call failed."))
            said = _message(failure) or words or str(error)
            message = f"{about}{said}" if not words or words in said else f"{about}{said} (the platform says: {words})"
            told = "; ".join(error.details) or str(error)
            raise self._error(rules.NOT_ANSWERED, message, _fix(failure), failure, told) from error
        except TooSlowError as error:
            message = f"{about}no answer after {self.process.limits.call:g} s"
            fix = "look for an endless loop in predict; --call-seconds gives it longer"
            raise self._error(rules.TOO_SLOW, message, fix, None) from error
        except DiedError as error:
            message = f"{about}its process ended with {_exit(error.code)}"
            fix = "let predict raise an error instead of ending the process" if error.code else "let it not end itself"
            raise self._error(rules.ENDED, message, fix, None) from error

    def end(self) -> None:
        """End the process and all that it started; its folder stays."""
        if self._client is not None:
            self._client.close()
        self.process.end()

    def _error(self, rule: Rule, message: str, fix: str, failure: Failure | None, words: str = "") -> ModelError:
        """What ends the run, with what the model printed last."""
        if failure and failure.causes and not words and self.subject.by_platform:
            words = str(failure.causes[0].get("message", "")).strip()
        finding = rule.finding(message, fix=fix, place=self._place(failure))
        return ModelError(finding, tuple(self.process.log_tail()), words)

    def _place(self, failure: Failure | None) -> Place:
        """The innermost line of the bundle's own code; as the project calls the file, where it is known."""
        for cause in reversed(failure.causes if failure else ()):
            frames = cause.get("frames")
            for frame in reversed(frames if isinstance(frames, list) else []):
                path, line = str(frame.get("file", "")), frame.get("line")
                top = f"{self.process.folder / 'model'}/"
                if path.startswith(top):
                    inside = path.removeprefix(top)
                    return Place(
                        file=self.subject.sources.get(inside, inside), line=line if isinstance(line, int) else None
                    )
        return Place()


def _message(failure: Failure | None) -> str | None:
    """The innermost cause that says something, with its type."""
    for cause in reversed(failure.causes if failure else ()):
        text = str(cause.get("message", "")).strip()
        return f"{cause.get('type', 'error')}: {text}" if text else str(cause.get("type", "error"))
    return None


def _fix(failure: Failure | None) -> str:
    """What mends an exception of a kind that is met often; else where to look."""
    cause = failure.causes[-1] if failure and failure.causes else {}
    kind, text = str(cause.get("type", "")), str(cause.get("message", ""))
    if kind == "ModuleNotFoundError":
        name = re.search(r"'([\w.]+)'", text)
        return f"add the package that has {name[1] if name else 'it'} to the requirements, or take its file along"
    if kind == "FileNotFoundError":
        return "take the file along (artifacts), and open it below config.model_path"
    if kind == "SystemExit":
        return "raise an error instead of ending the process"
    if kind == "MemoryError":
        return "the limit of this run was met: --memory gives it more"
    return "the line is where it happened; the log has the whole traceback"


def _exit(code: int | None) -> str:
    if code is None:
        return "no exit code"
    if code < 0 or code > 128:  # noqa: PLR2004 - 128 and the signal, as shells and bubblewrap tell it
        number = -code if code < 0 else code - 128
        try:
            return f"{signal.Signals(number).name} ({signal.strsignal(number)})"
        except ValueError:
            pass
    return f"exit code {code}"
