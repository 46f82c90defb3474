"""Sending a bundle, and waiting until the platform says `ready` or `error`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from http import HTTPStatus

from hatch_wallaroo.platform.api import Platform
from hatch_wallaroo.platform.errors import ConnectionFailedError, PlatformError, RefusedError, WaitTimeoutError
from hatch_wallaroo.platform.model_versions import ModelVersion
from hatch_wallaroo.platform.packages import Package
from hatch_wallaroo.platform.screen import Screen, duration
from hatch_wallaroo.platform.workspace import Destination
from hatch_wallaroo.text import human_size


def send(package: Package, destination: Destination, *, route: str | None, screen: Screen) -> int:
    """Upload the file (or register the image); returns the id of the model version.

    A connection that breaks is repaired below: the platform is asked again before anything is repeated.
    """
    if destination.workspace is None:
        raise ValueError("there is no workspace to send to")
    platform, workspace = destination.platform, destination.workspace.id
    if package.file is None:
        return platform.upload(package.manifest, None, workspace, route)
    name = f"{package.name}: {package.file.name}"
    with screen.progress(name, package.size, then="waiting for the platform's answer") as advance:
        version = platform.upload(package.manifest, package.file, workspace, route, advance)
    screen.line(f"{package.name}: sent {human_size(package.size)}, version {version}")
    return version


def check_arrived(package: Package, version: ModelVersion) -> None:
    """Compare the digest that the platform computed with the manifest's; raises RefusedError."""
    if package.sha256 and not package.is_image and version.sha and version.sha.lower() != package.sha256:
        raise RefusedError(
            f"{package.name}: version {version.id} holds another file than was sent: SHA-256 {version.sha[:16]}… "
            f"instead of {package.sha256[:16]}…",
            "do not use that version; publish again, and ask who stands between here and the platform",
        )


MEANINGS = {
    "uploading": "the platform stores the file",
    "pending_conversion": "waits for its turn to be converted",
    "converting": "is converted and loaded into a container",
    "pending_load_native": "waits for its turn in the native runtime",
    "attempting_load_native": "is loaded into the native runtime",
    "pending_load_container": "waits for its turn to be converted",
    "attempting_load_container": "is converted and loaded into a container",
}
"""The platform's statuses on the way to `ready` or `error`, in words. An unknown one is shown as it is."""

_FIRST = 0.5


def wait(
    platform: Platform,
    version_id: int,
    *,
    name: str,
    seconds: float,
    poll: float,
    screen: Screen,
    again: str,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> ModelVersion:
    """Ask for a version's status until it is `ready` or `error`, and return it.

    Asks often at first (0.5 s), then every `poll` seconds; a native model is ready at once. `again`
    says how to look later. A platform that does not answer for a while is asked on. Raises
    WaitTimeoutError after `seconds`, ConnectionFailedError where it did not answer until then, and what
    else the platform answers.
    """
    start = clock()
    seen = ""
    lost: PlatformError | None = None
    with screen.status(f"{name}: version {version_id}: asking for its status", brief=True) as show:
        for pause in _pauses(poll):
            try:
                version = platform.version(version_id)
                seen, lost = version.status, None
                if version.is_ready or version.is_failed:
                    return version
            except ConnectionFailedError as error:
                lost = error
            except RefusedError as error:
                if error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                    raise
                lost = error  # a server that stumbles is asked on: the model is there
            passed = clock() - start
            show(*_texts(name, version_id, "the platform does not answer; asking again" if lost else seen))
            if passed >= seconds:
                break
            sleep(min(pause, max(seconds - passed, 0.0)))
    if lost is not None:
        raise ConnectionFailedError(f"{name} is uploaded as version {version_id}, but: {lost.message}", again) from lost
    raise WaitTimeoutError(
        f"{name}: version {version_id} is still {seen or 'unknown'} after {duration(seconds)}", again
    )


def _texts(name: str, version_id: int, status: str) -> tuple[str, ...]:
    """A status in words, and the same with less; what goes first is what has been said before."""
    meaning = f", {MEANINGS[status]}" if status in MEANINGS else ""
    whole = f"{name}: version {version_id}: {status}{meaning}"
    return whole, f"{name}: {status}{meaning}", f"{name}: {status}", status


def _pauses(poll: float) -> Iterator[float]:
    pause = min(_FIRST, poll)
    while True:
        yield pause
        pause = min(pause * 1.5, poll)
