"""What the commands that run models share: which are meant, the rows to ask for, and how they are run."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import itertools
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hatch_wallaroo.cli.groups import Command
from hatch_wallaroo.console import CommandError, misused, tell
from hatch_wallaroo.files.presence import is_file
from hatch_wallaroo.findings import Finding, errors
from hatch_wallaroo.report import render
from hatch_wallaroo.text import colored, one_line

if TYPE_CHECKING:
    from hatch_wallaroo.preflight.preparing import Options, PreflightError
    from hatch_wallaroo.preflight.rows import Rows
    from hatch_wallaroo.preflight.running import ModelError
    from hatch_wallaroo.preflight.serving import Served
    from hatch_wallaroo.preflight.subject import Subject

_GIB = 1 << 30


@dataclasses.dataclass(frozen=True)
class How:
    """How a model is run, as the options of :func:`run_options` say."""

    python: str
    build: bool
    start_seconds: float
    call_seconds: float
    memory: float

    def options(self, tolerance: float | None = None) -> Options:
        from hatch_wallaroo.preflight.compare import TOLERANCE
        from hatch_wallaroo.preflight.preparing import Options
        from hatch_wallaroo.preflight.process import Limits

        limits = Limits(start=self.start_seconds, call=self.call_seconds, memory=int(self.memory * _GIB))
        return Options(
            python=self.python, build=self.build, limits=limits, tolerance=TOLERANCE if tolerance is None else tolerance
        )


_OPTIONS = (
    click.option(
        "--python",
        type=click.Choice(["current"]),
        default=None,
        help="Run it by the Python of this command instead.",
    ),
    click.option(
        "--build", is_flag=True, help="Build requirements that have no wheel; their code runs outside isolation."
    ),
    click.option(
        "--start-seconds",
        type=click.FloatRange(1, 86400),
        default=120.0,
        show_default=True,
        help="How long a model may load.",
    ),
    click.option(
        "--call-seconds",
        type=click.FloatRange(0.1, 86400),
        default=60.0,
        show_default=True,
        help="How long an answer may take.",
    ),
    click.option(
        "--memory",
        type=click.FloatRange(0.5, 4096),
        default=8.0,
        show_default=True,
        metavar="GIB",
        help="Memory that a model may take.",
    ),
)


def run_options(command: Command) -> Command:
    """The options that say how a model is run, given to the command as one value, `how`."""

    @functools.wraps(command)
    def called(
        *given: Any,
        python: str | None,
        build: bool,
        start_seconds: float,
        call_seconds: float,
        memory: float,
        **others: Any,
    ) -> Any:
        return command(*given, how=How(python or "", build, start_seconds, call_seconds, memory), **others)

    made: Any = called
    for each in reversed(_OPTIONS):
        made = each(made)
    return made  # type: ignore[no-any-return]  # the command with more parameters


def data_option(command: Command) -> Command:
    """`--data FILE`, given to the command as `data`."""
    return click.option(
        "--data",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Rows to ask for: JSON, JSON lines, CSV, Parquet or Arrow; without it, the sample's.",
    )(command)


def is_bundle(name: str) -> bool:
    """Whether an argument names a file or a folder of bundles, and not a model."""
    path = Path(name)
    return "/" in name or bool(path.suffix) or path.is_file() or any(path.glob("*.wallaroo.json"))


def subjects(
    wanted: Sequence[str], project: Path, folder: Path, *, beside: bool = True, without_outputs: bool = False
) -> list[Subject]:
    """What is to be run: bundles that are named by their files, and models by their names; without any, all models.

    Models are packed into `folder`; `beside`: a bundle in dist/ that is the same stands for one that was packed.
    `without_outputs`: an output schema may be missing, since the run is to tell it.
    """
    files = [each for each in wanted if is_bundle(each)]
    names = [each for each in wanted if each not in files]
    found = _bundles(files, project)
    if names or not files:
        found += _models(names, project, folder, beside=beside, without_outputs=without_outputs)
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
    rows = samples(project)
    for package in packages:
        with platform_errors():
            package.verify()
        try:
            subject = of_manifest(package.manifest, package.file or package.path)
        except SubjectError as error:
            raise misused(f"{package.path.name}: {error}", "build it again: hatch build") from error
        sample = rows.get(subject.name)
        made.append(dataclasses.replace(subject, rows=read(sample)) if sample else subject)
    return made


def samples(project: Path) -> dict[str, Path]:
    """The samples of a project's models by their names, as far as they are there."""
    from hatch_wallaroo.project.repository import read_repository

    specs = read_repository(project).reading.specs
    return {spec.name: spec.path(spec.sample) for spec in specs if spec.sample and is_file(spec.path(spec.sample))}


def _models(names: Sequence[str], project: Path, folder: Path, *, beside: bool, without_outputs: bool) -> list[Subject]:
    """Models, checked and packed as a build would pack them, into a folder of ours."""
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
    weighty = [each for each in errors(chosen.findings) if not (without_outputs and _lacks_outputs(each))]
    if weighty or not chosen.models:
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
        earlier = built / bundle.path.name
        if beside and _same_digest(earlier, bundle.sha256):
            subject = dataclasses.replace(subject, file=earlier)
        made.append(subject)
    return made


def _lacks_outputs(finding: Finding) -> bool:
    """Whether all that is wrong is that there is no output schema."""
    from hatch_wallaroo.config.rules import SCHEMA_MISSING

    return finding.rule == SCHEMA_MISSING and finding.place.key[-1:] == ("output-schema",)


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


def read(path: Path) -> Rows:
    """The rows of a file; what cannot be read ends the command."""
    from hatch_wallaroo.preflight.rows import RowsError, read_rows

    try:
        return read_rows(path)
    except RowsError as error:
        raise misused(str(error), error.fix) from error


def stopping() -> list[signal.Signals]:
    """The signals that end a command: Ctrl-C's, SIGTERM, and that of a terminal which is closed, unless ignored."""
    found = [getattr(signal, name, None) for name in ("SIGINT", "SIGTERM", "SIGHUP")]  # Windows has not all
    return [each for each in found if each is not None and signal.getsignal(each) != signal.SIG_IGN]


@contextlib.contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """SIGTERM, and a terminal that is closed, end the command as Ctrl-C does: what it started is ended and removed."""

    def leave(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    with contextlib.ExitStack() as before:
        for number in stopping():
            if number != signal.SIGINT:
                before.callback(signal.signal, number, signal.signal(number, leave))
        yield


def started(subject: Subject, options: Options) -> Served:
    """A model that is up. What keeps it from starting ends the command: with code 2 where this machine lacks it."""
    from hatch_wallaroo.preflight.preparing import PreflightError, UnresolvedError, why_not
    from hatch_wallaroo.preflight.running import ModelError
    from hatch_wallaroo.preflight.serving import Served

    name = one_line(subject.name)
    reason = why_not(subject.framework)
    if reason is not None:
        raise misused(f"{name}: {reason}")
    try:
        return Served.open(subject, options, lambda line: tell(f"{name}: {line}"))
    except PreflightError as error:
        raise cannot_run(name, error) from error
    except UnresolvedError as error:
        click.echo(render(error.findings, color=colored(sys.stderr)), err=True, color=True)
        raise CommandError(f"{name}: its requirements cannot be had", "see the findings above") from error
    except ModelError as error:
        raise failed(name, error) from error


def cannot_run(name: str, error: PreflightError) -> CommandError:
    """The end of a command by a machine that cannot run a model, with what was found until then."""
    if error.findings:
        click.echo(render(error.findings, color=colored(sys.stderr)), err=True, color=True)
    log = "".join(f"\n| {line}" for line in error.log.splitlines()[-20:])
    return misused(f"{name}: {error}{log}", error.fix)


def failed(name: str, error: ModelError) -> CommandError:
    """The end of a command by a model that does not load or answer: what it printed last, and its finding."""
    for line in error.log:
        tell(f"| {one_line(line)}")
    finding = error.finding
    at = finding.place
    where = f"{at.file}:{at.line}: " if at.file and at.line else ""
    return CommandError(f"{name}: {where}{finding.message}", finding.fix)


def _names(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    """Names with commas between them."""
    names = tuple(each.strip() for each in value.split(",")) if value is not None else ()
    if not all(names) or any(is_bundle(each) for each in names):
        raise click.BadParameter(f"{value!r} does not name models with commas between them: a,b,c", context, parameter)
    return names


def steps_option(command: Command) -> Command:
    """`--steps A,B,C`, given to the command as `steps`."""
    return click.option(
        "--steps",
        callback=_names,
        metavar="A,B,C",
        help="Models that are the steps of a pipeline, in this order; without it, those of the table in its order.",
    )(command)


def wanted_or_steps(wanted: Sequence[str], steps: Sequence[str]) -> list[str]:
    """The models that are asked for, each once."""
    if wanted and steps:
        raise misused("--steps names the models itself", "name them there, or leave out --steps")
    return list(dict.fromkeys(steps or wanted))


def pipeline(found: Sequence[Subject], steps: Sequence[str]) -> tuple[str, ...]:
    """The steps of a pipeline by their models' names; none where the models do not follow each other.

    Where none are named, the models are steps in their order unless a schema says that one cannot follow another.
    """
    from hatch_wallaroo.config.model_name import in_platforms_form
    from hatch_wallaroo.preflight.pipeline import follows

    by_name = {each.name: each for each in found}
    names = tuple(each if each in by_name else in_platforms_form(each) for each in steps) or tuple(by_name)
    if len(names) == 1 and not steps:
        return ()
    for one, two in itertools.pairwise(names):
        if follows(by_name[one].output_schema, by_name[two].input_schema) is False:
            if not steps:
                return ()
            tell(f"{one_line(two)} takes fields that are not in the output schema of {one_line(one)}")
    return names
