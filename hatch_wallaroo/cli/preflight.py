"""`hatch-wallaroo preflight`: bundles run by the real runtime, in an environment of their release, on this machine."""

from __future__ import annotations

import contextlib
import dataclasses
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hatch_wallaroo.cli.groups import json_option, project_option
from hatch_wallaroo.console import CommandError, misused, say, say_json, tell
from hatch_wallaroo.exit_codes import FAILED, OK
from hatch_wallaroo.files.presence import is_file
from hatch_wallaroo.text import colored, one_line

if TYPE_CHECKING:
    from hatch_wallaroo.cli.schema_writing import Wish
    from hatch_wallaroo.config.spec import ModelSpec
    from hatch_wallaroo.preflight.preparing import Options
    from hatch_wallaroo.preflight.rows import Rows
    from hatch_wallaroo.preflight.subject import Subject
    from hatch_wallaroo.preflight.verdict import Verdict

_GIB = 1 << 30
_EPILOG = """\b
Examples:
    hatch-wallaroo preflight
    hatch-wallaroo preflight fraud --data rows.csv
    hatch-wallaroo preflight dist/fraud-1.0.0.zip
    hatch-wallaroo preflight --write-schema
    hatch-wallaroo preflight --clean

Without a name, every model of the project is packed as hatch build would pack it, and run. A file is a bundle that was
built. The exit code is 0 where all passed, 1 where one did not, 2 where nothing could be run.
"""


@click.command(epilog=_EPILOG)
@click.argument("wanted", nargs=-1, metavar="[MODEL | BUNDLE]...")
@project_option
@click.option(
    "--data",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Rows to ask for: JSON, JSON lines, CSV, Parquet or Arrow; without it, the sample's.",
)
@click.option("--python", type=click.Choice(["current"]), help="Run it by the Python of this command instead.")
@click.option("--build", is_flag=True, help="Build requirements that have no wheel; their code runs outside isolation.")
@click.option(
    "--start-seconds",
    type=click.FloatRange(1, 86400),
    default=120.0,
    show_default=True,
    help="How long a model may load.",
)
@click.option(
    "--call-seconds",
    type=click.FloatRange(0.1, 86400),
    default=60.0,
    show_default=True,
    help="How long an answer may take.",
)
@click.option(
    "--memory",
    type=click.FloatRange(0.5, 4096),
    default=8.0,
    show_default=True,
    metavar="GIB",
    help="Memory that a model may take.",
)
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
    python: str | None,
    build: bool,
    start_seconds: float,
    call_seconds: float,
    memory: float,
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
    from hatch_wallaroo.preflight.preparing import Options
    from hatch_wallaroo.preflight.process import Limits

    if everything and not clean:
        raise misused("--all goes with --clean", "add --clean, or leave it out")
    if clean:
        _clean(everything=everything)
        return OK
    wish = Wish(write=write_schema, replace=replace, yes=yes, dry_run=dry_run, option="--write-schema")
    wish.check()
    limits = Limits(start=start_seconds, call=call_seconds, memory=int(memory * _GIB))
    options = Options(python=python or "", build=build, limits=limits, tolerance=tolerance)
    verdicts = []
    with _ended_by_sigterm(), private_folder() as folder:
        subjects = _subjects(wanted, project, folder)
        rows = _read(data) if data else None
        for subject in subjects:
            asked = subject if rows is None else _asked(subject, rows)
            verdicts.append(_run(asked, options, quiet=as_json))
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


def _run(subject: Subject, options: Options, *, quiet: bool) -> Verdict:
    from hatch_wallaroo.preflight import run, verdict
    from hatch_wallaroo.preflight.preparing import PreflightError

    try:
        made = run.preflight(subject, options, lambda line: tell(f"{one_line(subject.name)}: {line}"))
    except PreflightError as error:
        if error.findings:
            from hatch_wallaroo.report import render

            click.echo(render(error.findings, color=colored(sys.stderr)), err=True, color=True)
        log = "".join(f"\n| {line}" for line in error.log.splitlines()[-20:])
        raise misused(f"{one_line(subject.name)}: {error}{log}", error.fix) from error
    if not quiet:
        from hatch_wallaroo.cli.reports.preflight import show

        show(made)
    if subject.file.parent.is_dir():
        with contextlib.suppress(OSError):
            verdict.keep(made)
    return made


def _told(document: dict[str, Any], verdict: Verdict) -> dict[str, Any]:
    """The verdict's document, with the rows and the log that its file does not keep."""
    from hatch_wallaroo.bundle.manifest import bounded

    rows = {"asked": list(verdict.asked), "answered": list(verdict.answered)}
    return {**document, "answers": bounded(rows), "log": [one_line(line) for line in verdict.log]}


def _subjects(wanted: Sequence[str], project: Path, folder: Path) -> list[Subject]:
    """What is to be run: bundles that are named by their files, and models by their names; without any, all models."""
    files = [each for each in wanted if "/" in each or Path(each).suffix or Path(each).is_file()]
    names = [each for each in wanted if each not in files]
    found = _bundles(files, project)
    if names or not files:
        found += _models(names, project, folder)
    return found


def _bundles(files: Sequence[str], project: Path) -> list[Subject]:
    """Bundles that were built; rows are the sample's where the project has a model of that name."""
    if not files:
        return []
    from hatch_wallaroo.cli.connection import platform_errors
    from hatch_wallaroo.platform.packages import find, read_all
    from hatch_wallaroo.preflight.subject import SubjectError, of_manifest

    made = []
    with platform_errors():
        packages, unreadable = read_all(find(files, root=project))
    for _, error in unreadable:
        raise misused(error.message, error.fix) from error
    samples = _samples(project)
    for package in packages:
        with platform_errors():
            package.verify()
        try:
            subject = of_manifest(package.manifest, package.file or package.path)
        except SubjectError as error:
            raise misused(f"{package.path.name}: {error}", "build it again: hatch build") from error
        sample = samples.get(subject.name)
        made.append(dataclasses.replace(subject, rows=_read(sample)) if sample else subject)
    return made


def _samples(project: Path) -> dict[str, Path]:
    from hatch_wallaroo.project.repository import read_repository

    specs = read_repository(project).reading.specs
    return {spec.name: spec.path(spec.sample) for spec in specs if spec.sample and is_file(spec.path(spec.sample))}


def _models(names: Sequence[str], project: Path, folder: Path) -> list[Subject]:
    """Models, checked and packed as a build would pack them, into a folder of ours; their verdicts go to dist/."""
    from hatch_wallaroo.bundle.pack import PackError, pack
    from hatch_wallaroo.cli.reports.text import text
    from hatch_wallaroo.preflight.rows import RowsError
    from hatch_wallaroo.preflight.subject import of_checked
    from hatch_wallaroo.project.checking import UnknownModelError, check_repository, output, result
    from hatch_wallaroo.project.repository import read_repository

    repository = read_repository(project)
    report = check_repository(repository)
    try:
        chosen = result(repository, report, tuple(names), 0.0)
    except UnknownModelError as error:
        known = ", ".join(error.known) if error.known else "none"
        raise misused(f"the project has no model {one_line(error.name)}", f"its models are {one_line(known)}") from None
    if chosen.fails(strict=False) or not chosen.models:
        click.echo(text(chosen, color=colored(sys.stdout)))
        raise CommandError("the checks found errors: nothing was run", "mend them first")
    models = [each.checked for each in chosen.models if each.checked is not None and each.checked.plan is not None]
    try:
        bundles = pack(models, folder)
    except PackError as error:
        raise CommandError(error.finding.message, error.finding.fix) from error
    made = []
    built = project / output(repository.hatch)
    for bundle in bundles:
        try:
            subject = of_checked(bundle.checked, bundle.path, bundle.sha256)
        except RowsError as error:
            raise misused(str(error), error.fix) from error
        beside = built / bundle.path.name
        if _same_digest(beside, bundle.sha256):
            subject = dataclasses.replace(subject, file=beside)
        made.append(subject)
    return made


def _same_digest(path: Path, sha256: str) -> bool:
    import hashlib

    try:
        with path.open("rb") as stream:
            digest = hashlib.sha256()
            while block := stream.read(1 << 20):
                digest.update(block)
    except OSError:
        return False
    return digest.hexdigest() == sha256


def _read(path: Path) -> Rows:
    from hatch_wallaroo.preflight.rows import RowsError, read_rows

    try:
        return read_rows(path)
    except RowsError as error:
        raise misused(str(error), error.fix) from error


def _write(verdicts: Sequence[Verdict], project: Path, wish: Wish, *, plain: bool) -> None:
    """Put the schemas of the answers into pyproject.toml, for the models that take some and answered."""
    from hatch_wallaroo.cli.schema_writing import carry_out, plan, takes_schemas
    from hatch_wallaroo.project.repository import read_repository
    from hatch_wallaroo.schema.tables import read_schema

    specs: dict[str, ModelSpec] = {spec.name: spec for spec in read_repository(project).reading.specs}
    wanted = []
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
        carry_out(plan(project, wanted), wish, plain=plain)  # type: ignore[arg-type]  # the literal's type is lost


@contextlib.contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """SIGTERM ends the command as Ctrl-C does, so that all it started is ended and removed."""

    def leave(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
