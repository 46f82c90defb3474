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
    from hatch_wallaroo.image.engine import Engine
    from hatch_wallaroo.image.errors import ImageError


def pushed(package: Package, screen: Screen) -> Package:
    """Push a package's image, building it first where the engine has none of this very context.

    Gives the package as it can be registered: by the digest that the registry read back. Raises PlatformError.
    """
    with _said(package):
        from hatch_wallaroo.image.engine import engine
        from hatch_wallaroo.image.pushing import push, split

        order = order_of(package)
        if not _names_a_registry(order.reference):
            fix = f'write registry = "registry.example.com/models" under [{package.table}.image], and build again'
            raise ConfigurationError(f"{package.name}: {order.reference} names no registry to push it to", fix)
        with engine() as reached:
            _built(package, order, reached, screen)
            with screen.progress(f"{package.name}: pushing {order.reference}", 0) as advance:
                digest = push(reached, order.reference, advance)
    screen.line(f"{package.name}: pushed {order.reference}, {digest[:19]}…")
    return package.pinned(f"{split(order.reference)[0]}@{digest}")


def order_of(package: Package) -> Order:
    """How the image is built from the context beside the manifest."""
    from hatch_wallaroo.image.building import Order

    image = package.manifest["image"]
    if package.file is None:
        raise ConfigurationError(f"{package.path.name} names an image, and no build context", "build it again")
    return Order(
        package.file, package.sha256, image["reference"], image["base"], image.get("platform"), image.get("builder")
    )


def _names_a_registry(reference: str) -> bool:
    """Whether an image's name begins with a host; engines take one that does not for Docker Hub's own."""
    host, slash, _ = reference.partition("/")
    return bool(slash) and ("." in host or ":" in host or host == "localhost")


def _built(package: Package, order: Order, reached: Engine, screen: Screen) -> None:
    from hatch_wallaroo.image.building import build, is_current

    if is_current(reached.find(order.reference), order):
        return
    screen.line(f"{package.name}: the engine has no image of this build context; building it")
    with screen.status(f"{package.name}: building {order.reference}") as update:
        build(reached, order, lambda step: update(f"{package.name}: {step}"))


@contextmanager
def _said(package: Package) -> Iterator[None]:
    """What an engine or a registry said, as an error of publishing."""
    from hatch_wallaroo.image.errors import ImageError

    try:
        yield
    except ImageError as error:
        raise _translated(package, error) from error


def _translated(package: Package, error: ImageError) -> PlatformError:
    from hatch_wallaroo.image.errors import RegistryError

    message = "\n".join((f"{package.name}: {error.message}", *(f"    | {line}" for line in error.log)))
    if not isinstance(error, RegistryError):
        return ConfigurationError(message, error.fix)
    kind = AuthenticationError if error.login else ConnectionFailedError
    return kind(message, error.fix)
