"""Credentials that stand somewhere else than in the settings: the SDK's file, the system's keyring."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from hatch_wallaroo.platform.errors import ConfigurationError
from hatch_wallaroo.platform.secret import Secret, is_sendable

_LARGEST = 1 << 20
_SHAPES = 'It holds {"username": …, "password": …} or {"token": …, "user_email": …, "user_id": …}.'


@dataclass(frozen=True)
class Credentials:
    """A user with a password, or a ready token."""

    user: str | None = None
    password: Secret | None = None
    token: Secret | None = None


def from_file(path: Path) -> Credentials:
    """The file that WALLAROO_SDK_CREDENTIALS names. Raises ConfigurationError without its contents."""
    try:
        with path.open("rb") as stream:
            text = stream.read(_LARGEST + 1)
    except OSError as error:
        raise ConfigurationError(
            f"The credentials file {path} cannot be read: {error.strerror}.", "See WALLAROO_SDK_CREDENTIALS."
        ) from error
    try:
        made = json.loads(text) if len(text) <= _LARGEST else None
    except (ValueError, RecursionError):
        made = None
    if not isinstance(made, dict):
        raise ConfigurationError(f"The credentials file {path} is no JSON object.", _SHAPES)
    user, password, token = (_text(made.get(key)) for key in ("username", "password", "token"))
    if token:
        return Credentials(token=Secret(token.strip()))
    if user and password:
        return Credentials(user=user, password=Secret(password))
    raise ConfigurationError(f"The credentials file {path} has neither a user with a password nor a token.", _SHAPES)


def from_keyring(url: str, user: str) -> Credentials | None:
    """The password that the system's keyring holds for this URL and user; None without a keyring that works."""
    try:
        import keyring

        found = keyring.get_password(url, user)
    except Exception:  # noqa: BLE001  # keyrings fail in as many ways as there are systems
        return None
    return Credentials(user=user, password=Secret(password)) if (password := _text(found)) else None


def _text(value: object) -> str:
    """A text that can be sent; "" for anything else."""
    return value if isinstance(value, str) and is_sendable(value) else ""
