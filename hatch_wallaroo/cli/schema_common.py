"""What the commands about schemas share: the project's models, and how schemas and remarks are printed.

Schemas go to standard output, everything else beside it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hatch_wallaroo.cli.groups import json_option
from hatch_wallaroo.console import misused, say, say_json, tell
from hatch_wallaroo.exit_codes import CONFIGURATION, FAILED
from hatch_wallaroo.findings import Finding, errors, nearest
from hatch_wallaroo.report import render
from hatch_wallaroo.schema.forms import PRINT_FORMS, Labelled, PrintForm, display, document
from hatch_wallaroo.schema.types import Schema, Side
from hatch_wallaroo.text import colored, one_line

if TYPE_CHECKING:
    from hatch_wallaroo.config.spec import ModelSpec
    from hatch_wallaroo.project.repository import Repository


FORMAT = 1
SIDES: tuple[Side, ...] = ("input", "output")
_SCHEMAS = frozenset({"input-schema", "output-schema"})
_FORMS = (*PRINT_FORMS, "json")


@dataclass(frozen=True)
class Wanted:
    """What is to be printed, and how. `chosen`: the form was asked for."""

    sides: tuple[Side, ...]
    form: PrintForm
    as_json: bool
    chosen: bool

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


def print_options(command: Callable[..., int]) -> Callable[..., int]:
    """`--input`, `--output`, `--as` and `--json`, given to the command as `how`."""

    @wraps(command)
    def made(*, inputs: bool, outputs: bool, form: str | None, as_json: bool, **others: Any) -> int:
        if as_json and form not in {None, "json"}:
            raise misused(f"--json and --as {form} ask for two forms", "leave one of the two out")
        asked = tuple(side for side, given in zip(SIDES, (inputs, outputs), strict=True) if given)
        printed: PrintForm = next((each for each in PRINT_FORMS if each == form), "notation")
        how = Wanted(asked or SIDES, printed, as_json or form == "json", chosen=form is not None)
        return command(how=how, **others)

    decorated: Callable[..., int] = made
    for option in (
        json_option,
        click.option("--as", "form", type=click.Choice(_FORMS), help="How to print; notation is the default."),
        click.option("--output", "outputs", is_flag=True, help="Only the output schema."),
        click.option("--input", "inputs", is_flag=True, help="Only the input schema."),
    ):
        decorated = option(decorated)
    return decorated


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
    from hatch_wallaroo.config.toml.reading import locate_all

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


def models_of(root: Path) -> tuple[ModelSpec, ...]:
    """All models that can be read, whether or not they have schemas yet. Ends the command where there are none."""
    repository = _read(root)
    if not repository.reading.specs:
        tell_findings(errors(repository.reading.findings), root)
        raise click.exceptions.Exit(FAILED)
    return repository.reading.specs


def any_models_of(root: Path) -> tuple[ModelSpec, ...]:
    """All models that can be read, without a word where there are none."""
    from hatch_wallaroo.project.repository import read_repository

    return read_repository(root).reading.specs


def models_with_schemas(root: Path) -> tuple[tuple[ModelSpec, ...], bool]:
    """All models that can be read, and whether all is well with every schema; what is not, is told."""
    repository = _read(root)
    wrong = errors(repository.reading.findings)
    specs = repository.reading.specs
    # What is wrong elsewhere in the table is the check's business, unless it keeps a model from being read.
    about = [each for each in wrong if _SCHEMAS & set(each.place.key)]
    tell_findings(about if about and specs else wrong if not specs else [], root)
    if not specs:
        raise click.exceptions.Exit(FAILED)
    return specs, not about


def named(specs: Sequence[ModelSpec], name: str) -> ModelSpec | None:
    """The model of a name: the platform's, or that of its table."""
    return next((each for each in specs if name in {each.name, each.key[-1]}), None)


def choose(specs: Sequence[ModelSpec], names: Sequence[str]) -> tuple[ModelSpec, ...]:
    """The models named, or all of them."""
    return tuple(_choose(specs, each) for each in dict.fromkeys(names)) or tuple(specs)


def only(specs: Sequence[ModelSpec], name: str | None) -> ModelSpec:
    """The model named, or the project's only one."""
    if name is not None:
        return _choose(specs, name)
    if len(specs) > 1:
        raise misused("which model it is for is not said", f"--model {_names(specs)}")
    return specs[0]


def _choose(specs: Sequence[ModelSpec], name: str) -> ModelSpec:
    found = named(specs, name)
    if found is None:
        close = nearest(name[:40], [each.name for each in specs])
        hint = f"did you mean {one_line(close)}?" if close else f"its models are {_names(specs)}"
        raise misused(f"the project has no model {one_line(name)}", hint)
    return found


def _names(specs: Sequence[ModelSpec]) -> str:
    return one_line(", ".join(each.name for each in specs))


def _read(root: Path) -> Repository:
    from hatch_wallaroo.project.repository import read_repository

    repository = read_repository(root)
    if repository.document is None:
        tell_findings(repository.findings, root)
        raise click.exceptions.Exit(CONFIGURATION)
    return repository
