"""A real, small HTTP(S) server in threads that answers what a test says, and keeps what it was sent."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Asked:
    """A request as it arrived; `body` is what came of it."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def form(self) -> dict[str, str]:
        from urllib.parse import parse_qsl

        return dict(parse_qsl(self.body.decode()))

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Answer:
    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    read: int | None = None
    """Read so many bytes of the body only; None: all."""
    reset: bool = False
    """Break the connection in the place of an answer."""
    drip: Callable[[Callable[[bytes], Any]], None] | None = None
    """Write the body's bytes by hand."""


def answer(made: Any, status: int = 200, **headers: str) -> Answer:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return Answer(status, json.dumps(made).encode(), {"Content-Type": "application/json", **named})


Script = Callable[[Asked], Answer]


class TinyServer:
    """`script` is asked for each answer; a list is played in order, its last answer again and again."""

    def __init__(self, script: Script | list[Answer], context: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        self._script = script
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_: Any) -> None: ...

            def _handle(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                asked = Asked(self.command, self.path, list(self.headers.items()), b"")
                with outer._lock:
                    outer.asked.append(asked)
                    told = outer._next(asked) if not callable(outer._script) else None
                if told is None or told.read is None:
                    asked.body = self.rfile.read(length)
                else:
                    asked.body = self.rfile.read(min(told.read, length))
                if told is None:
                    told = outer._script(asked)  # type: ignore[operator]
                if told.reset:
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.close_connection = True
                    self.connection.close()
                    return
                self.send_response(told.status)
                headers = {"Content-Length": str(len(told.body)), **told.headers}
                for name, value in headers.items():
                    if value:
                        self.send_header(name, value)
                if told.read is not None or told.drip:
                    self.close_connection = True
                    self.send_header("Connection", "close")
                self.end_headers()
                try:
                    if told.drip:
                        told.drip(self.wfile.write)
                    else:
                        self.wfile.write(told.body)
                except OSError:
                    self.close_connection = True

            do_GET = do_POST = do_PUT = _handle

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None: ...

        self._server = Server(("127.0.0.1", 0), Handler)
        self.scheme = "http"
        if context:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self.scheme = "https"

    def _next(self, _: Asked) -> Answer:
        script = self._script
        assert isinstance(script, list)
        return script.pop(0) if len(script) > 1 else script[0]

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def paths(self) -> list[str]:
        return [each.path for each in self.asked]

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def serving(script: Script | list[Answer], context: ssl.SSLContext | None = None) -> Iterator[TinyServer]:
    server = TinyServer(script, context)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def jwt(**claims: Any) -> str:
    """A token as Keycloak makes them, with a signature that nobody checks."""

    def part(made: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(made).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'RS256'})}.{part(claims)}.c2lnbmF0dXJl"
