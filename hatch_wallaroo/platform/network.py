"""The pool of connections: certificates, proxies, time limits, and what breaks them, in words."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from hatch_wallaroo.findings import FixableError
from hatch_wallaroo.platform.credentials import Secret, cleaned
from hatch_wallaroo.platform.errors import ConfigurationError
from hatch_wallaroo.text import describe_error

if TYPE_CHECKING:
    from urllib3 import PoolManager, Timeout

_LONGEST_STORING = 600.0
"""Seconds in which a platform may store an upload before it answers."""


class Broken(FixableError):  # noqa: N818  # no error that anyone sees: the transport repeats it or makes one of it
    """An attempt that got no answer; `repeat`: whether another one may do better."""

    def __init__(self, message: str, fix: str = "", *, repeat: bool = True) -> None:
        super().__init__(message, fix)
        self.repeat = repeat


def open_pool(url: str, ca_cert: Path | None) -> PoolManager:
    """Connections that verify TLS and use the proxy that the environment names for this URL.

    Raises ConfigurationError where certificates or proxy cannot be used.
    """
    try:
        import urllib3
    except ImportError as error:
        raise ConfigurationError(
            "Publishing needs packages that are not installed.", 'Install "hatch-wallaroo[publish]" beside Hatch.'
        ) from error
    context = _context(ca_cert)
    proxy = _proxy(url)
    if proxy is None:
        return urllib3.PoolManager(ssl_context=context, maxsize=2)
    try:
        parts = urlsplit(proxy)
        headers = None
        if "@" in parts.netloc:
            login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
            headers = urllib3.make_headers(proxy_basic_auth=login)
            proxy = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        return urllib3.ProxyManager(proxy, proxy_headers=headers, ssl_context=context, maxsize=2)
    except ValueError:  # its text may hold the proxy's password
        raise _no_proxy(url, "its address is none") from None


def _context(ca_cert: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_cert is not None:
        try:
            if ca_cert.is_dir():
                context.load_verify_locations(capath=str(ca_cert))
            else:
                context.load_verify_locations(cafile=str(ca_cert))
        except (OSError, ssl.SSLError) as error:
            why = "it holds no certificates" if isinstance(error, ssl.SSLError) else _why(error)
            raise ConfigurationError(
                f"The certificates in {ca_cert} cannot be used: {why}.",
                "Give ca-cert (or SSL_CERT_FILE) a PEM file with the certificate of your own authority.",
            ) from error
    return context


def _why(error: OSError) -> str:
    return "there is no such file" if isinstance(error, FileNotFoundError) else describe_error(error)


def _proxy(url: str) -> str | None:
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host) or proxy_bypass(host):
        return None
    proxies = getproxies()
    found = proxies.get(parts.scheme) or proxies.get("all")
    if not found:
        return None
    scheme, separator, _ = found.partition("://")
    if separator and scheme.lower() not in {"http", "https"}:
        # Without it the platform may not be there, or see an address that it should not: that is not ours to decide.
        raise _no_proxy(url, f"it speaks {cleaned(scheme, longest=20)}, and only http and https are known here")
    return found if separator else f"http://{found}"


def _no_proxy(url: str, why: str) -> ConfigurationError:
    scheme = urlsplit(url).scheme
    return ConfigurationError(
        f"The proxy for {scheme}:// addresses cannot be used: {why}.",
        f"See {scheme.upper()}_PROXY and ALL_PROXY, or put the platform's host into NO_PROXY.",
    )


def is_loopback(host: str) -> bool:
    """Whether the host is the very machine that asks."""
    import ipaddress

    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def timeouts(connect: float, read: float, *, large: bool) -> Timeout:
    """Limits of one request; one that carries a file may take its time for each block and for storing it."""
    from urllib3 import Timeout

    if large:
        return Timeout(connect=max(connect, read), read=max(read, _LONGEST_STORING))
    return Timeout(connect=connect, read=read)


def what_broke(error: Exception, asked: str, secrets: Iterable[Secret]) -> Broken:
    """What broke, for a person; certificates and addresses that are wrong stay wrong, the rest may pass."""
    from http.client import BadStatusLine, IncompleteRead, RemoteDisconnected

    from urllib3 import exceptions

    host = urlsplit(asked.partition(" ")[2]).netloc
    inner: Any = error
    if isinstance(error, exceptions.ProxyError):
        return Broken(f"The proxy on the way to {host} does not answer.", "See HTTPS_PROXY and NO_PROXY.")
    if isinstance(error, (exceptions.SSLError, ssl.SSLError)):
        return _tls(error, host)
    if isinstance(error, exceptions.NameResolutionError):
        return Broken(f"There is no host {host}.", "Check the url.")
    if isinstance(error, exceptions.NewConnectionError):
        return Broken(f"Nothing listens at {host}.", "Check the url, the network, and a VPN if you need one.")
    if isinstance(error, exceptions.ConnectTimeoutError):
        return Broken(f"{host} does not take the connection.", "Check the url, the network, and a VPN if you need one.")
    if isinstance(error, (exceptions.ReadTimeoutError, TimeoutError)):
        return Broken(f"{asked} got no answer in time.", "A longer time is set with -o timeout=SECONDS.")
    if isinstance(error, exceptions.LocationParseError):
        return Broken(f"{host} is no address.", "Check the url.", repeat=False)
    while isinstance(inner, exceptions.HTTPError) and inner.args and isinstance(inner.args[-1], Exception):
        inner = inner.args[-1]
    if isinstance(inner, BadStatusLine) and not isinstance(inner, RemoteDisconnected):
        return Broken(f"What listens at {host} is no web server.", "Check the url.")
    if isinstance(inner, IncompleteRead) or "IncompleteRead" in str(inner):
        return Broken(f"{asked} was answered in part only: the connection broke.")
    why = cleaned(str(inner.strerror if isinstance(inner, OSError) and inner.strerror else inner), secrets, 200)
    return Broken(f"The connection to {host} broke: {why}.")


def _tls(error: Exception, host: str) -> Broken:
    inner: Any = error
    while inner.args and isinstance(inner.args[0], Exception):
        inner = inner.args[0]
    if isinstance(inner, ssl.SSLCertVerificationError):
        return Broken(
            f"The certificate of {host} is not trusted: {cleaned(inner.verify_message)}.",
            "If the platform has a certificate of your own authority, name its PEM file with -o ca-cert=FILE "
            "or SSL_CERT_FILE.",
            repeat=False,
        )
    why = cleaned(getattr(inner, "reason", None) or str(inner), longest=200)
    return Broken(f"{host} does not speak TLS as expected: {why}.", "Check whether the url is https or http.")
