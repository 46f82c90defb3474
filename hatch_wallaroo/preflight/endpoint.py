"""Models behind HTTP on the loopback interface: the requests of the platform's pipelines, for whoever has the token.

The port is open to every user of the machine and to every page in a browser, so each request must bear the token; a
page could not send it, nor may one be named as the origin, nor another host as the one that is meant.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from hatch_wallaroo.preflight.forms import ARROW, ROWS, as_arrow, as_json, read_arrow, read_records
from hatch_wallaroo.preflight.lineup import Lineup, UnknownNameError
from hatch_wallaroo.preflight.pipeline import FitError, Passed, StepError, table
from hatch_wallaroo.preflight.rows import LARGEST, RowsError
from hatch_wallaroo.preflight.serving import ClosedError
from hatch_wallaroo.releases.model import ApiSupport

HOST = "127.0.0.1"
LOCAL = frozenset({HOST, "localhost"})
"""What a request may call the host: a page that has its own name lead to this machine does not."""
INFER = "/v1/api/pipelines/infer/"
"""Behind it `NAME-1/NAME`: the platform's address of a pipeline holds the deployment's number."""

_AT_ONCE = 16
"""Requests that are answered at the same time; another one is told to come again."""
_DRAINED = 1 << 20
"""Bytes of a refused question that are read, so that its sender hears why."""
_IDLE = 60.0


@dataclass(frozen=True)
class Asked:
    """A question that was answered, or was not: for the log. `error` is empty where it was."""

    name: str
    rows: int
    seconds: float
    error: str = ""


class Endpoint:
    """A server that takes connections as soon as it is made: `url` and `token` say how it is asked."""

    def __init__(self, lineup: Lineup, port: int = 0, heard: Callable[[Asked], None] = lambda _: None) -> None:
        """Raises OSError where the port is taken. `heard` is told each question, in the thread that answers it."""
        self.lineup, self.heard = lineup, heard
        self.token = secrets.token_urlsafe(24)
        self.places = threading.BoundedSemaphore(_AT_ONCE)
        self._server = _Server((HOST, port), _handler(self))
        self._server.heard = heard
        self.port = int(self._server.server_address[1])
        self.url = f"http://{HOST}:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="endpoint", daemon=True)
        self._thread.start()

    def address(self, name: str) -> str:
        """Where a name is asked."""
        return f"{self.url}{INFER}{name}-1/{name}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextlib.contextmanager
def opened(lineup: Lineup, port: int = 0, heard: Callable[[Asked], None] = lambda _: None) -> Iterator[Endpoint]:
    """An endpoint for as long as the block runs. Raises OSError where the port is taken."""
    made = Endpoint(lineup, port, heard)
    try:
        yield made
    finally:
        made.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    heard: Callable[[Asked], None]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke is its client's affair; anything else is said, without a traceback."""
        del request, client_address
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            self.heard(Asked("", 0, 0.0, f"a question ended with {type(error).__name__}: {error}"))


class _RefusedError(Exception):
    """A request that is not answered: the status, and why."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


def _handler(endpoint: Endpoint) -> type[BaseHTTPRequestHandler]:
    class Handler(_Handler):
        pass

    Handler.endpoint = endpoint
    return Handler


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    endpoint: Endpoint
    protocol_version = "HTTP/1.1"
    timeout = _IDLE
    left = 0
    """Bytes of the request's body that were not read yet."""

    def do_GET(self) -> None:
        self._answered(self._describe)

    def do_POST(self) -> None:
        self._answered(self._infer)

    def _answered(self, work: Callable[[], None]) -> None:
        if not self.endpoint.places.acquire(blocking=False):
            self.close_connection = True
            self._fail(HTTPStatus.SERVICE_UNAVAILABLE, f"{_AT_ONCE} questions are being answered already")
            return
        try:
            self.left = self._length()
            self._permit()
            work()
        except _RefusedError as error:
            self._drain()
            self._fail(error.status, str(error))
        finally:
            self.endpoint.places.release()

    def _permit(self) -> None:
        """Refuse whoever has no token, and what a browser sends for a page. Raises _RefusedError."""
        if self.headers.get("Host", "").partition(":")[0] not in LOCAL:
            raise _RefusedError(HTTPStatus.FORBIDDEN, "another host is meant")
        if self.headers.get("Origin") is not None:
            raise _RefusedError(HTTPStatus.FORBIDDEN, "pages of a browser are not answered")
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        given = token.strip().encode("utf-8", "replace")
        if kind.lower() != "bearer" or not hmac.compare_digest(given, self.endpoint.token.encode()):
            raise _RefusedError(HTTPStatus.UNAUTHORIZED, "the token is missing, or another one")

    def _length(self) -> int:
        told = self.headers.get("Content-Length")
        if told is None:
            return 0
        return int(told) if told.isascii() and told.isdigit() and len(told) < 16 else -1  # noqa: PLR2004 - digits

    def _describe(self) -> None:
        """What is served: names, the models behind each, and the schemas of what is asked first."""
        if urlsplit(self.path).path != "/":
            raise _RefusedError(HTTPStatus.NOT_FOUND, "there is nothing at this address")
        self._drain()
        lineup = self.endpoint.lineup
        limits = [each.options.limits for each in lineup.models.values()]
        made = {
            "format": 1,
            "default": lineup.default,
            "names": {name: list(lineup.members(name)) for name in lineup.names},
            "seconds": sum(each.start + each.call for each in limits),
        }
        self._send(HTTPStatus.OK, json.dumps(made).encode(), "application/json")

    def _infer(self) -> None:
        name = self._name()
        kind = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind not in {ARROW, "application/json"}:
            raise _RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"the Content-Type is neither {ROWS} nor {ARROW}")
        body = self._body()
        begun = time.perf_counter()
        rows = 0
        try:
            if kind == ARROW:
                batch = read_arrow(body, "the question")
                rows = _some(batch.num_rows)
                passed = self.endpoint.lineup.ask(name, batch)
            else:
                asked = read_records(body, "the question")
                rows = _some(len(asked))
                passed = self.endpoint.lineup.ask_rows(name, asked, "the question")
        except (RowsError, StepError, ClosedError) as error:
            self.endpoint.heard(Asked(name, rows, time.perf_counter() - begun, str(error)))
            fix = getattr(error, "fix", "")
            self._fail(self._status(name, error), str(error) if not fix else f"{error} ({fix})", name)
            return
        self.endpoint.heard(Asked(name, rows, time.perf_counter() - begun))
        self._give(name, passed, arrow=self._wants_arrow(kind))

    def _status(self, name: str, error: Exception) -> HTTPStatus:
        """Whether the question is at fault, or a model."""
        asked = isinstance(error, RowsError) or (
            isinstance(error, StepError)
            and isinstance(error.cause, FitError)
            and error.step == self.endpoint.lineup.subject(name).name
        )
        return HTTPStatus.BAD_REQUEST if asked else HTTPStatus.INTERNAL_SERVER_ERROR

    def _wants_arrow(self, kind: str) -> bool:
        wanted = self.headers.get("Accept", "").lower()
        return ARROW in wanted or (kind == ARROW and "json" not in wanted)

    def _name(self) -> str:
        """The name in the address. Raises _RefusedError where nothing of that name is served."""
        lineup = self.endpoint.lineup
        path = unquote(urlsplit(self.path).path)
        deployment, _, name = path.removeprefix(INFER).partition("/")
        if not path.startswith(INFER) or name not in lineup.names or deployment != f"{name}-1":
            known = ", ".join(f"{INFER}{each}-1/{each}" for each in lineup.names)
            raise _RefusedError(HTTPStatus.NOT_FOUND, f"there is nothing at this address; there is {known}")
        return name

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") is not None or self.headers.get("Content-Length") is None:
            self.close_connection = True
            raise _RefusedError(HTTPStatus.LENGTH_REQUIRED, "a question says its length")
        if self.left < 0:
            self.close_connection = True
            raise _RefusedError(HTTPStatus.BAD_REQUEST, "the length is no number")
        if self.left > LARGEST:
            raise _RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a question has {LARGEST >> 20} MiB at most")
        body = self.rfile.read(self.left)
        missing, self.left = self.left - len(body), 0
        if missing:
            self.close_connection = True
            raise _RefusedError(HTTPStatus.BAD_REQUEST, "the question ends before its length")
        return body

    def _drain(self) -> None:
        """Read what was refused, if it is little; the connection ends where it is not."""
        if self.left < 0 or self.left > _DRAINED or self.headers.get("Transfer-Encoding") is not None:
            self.close_connection = True
        else:
            self.rfile.read(self.left)
        self.left = 0

    def _give(self, name: str, passed: Passed, *, arrow: bool) -> None:
        made = table(passed, anomalies=self._api(name).anomaly_count)
        if arrow:
            self._send(HTTPStatus.OK, as_arrow(made), ARROW)
        else:
            self._send(HTTPStatus.OK, as_json(made), ROWS)

    def _api(self, name: str) -> ApiSupport:
        """The forms of the release that is asked first."""
        return self.endpoint.lineup.subject(name).release.api

    def _fail(self, status: HTTPStatus, message: str, name: str = "") -> None:
        """An error in the form of the model's release, once it is known which is asked."""
        made: Any = {"code": status.value, "status": status.phrase, "error": message, "source": "engine"}
        with contextlib.suppress(UnknownNameError):
            if name and not self._api(name).plain_errors:
                made = [{"error_type": "InferenceError", "error": message}]
        self._send(status, json.dumps(made).encode(), ROWS)

    def _send(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        with contextlib.suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("X-Content-Type-Options", "nosniff")
            if status is HTTPStatus.UNAUTHORIZED:
                self.send_header("WWW-Authenticate", "Bearer")
            if self.close_connection:
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the server itself refuses, such as an unknown method, in the same form."""
        del explain
        self.close_connection = True
        status = HTTPStatus(code)
        self._fail(status, message or status.phrase)

    def version_string(self) -> str:
        return "hatch-wallaroo"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Nothing: `heard` is told what was asked."""


def _some(rows: int) -> int:
    """The number of rows. Raises RowsError where there are none."""
    if not rows:
        raise RowsError("the question holds no rows")
    return rows
