"""MLflow's signature as fields."""

from __future__ import annotations

import os.path
from pathlib import Path

from hatch_wallaroo.deduce.hints import Header, Hint, arrow_dtype, row_sizes
from hatch_wallaroo.findings import Place, rule
from hatch_wallaroo.formats.mlmodel import LARGEST, MLmodel, MLmodelError, Spec, read_mlmodel
from hatch_wallaroo.schema.types import Field, ListOf, MapOf, Scalar, Struct, Type

NO_SIGNATURE = rule(
    "WLR673",
    "an MLflow model without a signature that can be read",
    why="An MLmodel file tells the inputs and outputs only where the model was logged with a signature, in types that "
    "Arrow has.",
    source="MLflow 1.30.0 and 2.14.3: the file MLmodel, infer_signature",
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
        reason = getattr(error, "strerror", None) or error
        return _wrong(shown, f"cannot be read: {reason}", "name the folder that MLflow wrote, with MLmodel in it")
    return _header(model, shown)


def _header(model: MLmodel, shown: str) -> Header:
    told = model.signature
    if told is None:
        return _wrong(shown, "the model has no signature", _SIGN)
    by = f", by MLflow {model.mlflow_version}" if model.mlflow_version else ""
    return Header(
        f"the signature in {shown}{by}",
        hints(told.inputs, "inputs") if told.inputs else None,
        hints(told.outputs, "outputs") if told.outputs else None,
    )


def _wrong(shown: str, message: str, fix: str, line: int | None = None, column: int | None = None) -> Header:
    place = Place(file=shown, line=line, column=column)
    return Header(findings=(NO_SIGNATURE.finding(f"{shown}: {message}", fix=fix, place=place),))


def hints(specs: tuple[Spec, ...], side: str) -> tuple[Hint, ...]:
    """The fields of a side. Those without a name get the guide's."""
    return tuple(_hint(each, _name(each, at, len(specs), side)) for at, each in enumerate(specs, start=1))


def _name(spec: Spec, at: int, count: int, side: str) -> str:
    stem = _STEMS[side]
    return spec.name or (stem if count == 1 else f"{stem}_{at}")


def _hint(spec: Spec, name: str) -> Hint:
    guess = "" if spec.name else "the signature gives it no name; this is the guide's"
    if spec.type == "tensor":
        dtype = arrow_dtype(_NUMPY.get(spec.dtype, spec.dtype))
        sizes = row_sizes(spec.shape) if spec.shape else ()
        untold = f"is {spec.dtype}, which no column of a table can hold" if dtype is None else ""
        return Hint(name, dtype, sizes, free=not spec.name, untold=untold, guess=guess)
    whole = _type(spec)
    untold = f"is of MLflow's type {spec.type}, which Arrow has not" if whole is None else ""
    return Hint(name, whole=whole, free=not spec.name, optional=not spec.required, untold=untold, guess=guess)


def _type(spec: Spec) -> Type | None:
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


def packed(columns: tuple[Hint, ...]) -> tuple[Hint, ...] | None:
    """Columns of numbers as the one field that scikit-learn and XGBoost take; None where they are none."""
    dtypes = [each.whole.name for each in columns if isinstance(each.whole, Scalar)]
    if len(dtypes) != len(columns) or any(not each.startswith(("int", "uint", "float", "bool")) for each in dtypes):
        return None
    dtype = dtypes[0] if len(set(dtypes)) == 1 else "float64"
    names = ", ".join(each.name for each in columns[:5]) + (", ..." if len(columns) > 5 else "")  # noqa: PLR2004
    return (Hint("inputs", dtype, (len(columns),), guess=f"all columns in one list, in this order: {names}"),)
