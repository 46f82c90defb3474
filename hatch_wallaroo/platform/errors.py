"""What can go wrong between here and a platform, each kind with an exit code of its own."""

from __future__ import annotations

from typing import ClassVar, NamedTuple


class ExitCode(NamedTuple):
    """A row of the table that the documentation shows."""

    code: int
    name: str
    meaning: str


INTERRUPTED = 130
"""After Ctrl-C, as shells have it."""

EXIT_CODES: tuple[ExitCode, ...] = (
    ExitCode(0, "published", "Every model is on the platform, or already was."),
    ExitCode(1, "failed", "Anything that has no code of its own."),
    ExitCode(2, "configuration", "An option, a variable, a manifest or a file is wrong. Nothing was sent."),
    ExitCode(3, "authentication", "The platform does not know this user, or the login has ended."),
    ExitCode(4, "refused", "The platform answered, and said no: rights, a name, a full disk, a bad request."),
    ExitCode(5, "conversion", "The upload arrived, and the platform could not make a running model of it."),
    ExitCode(6, "timeout", "The platform was still at work when the waiting time was over."),
    ExitCode(7, "connection", "The platform was not reached, or the connection broke again and again."),
    ExitCode(INTERRUPTED, "interrupted", "Ctrl-C. What was sent by then is found again by the next publication."),
)
"""Every exit code of `hatch publish -p wallaroo` and `hatch-wallaroo login`."""


class PlatformError(Exception):
    """Something that ends a publication: `message` is what happened, `fix` what to do (may be empty).

    Neither holds a secret: what a platform answered is cleaned of them before it gets here.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message}\n{self.fix}" if self.fix else self.message


class ConfigurationError(PlatformError):
    """Options, variables or files are wrong; `problems` holds each of them as (message, fix)."""

    exit_code = 2

    def __init__(self, message: str, fix: str = "", problems: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message, fix)
        self.problems = problems or ((message, fix),)


class AuthenticationError(PlatformError):
    """No login, a wrong one, or one that has ended."""

    exit_code = 3


class RefusedError(PlatformError):
    """The platform understood and said no; `status` is the HTTP status, 0 where there was none."""

    exit_code = 4

    def __init__(self, message: str, fix: str = "", status: int = 0) -> None:
        super().__init__(message, fix)
        self.status = status


class ConversionFailedError(PlatformError):
    """The platform took the upload and could not make a running model of it."""

    exit_code = 5


class WaitTimeoutError(PlatformError):
    """The platform was still at work when the waiting time was over."""

    exit_code = 6


class ConnectionFailedError(PlatformError):
    """The platform was not reached, the connection broke, or what answered is not a Wallaroo platform."""

    exit_code = 7
