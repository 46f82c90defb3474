"""Pushing an image, and the digest under which the registry holds it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from hatch_wallaroo.image.engine import Engine, said
from hatch_wallaroo.image.errors import ImageError, RegistryError
from hatch_wallaroo.report import one_line

Advance = Callable[[int, int], None]
"""Bytes that the registry has, and bytes of the layers known so far; the second may grow."""

_LOGIN = re.compile(
    r"unauthorized|authentication required|no basic auth credentials|denied|401|insufficient_scope|incorrect username",
    re.IGNORECASE,
)
_AWAY = re.compile(
    r"connection refused|no such host|timeout|i/o timeout|connection reset|no route|server misbehaving|EOF|deadline",
    re.IGNORECASE,
)
_FULL = re.compile(r"no space left on device|disk quota exceeded|507", re.IGNORECASE)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def split(reference: str) -> tuple[str, str]:
    """The repository and the tag of an image's name: `host:5000/a/b:1` is `host:5000/a/b` and `1`."""
    repository, colon, tag = reference.rpartition(":")
    return (repository, tag) if colon and "/" not in tag else (reference, "latest")


def push(engine: Engine, reference: str, advance: Advance) -> str:
    """Push an image by its name, and give the digest (`sha256:…`) under which the registry says it holds it.

    Logins are the engine's client's: `docker login`'s file and its credential helpers. Raises RegistryError for
    everything that the registry or the way to it says, each error event of the stream included.
    """
    from docker.errors import APIError, DockerException

    repository, tag = split(reference)
    layers: dict[str, tuple[int, int]] = {}
    digest = ""
    try:
        for event in engine.client.api.push(repository, tag=tag, stream=True, decode=True):
            if "error" in event or "errorDetail" in event:
                detail = event.get("errorDetail")
                words = detail.get("message") if isinstance(detail, Mapping) else None
                raise _refused(reference, one_line(str(words or event.get("error"))))
            digest = _digest(event) or digest
            if _progress(event, layers):
                advance(sum(each for each, _ in layers.values()), sum(each for _, each in layers.values()))
    except (APIError, DockerException) as error:
        raise _refused(reference, said(error)) from error
    except OSError as error:
        raise RegistryError(f"the connection to the engine broke while {reference} was pushed: {error}") from error
    if not digest:
        raise RegistryError(f"the registry took {reference}, and said no digest", "push again")
    _compare(engine, reference, digest)
    return digest


def _compare(engine: Engine, reference: str, digest: str) -> None:
    """Read the digest back from the registry: what it holds under the name must be what was pushed."""
    from docker.errors import APIError, DockerException

    try:
        held = str(engine.client.images.get_registry_data(reference).id)
    except (APIError, DockerException) as error:
        raise _refused(reference, said(error)) from error
    if held != digest:
        raise RegistryError(
            f"the registry holds {held[:19]}… as {reference}, and {digest[:19]}… was pushed",
            "somebody else pushed the same name at the same time: publish again, or set another image.tag",
        )


def _digest(event: Mapping[str, Any]) -> str:
    aux = event.get("aux")
    found = aux.get("Digest") if isinstance(aux, Mapping) else None
    return found if isinstance(found, str) and _DIGEST.fullmatch(found) else ""


def _progress(event: Mapping[str, Any], layers: dict[str, tuple[int, int]]) -> bool:
    layer, detail = event.get("id"), event.get("progressDetail")
    if not isinstance(layer, str) or not isinstance(detail, Mapping):
        return False
    current, total = detail.get("current"), detail.get("total")
    if not isinstance(current, int):
        return False
    known = layers.get(layer, (0, 0))[1]
    layers[layer] = (current, max(total if isinstance(total, int) else 0, known, current))
    return True


def _refused(reference: str, words: str) -> ImageError:
    host = reference.partition("/")[0]
    if _FULL.search(words):
        return RegistryError(f"{host} has no room for {reference}: {words}", "ask who runs the registry")
    if _LOGIN.search(words):
        fix = f"sign in with an account that may push there: docker login {host}"
        return RegistryError(f"{host} does not take {reference} from this login: {words}", fix, login=True)
    if _AWAY.search(words):
        fix = "check image.registry and the network; the engine, not this command, goes to the registry"
        return RegistryError(f"{host} was not reached by the engine: {words}", fix)
    return RegistryError(f"{reference} was not pushed: {words}", "see what the registry says")
