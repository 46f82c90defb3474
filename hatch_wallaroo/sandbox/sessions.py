"""Who is signed in with a browser, and which forms are the sandbox's own."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading

MOST_SESSIONS = 1000
_LONGEST = 200


class Sessions:
    """Sessions of browsers, in memory: none outlives the sandbox. Safe to use from several threads."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._open: dict[str, None] = {}
        self._lock = threading.Lock()

    def open(self) -> str:
        """A new session's token; of too many, the oldest ends."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            while len(self._open) >= MOST_SESSIONS:
                del self._open[next(iter(self._open))]
            self._open[token] = None
        return token

    def knows(self, token: str) -> bool:
        with self._lock:
            return token in self._open

    def close(self, token: str) -> None:
        with self._lock:
            self._open.pop(token, None)

    def form_token(self, cookie: str) -> str:
        """What a form says that was made for whoever sends this cookie; nobody else can make it."""
        return hmac.new(self._key, cookie[:_LONGEST].encode("utf-8", "replace"), hashlib.sha256).hexdigest()

    def is_own(self, cookie: str, said: str) -> bool:
        """Whether a form that came with a cookie was made for it."""
        return bool(cookie) and hmac.compare_digest(self.form_token(cookie).encode(), said.encode("utf-8", "replace"))
