"""The options of publishing: one row each, of which the reader, the messages and the reference are made."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hatch_wallaroo.platform.credentials import Secret, is_sendable, is_token
from hatch_wallaroo.platform.network import is_loopback

WAYS = ("auto", "password", "sso", "token", "client")
_SDK_WAYS = {"none": "auto", "user_password": "password"}
ROUTES = ("upload", "upload_and_convert")
_LARGEST_ID = 2**63


class OptionError(ValueError):
    """A value that does not fit; says what would. Never repeats the value of a secret."""


@dataclass(frozen=True)
class PublishOption:
    """`name` as -o and the tables take it, `field` of Settings, the variable of the environment if it has one.

    `read` makes the value from a string or a TOML value and raises OptionError. `secret`: its value is never shown;
    `personal`: it leads to a secret of the user's. Neither is taken from pyproject.toml: whoever writes one could read
    the first, and have the second sent wherever the url of the same file points.
    """

    name: str
    read: Callable[[Any], Any]
    help: str
    variable: str | None = None
    secret: bool = False
    personal: bool = False

    @property
    def field(self) -> str:
        return self.name.replace("-", "_")


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise OptionError("give a text")
    if not value.isprintable():
        raise OptionError("there are line breaks or control characters in it")
    return value.strip()


def _secret(value: Any) -> Secret:
    if not isinstance(value, str) or not value:
        raise OptionError("give a text")
    if not is_sendable(value):
        raise OptionError("it is not written in UTF-8")
    return Secret(value)


def _token(value: Any) -> Secret:
    if not isinstance(value, str) or not is_token(value.strip()):
        raise OptionError("that is no token: a token has neither spaces nor line breaks")
    return Secret(value.strip())


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    spelled = {"": True, "true": True, "1": True, "yes": True, "on": True}
    spelled |= {"false": False, "0": False, "no": False, "off": False}
    found = spelled.get(value.strip().lower()) if isinstance(value, str) else None
    if found is None:
        raise OptionError("say true or false")
    return found


def _seconds(least: float, most: float) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        try:
            made = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError):
            made = math.nan
        if not least <= made <= most:
            raise OptionError(f"give seconds, from {least:g} to {most:g}")
        return made

    return read


def _count(value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,2}", value.strip(), re.ASCII):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 20:  # noqa: PLR2004  # said below
        raise OptionError("give a number from 0 to 20")
    return value


def _choice(*choices: str, also: dict[str, str] | None = None) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        spelled = value.strip().lower() if isinstance(value, str) else ""
        spelled = (also or {}).get(spelled, spelled)
        if spelled not in choices:
            raise OptionError(f"say one of {', '.join(choices)}")
        return spelled

    return read


def _path(value: Any) -> Path:
    text = _text(value)
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise OptionError("there is no such user's folder") from error


def _workspace(value: Any) -> str | int:
    """A name, or an id: a number, also one written in a string. Names begin with a letter."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value.strip(), re.ASCII):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 < value < _LARGEST_ID:
            raise OptionError("give a workspace's name or id")
        return value
    return _text(value)


def read_url(value: Any) -> str:
    """The platform's address, without a slash at its end, scheme and host in lower case."""
    text = _text(value)
    if "://" not in text:
        raise OptionError(f"write it with https://, for example https://{text.split('/')[0].rpartition('@')[2]}")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise OptionError("that is no address") from error
    if parts.username or parts.password:
        raise OptionError("a user or password does not belong in the address: use WALLAROO_USER and WALLAROO_PASSWORD")
    if parts.scheme not in {"https", "http"} or not parts.hostname or re.search(r"[\s\\]", text):
        raise OptionError("give the platform's address, for example https://my-org.wallaroo.example")
    if parts.query or parts.fragment:
        raise OptionError("leave out what stands behind ? or #")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if port is not None and port != {"https": 443, "http": 80}[parts.scheme]:
        host += f":{port}"
    return f"{parts.scheme}://{host}{parts.path.rstrip('/')}"


def is_private(url: str) -> bool:
    """Whether what is sent there cannot be read on the way: TLS, or this machine itself."""
    parts = urlsplit(url)
    return parts.scheme == "https" or is_loopback(parts.hostname or "")


OPTIONS: tuple[PublishOption, ...] = (
    PublishOption("url", read_url, "The platform's address.", "WALLAROO_URL"),
    PublishOption(
        "auth",
        _choice(*WAYS, also=_SDK_WAYS),
        "How to sign in: user and password, in a browser (sso), with a ready token, as a confidential client; "
        "auto takes the first that has what it needs.",
        "WALLAROO_SDK_AUTH_TYPE",
    ),
    PublishOption("user", _text, "The user's name or e-mail address.", "WALLAROO_USER"),
    PublishOption("password", _secret, "The user's password.", "WALLAROO_PASSWORD", secret=True),
    PublishOption("token", _token, "A ready access token.", "WALLAROO_TOKEN", secret=True),
    PublishOption(
        "credentials",
        _path,
        "A JSON file with username and password, or with token, user_email and user_id.",
        "WALLAROO_SDK_CREDENTIALS",
        personal=True,
    ),
    PublishOption("client-id", _text, "The client at the login service.", "WALLAROO_CLIENT_ID"),
    PublishOption(
        "client-secret", _secret, "The secret of a confidential client.", "WALLAROO_CLIENT_SECRET", secret=True
    ),
    PublishOption(
        "auth-endpoint",
        read_url,
        "The address at which a browser reaches the login, where it is another one.",
        "WALLAROO_SDK_AUTH_ENDPOINT",
    ),
    PublishOption("workspace", _workspace, "The workspace, by name or id.", "WALLAROO_WORKSPACE"),
    PublishOption("create-workspace", _flag, "Create the workspace where there is none of that name."),
    PublishOption("route", _choice(*ROUTES), "The endpoint, in the place of the one that release and framework say."),
    PublishOption(
        "again",
        _flag,
        "Send a file once more that the platform holds and never made ready.",
    ),
    PublishOption("wait", _seconds(0, 86400), "Seconds to wait for `ready`; 0 returns when the upload has arrived."),
    PublishOption("poll", _seconds(0.01, 3600), "Seconds between two questions for the status."),
    PublishOption(
        "timeout",
        _seconds(0.01, 86400),
        "Seconds without a byte after which an answer counts as lost.",
        "WALLAROO_REQUEST_TIMEOUT",
    ),
    PublishOption("timeout-connect", _seconds(0.01, 3600), "Seconds to connect."),
    PublishOption("retries", _count, "How often a request is repeated after the first attempt."),
    PublishOption("ca-cert", _path, "A PEM file with the certificate of your own authority.", "SSL_CERT_FILE"),
    PublishOption("allow-http", _flag, "Send the login to an address that is not encrypted."),
    PublishOption("keyring", _flag, "Ask the system's keyring for the password."),
    PublishOption("json", _path, "A file that gets the results, for programs."),
    PublishOption("preflight", _flag, "Refuse a bundle that has not passed its preflight: hatch-wallaroo preflight."),
    PublishOption("dry-run", _flag, "Show what would be done, and do nothing."),
)
"""Every option; `target` (which named table to use) stands beside them, see settings.merge."""
