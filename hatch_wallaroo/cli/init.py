"""`hatch-wallaroo init`: finds the models of a repository, proposes their tables, shows the change, and writes it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hatch_wallaroo.cli.completion import complete_frameworks, complete_releases
from hatch_wallaroo.cli.groups import json_option, project_option
from hatch_wallaroo.console import CommandError, misused, one_of_the_two, say_json, tell
from hatch_wallaroo.exit_codes import CONFIGURATION
from hatch_wallaroo.findings import Finding, Level
from hatch_wallaroo.report import render
from hatch_wallaroo.text import colored, one_line, painted_diff

if TYPE_CHECKING:
    from hatch_wallaroo.cli.init_choosing import Choice
    from hatch_wallaroo.config.toml.editing import Edit
    from hatch_wallaroo.discover.adoption import Adoption
    from hatch_wallaroo.discover.candidates import AdoptionContext

_EXAMPLES = """\b
Examples:
    hatch-wallaroo init
    hatch-wallaroo init --yes
    hatch-wallaroo init --dry-run
    hatch-wallaroo init --model models/churn.pkl --release 2025.2
    hatch-wallaroo init --model models/reviews --framework hugging-face-text-classification --name reviews

Models are told by their content, and nothing is imported or run. The exit code is 0 where the file was written, or
needs no change; 1 where no model was found, or none that is certain; 2 where an option is wrong, or --yes is missing
and nobody is there to be asked.
"""


@click.command(epilog=_EXAMPLES)
@project_option
@click.option("--model", "models", multiple=True, metavar="PATH", help="A model to add; may be given several times.")
@click.option(
    "--framework",
    metavar="NAME",
    help="Its framework, where another one is meant than is proposed.",
    shell_complete=complete_frameworks,
)
@click.option(
    "--release",
    metavar="RELEASE",
    help="The Wallaroo release; the newest known one where none is declared.",
    shell_complete=complete_releases,
)
@click.option("--name", metavar="NAME", help="The model's name on the platform.")
@click.option("--yes", "-y", is_flag=True, help="Take all that is certain, and write without asking.")
@click.option("--dry-run", is_flag=True, help="Show the changes, and make none.")
@json_option
def init(
    project: Path,
    models: tuple[str, ...],
    framework: str | None,
    release: str | None,
    name: str | None,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Add [tool.wallaroo] to a repository that has a model: finds it, shows the change, and asks."""
    from hatch_wallaroo.cli.init_choosing import choose
    from hatch_wallaroo.config.toml.editing import EditError
    from hatch_wallaroo.discover.adoption import Adoption, adopt

    one_of_the_two(yes=yes, dry_run=dry_run)
    context, edit = _read(project, release)
    _judge(context, framework, name, models)
    asking = sys.stdin.isatty() and not (yes or dry_run or as_json)
    choice = choose(context, edit, models, framework, asking=asking)
    if name is not None and len(choice.chosen) > 1:
        raise misused(f"--name is one model's, and {len(choice.chosen)} were found", "name one with --model")
    try:
        adoption = adopt(context, edit, choice.chosen, name) if choice.error is None else Adoption.none(edit)
        findings = (*choice.findings, *_tried(context.root, adoption))
        if as_json:
            _give_json(context, choice, adoption, findings, write=yes)
        elif _shown(choice, adoption, findings) and not dry_run and _agreed(yes=yes, asking=asking):
            edit.write()
            _say_next(adoption, findings)
    except EditError as error:
        raise CommandError(f"nothing was changed: {error}", error.fix, CONFIGURATION) from None
    if choice.error is not None:
        raise choice.error


def _read(root: Path, release: str | None) -> tuple[AdoptionContext, Edit]:
    """The project as it is; what is no TOML is said with its line, and ends the command."""
    from hatch_wallaroo.config.toml.editing import EditError, edit_pyproject
    from hatch_wallaroo.config.toml.reading import parse_document
    from hatch_wallaroo.discover.adoption import declared_release
    from hatch_wallaroo.discover.candidates import AdoptionContext
    from hatch_wallaroo.project.repository import read_repository
    from hatch_wallaroo.releases.load import known

    try:
        edit = edit_pyproject(root)
    except EditError as error:
        path = root / "pyproject.toml"
        broken = read_repository(root).findings if path.is_file() else ()
        if broken:
            click.echo(render(broken, color=colored(sys.stderr)), err=True)
            raise CommandError("nothing was changed", "mend pyproject.toml first", CONFIGURATION) from None
        raise CommandError(str(error), error.fix, CONFIGURATION) from None
    if not edit.before and (above := _project_above(root)):
        tell(f"note: there is a pyproject.toml in {one_line(str(above))}; --project names that folder, if it is meant")
    table = parse_document(edit.before).table or {}
    chosen = release or declared_release(table) or known()[-1]
    return AdoptionContext(root, read_repository(root, edit.before).project, chosen), edit


def _project_above(root: Path) -> Path | None:
    """The folder above, in the same repository, that has a pyproject.toml of its own."""
    for folder in (root.absolute(), *root.absolute().parents):
        if (folder / "pyproject.toml").is_file():
            return folder
        if (folder / ".git").exists():
            break
    return None


def _judge(context: AdoptionContext, framework: str | None, name: str | None, models: Sequence[str]) -> None:
    """What is wrong with the options, said before anything is looked for."""
    from hatch_wallaroo.config.model_name import judge_name
    from hatch_wallaroo.config.release_values import find_framework, find_release
    from hatch_wallaroo.config.rules import NAME

    answer = find_release(context.release)
    for issue in answer.issues:
        if answer.value is None:
            raise misused(f"--release: {issue.message}", issue.fix)
    if framework is not None:
        found = find_framework(framework, answer.value)
        if found.value is None:
            issue = found.issues[0]
            raise misused(f"--framework: {issue.message}", issue.fix)
    if name is not None:
        issue_of_name = judge_name(name)
        if issue_of_name is not None and issue_of_name.rule is NAME:
            raise misused(f"--name: {issue_of_name.message}", issue_of_name.fix)
    if len(models) > 1 and (framework or name):
        option = "--framework" if framework else "--name"
        raise misused(f"{option} is one model's, and --model names {len(models)}", "run the command for each of them")


def _tried(root: Path, adoption: Adoption) -> tuple[Finding, ...]:
    """What is to be said of the project, and what a check says of it with the changes; without any, what is wrong."""
    from hatch_wallaroo.config.toml.reading import locate_all
    from hatch_wallaroo.discover.adoption import trial
    from hatch_wallaroo.discover.project import INCOMPLETE
    from hatch_wallaroo.project.rules import NO_PROJECT

    if not adoption.diff:
        return tuple(each for each in adoption.findings if each.level is not Level.NOTE)
    text = adoption.edit.after
    told = {each.rule for each in adoption.findings}
    rest = (each for each in trial(root, text) if not (INCOMPLETE in told and each.rule is NO_PROJECT))
    return (*locate_all(adoption.findings, root, text), *rest)


def _give_json(
    context: AdoptionContext, choice: Choice, adoption: Adoption, findings: Sequence[Finding], *, write: bool
) -> None:
    """Write, where that was said, and give all of it to a program."""
    from hatch_wallaroo.discover.adoption import json_document

    written = write and bool(adoption.diff)
    if written:
        adoption.edit.write()
    error = choice.error.message if choice.error else None
    made = json_document(choice.candidates, adoption, findings, release=context.release, written=written, error=error)
    say_json(made)


def _shown(choice: Choice, adoption: Adoption, findings: Sequence[Finding]) -> bool:
    """Show the change on standard output, and what goes beside it on standard error; whether there is one."""
    if adoption.diff:
        click.echo(painted_diff(adoption.diff, color=colored(sys.stdout)), color=True)
    elif choice.error is None:
        tell(f"pyproject.toml needs no change: {choice.left}")
    for note in adoption.notes:
        tell(f"note: {one_line(note)}")
    if findings:
        click.echo(render(findings, color=colored(sys.stderr)), err=True, color=True)
    return bool(adoption.diff)


def _agreed(*, yes: bool, asking: bool) -> bool:
    """Whether to write: said beforehand, or now."""
    if not (yes or asking):
        fix = "--yes makes the changes, --dry-run only shows them"
        raise misused("nothing was written: nobody is there to be asked", fix)
    return yes or click.confirm("write pyproject.toml?", default=True, abort=True, err=True)


def _say_next(adoption: Adoption, findings: Sequence[Finding]) -> None:
    from hatch_wallaroo.discover.project import COMMAND, ELSEWHERE
    from hatch_wallaroo.findings import errors

    how = COMMAND if any(each.rule is ELSEWHERE for each in findings) else "hatch build"
    first = "mend what is said above, then " if errors(findings) else ""
    tell(f"wrote {adoption.edit.path.name}; next: {first}{how}")
