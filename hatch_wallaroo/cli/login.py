"""`hatch-wallaroo login` and `logout`: a login that publishing finds again, kept under URL and user."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import click

from hatch_wallaroo.cli.connection import platform_errors, platform_options, read_settings
from hatch_wallaroo.console import misused, say, tell
from hatch_wallaroo.platform.options import WAYS

if TYPE_CHECKING:
    from hatch_wallaroo.platform.auth import Authenticator
    from hatch_wallaroo.platform.publish_settings import Settings

_LOGIN_EXAMPLES = """\b
Examples:
    hatch-wallaroo login --url https://my-org.wallaroo.example
    hatch-wallaroo login --target prod --user jane@example.com
    hatch-wallaroo login --user jane@example.com --password-stdin < password.txt

The address and the user are found where `hatch publish -p wallaroo` finds them: in the environment, in
[tool.hatch.publish.wallaroo] of pyproject.toml, in Hatch's config.toml.
"""
_LOGOUT_EXAMPLES = """\b
Examples:
    hatch-wallaroo logout --url https://my-org.wallaroo.example
    hatch-wallaroo logout --user jane@example.com
"""


@click.command(epilog=_LOGIN_EXAMPLES)
@platform_options("url", "user", "target", "ca-cert")
@click.option(
    "--auth",
    type=click.Choice(WAYS),
    help="How to sign in; auto takes a browser where there is no password. [WALLAROO_SDK_AUTH_TYPE]",
)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def login(
    url: str | None, user: str | None, target: str | None, ca_cert: str | None, auth: str | None, password_stdin: bool
) -> None:
    """Sign in to a platform, and remember the login in a file that only you can read."""
    with platform_errors():
        settings = read_settings(url=url, user=user, target=target, ca_cert=ca_cert, auth=auth)
        settings = _with_password(settings, password_stdin)
        identity = _authenticator(settings).login()
    until = ""
    if identity.expires is not None:
        until = f", until {datetime.fromtimestamp(identity.expires, tz=timezone.utc):%Y-%m-%d %H:%M} UTC, then renewed"
    say(f"Signed in at {settings.url} as {identity.user or 'a user without a name'} ({identity.way}){until}")


@click.command(epilog=_LOGOUT_EXAMPLES)
@platform_options("url", "user", "target")
def logout(url: str | None, user: str | None, target: str | None) -> None:
    """Forget the logins at a platform, or only that of one user."""
    with platform_errors():
        settings = read_settings(url=url, user=user, target=target)
        gone = _authenticator(settings).logout()
    say(f"{'Signed out' if gone else 'Nobody was signed in'} at {settings.url}")


def _with_password(settings: Settings, from_stdin: bool) -> Settings:
    """The password from standard input, or asked for where a user is named and nothing else would do."""
    from hatch_wallaroo.platform.credentials import Secret

    if from_stdin:
        return replace(settings, auth="password", password=Secret(_first_line(settings)))
    wanted = settings.auth == "password" or (settings.auth == "auto" and settings.user and not settings.credentials)
    ready = settings.password or settings.token or settings.client_secret or settings.keyring
    if wanted and settings.user and not ready and sys.stdin.isatty():
        asked = click.prompt(f"Password of {settings.user}", hide_input=True, err=True)
        return replace(settings, auth="password", password=Secret(asked))
    return settings


def _first_line(settings: Settings) -> str:
    """The password that stands on standard input."""
    if not settings.user:
        raise misused("--password-stdin: there is no user to whom the password belongs", "name the user: --user NAME")
    try:
        line = sys.stdin.buffer.readline().decode()
    except UnicodeDecodeError:
        raise misused("the password on standard input is not written in UTF-8") from None
    if not (password := line.rstrip("\r\n")):
        raise misused("there is no password on standard input", "it is the first line: … --password-stdin < FILE")
    return password


def _authenticator(settings: Settings) -> Authenticator:
    from hatch_wallaroo.platform.api import connect

    return connect(settings, tell=tell, on_retry=lambda retry: tell(str(retry))).authenticator
