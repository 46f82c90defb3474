"""Publishing from end to end: first every check, then the bytes, then waiting, then what came of it.

Models are sent in the table's order and waited for afterwards, so that the platform converts them side by
side; one that fails does not keep the others back.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hatch_wallaroo.platform import causes, results, sending
from hatch_wallaroo.platform.api import connect
from hatch_wallaroo.platform.errors import ConfigurationError, ConversionFailedError, PlatformError
from hatch_wallaroo.platform.model_versions import READY, ModelVersion
from hatch_wallaroo.platform.packages import Package, read_all
from hatch_wallaroo.platform.publish_settings import Settings
from hatch_wallaroo.platform.results import PublishResult, make_plan, render_plan, result_line
from hatch_wallaroo.platform.screen import Screen
from hatch_wallaroo.platform.sending import check_arrived, send, wait
from hatch_wallaroo.platform.transport import Retrying
from hatch_wallaroo.platform.workspace import (
    Compatibility,
    Destination,
    Existing,
    compatibility,
    concurrent_uploads,
    find_existing,
    open_destination,
    refuse_incompatible,
)

_LOG_LINES = 15
_SHOW_VERIFY = 200_000_000
"""Bytes from which on comparing a digest takes long enough to be shown."""


def publish(
    manifests: Sequence[Path],
    settings: Settings,
    *,
    screen: Screen,
    tell: Callable[[str], None] | None = None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> list[PublishResult]:
    """Publish what the manifests describe, and say on `screen` what happens.

    `tell` shows the lines of a login in a browser (None: nobody is there to follow them). Gives a result
    for each manifest, in the order in which they were sent, those that cannot be published last; raises
    nothing for what goes wrong with a model or the platform: that is in the results. `settings.json` is
    written in any case. Raises ConfigurationError where it cannot be.
    """
    if settings.json:
        results.check_target(settings.json)
    run = _Run(settings, screen, sleep, clock)
    interrupted = True
    try:
        run.publish(manifests, tell)
        interrupted = False
    finally:
        if settings.json:
            results.write(settings.json, results.to_json(run.results, settings.url, interrupted=interrupted))
    return run.results


@dataclass
class _Run:
    """One call of `publish`."""

    settings: Settings
    screen: Screen
    sleep: Callable[[float], None]
    clock: Callable[[], float]

    def __post_init__(self) -> None:
        self.results: list[PublishResult] = []
        self.stamps: dict[Path, tuple[int, int] | None] = {}

    def publish(self, manifests: Sequence[Path], tell: Callable[[str], None] | None) -> None:
        start = self.clock()
        packages, unreadable = read_all(manifests)
        entries = [(package, self._result(package)) for package in packages]
        self.results += [PublishResult(path, error=error) for path, error in unreadable]
        for result in {str(each.error): each for each in self.results[len(entries) :]}.values():
            self._say_error(result)
        if not entries:
            return
        destination = self._connect(entries, tell)
        if destination is None:
            return
        checked = [each for each in entries if self._step(each[1], self._check, each[0], destination)]
        sent = [each for each in checked if self._step(each[1], self._send, each[0], destination)]
        if self.settings.dry_run:
            return
        for package, result in sent:
            done = self._step(result, self._finish, package, destination)
            result.seconds = self.clock() - start
            if done:
                self.screen.success(result_line(result))
        self._count()

    def _result(self, package: Package) -> PublishResult:
        result = PublishResult(
            package.path, package.name, package.version, package.framework, package.sha256, package.size,
        )  # fmt: skip
        self.results.append(result)
        return result

    def _connect(
        self, entries: Sequence[tuple[Package, PublishResult]], tell: Callable[[str], None] | None
    ) -> Destination | None:
        """Token, workspace and the platform's answers; what fails here fails for all, and is said once."""
        try:
            with self.screen.status(f"{self.settings.url}: logging in"):
                platform = connect(self.settings, tell=tell, on_retry=self._say_retry)
                destination = open_destination(platform, self.settings)
        except PlatformError as error:
            for package, result in entries:
                result.error = error
                if self.settings.dry_run:
                    self.screen.result(render_plan(make_plan(package, self.settings, None, None, Compatibility())))
            say(self.screen, error)
            return None
        if destination.workspace:
            workspace = destination.workspace
            for _, result in entries:
                result.workspace, result.workspace_id = workspace.name, workspace.id
            self.screen.line(f"{self.settings.url}: workspace {workspace.name} ({workspace.id})")
        return destination

    def _step(
        self,
        result: PublishResult,
        step: Callable[[Package, Destination, PublishResult], None],
        package: Package,
        to: Destination,
    ) -> bool:
        """Take a step for one model; an error is its own, and is said at once."""
        try:
            step(package, to, result)
        except PlatformError as error:
            result.error, result.outcome = error, "failed"
            self._say_error(result)
            return False
        return True

    def _check(self, package: Package, destination: Destination, result: PublishResult) -> None:
        """What can be told before the first byte: of the last model too, and not when the others are sent."""
        self._verify(package)
        if self.settings.preflight:
            _has_passed(package)
        self.stamps[package.path] = package.stamp()
        alone = len(self.results) == 1 and not package.is_image
        if not self.settings.dry_run and not alone:  # one alone is asked for right before it is sent, which is now
            existing, compatible = self._ask(package, destination)
            self._judge(package, destination, result, existing, compatible)

    def _send(self, package: Package, destination: Destination, result: PublishResult) -> None:
        """Ask whether it is there, and send it if not."""
        if package.stamp() != self.stamps[package.path]:
            raise ConfigurationError(
                f"{package.name}: the bundle is not the one any more that was compared with its manifest",
                "publish again when nothing is building any more",
            )
        if package.is_image and not self.settings.dry_run:
            package = sending.pushed(package, self.screen)
            result.image = str(package.manifest["upload"]["image_path"])
        existing, compatible = self._ask(package, destination)
        for warning in compatible.warnings:
            self.screen.warning(f"{package.name}: {warning}")
        if self.settings.dry_run:
            self.screen.result(render_plan(make_plan(package, self.settings, destination, existing, compatible)))
            result.outcome = "planned"
        self._judge(package, destination, result, existing, compatible)
        if self.settings.dry_run:
            return
        usable = existing.usable(again=self.settings.again)
        if usable is not None:
            self._present(usable, result)
            self._configure(package, destination, usable)
            return
        self._upload(package, destination, existing, result)

    def _ask(self, package: Package, destination: Destination) -> tuple[Existing, Compatibility]:
        with self.screen.status(f"{package.name}: asking what the platform has", brief=True):
            existing = find_existing(package, destination)
            return existing, compatibility(package, destination, existing.newest)

    def _judge(
        self,
        package: Package,
        destination: Destination,
        result: PublishResult,
        existing: Existing,
        compatible: Compatibility,
    ) -> None:
        """Raise what keeps a file from being sent, unless it is there and need not be."""
        if existing.usable(again=self.settings.again):
            return
        if existing.same and not self.settings.again:
            self._failed_before(package, destination, existing.same[0], result)
        refuse_incompatible(compatible)

    def _verify(self, package: Package) -> None:
        if package.size < _SHOW_VERIFY:
            package.verify()
            return
        with self.screen.progress(f"{package.name}: comparing SHA-256", package.size) as advance:
            package.verify(advance)

    def _present(self, version: ModelVersion, result: PublishResult) -> None:
        result.outcome, result.version_id = "present", version.id
        result.status, result.platform_version = version.status, version.version
        self.screen.line(
            f"{result.model}: version {version.id} ({version.status}) holds this very file already; nothing is sent"
        )

    def _failed_before(
        self, package: Package, destination: Destination, version: ModelVersion, result: PublishResult
    ) -> None:
        """The same file with the same settings has failed before: sending it again would fail again, later."""
        result.version_id, result.platform_version, result.status = version.id, version.version, version.status
        note = "nothing was sent: the same file has failed before"
        self._conversion_failed(package, destination, version, result, note)

    def _upload(self, package: Package, destination: Destination, existing: Existing, result: PublishResult) -> None:
        if existing.same:
            there = f"version {existing.same[0].id} ({existing.same[0].status}) holds the same file"
            self.screen.line(f"{package.name}: {there}; it is sent once more")
        if existing.otherwise:
            version, what = existing.otherwise
            there = f"version {version.id} holds the same file with {what}"
            self.screen.line(f"{package.name}: {there}; it is sent as a new version")
        result.version_id = send(package, destination, route=self.settings.route, screen=self.screen)
        result.outcome, result.sent = "uploaded", True
        self._configure(package, destination, ModelVersion(result.version_id))
        with self.screen.status(f"{package.name}: asking whether somebody else sent it too", brief=True):
            result.other_versions = concurrent_uploads(package, destination, result.version_id, existing)
        if result.other_versions:
            others = ", ".join(str(each) for each in result.other_versions)
            self.screen.warning(
                f"{package.name}: somebody else sent the same file at the same time: version {others} holds it too"
            )

    def _configure(self, package: Package, destination: Destination, version: ModelVersion) -> None:
        """Set an image's schemas on its version, unless they stand there already."""
        wanted = package.manifest.get("config")
        there = version.raw.get("config")
        if not wanted or (isinstance(there, Mapping) and all(there.get(key) == wanted[key] for key in wanted)):
            return
        destination.platform.configure(version.id, wanted)

    def _finish(self, package: Package, destination: Destination, result: PublishResult) -> None:
        """Wait for a version, sent or found, and judge it."""
        if result.version_id is None or result.status == READY:
            return
        if not self.settings.wait:
            self.screen.line(f"{package.name}: not waiting for version {result.version_id}. {self._again(package)}")
            return
        version = wait(
            destination.platform,
            result.version_id,
            name=package.name,
            seconds=self.settings.wait,
            poll=self.settings.poll,
            screen=self.screen,
            again=self._again(package),
            sleep=self.sleep,
            clock=self.clock,
        )
        result.status, result.platform_version = version.status, version.version
        check_arrived(package, version)
        if version.is_failed:
            self._conversion_failed(package, destination, version, result, "")
        if result.sent:
            result.outcome = "ready"

    def _conversion_failed(
        self, package: Package, destination: Destination, version: ModelVersion, result: PublishResult, note: str
    ) -> None:
        try:
            log = destination.platform.upload_logs(version.id)
        except PlatformError:
            log = []
        summary = version.error_summary.strip()
        result.log = tuple(log[-_LOG_LINES:])
        result.advice = causes.advice(package, summary, log)
        said = summary or "the platform gives no reason"
        fix = "mend it and build again: hatch build"
        if note:
            fix += "; or, to have the same file converted once more: -o again"
        message = f"{package.name}: version {version.id} ended in error: {said}"
        raise ConversionFailedError(f"{message} ({note})" if note else message, fix)

    def _again(self, package: Package) -> str:
        command = f"hatch publish -p wallaroo {_relative(package.path)}"
        return f"To look again: {command}, with the same options (it sends nothing twice, and waits on)"

    def _count(self) -> None:
        failed = sum(1 for each in self.results if each.error)
        if len(self.results) > 1:
            self.screen.line(f"{len(self.results) - failed} of {len(self.results)} models published")

    def _say_error(self, result: PublishResult) -> None:
        if result.error is None:
            return
        lines = ["last lines of the platform's log:"] if result.log else []
        lines += [f"  {line}" for line in result.log]
        lines += [f"where to mend it: {each}" for each in result.advice]
        say(self.screen, result.error, lines)

    def _say_retry(self, retry: Retrying) -> None:
        self.screen.pause(f"{retry} (attempt {retry.attempt} of {retry.attempts})", retry.wait)


def say(screen: Screen, error: PlatformError, details: Sequence[str] = ()) -> None:
    """Show an error: each of its problems with its fix, the details below the first."""
    problems = error.problems if isinstance(error, ConfigurationError) else ((error.message, error.fix),)
    for number, (message, fix) in enumerate(problems):
        screen.error(message)
        for line in details if number == 0 else ():
            screen.warning(f"    {line}")
        if fix:
            screen.warning(f"    fix: {fix}")


def _relative(path: Path) -> str:
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except (OSError, ValueError):
        return str(path)


def _has_passed(package: Package) -> None:
    """Refuse a bundle without a passed verdict for its digest."""
    from hatch_wallaroo.preflight.verdict import has_passed

    if package.file is None or package.is_image:
        raise ConfigurationError(
            f"{package.name}: a container image has no preflight",
            "leave -o preflight out for it; hatch-wallaroo try starts it",
        )
    reason = has_passed(package.file, package.sha256)
    if reason is not None:
        raise ConfigurationError(
            f"{package.name}: the bundle {reason}",
            f"hatch-wallaroo preflight {os.path.relpath(package.file)}, or leave -o preflight out",
        )
