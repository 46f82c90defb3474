"""Asks models that another process serves on this machine, by HTTP (see :mod:`hatch_wallaroo.preflight.endpoint`)."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hatch_wallaroo.files.json_text import JsonError, parse_json, parse_object
from hatch_wallaroo.preflight.endpoint import INFER, LOCAL
from hatch_wallaroo.preflight.forms import ARROW, ROWS, as_arrow
from hatch_wallaroo.preflight.rows import RowsError
from hatch_wallaroo.text import describe_error, printable

if TYPE_CHECKING:
    import pyarrow as pa

_LARGEST = 1 << 30
_LONGEST = 2000
_FIRST_SECONDS = 10.0


class NotReachedError(Exception):
    """Nothing answers at an address, or not as it should."""


class RefusedError(Exception):
    """It said why there is no answer; `status` is HTTP's: 400 for the question, 401 for the token, 500 for a model."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class AddressError(Exception):
    """Not an address of this machine; the message is the end of a sentence."""


@dataclass(frozen=True)
class Server:
    """What serves at an address: `names` are what can be asked, each with its models; `default` is asked without one.

    `seconds` is how long it may need for an answer.
    """

    host: str
    port: int
    token: str = field(repr=False)
    default: str | None = None
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    seconds: float = 600.0


def split(url: str) -> tuple[str, int]:
    """Host and port of an address on this machine. Raises AddressError."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise AddressError("is no address") from None
    if parts.scheme != "http" or not host or not port or parts.username is not None:
        raise AddressError("is no address as serve prints it: http://127.0.0.1:PORT")
    if host not in LOCAL:
        raise AddressError("is not on this machine: serve listens on 127.0.0.1 alone")
    return host, port


def find(url: str, token: str) -> Server:
    """What serves at an address. Raises AddressError, NotReachedError, RefusedError."""
    host, port = split(url)
    body = _request(Server(host, port, token, seconds=_FIRST_SECONDS), "GET", "/", None, {})
    try:
        made = parse_object(body)
        names = {str(name): [str(each) for each in models] for name, models in made["names"].items()}
        default = made.get("default")
        return Server(host, port, token, str(default) if default else None, names, float(made["seconds"]) + 30)
    except (JsonError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotReachedError("what answers there is no hatch-wallaroo serve") from error


def ask(server: Server, name: str, rows: Sequence[Mapping[str, Any]], source: str) -> pa.Table:
    """The answer to rows, as a table of `time`, `in.`, `out.`. Raises NotReachedError, RefusedError, RowsError."""
    import pyarrow as pa

    body, kind = _question(rows, source)
    headers = {"Content-Type": kind, "Accept": ARROW}
    answer = _request(server, "POST", f"{INFER}{name}-1/{name}", body, headers)
    try:
        return pa.ipc.open_file(pa.BufferReader(answer)).read_all()
    except (pa.ArrowException, OSError) as error:
        raise NotReachedError("what answers there gives no Arrow file") from error


def _question(rows: Sequence[Mapping[str, Any]], source: str) -> tuple[bytes, str]:
    """Rows as JSON, whose numbers the model's schema gives their type; as Arrow where JSON has no word for a value."""
    import pyarrow as pa

    try:
        return json.dumps([dict(row) for row in rows]).encode(), ROWS
    except (TypeError, ValueError):
        pass
    try:
        names = list(dict.fromkeys(name for row in rows for name in row))
        columns = [pa.array([row.get(name) for row in rows]) for name in names]
    except (pa.ArrowException, OverflowError) as error:
        raise RowsError(f"{source}: {error}", "rows have the same fields, each of one type") from error
    return as_arrow(pa.Table.from_arrays(columns, names=names)), ARROW


def _request(server: Server, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> bytes:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=server.seconds)
    told = {"Authorization": f"Bearer {server.token}", **headers}
    try:
        connection.request(method, path, body, told)
        response = connection.getresponse()
        data = response.read(_LARGEST + 1)
    except (OSError, http.client.HTTPException) as error:
        said = describe_error(error) if isinstance(error, OSError) else type(error).__name__
        raise NotReachedError(said) from error
    finally:
        connection.close()
    if len(data) > _LARGEST:
        raise NotReachedError(f"the answer is larger than {_LARGEST >> 20} MiB")
    if response.status != http.client.OK:
        raise RefusedError(_said(data) or f"HTTP {response.status}", response.status)
    return data


def _said(data: bytes) -> str:
    """The words of an error, in either form that the platform has."""
    try:
        made = parse_json(data[: 1 << 20])
    except JsonError:
        return ""
    made = made[0] if isinstance(made, list) and made else made
    said = made.get("error") if isinstance(made, dict) else None
    return printable(said[:_LONGEST], lines=True) if isinstance(said, str) else ""
