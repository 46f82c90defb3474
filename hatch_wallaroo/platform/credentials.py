"""Secrets, which are used and never shown, and the places that hold them: the SDK's file, the system's keyring."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from hatch_wallaroo.files.json_text import JsonError, read_object
from hatch_wallaroo.platform.errors import ConfigurationError
from hatch_wallaroo.text import describe_error

MASK = "***"
_SHORTEST = 4
"""Shorter values are not looked for in a text: they would blot out half of its words."""
_SHOWN = 600


class Secret:
    """A password or token. Whatever prints, formats or logs it gets `***`; `reveal()` gives the value."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself: for the line that puts it into a request, and nowhere else."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere")


def is_token(text: str) -> bool:
    """Whether it can stand in a header: no spaces, no line breaks, ASCII only."""
    return re.fullmatch(r"[\x21-\x7e]+", text) is not None


def is_sendable(text: str) -> bool:
    """Whether it is text: bytes of another encoding in a variable, or half a character in JSON, are not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def without(text: str, secrets: Iterable[Secret]) -> str:
    """The text with every secret in it, plain or percent-encoded, replaced by `***`."""
    from urllib.parse import quote, quote_plus

    for value in sorted((each.reveal() for each in secrets), key=len, reverse=True):
        if len(value) < _SHORTEST:
            continue
        for form in (value, quote(value, safe=""), quote_plus(value)):
            text = text.replace(form, MASK)
    return text


def cleaned(text: str, secrets: Iterable[Secret] = (), longest: int = _SHOWN, *, lines: bool = False) -> str:
    """Text of a stranger as it may be shown: no secrets, no control characters, not longer than `longest`.

    With `lines` the line breaks stay. Cut before cleaning would let half a secret through.
    """
    text = without(text, secrets)[: 64 * 1024]
    kept = "".join(each if each.isprintable() or (lines and each == "\n") else " " for each in text)
    kept = kept.strip() if lines else " ".join(kept.split())
    return kept if len(kept) <= longest else kept[: longest - 1] + "…"


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
            made = read_object(stream, _LARGEST)
    except JsonError:
        raise ConfigurationError(f"The credentials file {path} is no JSON object.", _SHAPES) from None
    except OSError as error:
        raise ConfigurationError(
            f"The credentials file {path} cannot be read: {describe_error(error)}.", "See WALLAROO_SDK_CREDENTIALS."
        ) from error
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
