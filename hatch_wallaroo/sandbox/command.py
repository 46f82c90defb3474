"""`hatch-wallaroo sandbox`."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

import click

from hatch_wallaroo.releases.load import UnknownReleaseError, known
from hatch_wallaroo.sandbox.faults import KINDS, Faults, UnknownFaultError, parse

_FAULTS = "\n".join(f"  {kind.name:<17} {kind.effect}" for kind in KINDS.values())


@click.command(
    "sandbox",
    help="Run a local Wallaroo on 127.0.0.1 until it is stopped: to try, to work offline, to test.",
    epilog=f"\b\nFaults, each NAME, NAME=VALUE or NAME=VALUE*TIMES:\n{_FAULTS}",
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port; a free one where none is given.")
@click.option("--release", default=known()[-1], show_default=True, help="The Wallaroo release to be.")
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder that keeps workspaces and models for the next start; without it, they are forgotten.",
)
@click.option("--fault", "faults", multiple=True, metavar="NAME[=VALUE][*TIMES]", help="Something that goes wrong.")
@click.option(
    "--pace", type=click.FloatRange(0), default=1.0, show_default=True, help="Seconds that each status lasts."
)
@click.option(
    "--max-upload", type=click.IntRange(1), default=32, show_default=True, help="Gigabytes of the largest model."
)
def main(port: int, release: str, state: Path | None, faults: tuple[str, ...], pace: float, max_upload: int) -> None:
    """Run the sandbox; what is wrong with the options is said in click's way, with exit code 2."""
    try:
        from hatch_wallaroo.sandbox.server import serve
    except ImportError as error:
        raise click.ClickException(
            f"the sandbox needs {error.name}: install it with pip install 'hatch-wallaroo[sandbox]'"
        ) from None
    from hatch_wallaroo.sandbox.credentials import Credentials
    from hatch_wallaroo.sandbox.store import StateError

    try:
        wanted = Faults([parse(each) for each in faults])
    except UnknownFaultError as error:
        raise click.BadParameter(str(error), param_hint="--fault") from None

    def say(url: str, credentials: Credentials) -> None:
        click.echo(f"Wallaroo {release} sandbox at {url} (Ctrl-C stops it)")
        click.echo(f"\nexport WALLAROO_URL={url}")
        click.echo(f"export WALLAROO_USER={credentials.user}")
        click.echo(f"export WALLAROO_PASSWORD={credentials.password}")
        click.echo(f"\nThe confidential client is {credentials.client}, its secret {credentials.secret}")
        for fault in wanted.listed():
            click.echo(f"fault: {fault['name']} ({KINDS[str(fault['name'])].effect})")

    with ExitStack() as stack:
        folder = state or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wallaroo-sandbox-")))
        try:
            serve(folder, release, port=port, faults=wanted, pace=pace, largest=max_upload << 30, ready=say)
        except UnknownReleaseError as error:
            hint = f"; the nearest known one is {error.nearest}" if error.nearest else ""
            raise click.BadParameter(f"{error}{hint}", param_hint="--release") from None
        except StateError as error:
            raise click.BadParameter(str(error), param_hint="--state") from None
        except OSError as error:
            raise click.ClickException(f"port {port} cannot be used: {error.strerror or error}") from None
