"""`hatch-wallaroo login` and `logout`: a login that publishing finds again, kept under URL and user."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click

from hatch_wallaroo.cli.common import platform_errors, say
from hatch_wallaroo.platform.auth import Authenticator
from hatch_wallaroo.platform.options import WAYS
from hatch_wallaroo.platform.secret import Secret
from hatch_wallaroo.platform.settings import Settings, merge
from hatch_wallaroo.platform.transport import Transport

_URL = click.option("--url", help="The platform's address. [WALLAROO_URL]")
_USER = click.option("--user", "-u", help="The user's name or e-mail address. [WALLAROO_USER]")
_TARGET = click.option("--target", help="A named target of [tool.hatch.publish.wallaroo] or Hatch's config.")
_CA_CERT = click.option("--ca-cert", help="A PEM file with the certificate of your own authority. [SSL_CERT_FILE]")


@click.command()
@_URL
@_USER
@_TARGET
@_CA_CERT
@click.option(
    "--auth", type=click.Choice(WAYS), help="How to sign in; auto takes a browser where there is no password."
)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def login(
    url: str | None, user: str | None, target: str | None, ca_cert: str | None, auth: str | None, password_stdin: bool
) -> None:
    """Sign in to a platform, and remember the login in a file that only you can read."""
    with platform_errors():
        settings = read_settings(url=url, user=user, target=target, **{"ca-cert": ca_cert, "auth": auth})
        settings = _with_password(settings, password_stdin)
        identity = _authenticator(settings).login()
    until = ""
    if identity.expires is not None:
        until = f", until {datetime.fromtimestamp(identity.expires, tz=timezone.utc):%Y-%m-%d %H:%M} UTC, then renewed"
    say(f"Signed in at {settings.url} as {identity.user or 'a user without a name'} ({identity.way}){until}")


@click.command()
@_URL
@_USER
@_TARGET
def logout(url: str | None, user: str | None, target: str | None) -> None:
    """Forget the logins at a platform, or only that of one user."""
    with platform_errors():
        settings = read_settings(url=url, user=user, target=target)
        gone = _authenticator(settings).logout()
    say(f"{'Signed out' if gone else 'Nobody was signed in'} at {settings.url}")


def read_settings(**given: str | None) -> Settings:
    """What `hatch publish -p wallaroo` would use here, with these options in the place of `-o`."""
    options = {name: value for name, value in given.items() if value}
    return merge(options, os.environ, _table(Path("pyproject.toml"), "tool", "hatch"), _table(_hatch_config()))


def _with_password(settings: Settings, from_stdin: bool) -> Settings:
    """The password from standard input, or asked for where a user is named and nothing else would do."""
    if from_stdin:
        return replace(settings, auth="password", password=Secret(sys.stdin.readline().rstrip("\r\n")))
    wanted = settings.auth == "password" or (settings.auth == "auto" and settings.user and not settings.credentials)
    ready = settings.password or settings.token or settings.client_secret or settings.keyring
    if wanted and settings.user and not ready and sys.stdin.isatty():
        asked = click.prompt(f"Password of {settings.user}", hide_input=True, err=True)
        return replace(settings, auth="password", password=Secret(asked))
    return settings


def _authenticator(settings: Settings) -> Authenticator:
    transport = Transport(
        settings.url,
        ca_cert=settings.ca_cert,
        timeout=settings.timeout,
        connect_timeout=settings.timeout_connect,
        retries=settings.retries,
    )
    return Authenticator(settings, transport, tell=lambda line: click.echo(line, err=True))


def _hatch_config() -> Path:
    """Hatch's config.toml, where Hatch itself looks for it."""
    named = os.environ.get("HATCH_CONFIG")
    if named:
        return Path(named)
    try:
        from platformdirs import user_config_dir
    except ModuleNotFoundError:
        return Path.home() / ".config" / "hatch" / "config.toml"
    return Path(user_config_dir("hatch", appauthor=False)) / "config.toml"


def _table(path: Path, *parents: str) -> Mapping[str, Any]:
    """The table `publish.wallaroo` below `parents` in a TOML file; nothing where file or table is not there."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        found: Any = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    for key in (*parents, "publish", "wallaroo"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}
