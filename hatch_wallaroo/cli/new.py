"""`hatch-wallaroo new` and `hatch-wallaroo template-config`: two of the three doors to the scaffold generator."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hatch_wallaroo.cli.completion import complete_frameworks, complete_releases
from hatch_wallaroo.cli.groups import json_option
from hatch_wallaroo.console import misused, say, say_json, tell

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
    from hatch_wallaroo.scaffold.answers import chosen, decide, scaffold_errors
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


def _document(answers: Answers, files: tuple[ScaffoldFile, ...], folder: Path) -> dict[str, object]:
    return {
        "folder": str(folder),
        "project": answers.project,
        "model": answers.project,
        "framework": answers.framework.name,
        "release": answers.release.asked,
        "files": [file.path for file in files],
    }
