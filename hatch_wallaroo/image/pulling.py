"""Pulling an image by the name under which it was registered."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from hatch_wallaroo.image.engine import Engine, mishaps, said
from hatch_wallaroo.image.errors import RegistryError


@contextlib.contextmanager
def pulled(engine: Engine, reference: str) -> Iterator[None]:
    """An image by tag or by digest (`host/name@sha256:…`) for as long as the block lasts, unless the engine has it.

    Raises RegistryError where it cannot be pulled.
    """
    there = engine.find(reference) is not None
    if not there:
        name, at, digest = reference.partition("@")
        try:
            engine.client.images.pull(name, tag=digest if at else None)
        except mishaps() as error:
            raise RegistryError(
                f"{reference} could not be pulled: {said(error)}", "check that it was pushed"
            ) from error
    try:
        yield
    finally:
        if not there:
            engine.untag(reference)
