"""What can go wrong between here and a platform, each kind with an exit code of its own."""

from __future__ import annotations

from typing import ClassVar

from hatch_wallaroo import exit_codes
from hatch_wallaroo.findings import FixableError


class PlatformError(FixableError):
    """Something that ends a publication.

    Neither message nor fix holds a secret: what a platform answered is cleaned of them before it gets here.
    """

    exit_code: ClassVar[int] = exit_codes.FAILED

    def __str__(self) -> str:
        return f"{self.message}\n{self.fix}" if self.fix else self.message


class ConfigurationError(PlatformError):
    """Options, variables or files are wrong; `problems` holds each of them as (message, fix)."""

    exit_code = exit_codes.CONFIGURATION

    def __init__(self, message: str, fix: str = "", problems: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message, fix)
        self.problems = problems or ((message, fix),)


class AuthenticationError(PlatformError):
    """No login, a wrong one, or one that has ended."""

    exit_code = exit_codes.AUTHENTICATION


class RefusedError(PlatformError):
    """The platform understood and said no; `status` is the HTTP status, 0 where there was none."""

    exit_code = exit_codes.REFUSED

    def __init__(self, message: str, fix: str = "", status: int = 0) -> None:
        super().__init__(message, fix)
        self.status = status


class ConversionFailedError(PlatformError):
    """The platform took the upload and could not make a running model of it."""

    exit_code = exit_codes.CONVERSION


class WaitTimeoutError(PlatformError):
    """The platform was still at work when the waiting time was over."""

    exit_code = exit_codes.TIMEOUT


class ConnectionFailedError(PlatformError):
    """The platform was not reached, the connection broke, or what answered is not a Wallaroo platform."""

    exit_code = exit_codes.CONNECTION
