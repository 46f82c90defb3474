"""A trial run: the image is started, asked for the sample's rows, and ended as the platform would end it."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from hatch_wallaroo.image.engine import Engine, said
from hatch_wallaroo.image.errors import ImageError
from hatch_wallaroo.image.rows import misfits
from hatch_wallaroo.report import one_line
from hatch_wallaroo.schema.types import Schema

PORT = 8080
LONGEST_START = 120.0
LONGEST_END = 10
"""Seconds until SIGTERM must have ended the container."""

_LARGEST_ANSWER = 64 << 20
_RECORDS = "application/json; format=pandas-records"
_LOG_LINES = 20


@dataclass(frozen=True)
class Trial:
    """What a trial run showed. Times are seconds; `rows` were answered, `misfits` say where answers miss the schema."""

    started: float
    ended: float
    rows: int
    misfits: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.misfits


def run(engine: Engine, image: str, rows: Sequence[Mapping[str, Any]], outputs: Schema | None) -> Trial:
    """Start an image, ask for `/ping`, then for the rows, compare the answers with the schema, and end it.

    The container is removed whatever happens. Raises ImageError where it does not start, answer or end.
    """
    with _container(engine, image) as container:
        begun = time.monotonic()
        host, port = _address(engine, container)
        _wait(container, host, port, begun + LONGEST_START)
        started = time.monotonic() - begun
        found: tuple[str, ...] = ()
        if rows:
            answer = _ask(container, host, port, rows)
            found = tuple(misfits(answer, len(rows), outputs))
        ended = _end(container)
    return Trial(started, ended, len(rows), found)


@contextlib.contextmanager
def _container(engine: Engine, image: str) -> Iterator[Any]:
    from docker.errors import APIError, DockerException

    made = None
    try:
        try:
            made = engine.client.containers.create(
                image, ports={f"{PORT}/tcp": ("127.0.0.1", None)}, labels={"io.github.hatch-wallaroo.trial": "true"}
            )
            made.start()
        except (APIError, DockerException) as error:
            raise ImageError(f"{image} could not be started: {said(error)}") from error
        yield made
    finally:
        if made is not None:
            with contextlib.suppress(APIError, OSError):
                made.remove(force=True, v=True)


def _address(engine: Engine, container: Any) -> tuple[str, int]:
    """Where the container's port is reached: here, or on the engine's machine."""
    container.reload()
    bound = (container.attrs.get("NetworkSettings", {}).get("Ports") or {}).get(f"{PORT}/tcp")
    if not bound:
        raise ImageError("the engine gave the container no port", "see whether the image still runs", _log(container))
    there = urlsplit(engine.client.api.base_url).hostname
    local = there in {None, "localhost", "127.0.0.1", "localunixsocket"} or "docker" in str(there)
    return "127.0.0.1" if local else str(there), int(bound[0]["HostPort"])


def _wait(container: Any, host: str, port: int, until: float) -> None:
    while time.monotonic() < until:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if _request(host, port, "GET", "/ping")[0] == http.HTTPStatus.OK:
                return
        container.reload()
        if container.status in {"exited", "dead"}:
            code = container.attrs.get("State", {}).get("ExitCode")
            raise ImageError(
                f"the container ended by itself (exit code {code}) before it answered",
                "its last lines say why: most often a missing requirement, or a model of another version",
                _log(container),
            )
        time.sleep(0.1)
    raise ImageError(f"the container does not answer /ping after {LONGEST_START:.0f} s", "", _log(container))


def _ask(container: Any, host: str, port: int, rows: Sequence[Mapping[str, Any]]) -> Any:
    body = json.dumps(list(rows)).encode()
    try:
        status, answer = _request(host, port, "POST", "/invocations", body, {"Content-Type": _RECORDS})
    except (OSError, http.client.HTTPException) as error:
        raise ImageError(f"/invocations was not answered: {one_line(str(error))}", "", _log(container)) from error
    if status != http.HTTPStatus.OK:
        words = one_line(answer.decode("utf-8", "replace"))[:400]
        fix = "compare the sample's rows with what the model takes"
        raise ImageError(f"/invocations answers {status}: {words}", fix, _log(container))
    try:
        return json.loads(answer)
    except ValueError as error:
        raise ImageError("/invocations answers something that is not JSON", "", _log(container)) from error


def _end(container: Any) -> float:
    """SIGTERM, and how long it took; raises ImageError where the container has to be killed."""
    begun = time.monotonic()
    container.kill("SIGTERM")
    while (took := time.monotonic() - begun) < LONGEST_END:
        container.reload()
        if container.status == "exited":
            return took
        time.sleep(0.1)
    raise ImageError(
        f"the container does not end within {LONGEST_END} s after SIGTERM",
        "the image's first process must be the server itself",
    )


def _request(
    host: str, port: int, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(host, port, timeout=60)
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read(_LARGEST_ANSWER)
    finally:
        connection.close()


def _log(container: Any) -> tuple[str, ...]:
    from docker.errors import APIError

    with contextlib.suppress(APIError, OSError):
        text = container.logs(tail=_LOG_LINES).decode("utf-8", "replace")
        return tuple(one_line(line) for line in text.splitlines())
    return ()
