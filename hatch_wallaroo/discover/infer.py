"""A model's schemas from all that tells of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.discover.headers import Names, read_header
from hatch_wallaroo.discover.merge import Together, put_together, weighed
from hatch_wallaroo.discover.rows import Typed, schema_of
from hatch_wallaroo.discover.sample import Row, Sample, read_sample
from hatch_wallaroo.findings import Finding
from hatch_wallaroo.frameworks.mlflow.signature import read_signature
from hatch_wallaroo.schema.hints import Header, Hint
from hatch_wallaroo.schema.types import Scalar, Schema

ONE_LIST = frozenset({"sklearn", "xgboost"})
"""Families whose models take all columns as one list."""


@dataclass(frozen=True)
class Inferred:
    """What was inferred of a model; a schema is None where nothing tells it, or `findings` say why not.

    `based_on` names the sources. `guesses` are choices that nothing tells, each with the side and field it is about.
    `notes` say what else is worth knowing.
    """

    input_schema: Schema | None
    output_schema: Schema | None
    based_on: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def infer(spec: ModelSpec, *, rows: Sample | None = None, signature: Path | None = None) -> Inferred:
    """Infer both schemas of a model. Reads headers and the sample; executes and unpickles nothing.

    `rows` stand in the place of the sample that is declared, `signature`, an MLflow model's file or folder, in that of
    the model's own header.
    """
    findings: tuple[Finding, ...] = ()
    if rows is None and spec.sample:
        rows, findings = read_sample(spec.path(spec.sample), spec.sample)
    header = of_signature(signature, spec.framework.family) if signature else read_header(spec, _names(rows))
    inferred = infer_from(header, rows, open_end=_takes_more(spec))
    known = inferred.input_schema is not None and inferred.output_schema is not None
    return replace(inferred, findings=(*weighed(findings, known=known), *inferred.findings))


def of_signature(path: Path, family: str) -> Header:
    """What MLflow's signature tells a framework: all columns in one list where it takes them so."""
    header = read_signature(path, path.name)
    inputs = header.inputs
    if family not in ONE_LIST or not inputs or (len(inputs) == 1 and inputs[0].sizes):
        return header
    one = _packed(inputs)
    if one is None:
        note = f"{family} takes one list of numbers, inputs, and not all of these columns are numbers"
        return replace(header, notes=(*header.notes, note))
    return replace(header, inputs=one)


def _packed(columns: tuple[Hint, ...]) -> tuple[Hint, ...] | None:
    """Columns of numbers as the one field that scikit-learn and XGBoost take; None where they are none."""
    dtypes = [each.whole.name for each in columns if isinstance(each.whole, Scalar)]
    if len(dtypes) != len(columns) or any(not each.startswith(("int", "uint", "float", "bool")) for each in dtypes):
        return None
    dtype = dtypes[0] if len(set(dtypes)) == 1 else "float64"
    names = ", ".join(each.name for each in columns[:5]) + (", ..." if len(columns) > 5 else "")  # noqa: PLR2004
    return (Hint("inputs", dtype, (len(columns),), guess=f"all columns in one list, in this order: {names}"),)


def infer_from(header: Header, rows: Sample | None, *, open_end: bool = False) -> Inferred:
    """Both schemas from a header and the rows of a sample."""
    file = rows.file if rows else ""
    sent = _typed(rows.inputs, "inputs", file) if rows else None
    answered = _typed(rows.outputs, "outputs", file) if rows else None
    into = put_together("input", header.inputs, sent, file, open_end=open_end)
    out = put_together("output", header.outputs, answered, file)
    return Inferred(
        into.schema,
        out.schema,
        tuple(_sources(header, rows, into, out)),
        (*_guesses("input", into.guesses), *_guesses("output", out.guesses)),
        header.notes,
        (*header.findings, *into.findings, *out.findings),
    )


def _takes_more(spec: ModelSpec) -> bool:
    """Whether the model takes fields that its task does not name."""
    from hatch_wallaroo.frameworks.pretrained.tasks import task_of

    if spec.framework.family != "hugging-face":
        return False
    task = task_of(spec.framework)
    return task is not None and task.extra


def _names(sample: Sample | None) -> Names:
    """The fields in the rows of each side."""
    sides = (sample.inputs, sample.outputs) if sample else ((), ())
    inputs, outputs = (tuple(dict.fromkeys(name for row in rows for name in row.values)) for rows in sides)
    return inputs, outputs


def _typed(rows: Sequence[Row], side: str, file: str) -> Typed | None:
    return schema_of(rows, side, file) if rows else None


def _sources(header: Header, rows: Sample | None, *sides: Together) -> list[str]:
    used = [header.source] if header.source and any(each.from_header for each in sides) else []
    if rows and any(each.from_rows for each in sides):
        count = len(rows.inputs)
        used.append(f"{count} row{'' if count == 1 else 's'} of {rows.file}")
    return used


def _guesses(side: str, told: Sequence[tuple[str, str]]) -> list[str]:
    """One line for each choice, with all the fields that it is about."""
    fields: dict[str, list[str]] = {}
    for name, text in told:
        fields.setdefault(text, []).append(name)
    return [f"{side} {_listed(names)}: {text}" for text, names in fields.items()]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")  # noqa: PLR2004 - a line's worth
