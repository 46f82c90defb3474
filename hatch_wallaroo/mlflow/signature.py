"""What a signature means for a table's rows: its fields, how rows reach the model, and where the table differs.

Columns take rows as they are. Tensors do not: MLflow 1.30.0 takes them as `{"instances": …}` only, but for one tensor
without a name and with two dimensions, of which it makes a row's columns, whatever they are called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.deduce.hints import Hint
from hatch_wallaroo.deduce.signature import hints
from hatch_wallaroo.findings import Finding, Level, rule
from hatch_wallaroo.formats.mlmodel import MLmodel, Spec
from hatch_wallaroo.schema.notation import format_type
from hatch_wallaroo.schema.types import Field, Scalar, Schema

DISAGREES = rule(
    "WLR465",
    "the schema is not the model's signature",
    why="MLflow holds a request against the signature before the model sees it, and refuses what does not fit.",
    source="MLflow 1.30.0, mlflow.pyfunc: _enforce_schema",
)
TENSORS = rule(
    "WLR467",
    "an MLflow model that takes tensors",
    why="MLflow 1.30.0 refuses a table's row for such a signature: it wants the values as `instances`. A trial of the "
    "image sends them so. Columns with names are taken in every form.",
    source="MLflow 1.30.0, mlflow.pyfunc: _enforce_tensor_schema; its scoring server",
    level=Level.NOTE,
)

Form = Literal["records", "instances", "values"]
"""How rows reach the model: as pandas records; or as tensors take them, `{"instances": […]}`, with whole rows or, where
the tensor has no name, with the value of each row's only field."""

_MOST_COLUMNS = 1000
_SHOWN = 12

UNKNOWN = "unknown"
"""What is shown as the type of a field of which the signature does not tell one."""


@dataclass(frozen=True)
class Told:
    """The fields of each side (none: the signature does not tell), and how rows are sent."""

    inputs: tuple[Hint, ...]
    outputs: tuple[Hint, ...]
    form: Form

    def side(self, name: str) -> tuple[Hint, ...]:
        return self.inputs if name == "inputs" else self.outputs

    def schema(self, name: str) -> Schema | None:
        """A side as a schema; None where one of its fields has no type that Arrow knows."""
        fields = self.side(name)
        made = [Field(each.name, each.type, each.optional) for each in fields if each.type is not None]
        return Schema(tuple(made)) if made and len(made) == len(fields) else None


NOTHING = Told((), (), "records")


def told(description: MLmodel | None, declared: Schema | None) -> Told:
    """What the signature tells; `declared` is the table's input schema, which may have a tensor's row as one list."""
    signature = description.signature if description else None
    if signature is None:
        return NOTHING
    inputs, outputs = signature.inputs or (), signature.outputs or ()
    fields, form = _inputs(inputs, declared)
    return Told(fields, hints(outputs, "outputs"), form)


def _inputs(specs: tuple[Spec, ...], declared: Schema | None) -> tuple[tuple[Hint, ...], Form]:
    fields = hints(specs, "inputs")
    if not any(each.type == "tensor" for each in specs):
        return fields, "records"
    if any(each.name for each in specs) or len(specs) != 1:
        return fields, "instances"
    (shape, whole) = (specs[0].shape, fields[0])
    as_list = declared is not None and len(declared.fields) == 1 and not isinstance(declared.fields[0].type, Scalar)
    if len(shape) != 2 or not 0 < shape[1] <= _MOST_COLUMNS or whole.dtype is None or as_list:  # noqa: PLR2004 - rows, columns
        return fields, "values"
    return tuple(replace(whole, name=str(at), sizes=()) for at in range(shape[1])), "records"


def shown(fields: Sequence[Hint]) -> dict[str, str]:
    """Fields and their types, as the table writes them."""
    return {each.name: format_type(each.type) if each.type else UNKNOWN for each in fields}


def compared(spec: ModelSpec, signature: Told) -> list[Finding]:
    """The table's schemas against the signature's: names, where it has some, and types."""
    findings = []
    for key, declared, side in (
        ("input-schema", spec.input_schema, "inputs"),
        ("output-schema", spec.output_schema, "outputs"),
    ):
        fields = signature.side(side)
        if declared is None or not fields or _fits(declared, fields):
            continue
        findings.append(
            DISAGREES.finding(
                f"the model's signature says {_listed(shown(fields))}",
                fix="write the schema as the signature has it, or remove it: then the signature's is taken",
                place=spec.at(key),
                # Answers are not enforced by MLflow 1.30.0: they are what the model gives.
                level=Level.ERROR if side == "inputs" else Level.WARNING,
            )
        )
    if signature.form != "records":
        what = _listed(shown(signature.inputs))
        fix = "nothing where requests are sent as instances; else save the model with a DataFrame's signature"
        message = f"its signature has tensors ({what}), which no row of a table fits"
        findings.append(TENSORS.finding(message, fix=fix, place=spec.at("model")))
    return findings


def _listed(fields: Mapping[str, str]) -> str:
    parts = [f"{name} = {type_}" for name, type_ in fields.items()]
    more = f" and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
    return ", ".join(parts[:_SHOWN]) + more


def _fits(declared: Schema, fields: tuple[Hint, ...]) -> bool:
    if len(declared.fields) != len(fields):
        return False
    if all(each.free for each in fields):
        # Names are the table's own: only what stands in each place counts.
        pairs = zip(declared.fields, fields, strict=True)
        return all(hint.type in {None, field.type} for field, hint in pairs)
    ours = {field.name: field.type for field in declared.fields}
    return all(each.name in ours and each.type in {None, ours[each.name]} for each in fields)
