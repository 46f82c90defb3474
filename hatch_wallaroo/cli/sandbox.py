"""`hatch-wallaroo sandbox`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hatch_wallaroo.cli.completion import complete_faults, complete_releases
from hatch_wallaroo.console import CommandError, tell
from hatch_wallaroo.releases.load import UnknownReleaseError, known
from hatch_wallaroo.sandbox.faults import KINDS, Faults, UnknownFaultError, parse
from hatch_wallaroo.text import describe_error, one_line

if TYPE_CHECKING:
    from hatch_wallaroo.sandbox.server import Served, ServerOptions

_FAULTS = "\n".join(f"  {kind.name:<17} {kind.effect}" for kind in KINDS.values())
_HELP = """Run a local Wallaroo on 127.0.0.1: to try, to work offline, to test.

It runs until it is stopped, or as long as the COMMAND behind -- runs, which finds it by WALLAROO_URL, WALLAROO_USER
and WALLAROO_PASSWORD, and whose exit code it takes over. At its address a browser shows what is in it.
"""
_EPILOG = f"""\b
Examples:
    hatch-wallaroo sandbox --release 2023.2.1 --state .sandbox
    hatch-wallaroo sandbox -- hatch publish -p wallaroo -o workspace=try -o create-workspace
    hatch-wallaroo sandbox --runtime -- python my_script_with_the_sdk.py
    hatch-wallaroo sandbox --fault disk-full -- hatch publish -p wallaroo -o workspace=try -o create-workspace

\b
Faults, each NAME, NAME=VALUE or NAME=VALUE*TIMES:
{_FAULTS}
"""


@click.command("sandbox", help=_HELP, epilog=_EPILOG)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port; a free one where none is given.")
@click.option(
    "--release",
    default=known()[-1],
    show_default=True,
    help="The Wallaroo release to be.",
    shell_complete=complete_releases,
)
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder that keeps workspaces and models for the next start; without it, they are forgotten.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME[=VALUE][*TIMES]",
    help="Something that goes wrong.",
    shell_complete=complete_faults,
)
@click.option(
    "--pace", type=click.FloatRange(0), default=1.0, show_default=True, help="Seconds that each status lasts."
)
@click.option(
    "--max-upload", type=click.IntRange(1), default=32, show_default=True, help="Gigabytes of the largest model."
)
@click.option("--images", is_flag=True, help="Pull and start registered images before they are `ready`.")
@click.option(
    "--runtime", is_flag=True, help="Load each model by the release's own runtime before it is `ready`, run pipelines."
)
@click.option(
    "--keep",
    type=click.IntRange(1),
    default=32,
    show_default=True,
    help="With --runtime: gigabytes of models that are kept to be deployed.",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def sandbox(
    port: int,
    release: str,
    state: Path | None,
    faults: tuple[str, ...],
    pace: float,
    max_upload: int,
    images: bool,
    runtime: bool,
    keep: int,
    command: tuple[str, ...],
) -> None:
    """Run the sandbox; what is wrong with the options is said in click's way, with exit code 2."""
    try:
        from hatch_wallaroo.sandbox.server import ServerOptions, serve, serving
    except ImportError as error:
        fix = "pip install 'hatch-wallaroo[sandbox]'"
        raise CommandError(f"the sandbox needs what is not installed: {error.name}", fix) from None
    from hatch_wallaroo.sandbox.runtime import RuntimeOptions
    from hatch_wallaroo.sandbox.server import CommandNotFoundError, run

    try:
        set_up = Faults([parse(each) for each in faults])
    except UnknownFaultError as error:
        raise click.BadParameter(str(error), param_hint="--fault") from None
    with _folder(state) as folder, _start_errors(port):
        runs = RuntimeOptions(keep << 30, lambda line: tell(one_line(line))) if runtime else None
        wanted = ServerOptions(
            folder, release, port, set_up, pace=pace, largest=max_upload << 30, images=images, runtime=runs
        )
        if not command:
            serve(wanted, ready=lambda served: _announce(served, wanted))
            return
        with serving(wanted) as served:
            tell(f"Wallaroo {release} sandbox at {served.url}")
            try:
                code = run(command, served.environment)
            except CommandNotFoundError as error:
                raise CommandError(str(error)) from None
    sys.exit(code)


def _announce(served: Served, wanted: ServerOptions) -> None:
    click.echo(f"Wallaroo {wanted.release} sandbox at {served.url} (Ctrl-C stops it)\n")
    for name, value in served.environment.items():
        click.echo(f"export {name}={value}")
    known = served.credentials
    click.echo(f"\nThe confidential client is {known.client}, its secret {known.secret}")
    for fault in wanted.faults.listed() if wanted.faults else ():
        click.echo(f"fault: {fault['name']} ({KINDS[str(fault['name'])].effect})")


@contextmanager
def _folder(state: Path | None) -> Iterator[Path]:
    """The folder for the state: the user's, or one that is gone afterwards."""
    if state:
        yield state
        return
    with tempfile.TemporaryDirectory(prefix="wallaroo-sandbox-") as made:
        yield Path(made)


@contextmanager
def _start_errors(port: int) -> Iterator[None]:
    """Puts what keeps a sandbox from starting into click's words."""
    from hatch_wallaroo.preflight.preparing import PreflightError
    from hatch_wallaroo.sandbox.store import StateError

    try:
        yield
    except UnknownReleaseError as error:
        hint = f"; the nearest known one is {error.nearest}" if error.nearest else ""
        raise click.BadParameter(f"{error}{hint}", param_hint="--release") from None
    except PreflightError as error:
        raise CommandError(f"--runtime: {error}", error.fix) from None
    except StateError as error:
        raise click.BadParameter(str(error), param_hint="--state") from None
    except OSError as error:
        raise CommandError(f"port {port} cannot be used: {describe_error(error)}") from None
