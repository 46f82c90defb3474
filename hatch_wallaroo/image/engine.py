"""The engine: whatever the docker SDK reaches by DOCKER_HOST or by the context of `docker context use`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hatch_wallaroo.image.errors import ImageError, NoEngineError
from hatch_wallaroo.report import one_line

if TYPE_CHECKING:
    from docker import DockerClient

CONTENTS_LABEL = "io.github.hatch-wallaroo.context"
"""The label that says which build context an image was made from: `sha256:` and the digest of the tar."""

_START = "start it (on Linux: sudo systemctl start docker; elsewhere Docker Desktop, colima or podman machine)"
_SLOWEST = 3600
"""Seconds that an engine may stay silent within one step of a build."""


@dataclass(frozen=True)
class Image:
    """An image that the engine holds. `size` in bytes, `platform` as `linux/amd64`."""

    id: str
    size: int
    platform: str
    labels: dict[str, str]
    digests: tuple[str, ...]


class Engine:
    """A connection to an engine. Every method raises ImageError."""

    def __init__(self, client: DockerClient) -> None:
        self.client = client

    def find(self, reference: str) -> Image | None:
        """The image of this name (or id), or None."""
        from docker.errors import APIError, ImageNotFound

        try:
            made = self.client.api.inspect_image(reference)
        except ImageNotFound:
            return None
        except APIError as error:
            raise ImageError(f"the engine cannot look for {reference}: {said(error)}") from error
        config = made.get("Config") or {}
        return Image(
            id=str(made["Id"]),
            size=int(made.get("Size") or 0),
            platform=f"{made.get('Os', 'linux')}/{made.get('Architecture', '')}",
            labels=dict(config.get("Labels") or {}),
            digests=tuple(made.get("RepoDigests") or ()),
        )

    def remove_untagged(self, image_id: str) -> None:
        """Remove an image if no name points to it any more, and what it alone was built on."""
        from docker.errors import APIError

        with contextlib.suppress(APIError):
            if not self.client.api.inspect_image(image_id).get("RepoTags"):
                self.client.api.remove_image(image_id)

    def close(self) -> None:
        self.client.close()


@contextlib.contextmanager
def engine() -> Iterator[Engine]:
    """Connect, and close at the end. Raises NoEngineError where no engine answers."""
    try:
        import docker
        from docker.errors import DockerException
    except ImportError as error:
        fix = "install hatch-wallaroo[image], or write image.build = false"
        raise NoEngineError("the docker SDK for Python is not installed", fix) from error
    # Whatever the transport raises on the way (requests' and urllib3's errors, files that are not there) is no engine.
    try:
        client = docker.DockerClient(timeout=_SLOWEST, **_address())
        client.ping()
    except (DockerException, OSError, ValueError) as error:
        where = one_line(os.environ.get("DOCKER_HOST") or "its usual address")
        raise NoEngineError(f"no container engine answers at {where}{_why(str(error))}", _START) from error
    made = Engine(client)
    try:
        yield made
    finally:
        made.close()


def _address() -> dict[str, Any]:
    """DOCKER_HOST and its company where it is set, else the context that `docker context use` chose."""
    from docker import ContextAPI
    from docker.utils import kwargs_from_env

    if os.environ.get("DOCKER_HOST"):
        return dict(kwargs_from_env())
    context = ContextAPI.get_current_context()
    host = context.Host if context else None
    if not host:
        return {}
    return {"base_url": host, **({"tls": context.TLSConfig} if context.TLSConfig else {})}


def _why(text: str) -> str:
    """What keeps an engine from answering, where its client's words tell more than that it does not."""
    if "PermissionError" in text or "Permission denied" in text:
        return ": this user may not use its socket (on Linux, the group docker may)"
    if any(each in text for each in ("FileNotFoundError", "No such file", "Connection refused")):
        return ""
    return f": {one_line(text)[:200]}"


def said(error: Any) -> str:
    """What an engine answered, in one line."""
    words = getattr(error, "explanation", None) or str(error)
    return one_line(words.decode(errors="replace") if isinstance(words, bytes) else str(words))[:400]
