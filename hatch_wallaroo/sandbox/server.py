"""The sandbox as a server on the loopback interface, and on no other."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from hatch_wallaroo.sandbox.app import LARGEST_UPLOAD, PACE, create_app
from hatch_wallaroo.sandbox.credentials import Credentials
from hatch_wallaroo.sandbox.faults import Faults
from hatch_wallaroo.sandbox.requests import ABORT

HOST = "127.0.0.1"
ANNOUNCEMENT = "sandbox.json"
"""The file in the state's folder that says, while the sandbox runs, where it is and who may use it."""


class _Protocol(H11Protocol):
    """HTTP/1.1 whose connections an endpoint may reset."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # narrower upstream
        super().connection_made(transport)
        self.app = partial(_with_abort, self.app, partial(_abort, transport))


async def _with_abort(app: ASGIApp, abort: Callable[[], None], scope: Scope, receive: Receive, send: Send) -> None:
    scope[ABORT] = abort
    await app(scope, receive, send)


def _abort(transport: asyncio.Transport) -> None:
    """Reset a connection: without lingering, the other side reads an error and not an end."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


class _Server(uvicorn.Server):
    """Says when it takes connections."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()


def serve(
    state: Path,
    release: str,
    *,
    port: int = 0,
    faults: Faults | None = None,
    credentials: Credentials | None = None,
    pace: float = PACE,
    largest: int = LARGEST_UPLOAD,
    ready: Callable[[str, Credentials], None] = lambda _url, _credentials: None,
) -> None:
    """Run a sandbox until it is told to stop (SIGINT, SIGTERM). Port 0 takes a free one.

    `ready` is told the address and the credentials when connections are taken; the same stands
    in `sandbox.json` in the state's folder, for its owner alone, until the end. Raises OSError
    where the port is taken, and what :func:`create_app` raises.
    """
    known = credentials or Credentials.generate()
    with socket.create_server((HOST, port)) as listening:
        app = create_app(state, release, known, faults, pace=pace, largest=largest)
        url = f"http://{HOST}:{listening.getsockname()[1]}"
        announcement = state / ANNOUNCEMENT

        def announce() -> None:
            _write(announcement, url, release, known)
            ready(url, known)

        config = uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_level="critical",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=2,
            h11_max_incomplete_event_size=64 << 10,
        )
        try:
            _Server(config, announce).run(sockets=[listening])
        finally:
            announcement.unlink(missing_ok=True)
            app.state.sandbox.store.close()


def _write(path: Path, url: str, release: str, credentials: Credentials) -> None:
    """Write the announcement for its owner alone. `username` and `password` are what the SDK's file has."""
    told: dict[str, Any] = {
        "url": url,
        "release": release,
        "username": credentials.user,
        "password": credentials.password,
        "client_id": credentials.client,
        "client_secret": credentials.secret,
        "pid": os.getpid(),
    }
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        json.dump(told, stream, indent=2)
    part.replace(path)
