"""Tokens: how a login service tells them, whom they say they are for, and the file that remembers them.

The file is readable by its owner alone, and keyed by URL and user.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hatch_wallaroo.files.json_text import JsonError, parse_object, read_object
from hatch_wallaroo.files.writing import PRIVATE, write_whole
from hatch_wallaroo.platform.credentials import Secret, is_token
from hatch_wallaroo.platform.errors import ConnectionFailedError
from hatch_wallaroo.platform.transport import Response

LONGEST_LOGIN = 1800.0
LATEST = 10 * 365 * 86400.0
"""No token lasts longer: what says so is not believed."""


@dataclass(frozen=True)
class Device:
    """What begins a login in the browser."""

    code: Secret
    address: str
    user_code: str
    interval: float
    expires_in: float

    @classmethod
    def read(cls, response: Response) -> Device:
        made = response.json()
        made = made if isinstance(made, dict) else {}
        code = made.get("device_code")
        address = made.get("verification_uri_complete") or made.get("verification_uri")
        if not isinstance(code, str) or not is_token(code) or not isinstance(address, str):
            raise ConnectionFailedError(f"{response.asked} did not begin a login.", "Check the url.")
        if not address.startswith(("https://", "http://")):
            raise ConnectionFailedError(f"{response.asked} sends the browser to something that is no address.")
        user_code = made.get("user_code")
        return cls(
            code=Secret(code),
            address=address,
            user_code=user_code if isinstance(user_code, str) else "",
            interval=min(max(seconds(made.get("interval")) or 5.0, 1.0), 60.0),
            expires_in=min(seconds(made.get("expires_in")) or 600.0, LONGEST_LOGIN),
        )


def seconds(value: Any) -> float | None:
    """Seconds that a login service tells, a number or one in a string; None where it tells none that can be."""
    try:
        made = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else -1.0
    except (ValueError, OverflowError):
        return None
    return made if 0 <= made <= LATEST else None


def error_of(response: Response) -> str:
    """The `error` of a refused grant; "" where there is none."""
    if response.status == 200:  # noqa: PLR2004  # HTTP
        return ""
    try:
        made = response.json()
    except ConnectionFailedError:
        return ""
    error = made.get("error") if isinstance(made, dict) else None
    return error if isinstance(error, str) else ""


_NAMES = ("preferred_username", "email")


def names_of(token: Secret) -> tuple[str, ...]:
    """The names of the user in a JWT, the login name first; () where the token is none or does not tell."""
    parts = token.reveal().split(".")
    if len(parts) != 3:  # noqa: PLR2004  # header, payload, signature
        return ()
    try:
        payload = parse_object(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (JsonError, binascii.Error):
        return ()
    found = [payload.get(key) for key in _NAMES]
    names = [each for each in found if isinstance(each, str) and each.isprintable() and 0 < len(each) < 300]  # noqa: PLR2004  # e-mail addresses are shorter
    return tuple(dict.fromkeys(names))


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
                made = read_object(stream, _LARGEST)
        except (OSError, JsonError):
            return {}
        logins = made.get("logins") if made.get("format") == _FORMAT else None
        if not isinstance(logins, dict):
            return {}
        return {url: entries for url, entries in logins.items() if isinstance(entries, dict)}

    def _write(self, logins: Mapping[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        text = json.dumps({"format": _FORMAT, "logins": logins}, indent=2)
        write_whole(self.path, text.encode(), mode=PRIVATE)


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
