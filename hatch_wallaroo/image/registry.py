"""Registries: pushing an image, the digest under which it is held there, and pulling it by that."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hatch_wallaroo.image.engine import Engine, ImageError, RegistryError, describe_engine_error, mishaps, split
from hatch_wallaroo.text import one_line

Advance = Callable[[int, int], None]
"""Bytes that the registry has, and bytes of the layers known so far; the second may grow."""

_LOGIN = re.compile(
    r"unauthorized|authentication required|no basic auth credentials|\bdenied\b|\b401\b|\b403\b|insufficient_scope|"
    r"incorrect username",
    re.IGNORECASE,
)
_HELPER = re.compile(r"credentials store|docker-credential-", re.IGNORECASE)
_AWAY = re.compile(
    r"connection refused|no such host|timeout|connection reset|no route|unreachable|server misbehaving|\bEOF\b|"
    r"deadline|broken pipe",
    re.IGNORECASE,
)
_NO_TRUST = re.compile(r"server gave HTTP response to HTTPS client|certificate signed by unknown|x509:", re.IGNORECASE)
_FULL = re.compile(r"no space left on device|disk quota exceeded|\b507\b|insufficient storage", re.IGNORECASE)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def push(engine: Engine, reference: str, advance: Advance) -> str:
    """Push an image by its name, and give the digest (`sha256:…`) under which the registry says it holds it.

    Logins are the engine's client's: `docker login`'s file and its credential helpers. Raises RegistryError for
    everything that the registry or the way to it says, each error event of the stream included.
    """
    repository, tag = split(reference)
    layers: dict[str, tuple[int, int]] = {}
    digest = ""
    try:
        for event in engine.client.api.push(repository, tag=tag, stream=True, decode=True):
            if not isinstance(event, Mapping):
                continue
            if "error" in event or "errorDetail" in event:
                detail = event.get("errorDetail")
                words = detail.get("message") if isinstance(detail, Mapping) else None
                raise _refused(reference, one_line(str(words or event.get("error"))))
            digest = _digest(event) or digest
            if _progress(event, layers):
                advance(sum(each for each, _ in layers.values()), sum(each for _, each in layers.values()))
    except mishaps() as error:
        raise _refused(reference, describe_engine_error(error)) from error
    if not digest:
        raise RegistryError(f"the registry took {reference}, and said no digest", "push again")
    _compare(engine, reference, digest)
    return digest


def held(engine: Engine, reference: str) -> str | None:
    """The digest under which the registry holds an image of this name; None where it holds none. Raises RegistryError.

    It is the engine that asks, so that its network and the logins of docker count.
    """
    from docker.errors import NotFound

    try:
        return str(engine.client.images.get_registry_data(reference).id)
    except NotFound:
        return None
    except mishaps() as error:
        words = describe_engine_error(error)
        # Before the first push to it, some registries say of a repository that nobody may see it.
        if re.search(r"manifest unknown|name unknown|not found", words, re.IGNORECASE):
            return None
        raise _refused(reference, words) from error


def _compare(engine: Engine, reference: str, digest: str) -> None:
    """Read the digest back from the registry: what it holds under the name must be what was pushed."""
    there = held(engine, reference)
    if there is None:
        # podman's service cannot ask for a name; it can pull what it has, which asks the registry for the digest.
        try:
            engine.client.images.pull(split(reference)[0], tag=digest)
        except mishaps() as error:
            message = f"the registry took {reference}, and does not have it: {describe_engine_error(error)}"
            raise RegistryError(message, "publish again") from error
        return
    if there != digest:
        raise RegistryError(
            f"the registry holds {there[:19]}… as {reference}, and {digest[:19]}… was pushed",
            "somebody else pushed the same name at the same time: publish again, or set another image.tag",
        )


def _digest(event: Mapping[str, Any]) -> str:
    """The digest that an event tells: docker's in a field of its own, podman's in its words."""
    aux, status = event.get("aux"), event.get("status")
    found = aux.get("Digest") if isinstance(aux, Mapping) else None
    if found is None and isinstance(status, str):
        found = status.partition(": digest: ")[2].partition(" ")[0]
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
    # The registry's own address may have digits in it that look like an answer's number.
    about = words.replace(host, "")
    if _FULL.search(about):
        return RegistryError(f"{host} has no room for {reference}: {words}", "ask who runs the registry")
    if _HELPER.search(about):
        fix = "see credHelpers and credsStore in docker's config.json, and whether the helper is on PATH"
        return RegistryError(f"docker's credential helper gives no login for {host}: {words}", fix, login=True)
    if _LOGIN.search(about):
        fix = f"sign in with an account that may push there: docker login {host}"
        return RegistryError(f"{host} does not take {reference} from this login: {words}", fix, login=True)
    if _NO_TRUST.search(about):
        fix = "the engine must trust it: a CA in /etc/docker/certs.d, or insecure-registries in its daemon.json"
        return RegistryError(f"{host} is not reached by the engine: {words}", fix)
    if _AWAY.search(about):
        fix = "check image.registry and the network; the engine, not this command, goes to the registry"
        return RegistryError(f"{host} was not reached by the engine: {words}", fix)
    return RegistryError(f"{reference} was not pushed: {words}", "see what the registry says")


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
                f"{reference} could not be pulled: {describe_engine_error(error)}", "check that it was pushed"
            ) from error
    try:
        yield
    finally:
        if not there:
            engine.untag(reference)
