"""What the commands about schemas print: schemas on standard output, everything else beside it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hatch_wallaroo.cli.common import Command, json_option, misused, say, say_json, tell
from hatch_wallaroo.findings import Finding
from hatch_wallaroo.report import render
from hatch_wallaroo.schema.forms import PRINT_FORMS, Labelled, PrintForm, display, document
from hatch_wallaroo.schema.types import Schema, Side
from hatch_wallaroo.text import colored

if TYPE_CHECKING:
    from hatch_wallaroo.config.spec import ModelSpec

FORMAT = 1
SIDES: tuple[Side, ...] = ("input", "output")
_FORMS = (*PRINT_FORMS, "json")


@dataclass(frozen=True)
class Wanted:
    """What is to be printed, and how."""

    sides: tuple[Side, ...]
    form: PrintForm
    as_json: bool

    @property
    def side(self) -> Side | None:
        """The one side that was asked for."""
        return self.sides[0] if len(self.sides) == 1 else None


@dataclass(frozen=True)
class Outcome:
    """A model's schemas, to be printed or written. `spec` is None where no project has the model.

    `schemas` holds the sides that were asked for, None for one that is not known. `more` is what `--json` says besides.
    """

    name: str
    schemas: Mapping[Side, Schema | None]
    spec: ModelSpec | None = None
    more: Mapping[str, Any] | None = None

    def known(self) -> dict[Side, Schema]:
        return {side: schema for side, schema in self.schemas.items() if schema is not None}


def print_options(command: Command) -> Command:
    """`--input`, `--output`, `--as` and `--json`, given to the command as `wanted`'s arguments."""
    for option in (
        json_option,
        click.option("--as", "form", type=click.Choice(_FORMS), help="How to print; notation is the default."),
        click.option("--output", "outputs", is_flag=True, help="Only the output schema."),
        click.option("--input", "inputs", is_flag=True, help="Only the input schema."),
    ):
        command = option(command)
    return command


def wanted(*, inputs: bool, outputs: bool, form: str | None, as_json: bool) -> Wanted:
    """What the options of `print_options` ask for."""
    if as_json and form not in {None, "json"}:
        raise misused(f"--json and --as {form} ask for two forms", "leave one of the two out")
    asked = tuple(side for side, given in zip(SIDES, (inputs, outputs), strict=True) if given)
    printed: PrintForm = next((each for each in PRINT_FORMS if each == form), "notation")
    return Wanted(asked or SIDES, printed, as_json or form == "json")


def give(outcomes: Sequence[Outcome], how: Wanted) -> None:
    """Print schemas."""
    if how.as_json:
        say_json({"format": FORMAT, "models": [_document(each) for each in outcomes]})
        return
    several = len(outcomes) > 1
    labelled = [
        Labelled(schema, side, each.name if several else "", _key(each))
        for each in outcomes
        for side, schema in each.known().items()
    ]
    if labelled:
        say_schemas(labelled, how.form)


def say_schemas(schemas: Sequence[Labelled], form: PrintForm) -> None:
    """Print schemas in a form that can be read back, whatever the terminal's encoding."""
    say(display(schemas, form, sys.stdout.encoding or "ascii"))


def tell_findings(findings: Iterable[Finding], root: Path | None = None) -> None:
    """Show findings on standard error, those about pyproject.toml with their lines."""
    from hatch_wallaroo.config.toml.positions import locate_all

    found = list(findings)
    text = render(locate_all(found, root) if root else found, color=colored(sys.stderr))
    if text:
        click.echo(text, err=True, color=colored(sys.stderr))


def tell_lines(label: str, lines: Iterable[str]) -> None:
    """Show remarks on standard error, below the label that they are about."""
    for line in lines:
        tell(f"{label}{line}")


def _key(outcome: Outcome) -> tuple[str, ...]:
    return tuple(map(str, outcome.spec.key)) if outcome.spec else ("tool", "wallaroo")


def _document(outcome: Outcome) -> dict[str, Any]:
    made: dict[str, Any] = {"name": outcome.name}
    if outcome.spec:
        made["framework"] = outcome.spec.framework.name
    return {
        **made,
        **{f"{side}_schema": document(schema) for side, schema in outcome.schemas.items()},
        **(outcome.more or {}),
    }
