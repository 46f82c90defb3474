"""The engine: whatever the docker SDK reaches by DOCKER_HOST, or by the context that the command docker would use.

The SDK reads contexts too, but not DOCKER_CONTEXT, and none where docker has no config.json yet.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatch_wallaroo.files.json_text import JsonError, read_json
from hatch_wallaroo.findings import FixableError
from hatch_wallaroo.text import one_line

if TYPE_CHECKING:
    from docker import APIClient, DockerClient
    from docker.tls import TLSConfig


class ImageError(FixableError):
    """Ends what was asked of an engine; `log` are its last lines."""

    def __init__(self, message: str, fix: str = "", log: tuple[str, ...] = ()) -> None:
        super().__init__(message, fix)
        self.log = log


class NoEngineError(ImageError):
    """No engine was reached."""


class RegistryError(ImageError):
    """A registry said no, or was not reached; `login`: it was the login that it did not take."""

    def __init__(self, message: str, fix: str = "", *, login: bool = False) -> None:
        super().__init__(message, fix)
        self.login = login


CONTENTS_LABEL = "io.github.hatch-wallaroo.context"
"""The label that says which build context an image was made from: `sha256:` and the digest of the tar."""

_START = "start it (on Linux: sudo systemctl start docker; elsewhere Docker Desktop, colima or podman machine)"
_SSH = "install docker[ssh] beside hatch-wallaroo: the SDK asks for paramiko, though the command ssh does the work"
_SLOWEST = 3600
"""Seconds that an engine may stay silent within one step of a build."""
_FIRST_ANSWER = 60
"""Seconds until it must have said who it is."""
_PATIENCE = 10.0
"""Seconds in which an engine has removed the container of a build that was ended."""
_DEFAULT = "default"
_LIST = "docker context ls shows those that there are"
_LARGEST = 1 << 20


@dataclass(frozen=True)
class DockerContext:
    """Where a context's engine is. `tls`: the folder of its ca.pem, cert.pem and key.pem, where it has one."""

    name: str
    host: str
    tls: Path | None
    verify: bool


def chosen_context() -> DockerContext | None:
    """The context that docker would use; None for its usual address. Raises NoEngineError for one that is not there.

    DOCKER_CONTEXT comes before what `docker context use` wrote.
    """
    home = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    asked = os.environ.get("DOCKER_CONTEXT")
    name = asked or _table(home / "config.json").get("currentContext") or _DEFAULT
    if name == _DEFAULT or not isinstance(name, str):
        return None
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()
    endpoint = _table(home / "contexts" / "meta" / digest / "meta.json").get("Endpoints")
    found = endpoint.get("docker") if isinstance(endpoint, dict) else None
    engine: dict[str, Any] = found if isinstance(found, dict) else {}
    host = engine.get("Host")
    if not isinstance(host, str) or not host:
        how = "DOCKER_CONTEXT names" if asked else "docker context use chose"
        raise NoEngineError(f"there is no docker context called {one_line(name)}, which {how}", _LIST)
    tls = home / "contexts" / "tls" / digest / "docker"
    return DockerContext(name, host, tls if tls.is_dir() else None, not engine.get("SkipTLSVerify"))


def _table(path: Path) -> dict[str, Any]:
    """A JSON file's table; empty where there is no such file. Raises NoEngineError for one that is damaged."""
    try:
        with path.open("rb") as stream:
            made = read_json(stream, _LARGEST)
    except FileNotFoundError:
        return {}
    except (OSError, JsonError) as error:
        why = f"it {error}" if isinstance(error, JsonError) else str(error)
        raise NoEngineError(f"docker's {path.name} cannot be read: {one_line(why)[:200]}", _LIST) from error
    return made if isinstance(made, dict) else {}


@dataclass(frozen=True)
class Image:
    """An image that the engine holds. `size` in bytes, `platform` as `linux/amd64`."""

    id: str
    size: int
    platform: str
    labels: dict[str, str]


class Engine:
    """A connection to an engine. Every method raises ImageError."""

    def __init__(self, client: DockerClient) -> None:
        self.client = client

    def find(self, reference: str) -> Image | None:
        """The image of this name (or id), or None."""
        from docker.errors import ImageNotFound

        try:
            with asking(f"the engine cannot look for {reference}"):
                made = self.client.api.inspect_image(reference)
        except ImageError as error:
            if isinstance(error.__cause__, ImageNotFound):
                return None
            raise
        config = made.get("Config") or {}
        return Image(
            id=str(made["Id"]),
            size=int(made.get("Size") or 0),
            platform=f"{made.get('Os', 'linux')}/{made.get('Architecture', '')}",
            labels=dict(config.get("Labels") or {}),
        )

    def tag(self, image: str, reference: str) -> None:
        """Give an image one more name."""
        repository, tag = split(reference)
        with asking(f"the engine cannot give the name {reference}"):
            self.client.api.tag(image, repository, tag=tag)

    def untag(self, reference: str) -> None:
        """Take a name away, and the image if it was its last."""
        with contextlib.suppress(*mishaps()):
            self.client.api.remove_image(reference)

    @contextlib.contextmanager
    def renaming(self, reference: str) -> Iterator[None]:
        """In the block a name goes to another image: the former goes then, or has its name again if the block fails."""
        before = self.find(reference)
        try:
            yield
        except BaseException:
            with contextlib.suppress(ImageError):
                self._restore(reference, before)
            raise
        after = self.find(reference)
        if before is not None and after is not None and before.id != after.id:
            self.remove_untagged(before.id)

    def _restore(self, reference: str, before: Image | None) -> None:
        after = self.find(reference)
        if before is None:
            self.untag(reference)
        elif after is None or after.id != before.id:
            self.tag(before.id, reference)
            if after is not None:
                self.remove_untagged(after.id)

    def remove_untagged(self, image_id: str) -> None:
        """Remove an image if no name points to it any more, and what it alone was built on."""
        from docker.errors import APIError

        until = time.monotonic() + _PATIENCE
        with contextlib.suppress(*mishaps()):
            while not self.client.api.inspect_image(image_id).get("RepoTags"):
                try:
                    self.client.api.remove_image(image_id)
                except APIError as error:  # noqa: PERF203 - it is there that one waits
                    # The container of an interrupted step goes a moment after the connection has.
                    if "container" not in describe_engine_error(error) or time.monotonic() > until:
                        return
                    time.sleep(0.2)

    def remove_container(self, container_id: str) -> None:
        """Remove a container, running or not, if it is there."""
        with contextlib.suppress(*mishaps()):
            self.client.api.remove_container(container_id, force=True, v=True)

    def close(self) -> None:
        self.client.close()


@contextlib.contextmanager
def engine() -> Iterator[Engine]:
    """Connect, and close at the end. Raises NoEngineError where no engine answers."""
    try:
        import docker
    except ImportError as error:
        fix = "install hatch-wallaroo[image], or write image.build = false"
        raise NoEngineError("the docker SDK for Python is not installed", fix) from error
    where, settings = _address()
    unreached: tuple[type[Exception], ...] = (*mishaps(), ValueError)
    try:
        _knock(settings)
        client = docker.DockerClient(version=_version(settings), timeout=_SLOWEST, **settings)
        _trust(client.api, settings)
    except unreached as error:
        fix = _SSH if "paramiko" in str(error) else _START
        raise NoEngineError(f"no container engine answers at {where}{_why(str(error))}", fix) from error
    made = Engine(client)
    try:
        yield made
    finally:
        made.close()


def _knock(settings: Mapping[str, Any]) -> None:
    """Raise OSError where nobody listens on a socket of this machine: the SDK would leave its own open."""
    import socket

    from docker.utils import parse_host

    scheme, _, path = str(parse_host(settings.get("base_url"), sys.platform == "win32")).partition("://")
    if scheme == "http+unix":
        with socket.socket(socket.AF_UNIX) as attempt:
            attempt.settimeout(_FIRST_ANSWER)
            attempt.connect(f"/{path.lstrip('/')}")


def _trust(api: APIClient, settings: Mapping[str, Any]) -> None:
    """Hold an engine against its own CA alone: requests would take the one that REQUESTS_CA_BUNDLE names instead."""
    api.trust_env = not settings.get("tls")


def _version(settings: Mapping[str, Any]) -> str:
    """The newest version of its API that an engine and the SDK both know.

    Asked by a client of its own: the SDK's leaves its connections open where that is asked while it is made, and fails.
    """
    from docker import APIClient
    from docker.constants import DEFAULT_DOCKER_API_VERSION
    from docker.utils import version_lt

    asking = APIClient(version=DEFAULT_DOCKER_API_VERSION, timeout=_FIRST_ANSWER, **settings)
    _trust(asking, settings)
    try:
        theirs = str(asking.version(api_version=False)["ApiVersion"])
    finally:
        asking.close()
    return theirs if version_lt(theirs, DEFAULT_DOCKER_API_VERSION) else DEFAULT_DOCKER_API_VERSION


def split(reference: str) -> tuple[str, str]:
    """The repository and the tag of an image's name: `host:5000/a/b:1` is `host:5000/a/b` and `1`."""
    repository, colon, tag = reference.rpartition(":")
    return (repository, tag) if colon and "/" not in tag else (reference, "latest")


def _address() -> tuple[str, dict[str, Any]]:
    """Where the engine is, in words and for the SDK: as the command docker finds it.

    DOCKER_HOST and its company come first, then DOCKER_CONTEXT, then what `docker context use` wrote.
    """
    from docker.utils import kwargs_from_env

    host = os.environ.get("DOCKER_HOST")
    if host:
        try:
            settings = dict(kwargs_from_env())
        except mishaps() as error:
            fix = "see DOCKER_CERT_PATH and DOCKER_TLS_VERIFY"
            raise NoEngineError(
                f"{_without_passwords(host)} is not reached by TLS: {describe_engine_error(error)}", fix
            ) from error
        return _without_passwords(host), _by_ssh(host, settings)
    context = chosen_context()
    if context is None:
        return "its usual address", {}
    settings = {"base_url": context.host, **({"tls": _tls(context)} if context.tls else {})}
    return f"{_without_passwords(context.host)} (docker context {one_line(context.name)})", _by_ssh(
        context.host, settings
    )


def _tls(context: DockerContext) -> TLSConfig:
    from docker.tls import TLSConfig

    there = {
        name: str(path) for name in ("ca", "cert", "key") if (path := Path(context.tls or "", f"{name}.pem")).is_file()
    }
    pair = (there["cert"], there["key"]) if {"cert", "key"} <= set(there) else None
    return TLSConfig(client_cert=pair, ca_cert=there.get("ca"), verify=context.verify)


def _by_ssh(host: str, settings: dict[str, Any]) -> dict[str, Any]:
    """The command ssh knows the user's keys and hosts, as docker's own command uses it."""
    return {**settings, "use_ssh_client": True} if host.startswith("ssh://") else settings


def _without_passwords(text: str) -> str:
    """A text without the passwords of addresses in it."""
    return one_line(re.sub(r"://([^/@:\s]*):[^/\s]*@", r"://\1:***@", text))


def _why(text: str) -> str:
    """What keeps an engine from answering, where its client's words tell more than that it does not."""
    if "PermissionError" in text or "Permission denied" in text:
        return ": this user may not use its socket (on Linux, the group docker may)"
    if any(each in text for each in ("FileNotFoundError", "No such file", "Connection refused")):
        return ""
    return f": {_without_passwords(text)[:200]}"


def mishaps() -> tuple[type[Exception], ...]:
    """All that the SDK raises where an engine does not do what it is asked, or goes away meanwhile.

    What its HTTP library raises before an answer begins is an OSError; within an answer it is urllib3's own.
    """
    from docker.errors import DockerException, StreamParseError
    from urllib3.exceptions import HTTPError

    return DockerException, StreamParseError, HTTPError, OSError


@contextlib.contextmanager
def asking(failed: str) -> Iterator[None]:
    """Whatever the SDK raises in the block is an ImageError that begins with these words."""
    try:
        yield
    except mishaps() as error:
        raise ImageError(f"{failed}: {describe_engine_error(error)}") from error


def describe_engine_error(error: Any) -> str:
    """What an engine answered, in one line."""
    words = getattr(error, "explanation", None) or str(error)
    return one_line(words.decode(errors="replace") if isinstance(words, bytes) else str(words))[:400]
