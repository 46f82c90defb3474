"""The command `hatch-wallaroo`, for what Hatch has no command of its own."""

from __future__ import annotations


def main() -> None:
    """Run the command; where its library is missing, say how to get it."""
    try:
        from hatch_wallaroo.cli.main import commands
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        raise SystemExit("hatch-wallaroo needs an extra: pip install 'hatch-wallaroo[publish]'") from error
    commands(prog_name="hatch-wallaroo")
