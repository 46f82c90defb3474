"""`hatch-wallaroo schema`: show the schemas of a project, read them from elsewhere, infer them from a model."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from hatch_wallaroo.cli.completion import complete_frameworks, complete_releases
from hatch_wallaroo.cli.groups import Group, project_option
from hatch_wallaroo.cli.schema_common import (
    FORMAT,
    SIDES,
    Outcome,
    Wanted,
    choose,
    give,
    models_of,
    models_with_schemas,
    only,
    print_options,
    say_schemas,
    tell_findings,
    tell_lines,
)
from hatch_wallaroo.cli.schema_writing import Wish, carry_out, plan, refuse, takes_schemas, write_options
from hatch_wallaroo.console import misused, say_json, tell
from hatch_wallaroo.exit_codes import FAILED, OK
from hatch_wallaroo.schema.reading import FORMS, Form
from hatch_wallaroo.text import describe_error

if TYPE_CHECKING:
    from hatch_wallaroo.config.spec import ModelSpec
    from hatch_wallaroo.schema.python_source import Found
    from hatch_wallaroo.schema.types import Schema, Side

_EXAMPLES = """\b
Examples:
    hatch-wallaroo schema show --as python
    hatch-wallaroo schema read upload.py --write
    hatch-wallaroo schema infer --write

A schema describes one row. Printed are tables for pyproject.toml, or with --as what pyarrow prints, the Python code
that makes the schema, or the base64 that is sent to the platform.
"""
_SHOW = """\b
Examples:
    hatch-wallaroo schema show
    hatch-wallaroo schema show fraud --input --as base64
    hatch-wallaroo schema show --json
"""
_READ = """\b
Examples:
    hatch-wallaroo schema read upload.py
    hatch-wallaroo schema read upload.py --write --yes
    hatch-wallaroo schema read schema.txt --as python
    hatch-wallaroo schema read features.parquet --input --write
    hatch-wallaroo schema show --as python | hatch-wallaroo schema read -

What FILE is, its bytes tell: base64, an Arrow IPC message, stream or file (Feather), Parquet, or Python source with
input_schema and output_schema as the upload guide has them. Python is read and never run.
"""
_INFER = """\b
Examples:
    hatch-wallaroo schema infer
    hatch-wallaroo schema infer fraud --write
    hatch-wallaroo schema infer models/fraud.onnx --as python
    hatch-wallaroo schema infer sample.json --input
    hatch-wallaroo schema infer mlruns/0/1f2e/artifacts/model --model fraud --write

The header of a model is read: ONNX, SavedModel, Keras, TorchScript, scikit-learn, XGBoost, an MLflow signature; for
Hugging Face the guide's schemas of the task. Rows of the sample fill in what it does not tell, and are compared with
it. What it is based on, and what is a guess, is said on standard error.
"""


_LARGEST_INPUT = 64 << 20


@click.group(cls=Group, epilog=_EXAMPLES)
def schema() -> None:
    """Show, read, infer and write schemas. No model is loaded, and no code of yours is run."""


@schema.command(epilog=_SHOW)
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@project_option
@print_options
def show(models: tuple[str, ...], project: Path, how: Wanted) -> int:
    """Show the schemas of the project.

    Those of all models, or of each MODEL named.
    """
    specs, well = models_with_schemas(project)
    shown = [Outcome(each.name, _declared(each, how), each) for each in choose(specs, models)]
    for each in shown:
        lacking = [side for side, declared in each.schemas.items() if declared is None]
        if lacking and each.spec and not takes_schemas(each.spec):
            tell(f"{each.name} has no schemas: framework {each.spec.framework.name} takes none")
        elif lacking and well:
            tell(f"{each.name} has no {' and no '.join(lacking)} schema")
    give(shown, how)
    return OK if well and (how.as_json or any(each.known() for each in shown)) else FAILED


@schema.command(epilog=_READ)
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE|-")
@click.option("--from", "source", type=click.Choice(FORMS), help="What FILE is, where its bytes mislead.")
@click.option("--name", metavar="NAME", help="Of Python: the variable that holds the schema.")
@click.option("--model", metavar="NAME", help="With --write: the model that it is for.")
@project_option
@print_options
@write_options
def read(
    file: Path,
    source: Form | None,
    name: str | None,
    model: str | None,
    project: Path,
    how: Wanted,
    **writing: bool,
) -> int:
    """Read schemas from base64, Arrow, or Python source.

    FILE, or standard input (-), is read; what is in it is printed, or with --write put into pyproject.toml.
    """
    from hatch_wallaroo.schema import reading

    wish = _wish(how, writing)
    spec = only(models_of(project), model) if wish.write else None
    if spec:
        refuse([spec])
    label = "standard input" if str(file) == "-" else str(file)
    with _opened(file) as stream:
        found = reading.choose(reading.read(stream, label, source), label, how.side, name)
    tell_findings(finding for each in found for finding in each.findings)
    tell_lines("", (note for each in found for note in each.notes))
    if any(each.schema is None for each in found):
        return FAILED
    if spec is None:
        _give_read(found, how)
        return OK
    sides: dict[Side, Schema] = {each.side: each.schema for each in found if each.side and each.schema}
    if len(sides) < len(found):
        raise misused(f"{label} does not say which schema it is", "add --input or --output")
    return _write(project, [Outcome(spec.name, sides, spec)], wish, how)


@schema.command(epilog=_INFER)
@click.argument("target", required=False, metavar="[MODEL|FILE]")
@click.option("--sample", type=click.Path(path_type=Path), metavar="FILE", help="The sample, if not the declared one.")
@click.option(
    "--framework",
    metavar="NAME",
    help="Of a FILE: the framework that will run it.",
    shell_complete=complete_frameworks,
)
@click.option(
    "--release",
    metavar="RELEASE",
    help="Of a FILE: the Wallaroo release; else the newest.",
    shell_complete=complete_releases,
)
@click.option("--model", metavar="NAME", help="Of a FILE: the project's model that it is for.")
@project_option
@print_options
@write_options
def infer(
    target: str | None,
    sample: Path | None,
    framework: str | None,
    release: str | None,
    model: str | None,
    project: Path,
    how: Wanted,
    **writing: bool,
) -> int:
    """Infer schemas from models and samples.

    Those of all models of the project, of one MODEL, or of a FILE: a model, a sample, or an MLflow model's folder.
    """
    from hatch_wallaroo.cli.schema_inferring import Asked, outcomes

    wish = _wish(how, writing)
    found, complete = outcomes(project, Asked(target, sample, framework, release, model, writes=wish.write), how)
    if not wish.write:
        give(found, how)
        return OK if complete else FAILED
    taking = [each for each in found if each.spec and takes_schemas(each.spec)]
    if not taking or len(found) == 1:
        refuse([each.spec for each in found if each.spec])
    if not complete:
        tell("nothing was written")
        return FAILED
    return _write(project, taking, wish, how)


def _declared(spec: ModelSpec, how: Wanted) -> dict[Side, Schema | None]:
    declared = dict(zip(SIDES, (spec.input_schema, spec.output_schema), strict=True))
    return {side: declared[side] for side in how.sides}


def _wish(how: Wanted, writing: dict[str, Any]) -> Wish:
    wish = Wish(**writing)
    wish.check()
    if wish.write and how.chosen:
        raise misused("--as prints, and --write writes", "leave one of the two out")
    return wish


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    """The file, or all of standard input, which has to be read to the end to be looked at twice."""
    if str(file) == "-":
        yield io.BytesIO(sys.stdin.buffer.read(_LARGEST_INPUT))
        return
    try:
        stream = file.open("rb")
    except (OSError, ValueError) as error:
        reason = describe_error(error)
        raise misused(
            f"{file} cannot be read: {reason}", "name a file that can be read, or - for standard input"
        ) from None
    with stream:
        yield stream


def _give_read(found: Sequence[Found], how: Wanted) -> None:
    """Print what was read; a schema of which nobody says which one it is, without a table's header."""
    from hatch_wallaroo.schema.forms import Labelled, document

    known = [(each.side, each.schema) for each in found if each.schema is not None]
    if how.as_json:
        say_json({"format": FORMAT, **{f"{side}_schema" if side else "schema": document(each) for side, each in known}})
        return
    say_schemas([Labelled(each, side) for side, each in known], how.form)


def _write(project: Path, found: Sequence[Outcome], wish: Wish, how: Wanted) -> int:
    change = plan(project, [(each.spec, each.known()) for each in found if each.spec])
    document = change.to_json()
    written = carry_out(change, wish, plain=not how.as_json)
    if how.as_json:
        say_json({"format": FORMAT, **document, "written": written})
    return OK
