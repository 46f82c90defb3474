"""Who may use the sandbox: credentials made at the start, tokens signed by it, codes for a browser."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

SDK_CLIENT = "sdk-client"
"""The public client of the official SDK."""

ACCESS_SECONDS = 300
REFRESH_SECONDS = 1800
DEVICE_SECONDS = 600
_MOST_CODES = 1000
_LONGEST_TOKEN = 8192


@dataclass(frozen=True)
class SandboxCredentials:
    """One user with a password, and one confidential client with a secret."""

    user: str
    password: str = field(repr=False)
    client: str
    secret: str = field(repr=False)

    @classmethod
    def generate(cls) -> SandboxCredentials:
        return cls("sandbox@example.com", secrets.token_hex(12), "api-client", secrets.token_hex(16))

    def is_user(self, user: str, password: str) -> bool:
        return _same(user, self.user) & _same(password, self.password)

    def is_client(self, client: str, secret: str) -> bool:
        return _same(client, self.client) & _same(secret, self.secret)


@dataclass
class _Code:
    """A device code that waits for its user."""

    user_code: str
    until: float
    approved: bool = False


class TokenIssuer:
    """Issues and checks tokens. What one start of the sandbox signed means nothing to the next."""

    def __init__(self, user_id: str, email: str, clock: Callable[[], float] = time.time) -> None:
        self.user_id = user_id
        self._email = email
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._codes: dict[str, _Code] = {}
        self._lock = threading.Lock()

    def issue(self, issuer: str, client: str) -> dict[str, Any]:
        """The answer of a token endpoint: an access token, and a refresh token that lives longer."""
        now = int(self._clock())
        claims = {"iat": now, "iss": issuer, "sub": self.user_id, "azp": client}
        named = {"email": self._email, "preferred_username": self._email, "email_verified": True}
        return {
            "access_token": self._signed({**claims, **named, "typ": "Bearer", "exp": now + ACCESS_SECONDS}),
            "expires_in": ACCESS_SECONDS,
            "refresh_expires_in": REFRESH_SECONDS,
            "refresh_token": self._signed({**claims, "typ": "Refresh", "exp": now + REFRESH_SECONDS}),
            "token_type": "Bearer",
            "not-before-policy": 0,
            "session_state": secrets.token_hex(16),
            "scope": "email profile",
        }

    def read(self, token: str, kind: str) -> Mapping[str, Any] | None:
        """The claims of a token that this sandbox signed, is of a kind (`Bearer`, `Refresh`) and has not expired."""
        if len(token) > _LONGEST_TOKEN or not token.isascii():
            return None
        body, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature, self._signature(body)):
            return None
        try:
            claims: dict[str, Any] = json.loads(_decoded(body.partition(".")[2]))
        except (ValueError, binascii.Error):
            return None
        return claims if claims["typ"] == kind and self._clock() < claims["exp"] else None

    def start_device(self) -> tuple[str, str]:
        """A device code, and the code that its user confirms in a browser."""
        letters = "BCDFGHJKLMNPQRSTVWXZ"
        device = secrets.token_urlsafe(32)
        code = "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(2))
        with self._lock:
            now = self._clock()
            self._codes = {key: each for key, each in self._codes.items() if each.until > now}
            while len(self._codes) >= _MOST_CODES:
                del self._codes[next(iter(self._codes))]
            self._codes[device] = _Code(code, now + DEVICE_SECONDS)
        return device, code

    def approve(self, user_code: str) -> bool:
        """Confirm a device by its user's code; False where no device waits for it."""
        with self._lock:
            for each in self._codes.values():
                if _same(each.user_code, user_code) and each.until > self._clock():
                    each.approved = True
                    return True
        return False

    def redeem(self, device: str) -> str:
        """What became of a device code: `ok` (once), `authorization_pending`, `expired_token` or `invalid_grant`."""
        with self._lock:
            code = self._codes.get(device)
            if code is None:
                return "invalid_grant"
            if code.until <= self._clock():
                return "expired_token"
            if not code.approved:
                return "authorization_pending"
            del self._codes[device]
            return "ok"

    def _signed(self, claims: Mapping[str, Any]) -> str:
        header = _encoded(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
        body = f"{header}.{_encoded(json.dumps({**claims, 'jti': secrets.token_hex(16)}).encode())}"
        return f"{body}.{self._signature(body)}"

    def _signature(self, body: str) -> str:
        return _encoded(hmac.new(self._key, body.encode(), hashlib.sha256).digest())


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
