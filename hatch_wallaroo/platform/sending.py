"""A model on its way to a platform: a file is sent or an image pushed, then it is waited for `ready` or `error`.

An image is built where it is missing, and from the push on known by its digest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

from hatch_wallaroo.platform.api import Platform
from hatch_wallaroo.platform.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    PlatformError,
    RefusedError,
    WaitTimeoutError,
)
from hatch_wallaroo.platform.model_versions import ModelVersion
from hatch_wallaroo.platform.packages import Package
from hatch_wallaroo.platform.screen import Screen, duration
from hatch_wallaroo.platform.workspace import Destination
from hatch_wallaroo.text import human_size

if TYPE_CHECKING:
    from hatch_wallaroo.image.building import Order
    from hatch_wallaroo.image.engine import Engine, ImageError


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


def pushed(package: Package, screen: Screen) -> Package:
    """Push a package's image, building it first where neither the engine nor the registry has one of this context.

    In the registry it has two tags: the version's, which the next build of that version moves on, and `sha256-` with
    the digest of the build context, which stays and is how it is found again. Gives the package as it can be
    registered: by the digest that the registry read back. Raises PlatformError.
    """
    order = order_of(package)
    if problem := no_registry(order.reference):
        raise ConfigurationError(f"{package.name}: {problem}", "set image.registry, and build again: hatch build")
    with _errors_translated(package):
        from hatch_wallaroo.image.building import is_current
        from hatch_wallaroo.image.engine import engine, split
        from hatch_wallaroo.image.registry import held, push

        repository = split(order.reference)[0]
        lasting = f"{repository}:sha256-{order.sha256}"
        with engine() as reached:
            if not is_current(reached.find(order.reference), order):
                digest = held(reached, lasting)
                if digest:
                    screen.line(f"{package.name}: the registry has the image of this build, {digest[:19]}…")
                    return package.pinned(f"{repository}@{digest}")
                _build(package, order, reached, screen)
            with screen.progress(f"{package.name}: pushing {order.reference}", 0) as advance:
                digest = push(reached, order.reference, advance)
            _tag(reached, order.reference, lasting)
    screen.line(f"{package.name}: pushed {order.reference}, {digest[:19]}…")
    return package.pinned(f"{repository}@{digest}")


def no_registry(reference: str) -> str:
    """Why an image of this name cannot be pushed; empty where it can."""
    return "" if "/" in reference else f"nothing says to which registry {reference} is pushed"


def order_of(package: Package) -> Order:
    """How the image is built from the context beside the manifest."""
    from hatch_wallaroo.image.building import Order

    image = package.manifest["image"]
    if package.file is None:
        raise ConfigurationError(f"{package.path.name} names an image, and no build context", "build it again")
    return Order(
        package.file, package.sha256, image["reference"], image["base"], image.get("platform"), image.get("builder")
    )


def _build(package: Package, order: Order, reached: Engine, screen: Screen) -> None:
    from hatch_wallaroo.image.building import build

    screen.line(f"{package.name}: there is no image of this build context yet; building it")
    with (
        screen.status(f"{package.name}: building {order.reference}") as update,
        reached.renaming(order.reference),
    ):
        build(reached, order, lambda step: update(f"{package.name}: {step}"))


def _tag(reached: Engine, reference: str, lasting: str) -> None:
    """Give the image its second tag in the registry, which has all of its layers by now."""
    from hatch_wallaroo.image.registry import push

    reached.tag(reference, lasting)
    try:
        push(reached, lasting, lambda *_: None)
    finally:
        reached.untag(lasting)


@contextmanager
def _errors_translated(package: Package) -> Iterator[None]:
    """What an engine or a registry said, as an error of publishing."""
    from hatch_wallaroo.image.engine import ImageError

    try:
        yield
    except ImageError as error:
        raise _translated(package, error) from error


def _translated(package: Package, error: ImageError) -> PlatformError:
    from hatch_wallaroo.image.engine import RegistryError

    message = "\n".join((f"{package.name}: {error.message}", *(f"    | {line}" for line in error.log)))
    if not isinstance(error, RegistryError):
        return ConfigurationError(message, error.fix)
    kind = AuthenticationError if error.login else ConnectionFailedError
    return kind(message, error.fix)
