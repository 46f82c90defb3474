"""The sandbox as a server on the loopback interface, and on no other; and a command that runs beside it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from hatch_wallaroo.files.writing import PRIVATE, write_whole
from hatch_wallaroo.sandbox.app import LARGEST_UPLOAD, PACE, create_app
from hatch_wallaroo.sandbox.faults import Faults
from hatch_wallaroo.sandbox.logins import SandboxCredentials
from hatch_wallaroo.sandbox.requests import ABORT
from hatch_wallaroo.sandbox.runtime import RuntimeOptions
from hatch_wallaroo.text import describe_error

HOST = "127.0.0.1"
ANNOUNCEMENT = "sandbox.json"
"""The file in the state's folder that says, while the sandbox runs, where it is and who may use it."""


class _Protocol(H11Protocol):
    """HTTP/1.1 whose connections an endpoint may reset."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # narrower upstream
        super().connection_made(transport)
        # asyncio does this for sockets that it makes itself: an answer's body does not wait for its head's receipt.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
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


@dataclass(frozen=True)
class Served:
    """A sandbox that takes connections."""

    url: str
    credentials: SandboxCredentials

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which the SDK and `hatch publish -p wallaroo` find it and sign in."""
        return {
            "WALLAROO_URL": self.url,
            "WALLAROO_USER": self.credentials.user,
            "WALLAROO_PASSWORD": self.credentials.password,
        }


@dataclass(frozen=True)
class ServerOptions:
    """What a sandbox is to be: `state` its folder, `port` 0 for a free one; see :func:`create_app` for the rest."""

    state: Path
    release: str
    port: int = 0
    faults: Faults | None = None
    credentials: SandboxCredentials | None = None
    pace: float = PACE
    largest: int = LARGEST_UPLOAD
    images: bool = False
    runtime: RuntimeOptions | None = None


def serve(wanted: ServerOptions, *, ready: Callable[[Served], None] = lambda _: None) -> None:
    """Run a sandbox until it is told to stop (SIGINT, SIGTERM).

    `ready` is told the address and the credentials when connections are taken; the same stands
    in `sandbox.json` in the state's folder, for its owner alone, until the end. Raises OSError
    where the port is taken, and what :func:`create_app` raises.
    """
    with _opened(wanted, ready) as (server, listening):

        def stop(number: int, frame: FrameType | None) -> None:
            del number, frame
            server.should_exit = True

        # The server has handlers of its own while it runs; then it raises the signals once more, for these: they end
        # the block, and not the process before everything is tidied up.
        with _handled(signal.SIGINT, stop), _handled(signal.SIGTERM, stop):
            server.run(sockets=[listening])


@contextmanager
def serving(wanted: ServerOptions) -> Iterator[Served]:
    """A sandbox in a thread of this process, for as long as the block runs. Raises what :func:`serve` does."""
    started = threading.Event()
    told: list[Served] = []

    def ready(served: Served) -> None:
        told.append(served)
        started.set()

    with _opened(wanted, ready) as (server, listening):

        def run() -> None:
            try:
                server.run(sockets=[listening])
            finally:
                started.set()

        thread = threading.Thread(target=run, name="wallaroo-sandbox")
        thread.start()
        try:
            started.wait()
            if not told:
                raise OSError("the sandbox did not start")
            yield told[0]
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def _opened(wanted: ServerOptions, ready: Callable[[Served], None]) -> Iterator[tuple[_Server, socket.socket]]:
    """A server that only has to be run, and the socket that it listens on; the state is closed afterwards."""
    known = wanted.credentials or SandboxCredentials.generate()
    with socket.create_server((HOST, wanted.port)) as listening:
        app = create_app(
            wanted.state,
            wanted.release,
            known,
            wanted.faults,
            pace=wanted.pace,
            largest=wanted.largest,
            images=wanted.images,
            runtime=wanted.runtime,
        )
        served = Served(f"http://{HOST}:{listening.getsockname()[1]}", known)
        announcement = wanted.state / ANNOUNCEMENT

        def announce() -> None:
            _write(announcement, served, wanted.release)
            ready(served)

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
            yield _Server(config, announce), listening
        finally:
            announcement.unlink(missing_ok=True)
            app.state.sandbox.close()


def _write(path: Path, served: Served, release: str) -> None:
    """Write the announcement for its owner alone. `username` and `password` are what the SDK's file has."""
    credentials = served.credentials
    told: dict[str, Any] = {
        "url": served.url,
        "release": release,
        "username": credentials.user,
        "password": credentials.password,
        "client_id": credentials.client,
        "client_secret": credentials.secret,
        "pid": os.getpid(),
    }
    write_whole(path, json.dumps(told, indent=2).encode(), mode=PRIVATE)


_OF_A_PLATFORM = (
    "WALLAROO_URL",
    "WALLAROO_USER",
    "WALLAROO_PASSWORD",
    "WALLAROO_TOKEN",
    "WALLAROO_CLIENT_ID",
    "WALLAROO_CLIENT_SECRET",
    "WALLAROO_SDK_AUTH_ENDPOINT",
    "WALLAROO_SDK_AUTH_TYPE",
    "WALLAROO_SDK_CREDENTIALS",
)
"""What names a platform, or is meant for one: a command in a sandbox must not see another platform's."""


class CommandNotFoundError(Exception):
    """There is no such command, or it cannot be run; the message says which."""


def run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command with these variables, and give its exit code as shells do: 128 + n where signal n ended it.

    Ctrl-C reaches the command by the terminal, SIGTERM is passed on; either way its own end is waited for.
    Raises CommandNotFoundError.
    """
    program = shutil.which(command[0])
    if program is None:
        raise CommandNotFoundError(f"there is no command {command[0]}")
    inherited = {name: value for name, value in os.environ.items() if name not in _OF_A_PLATFORM}
    process: subprocess.Popen[bytes] | None = None
    ends = False

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal ends
        del number, frame
        ends = True
        if process is not None:
            process.terminate()

    # Before the command starts: a signal may come as soon as it runs, and long before it is waited for.
    with _handled(signal.SIGTERM, end), _handled(signal.SIGINT, lambda _number, _frame: None):
        try:
            process = subprocess.Popen([program, *command[1:]], env={**inherited, **environment})  # noqa: S603 - the user's
        except OSError as error:
            raise CommandNotFoundError(f"{command[0]} cannot be run: {describe_error(error)}") from error
        if ends:
            process.terminate()
        code = process.wait()
    return code if code >= 0 else 128 - code


@contextmanager
def _handled(number: signal.Signals, handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """A handler for as long as the block runs; a signal that is ignored stays so, for the command too."""
    if signal.getsignal(number) == signal.SIG_IGN:
        yield
        return
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)
