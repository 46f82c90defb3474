"""Pulling an image by the name under which it was registered."""

from __future__ import annotations

from hatch_wallaroo.image.engine import Engine, said
from hatch_wallaroo.image.errors import RegistryError


def pull(engine: Engine, reference: str) -> None:
    """Pull an image by tag or by digest (`host/name@sha256:…`), unless the engine has it. Raises RegistryError."""
    from docker.errors import APIError, DockerException

    if engine.find(reference) is not None:
        return
    name, at, digest = reference.partition("@")
    try:
        engine.client.images.pull(name, tag=digest if at else None)
    except (APIError, DockerException) as error:
        raise RegistryError(f"{reference} could not be pulled: {said(error)}", "check that it was pushed") from error
