"""The logins that `hatch-wallaroo login` remembers: one file, readable by its owner, keyed by URL and user."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hatch_wallaroo.platform.secret import Secret, is_token

_LARGEST = 1 << 20
_FORMAT = 1
_LATEST = 1e12


@dataclass(frozen=True)
class Tokens:
    """What a login gave. Times are seconds since the epoch; `refresh_expires` None: it does not end.

    `user` is the name that the platform knows, `also` what else the same user is called (the e-mail address).
    """

    access: Secret
    expires: float
    refresh: Secret | None
    refresh_expires: float | None
    user: str
    client_id: str
    also: tuple[str, ...] = ()

    def belong_to(self, user: str) -> bool:
        return user.casefold() in {each.casefold() for each in (self.user, *self.also)}


def default_path() -> Path:
    """Where the system keeps what a program remembers of one user."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Application Support")
    else:
        base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "hatch-wallaroo" / "tokens.json"


class TokenCache:
    """The file of logins. A missing, corrupt or foreign file is an empty one; writing replaces it whole."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or default_path()

    def load(self, url: str, user: str | None) -> Tokens | None:
        """The login of this user at this URL; without a user the only one there, None where there are several."""
        found = self._at(url)
        if user is not None:
            found = [each for each in found if each.belong_to(user)]
        return found[0] if len(found) == 1 else None

    def users(self, url: str) -> tuple[str, ...]:
        return tuple(each.user for each in self._at(url))

    def save(self, url: str, tokens: Tokens) -> None:
        """Remember a login in the place of the same user's older one. Raises OSError."""
        made = self._read()
        logins = made.setdefault(url, {})
        logins[tokens.user.casefold()] = _written(tokens)
        self._write(made)

    def delete(self, url: str, user: str | None = None) -> int:
        """Forget the logins at a URL, or one user's; how many there were. Raises OSError."""
        made = self._read()
        logins = made.get(url, {})
        gone = [
            key
            for key, entry in logins.items()
            if user is None or (tokens := _tokens(entry)) is None or tokens.belong_to(user)
        ]
        if gone:
            made[url] = {key: entry for key, entry in logins.items() if key not in gone}
            self._write({each: entries for each, entries in made.items() if entries})
        return len(gone)

    def _at(self, url: str) -> list[Tokens]:
        read = (_tokens(entry) for entry in self._read().get(url, {}).values())
        return [each for each in read if each is not None]

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            with self.path.open("rb") as stream:
                if not _own(os.fstat(stream.fileno())):
                    return {}
                text = stream.read(_LARGEST + 1)
            made = json.loads(text) if len(text) <= _LARGEST else None
        except (OSError, ValueError, RecursionError):
            return {}
        logins = made.get("logins") if isinstance(made, dict) and made.get("format") == _FORMAT else None
        if not isinstance(logins, dict):
            return {}
        return {url: entries for url, entries in logins.items() if isinstance(entries, dict)}

    def _write(self, logins: Mapping[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # mkstemp makes the file 0600 from the start: there is no moment at which others can read it.
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".tokens-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                json.dump({"format": _FORMAT, "logins": logins}, stream, indent=2)
            Path(name).replace(self.path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise


def _own(stat: os.stat_result) -> bool:
    """Whether this user wrote the file, so that nobody hands us a login of theirs."""
    return sys.platform == "win32" or stat.st_uid == os.getuid()


def _written(tokens: Tokens) -> dict[str, Any]:
    return {
        "user": tokens.user,
        "also": list(tokens.also),
        "client_id": tokens.client_id,
        "access": tokens.access.reveal(),
        "expires": tokens.expires,
        "refresh": tokens.refresh.reveal() if tokens.refresh else None,
        "refresh_expires": tokens.refresh_expires,
    }


def _tokens(entry: Any) -> Tokens | None:
    """An entry of the file, or None where it is not one."""
    if not isinstance(entry, dict):
        return None
    access, user, client = (entry.get(key) for key in ("access", "user", "client_id"))
    refresh, also = entry.get("refresh"), entry.get("also", [])
    expires, refresh_expires = entry.get("expires"), entry.get("refresh_expires")
    texts = [access, user, client, *(also if isinstance(also, list) else [None])]
    if not all(isinstance(each, str) and each for each in texts) or _time(expires) is None or not is_token(str(access)):
        return None
    return Tokens(
        access=Secret(str(access)),
        expires=_time(expires) or 0.0,
        refresh=Secret(refresh) if isinstance(refresh, str) and is_token(refresh) else None,
        refresh_expires=_time(refresh_expires),
        user=str(user),
        client_id=str(client),
        also=tuple(also),
    )


def _time(value: Any) -> float | None:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    return float(value) if abs(value) < _LATEST else None
