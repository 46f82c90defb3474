"""Reads MLflow's signature: its fields, how rows reach the model, and where the table differs.

Columns take rows as they are. Tensors do not: MLflow 1.30.0 takes them as `{"instances": …}` only, but for one tensor
without a name and with two dimensions, of which it makes a row's columns, whatever they are called.
"""

from __future__ import annotations

import os.path
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.findings import Finding, Level, Place, rule
from hatch_wallaroo.formats.mlmodel import LARGEST, MLmodel, MLmodelError, SignatureField, read_mlmodel
from hatch_wallaroo.schema.hints import Header, Hint, arrow_dtype, row_sizes
from hatch_wallaroo.schema.notation import format_type
from hatch_wallaroo.schema.types import Field, ListOf, MapOf, Scalar, Schema, Struct, Type
from hatch_wallaroo.text import describe_error, few

NO_SIGNATURE = rule(
    "WLR673",
    "an MLflow model without a signature that can be read",
    why="An MLmodel file tells the inputs and outputs only where the model was logged with a signature, in types that "
    "Arrow has.",
    source="MLflow 1.30.0 and 2.14.3: the file MLmodel, infer_signature",
)
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

MLMODEL = "MLmodel"
_INSTALL = "pip install 'hatch-wallaroo[mlflow]'"
_SIGN = "log the model with signature=mlflow.models.infer_signature(inputs, outputs), or name a sample"
_COLUMNS = {
    "double": "float64",
    "float": "float32",
    "long": "int64",
    "integer": "int32",
    "boolean": "bool",
    "string": "string",
    "binary": "binary",
    "datetime": "timestamp[ns]",
}
"""MLflow's DataType, by Arrow's names."""
_NUMPY = {"str": "string", "bytes": "binary", "datetime64[ns]": "timestamp[ns]", "timedelta64[ns]": "duration[ns]"}
_STEMS = {"inputs": "inputs", "outputs": "predictions"}

RowForm = Literal["records", "instances", "values"]
"""How rows reach the model: as pandas records; or as tensors take them, `{"instances": […]}`, with whole rows or, where
the tensor has no name, with the value of each row's only field."""

_MOST_COLUMNS = 1000

UNKNOWN = "unknown"
"""What is shown as the type of a field of which the signature does not tell one."""


def read_signature(path: Path, shown: str) -> Header:
    """The signature of an MLflow model's folder, or of its MLmodel file; `shown` is what messages call it.

    Never raises: where there is none, the findings say so.
    """
    if os.path.isdir(path):  # noqa: PTH112 - pathlib raises for names that no file system takes
        path, shown = path / MLMODEL, f"{shown.rstrip('/')}/{MLMODEL}"
    try:
        with path.open("rb") as stream:
            model = read_mlmodel(stream.read(LARGEST + 1))
    except ModuleNotFoundError as error:
        return _wrong(shown, f"reading it needs what is not installed: {error.name}", _INSTALL)
    except MLmodelError as error:
        return _wrong(shown, error.message, _SIGN, error.line, error.column)
    except (OSError, ValueError) as error:
        reason = describe_error(error)
        return _wrong(shown, f"cannot be read: {reason}", "name the folder that MLflow wrote, with MLmodel in it")
    return _header(model, shown)


def _header(model: MLmodel, shown: str) -> Header:
    signature_hints = model.signature
    if signature_hints is None:
        return _wrong(shown, "the model has no signature", _SIGN)
    by = f", by MLflow {model.mlflow_version}" if model.mlflow_version else ""
    return Header(
        f"the signature in {shown}{by}",
        hints(signature_hints.inputs, "inputs") if signature_hints.inputs else None,
        hints(signature_hints.outputs, "outputs") if signature_hints.outputs else None,
    )


def _wrong(shown: str, message: str, fix: str, line: int | None = None, column: int | None = None) -> Header:
    place = Place(file=shown, line=line, column=column)
    return Header(findings=(NO_SIGNATURE.finding(f"{shown}: {message}", fix=fix, place=place),))


def hints(specs: tuple[SignatureField, ...], side: str) -> tuple[Hint, ...]:
    """The fields of a side. Those without a name get the guide's."""
    return tuple(_hint(each, _name(each, at, len(specs), side)) for at, each in enumerate(specs, start=1))


def _name(spec: SignatureField, at: int, count: int, side: str) -> str:
    stem = _STEMS[side]
    return spec.name or (stem if count == 1 else f"{stem}_{at}")


def _hint(spec: SignatureField, name: str) -> Hint:
    guess = "" if spec.name else "the signature gives it no name; this is the guide's"
    if spec.type == "tensor":
        dtype = arrow_dtype(_NUMPY.get(spec.dtype, spec.dtype))
        sizes = row_sizes(spec.shape) if spec.shape else ()
        untold = f"is {spec.dtype}, which no column of a table can hold" if dtype is None else ""
        return Hint(name, dtype, sizes, free=not spec.name, untold=untold, guess=guess)
    whole = _type(spec)
    untold = f"is of MLflow's type {spec.type}, which Arrow has not" if whole is None else ""
    return Hint(name, whole=whole, free=not spec.name, optional=not spec.required, untold=untold, guess=guess)


def _type(spec: SignatureField) -> Type | None:
    """A column's type; None for what has no type in Arrow, such as `any`."""
    if spec.type in _COLUMNS:
        return Scalar(_COLUMNS[spec.type])
    if spec.type == "array":
        item = _type(spec.item) if spec.item else None
        return ListOf(item) if item is not None else None
    if spec.type == "map":
        value = _type(spec.item) if spec.item else None
        return MapOf(Scalar("string"), value) if value is not None else None
    if spec.type == "object" and spec.properties:
        inner = [(each, _type(each)) for each in spec.properties]
        fields = tuple(Field(each.name or "", type_, not each.required) for each, type_ in inner if type_ is not None)
        return Struct(fields) if len(fields) == len(inner) else None
    return None


@dataclass(frozen=True)
class SignatureHints:
    """The fields of each side (none: the signature does not tell), and how rows are sent."""

    inputs: tuple[Hint, ...]
    outputs: tuple[Hint, ...]
    form: RowForm

    def side(self, name: str) -> tuple[Hint, ...]:
        return self.inputs if name == "inputs" else self.outputs

    def schema(self, name: str) -> Schema | None:
        """A side as a schema; None where one of its fields has no type that Arrow knows."""
        fields = self.side(name)
        made = [Field(each.name, each.type, each.optional) for each in fields if each.type is not None]
        return Schema(tuple(made)) if made and len(made) == len(fields) else None


NOTHING = SignatureHints((), (), "records")


def signature_hints(description: MLmodel | None, declared: Schema | None) -> SignatureHints:
    """What the signature tells; `declared` is the table's input schema, which may have a tensor's row as one list."""
    signature = description.signature if description else None
    if signature is None:
        return NOTHING
    inputs, outputs = signature.inputs or (), signature.outputs or ()
    fields, form = _inputs(inputs, declared)
    return SignatureHints(fields, hints(outputs, "outputs"), form)


def _inputs(specs: tuple[SignatureField, ...], declared: Schema | None) -> tuple[tuple[Hint, ...], RowForm]:
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


def display(fields: Sequence[Hint]) -> dict[str, str]:
    """Fields and their types, as the table writes them."""
    return {each.name: format_type(each.type) if each.type else UNKNOWN for each in fields}


def compared(spec: ModelSpec, signature: SignatureHints) -> list[Finding]:
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
                f"the model's signature says {_listed(display(fields))}",
                fix="write the schema as the signature has it, or remove it: then the signature's is taken",
                place=spec.at(key),
                # Answers are not enforced by MLflow 1.30.0: they are what the model gives.
                level=Level.ERROR if side == "inputs" else Level.WARNING,
            )
        )
    if signature.form != "records":
        what = _listed(display(signature.inputs))
        fix = "nothing where requests are sent as instances; else save the model with a DataFrame's signature"
        message = f"its signature has tensors ({what}), which no row of a table fits"
        findings.append(TENSORS.finding(message, fix=fix, place=spec.at("model")))
    return findings


def _listed(fields: Mapping[str, str]) -> str:
    return few((f"{name} = {type_}" for name, type_ in fields.items()), 12, counted=True)


def _fits(declared: Schema, fields: tuple[Hint, ...]) -> bool:
    if len(declared.fields) != len(fields):
        return False
    if all(each.free for each in fields):
        # Names are the table's own: only what stands in each place counts.
        pairs = zip(declared.fields, fields, strict=True)
        return all(hint.type in {None, field.type} for field, hint in pairs)
    ours = {field.name: field.type for field in declared.fields}
    return all(each.name in ours and each.type in {None, ours[each.name]} for each in fields)
