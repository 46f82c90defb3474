"""One bundle's way through a preflight: resolve, make the environment, load, ask, compare."""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatch_wallaroo.findings import Finding, Place, errors
from hatch_wallaroo.preflight import interpreters, libraries, rules
from hatch_wallaroo.preflight.compare import TOLERANCE, against_expected, against_schema, differing
from hatch_wallaroo.preflight.environment import Environment, NoEnvironmentError, Recipe, Say, cache_folder, provide
from hatch_wallaroo.preflight.isolation import Isolation, probe
from hatch_wallaroo.preflight.job import UnpackError, job, unpack
from hatch_wallaroo.preflight.process import Failure, Limits, ModelProcess
from hatch_wallaroo.preflight.resolution import for_environment, on_platform
from hatch_wallaroo.preflight.rows import RowsError, made_rows, to_batch
from hatch_wallaroo.preflight.subject import Rows, Subject
from hatch_wallaroo.preflight.verdict import Part, Times, Verdict
from hatch_wallaroo.requirements.uv import find_uv

if TYPE_CHECKING:
    import pyarrow as pa

    from hatch_wallaroo.preflight.client import Client

_SERVERS = {"vllm", "sglang", "llm"}
_WARM = 5
"""Calls that are timed after the first."""


class PreflightError(Exception):
    """A preflight cannot be made at all on this machine; `fix` says what it needs."""

    def __init__(self, message: str, fix: str = "", log: str = "") -> None:
        super().__init__(message)
        self.fix = fix
        self.log = log


@dataclass(frozen=True)
class Options:
    """How it is run. `python`: `current` for the Python that runs us, else empty."""

    python: str = ""
    limits: Limits = field(default_factory=Limits)
    tolerance: float = TOLERANCE


@dataclass(frozen=True)
class Prepared:
    """What a model needs to run: its environment, and what was found on the way to it."""

    environment: Environment
    findings: tuple[Finding, ...]
    isolation: Isolation
    own_service: bool


def why_not(subject: Subject) -> str | None:
    """Why nothing here runs a subject, as a sentence; None where something does."""
    family = subject.framework.family
    if family in _SERVERS:
        return f"{subject.framework.name} needs a server with a card of its own: packed and checked, not run"
    if family == "mlflow":
        return "an MLflow model is a container image: hatch-wallaroo try starts it and asks it"
    return None


def preflight(subject: Subject, options: Options, say: Say) -> Verdict:
    """Run a bundle as its release would. Raises PreflightError where this machine cannot."""
    reason = why_not(subject)
    if reason is not None:
        return Verdict(subject, (rules.NOT_RUN.finding(reason),), ran=False)
    try:
        prepared = prepare(subject, options, say)
    except _UnresolvedError as error:
        return Verdict(subject, error.findings)
    with _private_folder() as folder:
        return _Run(subject, options, prepared, say, folder).verdict()


class _UnresolvedError(Exception):
    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("unresolved")
        self.findings = findings


def prepare(subject: Subject, options: Options, say: Say) -> Prepared:
    """Resolve the requirements and provide the environment.

    Raises PreflightError, and _UnresolvedError with the findings.
    """
    uv = find_uv()
    if uv is None:
        raise PreflightError(
            "a preflight needs uv, which is not on the PATH", "pip install 'hatch-wallaroo[preflight]'"
        )
    say(f"resolving for Python {subject.python} on Linux {subject.machine}")
    found = list(on_platform(uv, subject))
    if errors(found):
        raise _UnresolvedError(tuple(found))
    try:
        interpreter = interpreters.find(uv, options.python or subject.python)
        chosen = libraries.choose(uv, subject, interpreters.version_of(interpreter))
        if chosen.python != interpreters.version_of(interpreter):
            interpreter = interpreters.find(uv, chosen.python)
    except interpreters.NoInterpreterError as error:
        raise PreflightError(f"{error}, which {subject.release.asked} runs models with", error.fix) from error
    except libraries.NotHadError as error:
        raise PreflightError(str(error), error.fix) from error
    found += chosen.findings
    if chosen.python != subject.python:
        message = f"Python {chosen.python} runs here, the platform has {subject.python}"
        fix = f"what only Python {subject.python} does is not seen: syntax, versions of packages"
        found.append(rules.OTHER_VERSION.finding(message, fix=fix))
    runtime = subject.release.runtime_set
    exact = chosen.python == subject.python
    wanted = runtime.requirements if exact else [re.split(r"[<>=!~]", each)[0] for each in runtime.requirements]
    if not exact:  # the wheel decides: mac was written for one of the two pydantics
        wanted = [each for each in wanted if each != "pydantic"]
        wanted += [each for each in runtime.requirements if each.startswith("pydantic<")] or ["pydantic>=2"]
    resolved = for_environment(uv, subject, chosen.python, wanted, chosen.lines)
    found += resolved.findings
    if resolved.pins is None:
        raise _UnresolvedError(tuple(found))
    recipe = Recipe(interpreter, chosen.python, subject.wheel, resolved.pins)
    try:
        environment = provide(uv, recipe, say)
    except NoEnvironmentError as error:
        raise PreflightError(str(error), "see what uv says", error.log) from error
    if environment.made:
        say(f"environment made: {environment.megabytes} MB in {environment.seconds:.1f} s")
    else:
        say(f"environment from the cache: {environment.megabytes} MB")
    return Prepared(environment, tuple(found), probe(), not ((runtime.flight and exact) or _flight_elsewhere(subject)))


def _flight_elsewhere(subject: Subject) -> bool:
    """Whether the wheel's Flight service runs on another Python than the platform's."""
    return subject.release.runtime_set.flight


@contextlib.contextmanager
def _private_folder() -> Iterator[Path]:
    """A folder for one run, gone afterwards; those of runs that were killed go first."""
    root = cache_folder() / "runs"
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    _sweep(root)
    # Short: a Unix socket lies inside it.
    folder = Path(tempfile.mkdtemp(prefix="hw-"))
    mark = root / folder.name
    mark.write_text(f"{folder}\n", encoding="utf-8")
    with mark.open("r") as held:
        import fcntl

        fcntl.flock(held, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            _remove(folder)
            mark.unlink(missing_ok=True)


def _sweep(root: Path) -> None:
    """Remove the folders of runs that ended without doing so: nobody holds their marks."""
    import fcntl

    for mark in root.iterdir():
        with contextlib.suppress(OSError), mark.open("r") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            folder = Path(held.read().strip())
            if folder.name == mark.name and folder.name.startswith("hw-"):
                _remove(folder)
            mark.unlink(missing_ok=True)


def _remove(folder: Path) -> None:
    """Remove a tree that a model may have closed to us."""
    if not folder.is_dir():
        return
    for path in (folder, *folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            with contextlib.suppress(OSError):
                path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


class _Run:
    """The part behind the environment: one model in one private folder."""

    def __init__(self, subject: Subject, options: Options, prepared: Prepared, say: Say, folder: Path) -> None:
        self.subject, self.options, self.prepared, self.say = subject, options, prepared, say
        self.folder = folder
        self.findings: list[Finding] = list(prepared.findings)
        self.parts: list[Part] = []
        self.asked: pa.RecordBatch | None = None
        self.answered: pa.RecordBatch | None = None
        self.rows = Rows(())
        self.times = Times()
        self.log: Sequence[str] = ()

    def verdict(self) -> Verdict:
        with contextlib.suppress(_StopError):
            self._go()
        environment = self.prepared.environment
        return Verdict(
            self.subject,
            tuple(dict.fromkeys(self.findings)),
            parts=tuple(self.parts),
            isolation=self.prepared.isolation.kind,
            environment={
                "python": environment.versions.get("python", self._python()),
                "wallaroo": self.subject.wheel,
                "megabytes": environment.megabytes,
                "cached": not environment.made,
                "versions": environment.versions,
            },
            rows=self.rows.source,
            made_rows=self.rows.made,
            asked=self.asked.to_pylist() if self.asked is not None else (),
            answered=self.answered.to_pylist() if self.answered is not None else (),
            observed=_observed(self.answered),
            times=self.times,
            log=self.log,
        )

    def _python(self) -> str:
        try:
            return interpreters.version_of(self.prepared.environment.python)
        except (OSError, ValueError):
            return ""

    def _go(self) -> None:
        self.rows = self._rows()
        subject = self.subject
        if subject.framework.family == "custom" and subject.release.byop.validator:
            self._validate()
        with self._process("serve") as process:
            client = self._started(process)
            try:
                self._ask(client, process)
            finally:
                client.close()
                self._measured(process)

    def _rows(self) -> Rows:
        rows = self.subject.rows
        if rows is None and self.subject.input_schema is not None:
            rows = made_rows(self.subject.input_schema)
        if rows is None:
            rows = Rows((), source="none: no sample, and no input schema to make rows from", made=True)
        return rows

    def _process(self, name: str) -> ModelProcess:
        folder = self.folder / name[0]
        folder.mkdir()
        return ModelProcess(self.prepared.environment.python, folder, self.prepared.isolation, self.options.limits)

    def _model(self, process: ModelProcess) -> Path:
        try:
            return unpack(self.subject, process.folder)
        except UnpackError as error:
            self.findings.append(rules.NOT_LOADED.finding(str(error), fix="build it again: hatch build"))
            raise _StopError from error

    def _validate(self) -> None:
        self.say("running the platform's validator")
        self.parts.append(Part("validator", "platform", f"mac.validation of {self.subject.wheel}"))
        with self._process("validate") as process:
            model = self._model(process)
            process.start(job(self.subject, model, process.folder, "validate", ours=False))
            if not process.wait(self.options.limits.start):
                message = f"the validator executes the .py files, and did not end in {self.options.limits.start:g} s"
                self._found(rules.INVALID, message, "let no file do work when it is imported", process, None)
            elif process.code != 0 or not any(each["event"] == "validated" for each in process.events()):
                failure = process.failure()
                message = _message(failure) or f"it ended with {_exit(process.code)}"
                self._found(rules.INVALID, message, _fix(failure), process, failure)

    def _started(self, process: ModelProcess) -> Client:
        from hatch_wallaroo.preflight.client import NoStartError, connect

        subject, ours = self.subject, self.prepared.own_service
        model = self._model(process)
        self.say("starting")
        loader: Any = "platform" if subject.by_platform else "emulation"
        told = f"mac of {subject.wheel}" if subject.by_platform else "our own prediction, as the guide describes it"
        self.parts.append(Part("loader", loader, told))
        service = "a Flight service of ours: the wheel has none" if ours else f"mac of {subject.wheel}, Arrow Flight"
        self.parts.append(Part("service", "emulation" if ours else "platform", service))
        process.start(job(subject, model, process.folder, ours=ours))
        try:
            client = connect(process)
        except NoStartError as error:
            failure = process.failure()
            if error.code is None:
                message = f"it does not answer after {self.options.limits.start:g} s"
                fix = "look for an endless loop or a download when it loads; --start-seconds gives it longer"
                self._found(rules.NOT_STARTED, message, fix, process, None)
            elif failure is None:
                message = f"its process ended with {_exit(error.code)} before it answered"
                self._found(rules.NOT_STARTED, message, "let it not end itself when it loads", process, None)
            else:
                self._found(rules.NOT_LOADED, _message(failure) or "", _fix(failure), process, failure)
            raise AssertionError from error  # _found has left already
        return client

    def _ask(self, client: Client, process: ModelProcess) -> None:
        if not self.rows.inputs:
            return
        try:
            self.asked = to_batch(self.rows.inputs, self.subject.input_schema, self.rows.source)
        except RowsError as error:
            raise PreflightError(str(error), error.fix) from error
        self.say(f"asking for {self.asked.num_rows} rows")
        first = self._answer(client, process, self.asked)
        self.answered = first
        call = _last_call(process)
        place = Place(key=(*self.subject.key, "output-schema"))
        self.findings += against_schema(first, self.asked.num_rows, call, self.subject.output_schema, place)
        if self.rows.outputs:
            sample = Place(file=self.rows.source)
            self.findings += against_expected(first, self.rows.outputs, self.options.tolerance, sample)
        self._again(client, process, self.asked, first)

    def _again(self, client: Client, process: ModelProcess, batch: pa.RecordBatch, first: pa.RecordBatch) -> None:
        """A second run, each timed one, and a row alone."""
        seconds = []
        for _ in range(_WARM):
            begun = time.perf_counter()
            second = self._answer(client, process, batch)
            seconds.append(time.perf_counter() - begun)
        self.times = replace(self.times, row=sorted(seconds)[len(seconds) // 2] / batch.num_rows)
        other = differing(first, second)
        if other is not None:
            self.findings.append(rules.UNSTEADY.finding(other, fix="seed what is random, keep no state in predict"))
            return
        if batch.num_rows > 1:
            alone = self._answer(client, process, batch.slice(0, 1), "a row alone: ")
            other = differing(first.slice(0, 1), alone)
            if other is not None:
                message = f"the first row among others, then alone: {other.removeprefix('row 1, ')}"
                self.findings.append(rules.BATCH.finding(message, fix="let predict treat each row by itself"))

    def _answer(self, client: Client, process: ModelProcess, batch: pa.RecordBatch, about: str = "") -> pa.RecordBatch:
        from hatch_wallaroo.preflight.client import AnswerError, DiedError, TooSlowError

        begun = time.perf_counter()
        try:
            made = client.ask(batch).batch
        except AnswerError as error:
            failure = process.failure()
            words = " ".join(each for each in error.details if not each.endswith("call failed."))
            said = _message(failure) or words or str(error)
            message = f"{about}{said}" if not words or words in said else f"{about}{said} (the platform says: {words})"
            self._found(rules.NOT_ANSWERED, message, _fix(failure), process, failure)
        except TooSlowError:
            message = f"{about}no answer after {self.options.limits.call:g} s"
            fix = "look for an endless loop in predict; --call-seconds gives it longer"
            self._found(rules.TOO_SLOW, message, fix, process, None)
        except DiedError as error:
            message = f"{about}its process ended with {_exit(error.code)}"
            fix = "let predict raise an error instead of ending the process" if error.code else "let it not end itself"
            self._found(rules.ENDED, message, fix, process, None)
        if self.times.first is None:
            self.times = replace(self.times, first=time.perf_counter() - begun)
        return made

    def _found(self, rule: Any, message: str, fix: str, process: ModelProcess, failure: Failure | None) -> None:
        """Note what ends the run, and leave it."""
        self.log = process.log_tail()
        self.findings.append(rule.finding(message, fix=fix, place=self._place(failure, process)))
        raise _StopError

    def _place(self, failure: Failure | None, process: ModelProcess) -> Place:
        """The innermost line of the bundle's own code; as the project calls the file, where it is known."""
        for cause in reversed(failure.causes if failure else ()):
            frames = cause.get("frames")
            for frame in reversed(frames if isinstance(frames, list) else []):
                path, line = str(frame.get("file", "")), frame.get("line")
                top = f"{process.folder / 'model'}/"
                if path.startswith(top):
                    inside = path.removeprefix(top)
                    return Place(
                        file=self.subject.sources.get(inside, inside), line=line if isinstance(line, int) else None
                    )
        return Place()

    def _measured(self, process: ModelProcess) -> None:
        events = process.events()
        load = next((each.get("seconds") for each in events if each["event"] == "loaded"), None)
        peaks = [each["peak"] for each in events if isinstance(each.get("peak"), int)]
        load = load if isinstance(load, float) else None
        self.times = replace(self.times, load=load, peak=max(peaks, default=0) or None)


class _StopError(Exception):
    """The run is over: what ended it is among the findings."""


def _last_call(process: ModelProcess) -> Mapping[str, Any] | None:
    calls = [each for each in process.events() if each["event"] == "call"]
    return calls[-1] if calls else None


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
        import signal

        number = -code if code < 0 else code - 128
        try:
            return f"{signal.Signals(number).name} ({signal.strsignal(number)})"
        except ValueError:
            pass
    return f"exit code {code}"


def _observed(batch: pa.RecordBatch | None) -> Mapping[str, str]:
    """The answer's fields in the table's notation."""
    from hatch_wallaroo.schema.arrow import SchemaDecodeError, type_from_arrow
    from hatch_wallaroo.schema.notation import format_type

    found: dict[str, str] = {}
    for field_ in batch.schema if batch is not None else ():
        with contextlib.suppress(SchemaDecodeError):
            found[field_.name] = format_type(type_from_arrow(field_.type))
    return found
