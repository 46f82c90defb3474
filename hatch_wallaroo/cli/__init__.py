"""The command `hatch-wallaroo`, for what Hatch has no command of its own."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and leave with its exit code (see `hatch_wallaroo.exit_codes`); never with a traceback."""
    import click

    from hatch_wallaroo.cli.common import complain
    from hatch_wallaroo.cli.main import commands
    from hatch_wallaroo.exit_codes import FAILED, INTERRUPTED

    try:
        code = commands.main(arguments, prog_name="hatch-wallaroo", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.Abort:
        complain("interrupted")
        code = INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has left: nothing more can be said there, not even on the way out.
        sys.stdout = None
        code = FAILED
    except OSError as error:
        complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        code = FAILED
    sys.exit(code)
