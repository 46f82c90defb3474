"""HTTP to one platform: TLS verified, answers bounded, repeats said, the token never given to another host."""

from __future__ import annotations

import json as json_module
import secrets
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode, urljoin, urlsplit

from hatch_wallaroo.__about__ import __version__
from hatch_wallaroo.files.json_text import JsonError, parse_json
from hatch_wallaroo.platform.credentials import Secret, cleaned
from hatch_wallaroo.platform.errors import ConnectionFailedError
from hatch_wallaroo.platform.network import Broken, open_pool, timeouts, what_broke
from hatch_wallaroo.platform.screen import duration

_MESSAGE_KEYS = ("error_description", "msg", "message", "error", "detail")


@dataclass(frozen=True)
class Response:
    """An answer: status, headers (names in lower case), the whole body. Its repr holds no body: it may be a token."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    asked: str = ""
    """Method and path of the request, for messages."""
    secrets: tuple[Secret, ...] = ()
    """What is taken out of the answer's words before they are shown."""

    def json(self) -> Any:
        """The body as JSON. Raises ConnectionFailedError where it is something else."""
        try:
            return parse_json(self.body)
        except JsonError:
            pass
        what = "a web page" if self.is_page else "something that is not JSON"
        raise ConnectionFailedError(
            f"{self.asked} was answered with {what} (HTTP {self.status}).",
            "Check the url: it is the platform's own address, the one that the SDK's Client takes.",
        )

    @property
    def is_page(self) -> bool:
        return b"<html" in self.body[:2048].lower() or "text/html" in self.headers.get("content-type", "")

    def words(self) -> str:
        """What the platform says, in one cleaned line; "" where it says nothing that a person can read."""
        try:
            made = parse_json(self.body)
        except JsonError:
            made = None if self.is_page else self.body.decode("utf-8", "replace")
        return cleaned(_message(made), self.secrets)


def _message(made: Any) -> str:
    if isinstance(made, dict):
        found = next((made[key] for key in _MESSAGE_KEYS if made.get(key)), "")
        return _message(found)
    if isinstance(made, list):
        return "; ".join(filter(None, (_message(each) for each in made[:5] if not isinstance(each, list))))
    return made if isinstance(made, str) else ""


REPEATED = frozenset({408, 429, 502, 503, 504})
"""The statuses that say `later`; every other one is an answer."""
_USER_AGENT = f"hatch-wallaroo/{__version__}"
_LARGEST_ANSWER = 32 << 20
_LONGEST_ANSWER = 300.0
_LONGEST_WAIT = 120.0
_MOST_REDIRECTS = 5


class Body(Protocol):
    """What is sent: a known length, and the same bytes each time it is iterated."""

    length: int
    content_type: str

    def __iter__(self) -> Iterator[bytes]: ...


class Authorizer(Protocol):
    """Gives the `Authorization` header, and a new one when the platform does not take the old one any more."""

    def header(self) -> str: ...

    def renew(self) -> None: ...


@dataclass(frozen=True)
class Retrying:
    """Said before each repeat: why, the seconds until then, and which attempt of how many comes."""

    reason: str
    wait: float
    attempt: int
    attempts: int

    def __str__(self) -> str:
        return f"{self.reason.rstrip('.')}; trying again in {duration(self.wait)}"


@dataclass(frozen=True)
class _Request:
    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    content: bytes | Body | None = field(repr=False)
    confidential: bool
    """The content holds a password or token."""
    large: bool

    @property
    def asked(self) -> str:
        parts = urlsplit(self.url)
        return f"{self.method} {parts.scheme}://{parts.netloc}{parts.path}"


class Transport:
    """Requests to the platform at `url`.

    `timeout`: seconds without a byte before an answer counts as lost; `connect_timeout`: for connecting and
    for sending one block. `retries`: repeats after the first attempt on connection errors and the statuses
    of REPEATED, with a pause that doubles, or the one of `Retry-After` (at most 120 s). `ca_cert`: a file of
    certificates, or a folder, trusted beside the system's.
    `sleep`, `clock` (seconds since the epoch) and `on_retry` are for tests and for the one who looks on.
    """

    def __init__(
        self,
        url: str,
        *,
        ca_cert: Path | None = None,
        timeout: float = 60.0,
        connect_timeout: float = 30.0,
        retries: int = 4,
        on_retry: Callable[[Retrying], None] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.url = url.rstrip("/")
        self.authorizer: Authorizer | None = None
        self._secrets: dict[Secret, None] = {}
        self._pool = open_pool(self.url, ca_cert)
        self._timeout = timeout
        self._connect_timeout = connect_timeout
        self._attempts = retries + 1
        self._on_retry = on_retry
        self._sleep = sleep
        self._clock = clock

    def conceal(self, secret: Secret | None) -> None:
        """From now on this value is taken out of everything that the platform says."""
        if secret:
            self._secrets[secret] = None

    @property
    def concealed(self) -> tuple[Secret, ...]:
        return tuple(self._secrets)

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        body: Body | None = None,
        authorize: bool = True,
        before_repeat: Callable[[], None] | None = None,
    ) -> Response:
        """Send a request until it is answered, and give the answer whatever its status.

        `path` begins with a slash. One of `json`, `form` (counted as confidential) and `body`. With
        `authorize` the authorizer's header goes along, renewed once where the answer is 401.
        `before_repeat` is called before a request that may have arrived is sent once more; it raises to end that.

        Raises ConnectionFailedError where no answer comes.
        """
        content, kind = _content(json, form, body)
        fixed = {"User-Agent": _USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity", **(headers or {})}
        if kind:
            fixed["Content-Type"] = kind
        authorizer = self.authorizer if authorize else None
        renewed = False
        attempt = 1
        while True:
            token = {"Authorization": authorizer.header()} if authorizer else {}
            request = _Request(method, self.url + path, {**fixed, **token}, content, form is not None, body is not None)
            outcome = self._attempt(request)
            if isinstance(outcome, Response):
                if outcome.status == HTTPStatus.UNAUTHORIZED and authorizer and not renewed:
                    renewed = True
                    authorizer.renew()
                    continue
                if outcome.status not in REPEATED or attempt >= self._attempts:
                    return outcome
            elif not outcome.repeat or attempt >= self._attempts:
                raise _gone(outcome, attempt)
            attempt += 1
            self._pause(outcome, attempt)
            if before_repeat:
                before_repeat()

    def _attempt(self, request: _Request) -> Response | Broken:
        try:
            return self._follow(request)
        except Broken as broken:
            return broken

    def _pause(self, outcome: Response | Broken, attempt: int) -> None:
        wait = min(2.0 ** (attempt - 2), 30.0) + secrets.randbelow(250) / 1000
        if isinstance(outcome, Response):
            asked = _retry_after(outcome.headers.get("retry-after", ""), self._clock())
            wait = wait if asked is None else asked
            words = outcome.words()
            reason = f"the platform answers {outcome.status}" + (f" ({words})" if words else "")
        else:
            reason = outcome.message
        wait = min(wait, _LONGEST_WAIT)
        if self._on_retry:
            self._on_retry(Retrying(reason, wait, attempt, self._attempts))
        self._sleep(wait)

    def _follow(self, request: _Request) -> Response:
        """Send, and go where the answer points to: another host gets neither the token nor a form."""
        for _ in range(_MOST_REDIRECTS + 1):
            response = self._exchange(request)
            location = response.headers.get("location")
            if response.status not in {301, 302, 303, 307, 308} or not location:
                return response
            try:
                target = urljoin(request.url, location)
                _ = urlsplit(target).port
            except ValueError:
                raise Broken(f"{request.asked} redirects to an address that is none.", repeat=False) from None
            request = _redirected(request, target, response.status)
        raise Broken(f"{request.asked} only redirects from one address to the next.", repeat=False)

    def _exchange(self, request: _Request) -> Response:
        from urllib3.exceptions import HTTPError

        headers = dict(request.headers)
        content = request.content
        if content is not None:
            length = len(content) if isinstance(content, bytes) else content.length
            headers["Content-Length"] = str(length)
        limits = timeouts(self._connect_timeout, self._timeout, large=request.large)
        try:
            raw = self._pool.request(
                request.method,
                request.url,
                body=content if content is None or isinstance(content, bytes) else iter(content),
                headers=headers,
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
                timeout=limits,
            )
            names = {name.lower(): value for name, value in raw.headers.items()}
            try:
                received = self._received(raw, names, request)
            except BaseException:
                raw.close()
                raise
            raw.release_conn()
        except (HTTPError, OSError) as error:
            raise what_broke(error, request.asked, self.concealed) from error
        return Response(raw.status, names, received, request.asked, self.concealed)

    def _received(self, raw: Any, headers: Mapping[str, str], request: _Request) -> bytes:
        """The whole body of an answer, in bounded memory and time."""
        until = time.monotonic() + _LONGEST_ANSWER
        blocks = bytearray()
        while block := raw.read1(1 << 16, decode_content=False):
            blocks += block
            if len(blocks) > _LARGEST_ANSWER:
                raise Broken(f"{request.asked} is answered with more than 32 MiB.", repeat=False)
            if time.monotonic() > until:
                raise Broken(f"{request.asked} takes more than {_LONGEST_ANSWER:.0f} s to answer.", repeat=False)
        encoding = headers.get("content-encoding", "identity").lower()
        if encoding in {"identity", ""}:
            return bytes(blocks)
        return _unpacked(bytes(blocks), encoding, request)


def _content(json: Any, form: Mapping[str, str] | None, body: Body | None) -> tuple[bytes | Body | None, str | None]:
    if body is not None:
        return body, body.content_type
    if form is not None:
        return urlencode(form).encode(), "application/x-www-form-urlencoded"
    if json is not None:
        return json_module.dumps(json).encode(), "application/json"
    return None, None


def _unpacked(packed: bytes, encoding: str, request: _Request) -> bytes:
    """What a proxy packed unasked; a small answer that unpacks to gigabytes is refused."""
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        raise Broken(f"{request.asked} is answered in the encoding {cleaned(encoding)}.", repeat=False)
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        made = unpacker.decompress(packed, _LARGEST_ANSWER)
    except zlib.error:
        raise Broken(f"{request.asked} is answered with broken {encoding} data.", repeat=False) from None
    if unpacker.unconsumed_tail:
        raise Broken(f"{request.asked} is answered with more than 32 MiB.", repeat=False)
    return made


def _redirected(request: _Request, target: str, status: int) -> _Request:
    """The request that a redirect asks for. Raises Broken where following it would not be safe."""
    old, new = urlsplit(request.url), urlsplit(target)
    where = f"{new.scheme}://{new.hostname}"
    if new.scheme not in {"http", "https"} or not new.hostname or new.username or new.password:
        raise Broken(f"{request.asked} redirects to an address that is none.", repeat=False)
    if old.scheme == "https" and new.scheme == "http":
        raise Broken(f"{request.asked} redirects to {where}, which is not encrypted.", repeat=False)
    method, content, headers = request.method, request.content, dict(request.headers)
    if status == HTTPStatus.SEE_OTHER and method != "HEAD":
        method, content = "GET", None
        headers.pop("Content-Type", None)
    if not _same_site(request.url, target):
        headers = {name: value for name, value in headers.items() if name.lower() not in {"authorization", "cookie"}}
        if content is not None and (request.confidential or status not in {307, 308}):
            raise Broken(f"{request.asked} redirects to another host, {where}; nothing was sent there.", repeat=False)
    return _Request(method, target, headers, content, request.confidential, request.large)


def _same_site(one: str, other: str) -> bool:
    """The same host and port; plain http may become https on the standard ports."""
    ports = {"http": 80, "https": 443}
    old, new = urlsplit(one), urlsplit(other)
    here, there = (old.port or ports[old.scheme]), (new.port or ports[new.scheme])
    if old.hostname != new.hostname:
        return False
    upgraded = (old.scheme, here, new.scheme, there) == ("http", 80, "https", 443)
    return upgraded or (old.scheme, here) == (new.scheme, there)


def _retry_after(text: str, now: float) -> float | None:
    """Seconds that `Retry-After` asks for, a number or a date; None where it asks for nothing."""
    text = text.strip()
    if text.isdecimal() and text.isascii():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(0.0, (moment - datetime.fromtimestamp(now, timezone.utc)).total_seconds())


def _gone(broken: Broken, attempts: int) -> ConnectionFailedError:
    times = f" Tried {attempts} times." if attempts > 1 else ""
    return ConnectionFailedError(broken.message + times, broken.fix)
