"""`hatch-wallaroo check`: everything that a build would say, without building, and fixes where only one is possible."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hatch_wallaroo.cli.groups import json_option, project_option
from hatch_wallaroo.console import CommandError, ask, misused, one_of_the_two, tell
from hatch_wallaroo.exit_codes import CONFIGURATION, FAILED, OK
from hatch_wallaroo.findings import nearest
from hatch_wallaroo.text import colored, describe_error, one_line

if TYPE_CHECKING:
    from hatch_wallaroo.fixes.plan import Fixing
    from hatch_wallaroo.project.checking import Result

_FORMATS = ("text", "json", "sarif", "github")
_EXAMPLES = """\b
Examples:
    hatch-wallaroo check
    hatch-wallaroo check fraud --strict
    hatch-wallaroo check --fix
    hatch-wallaroo check --fix --dry-run
    hatch-wallaroo check --format sarif --output findings.sarif
    hatch-wallaroo check --format github

Nothing is built, imported or run, and but for --fix nothing is written. The exit code is 0 where nothing stands
against a build, 1 where an error does (with --strict a warning too), 2 where the project cannot be read.
"""


@click.command(epilog=_EXAMPLES)
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@project_option
@click.option("--format", "form", type=click.Choice(_FORMATS), help="How to say it; text is the default.")
@json_option
@click.option(
    "--output", "-o", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it into a file."
)
@click.option("--strict", is_flag=True, help="Warnings fail too.")
@click.option("--fix", is_flag=True, help="Mend what can be mended in one way only: shows the changes, and asks.")
@click.option("--yes", "-y", is_flag=True, help="With --fix: make the changes without asking.")
@click.option("--dry-run", is_flag=True, help="With --fix: show the changes, and make none.")
def check(
    models: tuple[str, ...],
    project: Path,
    form: str | None,
    as_json: bool,
    output: Path | None,
    strict: bool,
    fix: bool,
    yes: bool,
    dry_run: bool,
) -> int:
    """Say everything that hatch build would say, without building: of all models, or of each MODEL named."""
    form = _form(form, as_json)
    if (yes or dry_run) and not fix:
        raise misused(f"{'--yes' if yes else '--dry-run'} goes with --fix", "add --fix, or leave it out")
    one_of_the_two(yes=yes, dry_run=dry_run)
    found = _check(project, models)
    fixing = None
    if fix and found.repository.document is not None:
        fixing = _mend(found, yes=yes, dry_run=dry_run, plain=form == "text" and output is None)
        if fixing.made:
            found = _check(project, models)
            _tell_more(found)
    _give(_written(found, form, fixing, output), output, form)
    if found.repository.document is None:
        return CONFIGURATION
    return FAILED if found.fails(strict=strict) else OK


def _form(form: str | None, as_json: bool) -> str:
    if as_json and form not in {None, "json"}:
        raise misused(f"--json and --format {form} ask for two formats", "leave one of the two out")
    return "json" if as_json else form or "text"


def _check(project: Path, models: tuple[str, ...]) -> Result:
    from hatch_wallaroo.project.checking import UnknownModelError, check_repository, result
    from hatch_wallaroo.project.repository import read_repository

    start = time.perf_counter()
    repository = read_repository(project)
    report = check_repository(repository)
    try:
        return result(repository, report, models, time.perf_counter() - start)
    except UnknownModelError as error:
        close = nearest(error.name, error.known)
        names = ", ".join(error.known) if error.known else "none"
        hint = f"did you mean {one_line(close)}?" if close else f"its models are {one_line(names)}"
        raise misused(f"the project has no model {one_line(error.name)}", hint) from None


def _mend(found: Result, *, yes: bool, dry_run: bool, plain: bool) -> Fixing:
    """Plan the fixes, show them, ask, and write. `plain`: what is shown belongs to standard output, as the report."""
    from hatch_wallaroo.fixes.changes import WriteError, write
    from hatch_wallaroo.fixes.plan import Fixing, display

    fixing = Fixing.of(found)
    if not fixing.fixes:
        tell("nothing here can be mended in one way only")
        return fixing
    stream = sys.stdout if plain else sys.stderr
    click.echo(display(fixing, color=colored(stream)), err=not plain, color=colored(stream))
    if dry_run:
        return fixing
    if not yes:
        count = len(fixing.files)
        ask(f"change {count} file{'s' if count > 1 else ''}?")
    try:
        write(fixing.files)
    except WriteError as error:
        raise CommandError(f"nothing was changed: {error}", error.fix) from error
    return fixing.all_made()


def _tell_more(found: Result) -> None:
    """A fix may bring to light what another one mends."""
    from hatch_wallaroo.fixes.plan import Fixing

    more = len(Fixing.of(found).fixes)
    if more:
        tell(f"{more} more can be mended now: run the command again")


def _written(found: Result, form: str, fixing: Fixing | None, output: Path | None) -> str:
    """The report in its format."""
    if form == "json":
        from hatch_wallaroo.cli.reports.json_report import document
        from hatch_wallaroo.fixes.plan import to_json

        made = document(found)
        if fixing is not None:
            made["fixes"] = to_json(fixing)
        return json.dumps(made, indent=2, allow_nan=False)
    if form == "sarif":
        from hatch_wallaroo.cli.reports.sarif import log

        return json.dumps(log(found, os.environ), indent=2, allow_nan=False)
    if form == "github":
        from hatch_wallaroo.cli.reports.github import workflow_commands

        return workflow_commands(found, os.environ)
    from hatch_wallaroo.cli.reports.text import text

    return text(found, color=output is None and colored(sys.stdout))


def _give(text: str, output: Path | None, form: str) -> None:
    """Print the report, or write it into its file, whole or not at all."""
    if output is None or str(output) == "-":
        click.echo(text, color=form == "text" and colored(sys.stdout))
        return
    from hatch_wallaroo.files.writing import write_whole

    try:
        if output.exists() and not output.is_file():
            # A pipe or a device takes what it is given, and cannot be replaced.
            output.write_text(f"{text}\n", encoding="utf-8")
        else:
            write_whole(output, f"{text}\n".encode())
    except OSError as error:
        reason = describe_error(error)
        raise misused(f"{output} cannot be written: {reason}", "name a file in a folder that exists") from error
