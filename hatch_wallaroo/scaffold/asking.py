"""The questions of `-i`, asked in the same words by every door."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from hatch_wallaroo.config.release_values import Answer, find_framework, find_release
from hatch_wallaroo.releases.load import known
from hatch_wallaroo.releases.model import Release
from hatch_wallaroo.scaffold.answers import DEFAULT_FRAMEWORK, hint, newest_release
from hatch_wallaroo.scaffold.wishes import Wishes

_COLUMNS = 2


def ask(wishes: Wishes) -> Wishes:
    """Ask for the release and the framework; what was wished is what Return takes. Raises click.Abort."""
    release = _ask_release(wishes.release)
    framework = _ask_framework(wishes.framework, release)
    return replace(wishes, release=release.asked, framework=framework)


def _ask_release(wished: str | None) -> Release:
    default = wished if wished and find_release(wished).value else newest_release()
    click.echo(f"Wallaroo releases: {', '.join(known())}", err=True)
    release: Release = click.prompt(
        "Release", default=default, err=True, value_proc=lambda text: _found(find_release(text.strip()))
    )
    return release


def _ask_framework(wished: str | None, release: Release) -> str:
    names = [name for name, row in release.frameworks.items() if row.family != "mlflow"]
    default = wished if wished in names else DEFAULT_FRAMEWORK
    click.echo(_menu(names), err=True)

    def chosen(text: str) -> str:
        text = text.strip()
        if text.isascii() and text.isdigit():
            if not 1 <= int(text[:9]) <= len(names):
                raise click.UsageError(f"there are {len(names)}; write a number of these, or a name")
            return names[int(text) - 1]
        name: str = _found(find_framework(text, release)).name
        if name not in names:
            raise click.UsageError(f"{name} is a container image, which this version does not build")
        return name

    framework: str = click.prompt("Framework", default=default, err=True, value_proc=chosen)
    return framework


def _found(answer: Answer) -> Any:
    """The value, or the question once more with the nearest name."""
    if answer.value is None:
        raise click.UsageError("; ".join(f"{issue.message}; {hint(issue.fix)}" for issue in answer.issues))
    return answer.value


def _menu(names: list[str]) -> str:
    """The names with their numbers, in columns that are read downwards."""
    rows = -(-len(names) // _COLUMNS)
    cells = [f"{number:>3} {name}" for number, name in enumerate(names, 1)]
    width = max(map(len, cells)) + 2
    return "\n".join("".join(cell.ljust(width) for cell in cells[row::rows]).rstrip() for row in range(rows))
