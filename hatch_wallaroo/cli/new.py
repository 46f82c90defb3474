"""`hatch-wallaroo new` and `hatch-wallaroo template-config`: two of the three doors to the scaffold generator."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hatch_wallaroo.__about__ import __version__
from hatch_wallaroo.cli.common import CommandError, complain, json_option, misused, say, say_json, tell
from hatch_wallaroo.cli.completion import complete_frameworks, complete_releases
from hatch_wallaroo.exit_codes import CONFIGURATION, FAILED

if TYPE_CHECKING:
    from hatch_wallaroo.scaffold.answers import Answers
    from hatch_wallaroo.scaffold.repository import ScaffoldFile

_NEW = """\b
Examples:
    hatch-wallaroo new my-model
    hatch-wallaroo new my-model --framework sklearn --release 2024.1
    hatch-wallaroo new -i

What is not said here is taken from HATCH_WALLAROO_FRAMEWORK and HATCH_WALLAROO_RELEASE, then from Hatch's config.toml
([template.plugins.wallaroo], and the author of [template]), then the author from git.
"""
_CONFIG = """\b
Example:
    hatch --config "$(hatch-wallaroo template-config)" new my-model

For every `hatch new`: hatch config set template.plugins '{"wallaroo": {}}'
"""


@click.command(epilog=_NEW)
@click.argument("name", required=False)
@click.argument("location", required=False, type=click.Path(path_type=Path))
@click.option(
    "--framework",
    "-f",
    metavar="NAME",
    help="The model's framework; `custom` (BYOP) where none is named.",
    shell_complete=complete_frameworks,
)
@click.option(
    "--release",
    "-r",
    metavar="RELEASE",
    help="The Wallaroo release; the newest known where none is named.",
    shell_complete=complete_releases,
)
@click.option("--description", metavar="TEXT", help="What the model does, in a sentence.")
@click.option("--author", metavar="NAME", help="The author's name.")
@click.option("--email", metavar="ADDRESS", help="The author's email address.")
@click.option("--license", "license_", metavar="SPDX", help="The license, for example Apache-2.0.")
@click.option("--interactive", "-i", is_flag=True, help="Ask for name, description, release and framework.")
@json_option
def new(
    name: str | None,
    location: Path | None,
    framework: str | None,
    release: str | None,
    description: str | None,
    author: str | None,
    email: str | None,
    license_: str | None,
    interactive: bool,
    as_json: bool,
) -> None:
    """Make a new model repository, which builds and passes its tests as it stands.

    NAME is the project's and the model's; the folder is LOCATION, or that name.
    """
    from hatch_wallaroo.scaffold.answers import decide
    from hatch_wallaroo.scaffold.repository import repository, starter
    from hatch_wallaroo.scaffold.requested import Requested, gathered
    from hatch_wallaroo.scaffold.write import write

    if not name and not interactive:
        raise misused("a name is missing", "hatch-wallaroo new my-model, or -i to be asked")
    with scaffold_errors():
        said = Requested(framework, release, description, author, email, license_)
        requested = said.otherwise(gathered(os.environ))
        if interactive:
            from hatch_wallaroo.scaffold.answers import ask

            name = name or click.prompt("Project name", err=True)
            text = click.prompt("Description", default=requested.description or "", err=True)
            requested = ask(replace(requested, description=text))
        answers = decide(str(name), requested)
        files = repository(answers, starter(answers))
        folder = location or Path(answers.project)
        write(files, folder)
    if as_json:
        say_json(_document(answers, files, folder))
    else:
        tell(chosen(answers))
        say("\n".join([f"{folder}/", *(f"    {file.path}" for file in files)]))
        tell(f"next: cd {folder}, then hatch build; README.md says more")


@click.command("template-config", epilog=_CONFIG)
def template_config() -> None:
    """Print the path of a config.toml that makes `hatch new` make model repositories."""
    from hatch_wallaroo.scaffold.template_files import shipped_config

    click.echo(str(shipped_config()))


def chosen(answers: Answers, *, flags: bool = True) -> str:
    """What the repository is for; where nobody had named that, how to. `flags` tells whether there are options."""
    why = {"framework": " (none was named)", "release": " (the newest known)"}
    said = {"framework": answers.framework.name, "release": answers.release.asked}
    parts = [f"{key} {value}{why[key] if key in answers.assumed else ''}" for key, value in said.items()]
    text = f"hatch-wallaroo {__version__}: {', '.join(parts)}"
    if answers.assumed:
        ways = [f"--{key}" for key in answers.assumed if flags]
        ways += [f"HATCH_WALLAROO_{key.upper()}" for key in answers.assumed]
        named = f"{' and '.join(answers.assumed)} in [template.plugins.wallaroo] of Hatch's config.toml"
        text += f"\nto choose: {', '.join(ways)}, or {named}"
    return text


@contextmanager
def scaffold_errors() -> Iterator[None]:
    """Turns what the generator says into the command's error; under Hatch as well."""
    from hatch_wallaroo.scaffold.requested import ScaffoldError

    try:
        yield
    except ScaffoldError as error:
        *first, last = error.problems
        for problem in first:
            complain(*problem)
        raise CommandError(last.message, last.fix, CONFIGURATION if error.misused else FAILED) from error


def _document(answers: Answers, files: tuple[ScaffoldFile, ...], folder: Path) -> dict[str, object]:
    return {
        "folder": str(folder),
        "project": answers.project,
        "model": answers.project,
        "framework": answers.framework.name,
        "release": answers.release.asked,
        "files": [file.path for file in files],
    }
