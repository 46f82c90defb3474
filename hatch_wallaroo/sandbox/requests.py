"""What every endpoint of the sandbox shares: bodies read within bounds, answers, faults, the caller's token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from hatch_wallaroo.files.json_text import JsonError, parse_json
from hatch_wallaroo.releases.model import Release
from hatch_wallaroo.sandbox.deployments import Deployments
from hatch_wallaroo.sandbox.faults import Faults
from hatch_wallaroo.sandbox.judging import Images
from hatch_wallaroo.sandbox.logins import SandboxCredentials, TokenIssuer
from hatch_wallaroo.sandbox.runtime import Runtime
from hatch_wallaroo.sandbox.store import Store

LARGEST_BODY = 1 << 20
ABORT = "hatch_wallaroo.abort"
"""Where the server leaves, in a request's scope, the function that resets its connection."""


@dataclass
class Sandbox:
    """Everything that the endpoints work with. `pace` is how many seconds each stage of a conversion lasts."""

    release: Release
    store: Store
    tokens: TokenIssuer
    credentials: SandboxCredentials = field(repr=False)
    faults: Faults
    incoming: Path
    pace: float
    largest: int
    deployments: Deployments
    images: Images | None = None
    """What pulls and starts registered images; None: they are believed."""

    @property
    def runtime(self) -> Runtime | None:
        """What loads and runs uploads; None: they are read, and no pipeline is deployed."""
        return self.deployments.runtime

    def close(self) -> None:
        """End what runs, wait for what is tried, and close the state."""
        if self.runtime:
            self.runtime.close()
        self.deployments.close()
        if self.images:
            self.images.wait()
        self.store.close()


class RequestRefusedError(Exception):
    """A request that is answered with a status and words: `{"msg", "code"}`."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        self.message = message
        super().__init__(message)


def error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """An error as the platform's API words it."""
    return JSONResponse({"msg": message, "code": status}, status, headers)


async def json_body(request: Request) -> dict[str, Any]:
    """The JSON object in a request's body; an empty body is an empty object. Raises RequestRefusedError."""
    data = await whole_body(request)
    try:
        found = parse_json(data) if data else {}
    except JsonError:
        raise RequestRefusedError(400, "Bad request: the body is not JSON") from None
    if not isinstance(found, dict):
        raise RequestRefusedError(400, "Bad request: the body is not a JSON object")
    return found


async def form_body(request: Request, most_fields: int = 50) -> dict[str, str]:
    """The fields of a form. Raises RequestRefusedError."""
    data = await whole_body(request)
    try:
        return dict(parse_qsl(data.decode(), max_num_fields=most_fields, keep_blank_values=True))
    except ValueError:
        raise RequestRefusedError(400, "Bad request: the body is not a form") from None


async def whole_body(request: Request, most: int = LARGEST_BODY) -> bytes:
    """A request's body. Raises RequestRefusedError where it is larger than `most` bytes."""
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > most:
            raise RequestRefusedError(413, "Payload Too Large")
    return bytes(data)


async def drain(pieces: AsyncIterator[bytes], most: int) -> None:
    """Read what is left of a body and forget it, so that the client gets to read its answer."""
    seen = 0
    try:
        async for piece in pieces:
            seen += len(piece)
            if seen > most:
                return
    except ClientDisconnect:
        return


async def cut(request: Request) -> Response:
    """Reset the connection. What is returned never arrives."""
    abort = request.scope.get(ABORT)
    if abort is None:
        raise ConnectionResetError("the connection is reset, as a fault asks for")
    abort()
    return Response(status_code=500)


def authorize(request: Request, sandbox: Sandbox) -> None:
    """Check the request's token. Raises RequestRefusedError."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or sandbox.tokens.read(token.strip(), "Bearer") is None:
        raise RequestRefusedError(401, "Unauthorized")
    if sandbox.faults.take("token-expiry") is not None:
        raise RequestRefusedError(401, "Unauthorized: the token has expired")


def identifier(body: dict[str, Any], key: str) -> int:
    """A number out of a body. Raises RequestRefusedError."""
    value = body.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 63:
        raise RequestRefusedError(400, f"Bad request: missing field `{key}`")
    return value
