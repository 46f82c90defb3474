"""The real runtime behind the sandbox: loads each upload before it is `ready`, and runs the steps of pipelines."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hatch_wallaroo.findings import Finding
from hatch_wallaroo.preflight.preparing import (
    Options,
    PreflightError,
    Prepared,
    UnresolvedError,
    lacking,
    prepare,
    why_not,
)
from hatch_wallaroo.preflight.running import ModelError
from hatch_wallaroo.preflight.serving import ClosedError, Served
from hatch_wallaroo.preflight.subject import Subject
from hatch_wallaroo.releases.model import FrameworkRow, Release
from hatch_wallaroo.requirements.target import MACHINES
from hatch_wallaroo.sandbox.judging import PIP, Verdict, remembered, requirements_of, told
from hatch_wallaroo.sandbox.keeping import Kept
from hatch_wallaroo.sandbox.shapes import log_line
from hatch_wallaroo.sandbox.store import Store, StoredVersion
from hatch_wallaroo.schema.arrow import decode

_AT_ONCE = 2
"""Uploads that are loaded at the same time."""
_LOG = 200
"""Lines of a model's log that a version keeps."""

Say = Callable[[str], None]


class NotRunError(Exception):
    """A version that cannot be started here; the message says why."""


@dataclass(frozen=True)
class RuntimeOptions:
    """`most`: bytes of uploads that are kept; `say` is told what goes on, a line at a time."""

    most: int
    say: Say = lambda _: None


class Runtime:
    """Runs the uploads of a store. Raises PreflightError where this machine cannot run what the release has."""

    def __init__(self, store: Store, release: Release, folder: Path, options: RuntimeOptions) -> None:
        lack = lacking(release.python)
        if lack is not None:
            raise lack
        self.kept = Kept(folder, options.most)
        self._store, self._release, self._say = store, release, options.say
        self._pool = ThreadPoolExecutor(_AT_ONCE, "load")
        self._loads: dict[int, Future[None]] = {}
        self._prepared: dict[int, Prepared] = {}
        self._running: set[Served] = set()
        self._lock = threading.Lock()
        self._closed = False

    @staticmethod
    def runs(row: FrameworkRow) -> bool:
        """Whether models of a framework are loaded here; those that are not are believed."""
        return why_not(row) is None

    def begin(self, version_id: int) -> None:
        """Start to load a version whose file is kept; it stays on its way until that is done."""
        with self._lock:
            if not self._closed:
                self._loads[version_id] = self._pool.submit(self._settle, version_id)

    def refusal(self, version: StoredVersion) -> str | None:
        """Why a version cannot be deployed, as a sentence; None where it can, be it only when it is loaded."""
        named = f"version {version.record.version} of {version.model.name}"
        row = self._release.frameworks.get(str(version.record.conversion.get("framework")))
        reason = why_not(row) if row else "the release does not know its framework"
        if reason is not None:
            return f"{named} is not run by the sandbox: {reason}"
        if version.record.ends == "error":
            return f"{named} has the status error: {version.record.error_summary or 'nothing more is known'}"
        if self.kept.path(version.record.version) is None:
            return f"the sandbox does not keep the file of {named} any more: upload it again"
        return None

    @contextmanager
    def serving(self, version: StoredVersion) -> Iterator[Served]:
        """A model that is kept running for as long as the block runs, once it is loaded; it is not started yet.

        Raises NotRunError, PreflightError, UnresolvedError.
        """
        loading = self._loads.get(version.id)
        if loading is not None:
            loading.result()
        with self.kept.held(version.record.version) as file:
            reason = self.refusal(self._store.version(version.id) or version)
            if reason is not None or file is None:
                raise NotRunError(reason or "its file is gone")
            with self._opened(version, file, self._told(version)) as served:
                yield served

    def close(self) -> None:
        """End what runs, wait for it, and remove the files."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for each in running:
            each.close()
        self._pool.shutdown(cancel_futures=True)
        for version_id, load in self._loads.items():
            if load.cancelled():
                self._write(version_id, Verdict(failed=True, summary=_ENDED))
        self.kept.close()

    def _settle(self, version_id: int) -> None:
        try:
            verdict = self._loaded(version_id)
        except Exception as error:  # noqa: BLE001 - whatever it is, the version must not stay on its way for ever
            verdict = Verdict(
                failed=True, summary=f"the sandbox could not run it: {type(error).__name__}: {error}"[:500]
            )
        self._write(version_id, verdict)

    def _write(self, version_id: int, verdict: Verdict) -> None:
        found = self._store.version(version_id)
        if found is None:
            return
        summary = " ".join(verdict.summary.split())
        said = verdict.logs or ((summary,) if verdict.failed else ())
        logs = (*found.record.logs, *(log_line(line) for each in said for line in each.splitlines()))
        ends = "error" if verdict.failed else "ready"
        self._store.settle(version_id, ends, summary or None, logs, remembered(verdict.findings))
        self._told(found)(summary or "loaded")

    def _loaded(self, version_id: int) -> Verdict:
        """What became of loading a version."""
        version = self._store.version(version_id)
        if version is None:
            return Verdict(failed=True, summary="the version is gone")
        with self.kept.held(version.record.version) as file:
            if file is None:
                return Verdict(failed=True, summary="the sandbox does not keep its file any more: upload it again")
            try:
                with self._opened(version, file, self._told(version)) as served:
                    if served.subject.framework.family == "custom" and self._release.byop.validator:
                        served.validate()
                    served.restart()
                    return _verdict("", served.logs(_LOG), served.prepared.findings)
            except ModelError as error:
                return _verdict(error.words, error.log, (error.finding,))
            except UnresolvedError as error:
                return _verdict(
                    PIP if _has_requirements(error.findings) else error.findings[0].message, (), error.findings
                )
            except PreflightError as error:
                words = f"the sandbox could not run it: {error}"
                return Verdict(failed=True, summary=words, logs=(words, error.fix, *error.log.splitlines()[-_LOG:]))
            except ClosedError:
                return Verdict(failed=True, summary=_ENDED)

    @contextmanager
    def _opened(self, version: StoredVersion, file: Path, say: Say) -> Iterator[Served]:
        options = Options()
        subject = self._subject(version, file)
        prepared = self._prepared.get(version.id)
        if prepared is None:
            prepared = self._prepared[version.id] = prepare(subject, options, say)
        with Served(subject, prepared, options) as served:
            with self._lock:
                if self._closed:
                    raise ClosedError(_ENDED)
                self._running.add(served)
            try:
                yield served
            finally:
                with self._lock:
                    self._running.discard(served)

    def _subject(self, version: StoredVersion, file: Path) -> Subject:
        record = version.record
        conversion, config = record.conversion, record.config or {}
        row = self._release.frameworks[str(conversion["framework"])]
        sides = [decode(config[side]) if config.get(side) else None for side in ("input_schema", "output_schema")]
        framework_config = conversion.get("framework_config")
        return Subject(
            name=version.model.name,
            version=record.version,
            file=file,
            sha256=record.sha,
            release=self._release,
            framework=row,
            framework_config=framework_config if isinstance(framework_config, dict) else None,
            requirements=requirements_of(self._release, row, file),
            machine=MACHINES.get(str(conversion.get("arch") or "x86"), "x86_64"),
            input_schema=sides[0],
            output_schema=sides[1],
        )

    def _told(self, version: StoredVersion) -> Say:
        return lambda line: self._say(f"{version.model.name}: {line}")


_ENDED = "the sandbox ended before the model was loaded"


def _has_requirements(findings: tuple[Finding, ...]) -> bool:
    return any(each.place.file == "requirements.txt" for each in findings)


def _verdict(words: str, log: Sequence[str], findings: Sequence[Finding]) -> Verdict:
    """What became of a model in words, of which there are none where it loaded; with its log, and findings in ours."""
    said = [words] if words else []
    logs = (*said, *log, *(told(each) for each in findings))
    return Verdict(failed=bool(words), summary=words, logs=logs, findings=tuple(findings))
