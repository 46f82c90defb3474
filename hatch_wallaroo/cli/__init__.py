"""The command `hatch-wallaroo`, for what Hatch has no command of its own."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import click


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and leave with its exit code (see `hatch_wallaroo.exit_codes`); never with a traceback."""
    try:
        code = _run(arguments)
        _flush()
    except KeyboardInterrupt:
        code = _interrupted()
    except BrokenPipeError:
        code = _unheard()
    sys.exit(code)


def _run(arguments: Sequence[str] | None) -> int:
    import click

    from hatch_wallaroo.cli.commands import commands
    from hatch_wallaroo.console import complain
    from hatch_wallaroo.exit_codes import FAILED

    _print_anything()
    try:
        code: Any = commands.main(arguments, prog_name="hatch-wallaroo", standalone_mode=False)
    except click.UsageError as error:
        return _misused(error)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort as error:
        return _aborted(error)
    except BrokenPipeError:
        raise
    except OSError as error:
        complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        return FAILED
    return code if isinstance(code, int) else 0


def _print_anything() -> None:
    """Characters that the terminal's encoding does not have are written as numbers, and end nothing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure") and stream.errors in {"strict", "surrogateescape"}:
            stream.reconfigure(errors="backslashreplace")


def _misused(error: click.UsageError) -> int:
    """Say a mistake on the command line in the words of every other error."""
    import click

    from hatch_wallaroo.console import complain
    from hatch_wallaroo.findings import nearest

    message, help_text = error.format_message(), "hatch-wallaroo --help"
    if error.ctx is not None:
        help_text = f"{error.ctx.command_path} --help"
    fix = f"see {help_text}"
    if isinstance(error, click.NoSuchOption):
        message = f"there is no option {error.option_name}"
        known = [name for each in error.ctx.command.params for name in each.opts] if error.ctx else []
        close = nearest(error.option_name, [name for name in known if name.startswith("--")])
        fix = f"did you mean {close}? Otherwise {fix}" if close else fix
    complain(message[:1].lower() + message[1:].rstrip("."), fix)
    return error.exit_code


def _aborted(error: click.Abort) -> int:
    """Ctrl-C, a question that nobody was there to answer, or one that was answered with no."""
    from hatch_wallaroo.console import complain
    from hatch_wallaroo.exit_codes import CONFIGURATION, FAILED

    reason = error.__cause__ or error.__context__
    if isinstance(reason, KeyboardInterrupt):
        return _interrupted()
    if isinstance(reason, EOFError):
        complain("standard input ended before the question was answered", "answer it with an option: see --help")
        return CONFIGURATION
    complain("stopped, as you said")
    return FAILED


def _interrupted() -> int:
    """Say it and leave. A second Ctrl-C changes nothing more: it would end the process in the middle of saying so."""
    import signal

    with contextlib.suppress(ValueError):  # called from a thread, which no Ctrl-C reaches
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    from hatch_wallaroo.console import complain
    from hatch_wallaroo.exit_codes import INTERRUPTED

    complain("interrupted")
    return INTERRUPTED


def _flush() -> None:
    """Say now what is still to be said: at the end of the process a reader who has left would be a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


def _unheard() -> int:
    """Whoever read our output has left: nothing more can be said there, not even on the way out."""
    from hatch_wallaroo.exit_codes import FAILED

    with contextlib.suppress(AttributeError, OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FAILED
