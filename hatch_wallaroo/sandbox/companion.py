"""A command that runs beside a sandbox, and finds it by the variables that the SDK reads."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

from hatch_wallaroo.text import describe_error

_OF_A_PLATFORM = (
    "WALLAROO_URL",
    "WALLAROO_USER",
    "WALLAROO_PASSWORD",
    "WALLAROO_TOKEN",
    "WALLAROO_CLIENT_ID",
    "WALLAROO_CLIENT_SECRET",
    "WALLAROO_SDK_AUTH_ENDPOINT",
    "WALLAROO_SDK_AUTH_TYPE",
    "WALLAROO_SDK_CREDENTIALS",
)
"""What names a platform, or is meant for one: a command in a sandbox must not see another platform's."""


class CommandNotFoundError(Exception):
    """There is no such command, or it cannot be run; the message says which."""


def run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command with these variables, and give its exit code as shells do: 128 + n where signal n ended it.

    Ctrl-C reaches the command by the terminal, SIGTERM is passed on; either way its own end is waited for.
    Raises CommandNotFoundError.
    """
    program = shutil.which(command[0])
    if program is None:
        raise CommandNotFoundError(f"there is no command {command[0]}")
    inherited = {name: value for name, value in os.environ.items() if name not in _OF_A_PLATFORM}
    process: subprocess.Popen[bytes] | None = None
    ends = False

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal ends
        del number, frame
        ends = True
        if process is not None:
            process.terminate()

    # Before the command starts: a signal may come as soon as it runs, and long before it is waited for.
    with _handled(signal.SIGTERM, end), _handled(signal.SIGINT, lambda _number, _frame: None):
        try:
            process = subprocess.Popen([program, *command[1:]], env={**inherited, **environment})  # noqa: S603 - the user's
        except OSError as error:
            raise CommandNotFoundError(f"{command[0]} cannot be run: {describe_error(error)}") from error
        if ends:
            process.terminate()
        code = process.wait()
    return code if code >= 0 else 128 - code


@contextmanager
def _handled(number: signal.Signals, handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """A handler for as long as the block runs; a signal that is ignored stays so, for the command too."""
    if signal.getsignal(number) == signal.SIG_IGN:
        yield
        return
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)
