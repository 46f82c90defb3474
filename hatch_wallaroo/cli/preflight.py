"""`hatch-wallaroo preflight`: bundles run by the real runtime, in an environment of their release, on this machine."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hatch_wallaroo.cli.groups import json_option, project_option
from hatch_wallaroo.cli.subjects import How, cannot_run, data_option, ended_by_sigterm, read, run_options, subjects
from hatch_wallaroo.console import misused, say, say_json, tell
from hatch_wallaroo.exit_codes import FAILED, OK
from hatch_wallaroo.text import one_line

if TYPE_CHECKING:
    from hatch_wallaroo.cli.schema_writing import Wish
    from hatch_wallaroo.config.spec import ModelSpec
    from hatch_wallaroo.preflight.preparing import Options
    from hatch_wallaroo.preflight.rows import Rows
    from hatch_wallaroo.preflight.subject import Subject
    from hatch_wallaroo.preflight.verdict import Verdict
    from hatch_wallaroo.schema.types import Schema, Side

_EPILOG = """\b
Examples:
    hatch-wallaroo preflight
    hatch-wallaroo preflight fraud --data rows.csv
    hatch-wallaroo preflight dist/fraud-1.0.0.zip
    hatch-wallaroo preflight --write-schema
    hatch-wallaroo preflight --clean

Without a name, every model of the project is packed as hatch build would pack it, and run. A file is a bundle that was
built. The exit code is 0 where all passed, 1 where one did not or the checks found an error, 2 where this machine
cannot run it.
"""


@click.command(epilog=_EPILOG)
@click.argument("wanted", nargs=-1, metavar="[MODEL | BUNDLE]...")
@project_option
@data_option
@run_options
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 1),
    default=1e-5,
    show_default=True,
    help="How far numbers may be from those of the sample, as a part of them.",
)
@click.option(
    "--write-schema", is_flag=True, help="Put the schema of the answer into pyproject.toml: shows it, and asks."
)
@click.option("--replace", is_flag=True, help="With --write-schema: replace a schema that stands there already.")
@click.option("--yes", "-y", is_flag=True, help="With --write-schema: make the change without asking.")
@click.option("--dry-run", is_flag=True, help="With --write-schema: show the change, and make none.")
@click.option("--clean", is_flag=True, help="Remove environments that were not used for 30 days, and run nothing.")
@click.option("--all", "everything", is_flag=True, help="With --clean: remove all of them.")
@json_option
def preflight(
    wanted: tuple[str, ...],
    project: Path,
    data: Path | None,
    how: How,
    tolerance: float,
    write_schema: bool,
    replace: bool,
    yes: bool,
    dry_run: bool,
    clean: bool,
    everything: bool,
    as_json: bool,
) -> int:
    """Run models by the platform's own runtime on this machine, before anything is uploaded.

    The requirements are resolved for the platform's Python, an environment of the release is made (and kept), the model
    is loaded and asked for the sample's rows, apart from this machine as far as it can be. The verdict stands in
    dist/, beside the bundle.
    """
    from hatch_wallaroo.cli.schema_writing import Wish
    from hatch_wallaroo.preflight.folders import private_folder

    if everything and not clean:
        raise misused("--all goes with --clean", "add --clean, or leave it out")
    if clean:
        _clean(everything=everything)
        return OK
    wish = Wish(write=write_schema, replace=replace, yes=yes, dry_run=dry_run, option="--write-schema")
    wish.check()
    options = how.options(tolerance)
    verdicts = []
    with ended_by_sigterm(), private_folder() as folder:
        found = subjects(wanted, project, folder, without_outputs=write_schema)
        rows = read(data) if data else None
        for subject in found:
            asked = subject if rows is None else _asked(subject, rows)
            if write_schema:
                # The platform casts an answer to the schema that it knows, so that nothing else would be seen.
                names = asked.output_schema.names if asked.output_schema else ()
                asked = dataclasses.replace(asked, output_schema=None, output_names=tuple(names))
            verdicts.append(_run(asked, options, quiet=as_json, kept=not write_schema))
    if as_json:
        from hatch_wallaroo.preflight.verdict import document

        say_json({"format": 1, "preflights": [_told(document(each), each) for each in verdicts]})
    if write_schema:
        _write(verdicts, project, wish, plain=not as_json)
    return OK if all(each.passed or (not each.ran and each.word == "not run") for each in verdicts) else FAILED


def _clean(*, everything: bool) -> None:
    from hatch_wallaroo.preflight.environment import clean
    from hatch_wallaroo.text import human_size

    removed, freed = clean(everything=everything)
    say(f"removed {removed} environment{'' if removed == 1 else 's'}, {human_size(freed)}")


def _asked(subject: Subject, rows: Rows) -> Subject:
    return dataclasses.replace(subject, rows=rows)


def _run(subject: Subject, options: Options, *, quiet: bool, kept: bool) -> Verdict:
    from hatch_wallaroo.preflight import run, verdict
    from hatch_wallaroo.preflight.preparing import PreflightError

    try:
        made = run.preflight(subject, options, lambda line: tell(f"{one_line(subject.name)}: {line}"))
    except PreflightError as error:
        raise cannot_run(one_line(subject.name), error) from error
    if not quiet:
        from hatch_wallaroo.cli.reports.preflight import show

        show(made)
    if kept and subject.file.parent.is_dir():
        with contextlib.suppress(OSError):
            verdict.keep(made)
    return made


def _told(document: dict[str, Any], verdict: Verdict) -> dict[str, Any]:
    """The verdict's document, with the rows and the log that its file does not keep."""
    from hatch_wallaroo.bundle.manifest import bounded

    rows = {"asked": list(verdict.asked), "answered": list(verdict.answered)}
    return {**document, "answers": bounded(rows), "log": [one_line(line) for line in verdict.log]}


def _write(verdicts: Sequence[Verdict], project: Path, wish: Wish, *, plain: bool) -> None:
    """Put the schemas of the answers into pyproject.toml, for the models that take some and answered."""
    from hatch_wallaroo.cli.schema_writing import carry_out, plan, takes_schemas
    from hatch_wallaroo.project.repository import read_repository
    from hatch_wallaroo.schema.tables import read_schema

    specs: dict[str, ModelSpec] = {spec.name: spec for spec in read_repository(project).reading.specs}
    wanted: list[tuple[ModelSpec, Mapping[Side, Schema]]] = []
    for each in verdicts:
        spec = specs.get(each.subject.name)
        schema, problems = read_schema(each.observed)
        if spec is None or not each.observed or problems:
            tell(f"{one_line(each.subject.name)}: nothing was observed that could be written")
        elif not takes_schemas(spec):
            tell(f"{one_line(spec.name)}: framework {spec.framework.name} takes no schemas")
        else:
            wanted.append((spec, {"output": schema}))
    if wanted:
        carry_out(plan(project, wanted), wish, plain=plain)
