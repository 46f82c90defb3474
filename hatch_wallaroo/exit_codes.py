"""The exit codes of every command: one table, of which the reference is made."""

from __future__ import annotations

from typing import NamedTuple

OK = 0
FAILED = 1
CONFIGURATION = 2
AUTHENTICATION = 3
REFUSED = 4
CONVERSION = 5
TIMEOUT = 6
CONNECTION = 7
INTERRUPTED = 130
"""After Ctrl-C, as shells have it."""


class ExitCode(NamedTuple):
    """A row of the table that the documentation shows."""

    code: int
    name: str
    meaning: str


EXIT_CODES: tuple[ExitCode, ...] = (
    ExitCode(OK, "success", "All is well: every model is on the platform, or already was; the checks found no error."),
    ExitCode(FAILED, "failed", "The checks found an error, or anything that has no code of its own."),
    ExitCode(CONFIGURATION, "configuration", "An option, a variable or a file is wrong. Nothing was sent or written."),
    ExitCode(AUTHENTICATION, "authentication", "The platform does not know this user, or the login has ended."),
    ExitCode(REFUSED, "refused", "The platform answered, and said no: rights, a name, a full disk, a bad request."),
    ExitCode(CONVERSION, "conversion", "The upload arrived, and the platform could not make a running model of it."),
    ExitCode(TIMEOUT, "timeout", "The platform was still at work when the waiting time was over."),
    ExitCode(CONNECTION, "connection", "The platform was not reached, or the connection broke again and again."),
    ExitCode(INTERRUPTED, "interrupted", "Ctrl-C. What was sent by then is found again by the next publication."),
)
"""Every exit code of `hatch publish -p wallaroo` and of `hatch-wallaroo`."""
