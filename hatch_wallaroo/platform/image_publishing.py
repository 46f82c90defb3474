"""A model that is a container image: built where it is missing, pushed, and from then on known by its digest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hatch_wallaroo.platform.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    PlatformError,
)
from hatch_wallaroo.platform.packages import Package
from hatch_wallaroo.platform.screen import Screen

if TYPE_CHECKING:
    from hatch_wallaroo.image.building import Order
    from hatch_wallaroo.image.engine import Engine, ImageError


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
