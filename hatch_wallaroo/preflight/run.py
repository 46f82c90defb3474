"""One bundle's way through a preflight: resolve, make the environment, load, ask, compare."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatch_wallaroo.findings import Finding, Place
from hatch_wallaroo.preflight import interpreters, rules
from hatch_wallaroo.preflight.compare import against_expected, against_schema, differing
from hatch_wallaroo.preflight.environment import Say, remove, written
from hatch_wallaroo.preflight.folders import private_folder
from hatch_wallaroo.preflight.preparing import Options, PreflightError, Prepared, UnresolvedError, prepare, why_not
from hatch_wallaroo.preflight.process import ModelProcess
from hatch_wallaroo.preflight.rows import Rows, RowsError, made_rows, to_batch
from hatch_wallaroo.preflight.running import ModelError, RunningModel
from hatch_wallaroo.preflight.subject import Subject
from hatch_wallaroo.preflight.verdict import Part, Times, Verdict

if TYPE_CHECKING:
    import pyarrow as pa

    from hatch_wallaroo.bundle.check import Checked

_OWN_CODE = {"custom", "python"}
"""Families whose predictions are the user's own code; what the others do with an empty batch is the platform's."""
_WARM = 5
"""Calls that are timed after the first."""


def preflight(subject: Subject, options: Options, say: Say) -> Verdict:
    """Run a bundle as its release would. Raises PreflightError where this machine cannot."""
    if subject.framework.family == "mlflow" and subject.checked is not None:
        return _image(subject, subject.checked, say)
    reason = why_not(subject.framework)
    if reason is not None:
        return Verdict(subject, (rules.NOT_RUN.finding(reason),), ran=False)
    try:
        prepared = prepare(subject, options, say)
    except UnresolvedError as error:
        return Verdict(subject, error.findings, ran=False)
    with private_folder() as folder:
        return _Run(subject, options, prepared, say, folder).verdict()


def _image(subject: Subject, checked: Checked, say: Say) -> Verdict:
    """An MLflow model: its image is made, started, asked for the sample's rows, and ended as the platform ends it."""
    from hatch_wallaroo.image.building import make
    from hatch_wallaroo.image.engine import NoEngineError, engine

    try:
        with engine():
            pass
    except NoEngineError as error:
        return Verdict(
            subject, (rules.NOT_RUN.finding(f"{error.message}: the image was not tried", fix=error.fix),), ran=False
        )
    image = checked.spec.image
    tried = replace(checked, spec=replace(checked.spec, image=image and replace(image, build=True, try_=True)))
    found = make(tried, subject.file, subject.sha256, subject.file.name, say)
    part = Part("container", "platform", "the image itself, which the platform pulls and starts")
    return Verdict(subject, found, parts=(part,), rows=subject.rows.source if subject.rows else "")


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
        try:
            self._go()
        except ModelError as error:
            self.findings.append(error.finding)
            self.log = error.log
        if self.prepared.isolation.kind != "bubblewrap":  # where nothing there can be written
            self._packages()
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
        with self._model("s") as model:
            model.unpack()
            self._loaders()
            self.say("starting")
            model.start()
            try:
                self._ask(model)
            finally:
                self._measured(model.process)

    def _rows(self) -> Rows:
        rows = self.subject.rows
        if rows is None and self.subject.input_schema is not None:
            rows = made_rows(self.subject.input_schema)
        if rows is None:
            rows = Rows((), source="none: no sample, and no input schema to make rows from", made=True)
        return rows

    def _model(self, name: str) -> RunningModel:
        return RunningModel(self.subject, self.prepared, self.options.limits, self.folder / name)

    def _validate(self) -> None:
        self.say("running the platform's validator")
        self.parts.append(Part("validator", "platform", f"mac.validation of {self.subject.wheel}"))
        with self._model("v") as model:
            model.validate()

    def _loaders(self) -> None:
        """Whose code loads the model, and whose answers."""
        subject, ours = self.subject, self.prepared.own_service
        loader: Any = "platform" if subject.by_platform else "emulation"
        told = f"mac of {subject.wheel}" if subject.by_platform else "our own prediction, as the guide describes it"
        self.parts.append(Part("loader", loader, told))
        service = "a Flight service of ours: the wheel has none" if ours else f"mac of {subject.wheel}, Arrow Flight"
        self.parts.append(Part("service", "emulation" if ours else "platform", service))

    def _ask(self, model: RunningModel) -> None:
        if not self.rows.inputs:
            return
        try:
            self.asked = to_batch(self.rows.inputs, self.subject.input_schema, self.rows.source)
        except RowsError as error:
            raise PreflightError(str(error), error.fix) from error
        self.say(f"asking for {self.asked.num_rows} rows")
        first = self._answer(model, self.asked)
        self.answered = first
        call = model.process.last_call()
        place = Place(key=(*self.subject.key, "output-schema"))
        self.findings += against_schema(first, self.asked.num_rows, call, self.subject.output_schema, place)
        if self.rows.outputs:
            sample = Place(file=self.rows.source)
            self.findings += against_expected(first, self.rows.outputs, self.options.tolerance, sample)
        self._again(model, self.asked, first)

    def _again(self, model: RunningModel, batch: pa.RecordBatch, first: pa.RecordBatch) -> None:
        """A second run, each timed one, and a row alone."""
        seconds = []
        for _ in range(_WARM):
            begun = time.perf_counter()
            second = self._answer(model, batch)
            seconds.append(time.perf_counter() - begun)
        self.times = replace(self.times, row=sorted(seconds)[len(seconds) // 2] / batch.num_rows)
        other = differing(first, second)
        if other is not None:
            self.findings.append(rules.UNSTEADY.finding(other, fix="seed what is random, keep no state in predict"))
            return
        if batch.num_rows > 1:
            alone = self._answer(model, batch.slice(0, 1), "a row alone: ")
            other = differing(first.slice(0, 1), alone)
            if other is not None:
                message = f"the first row among others, then alone: {other.removeprefix('row 1, ')}"
                self.findings.append(rules.BATCH.finding(message, fix="let predict treat each row by itself"))
        if self.subject.framework.family in _OWN_CODE:
            self._empty(model, batch.slice(0, 0))

    def _empty(self, model: RunningModel, batch: pa.RecordBatch) -> None:
        """No row at all: the service fails at an empty answer by itself, so only the model's own failure is told."""
        before = len(model.process.events())
        try:
            model.ask(batch, "no rows: ")
        except ModelError as error:
            own = any(each["event"] == "failed" for each in model.process.events()[before:])
            if own or not model.process.running:
                fix = "return empty arrays for empty inputs, if anything before this model may filter rows"
                self.findings.append(rules.EMPTY.finding(error.finding.message, fix=fix, place=error.finding.place))

    def _answer(self, model: RunningModel, batch: pa.RecordBatch, about: str = "") -> pa.RecordBatch:
        answer = model.ask(batch, about)
        if self.times.first is None:
            self.times = replace(self.times, first=answer.seconds)
        return answer.batch

    def _packages(self) -> None:
        """An environment that the model wrote into is kept for nobody."""
        path = written(self.prepared.environment)
        if path is not None:
            remove(self.prepared.environment)
            fix = "write below the temporary folder (tempfile)"
            self.findings.append(rules.WRITTEN.finding(f"changed by the run: {path}", fix=fix))

    def _measured(self, process: ModelProcess) -> None:
        events = process.events()
        load = next((each.get("seconds") for each in events if each["event"] == "loaded"), None)
        peaks = [each["peak"] for each in events if isinstance(each.get("peak"), int) and each["peak"] < 1 << 60]
        load = load if isinstance(load, float) else None
        self.times = replace(self.times, load=load, peak=max(peaks, default=0) or None)


def _observed(batch: pa.RecordBatch | None) -> Mapping[str, str]:
    """The answer's fields in the table's notation."""
    from hatch_wallaroo.schema.arrow import SchemaDecodeError, type_from_arrow
    from hatch_wallaroo.schema.notation import format_type

    found: dict[str, str] = {}
    for field_ in batch.schema if batch is not None else ():
        with contextlib.suppress(SchemaDecodeError):
            found[field_.name] = format_type(type_from_arrow(field_.type))
    return found
