"""Schemas into pyproject.toml: planned in memory, shown as a difference, asked for, written whole or not at all."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hatch_wallaroo.cli.groups import Command
from hatch_wallaroo.console import CommandError, ask, misused, one_of_the_two, tell
from hatch_wallaroo.schema.tables import read_schema, write_schema
from hatch_wallaroo.schema.types import Schema, Side
from hatch_wallaroo.text import colored, key_text, listed, painted_diff, quoted

if TYPE_CHECKING:
    from hatch_wallaroo.config.spec import ModelSpec
    from hatch_wallaroo.config.toml.editing import Edit


@dataclass(frozen=True)
class Wish:
    """How `--write` and the options beside it were given."""

    write: bool
    replace: bool
    yes: bool
    dry_run: bool
    option: str = "--write"

    def check(self) -> None:
        """Say what does not go together."""
        given = [name for name in ("replace", "yes", "dry_run") if getattr(self, name)]
        if given and not self.write:
            option = f"--{given[0].replace('_', '-')}"
            raise misused(f"{option} goes with {self.option}", f"add {self.option}, or leave it out")
        one_of_the_two(yes=self.yes, dry_run=self.dry_run)


@dataclass
class Change:
    """What is to be changed: the edit, and the schemas that stand there already and are others."""

    edit: Edit
    replaced: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """What would be changed; to be asked for before it is written."""
        return {"file": self.edit.path.name, "changed": self.edit.changed, "diff": self.edit.diff()}


def write_options(command: Command) -> Command:
    """The options of all commands that write, given to them as `Wish`'s fields."""
    for option in (
        click.option("--dry-run", is_flag=True, help="With --write: show the changes, and make none."),
        click.option("--yes", "-y", is_flag=True, help="With --write: make the changes without asking."),
        click.option("--replace", is_flag=True, help="With --write: replace schemas that stand there already."),
        click.option("--write", is_flag=True, help="Put it into pyproject.toml: shows the changes, and asks."),
    ):
        command = option(command)
    return command


def plan(root: Path, wanted: Sequence[tuple[ModelSpec, Mapping[Side, Schema]]]) -> Change:
    """Put the schemas of models into a project's pyproject.toml, in memory."""
    from hatch_wallaroo.config.toml.editing import EditError, edit_pyproject

    try:
        change = Change(edit_pyproject(root))
        for spec, schemas in wanted:
            for side, schema in schemas.items():
                _put(change, spec, side, schema)
    except EditError as error:
        raise CommandError(f"nothing was written: {error}", error.fix) from error
    return change


def takes_schemas(spec: ModelSpec) -> bool:
    return spec.framework.schemas != "none"


def refuse(specs: Sequence[ModelSpec]) -> None:
    """The frameworks that take no schemas: with one in the table, the project would not build any more."""
    for spec in specs:
        if not takes_schemas(spec):
            message = f"framework {quoted(spec.framework.name)} takes no schemas in release {spec.release.version}"
            raise misused(f"nothing was written for {spec.name}: {message}", "the platform finds out for itself")


def carry_out(change: Change, wish: Wish, *, plain: bool) -> bool:
    """Show the changes, ask, write. `plain`: what is shown belongs to standard output. Whether it was written."""
    from hatch_wallaroo.config.toml.editing import EditError

    if not change.edit.changed:
        tell(f"{change.edit.path.name} says so already: nothing was changed")
        return False
    stream = sys.stdout if plain else sys.stderr
    click.echo(painted_diff(change.edit.diff(), color=colored(stream)), err=not plain, color=colored(stream))
    if wish.dry_run:
        return False
    _allow(change, wish)
    try:
        change.edit.write()
    except EditError as error:
        raise CommandError(f"nothing was written: {error}", error.fix) from error
    tell(f"{change.edit.path.name} was changed")
    return True


def _put(change: Change, spec: ModelSpec, side: Side, schema: Schema) -> None:
    """One schema; what says the same stays as it is written, whatever form it has there."""
    option = f"{side}-schema"
    key = tuple(str(each) for each in (*spec.key, option))
    there = change.edit.get(key)
    if isinstance(there, Mapping) and read_schema(there) == (schema, []):
        return
    if there is not None:
        change.replaced.append(key_text(key))
    elif option in spec.origins and spec.origins[option] != key:
        tell(f"{spec.name} gets an {option} of its own, in the place of the shared one")
    if there is None:
        from hatch_wallaroo.schema.tables import format_schema

        change.edit.add_table(key_text(key), format_schema(schema))
    else:
        change.edit.set(key, write_schema(schema))
    if read_schema(change.edit.get(key)) != (schema, []):
        raise CommandError(f"{key_text(key)} cannot be written so that it reads back the same", "write it by hand")


def _allow(change: Change, wish: Wish) -> None:
    """Ask, where somebody is there to be asked; what stands there is replaced only where that was said."""
    there = listed(change.replaced) if change.replaced else ""
    if change.replaced and not wish.replace and (wish.yes or not sys.stdin.isatty()):
        stands = "stand" if len(change.replaced) > 1 else "stands"
        raise misused(
            f"nothing was written: {there} {stands} there already, and otherwise", "--replace puts it in its place"
        )
    if not wish.yes:
        ask(f"replace {there}?" if there else f"change {change.edit.path.name}?")
