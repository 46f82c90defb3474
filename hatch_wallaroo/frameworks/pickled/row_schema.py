"""The schemas of scikit-learn and XGBoost models: one field `inputs` that holds a row of numbers."""

from __future__ import annotations

from collections.abc import Iterator

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.findings import Finding, Level, rule
from hatch_wallaroo.schema.types import Field, ListOf, Scalar, Type, element, shape
from hatch_wallaroo.text import few

INPUTS = rule(
    "WLR360",
    "the input is one field named inputs",
    why="The platform passes the model one array per row, in the order of the training columns. It does not put "
    "separate columns together.",
    source="Upload guide: SKLearn Schema Inputs, XGBoost Schema Inputs",
)
DTYPE = rule(
    "WLR361",
    "one numeric dtype for all features",
    why="A row is one array, and an array has one dtype.",
    source="Upload guide: SKLearn Schema Inputs, XGBoost Schema Inputs",
)
SIZE = rule(
    "WLR362",
    "the input does not have as many values as the model was trained on",
    why="scikit-learn and XGBoost refuse rows with another number of features than they were trained on.",
    source="n_features_in_ and num_feature in the model; scikit-learn: X has N features, but … is expecting M",
)
SHAPE = rule(
    "WLR363",
    "a row is not a list of fixed size",
    why="The model is given the rows as one table, so each row is a flat list, and all have the same length.",
    source="Upload guide: pa.list_(pa.float64(), list_size=4) in SKLearn and XGBoost Schema Inputs",
    level=Level.WARNING,
)
OUTPUT = rule(
    "WLR364",
    "an output that such a model does not return",
    why="Predictions are arrays of numbers, or of the class labels that the model was trained on.",
    source="Upload guide: SKLearn Schema Outputs, XGBoost Schema Outputs",
    level=Level.WARNING,
)

_INTEGERS = frozenset(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))
_NUMBERS = _INTEGERS | {"float16", "float32", "float64", "halffloat", "float", "double", "bool"}
_TEXTS = frozenset({"string", "large_string", "utf8", "large_utf8"})
_LIKE_THIS = 'inputs = "float64[{size}]"'


def check_schemas(spec: ModelSpec, features: int | None, *, texts: bool = False, labels: bool = False) -> list[Finding]:
    """Judge the declared schemas. `features` is what the model was trained on, where its file says it.

    `texts`: the model takes texts (its first step is a vectorizer). `labels`: it returns text labels.
    """
    return [*_input(spec, features, texts), *_output(spec, labels)]


def _input(spec: ModelSpec, features: int | None, texts: bool) -> Iterator[Finding]:
    schema = spec.input_schema
    if schema is None or not schema.fields:
        return
    if len(schema.fields) == 1 and schema.fields[0].name == "inputs":
        yield from _row(spec, schema.fields[0], features, texts)
        return
    example = _LIKE_THIS.format(size=features or _values(schema.fields) or "N")
    if len(schema.fields) == 1:
        name = schema.fields[0].name
        yield INPUTS.finding(
            f'the input field is named "{name}", and {spec.framework.name} models take "inputs"',
            fix=f'rename "{name}" to "inputs"',
            place=spec.at("input-schema", name),
        )
        yield from _row(spec, schema.fields[0], features, texts)
        return
    yield INPUTS.finding(
        f"{len(schema.fields)} input fields ({few(schema.names, 8)}); {spec.framework.name} models take one, named "
        '"inputs", that holds a row\'s values in the order of the training columns',
        fix=f"{example}, with all columns in one list of one dtype",
        place=spec.at("input-schema"),
    )


def _values(fields: tuple[Field, ...]) -> int | None:
    """How many values separate columns come to."""
    total = 0
    for field in fields:
        sizes = shape(field.type)
        if len(sizes) > 1 or None in sizes:
            return None
        total += (sizes[0] or 0) if sizes else 1
    return total


def _row(spec: ModelSpec, field: Field, features: int | None, texts: bool) -> Iterator[Finding]:
    place = spec.at("input-schema", field.name)
    leaf, sizes = element(field.type), shape(field.type)
    name = leaf.name if isinstance(leaf, Scalar) else ""
    if name in _TEXTS:
        if not texts:
            yield DTYPE.finding(
                f"{field.name} holds texts, and {spec.framework.name} models compute with numbers",
                fix=_LIKE_THIS.format(size=features or "N"),
                place=place,
                level=Level.WARNING,
            )
        return
    if name not in _NUMBERS:
        yield DTYPE.finding(
            f"{field.name} is of type {name or _kind(leaf)}, and {spec.framework.name} models compute with numbers",
            fix=_LIKE_THIS.format(size=features or "N"),
            place=place,
        )
        return
    fix = f'{field.name} = "{name}[{features or "N"}]"'
    if not sizes:
        yield SHAPE.finding(
            f"{field.name} is a single number; the platform makes one flat array of it, and {spec.framework.name} "
            "models take a table of rows",
            fix=fix,
            place=place,
        )
    elif len(sizes) > 1:
        yield SHAPE.finding(
            f"{field.name} has {len(sizes)} dimensions a row, and {spec.framework.name} models take one", fix=fix,
            place=place,
        )  # fmt: skip
    elif sizes[0] is None:
        said = f"; the model was trained on {features}" if features else ""
        yield SHAPE.finding(f"{field.name} is a list of any length{said}", fix=fix, place=place)
    elif features and sizes[0] != features:
        yield SIZE.finding(
            f"{field.name} holds {sizes[0]} values a row, and the model was trained on {features}",
            fix=fix,
            place=place,
        )


def _output(spec: ModelSpec, labels: bool) -> Iterator[Finding]:
    if spec.output_schema is None:
        return
    for field in spec.output_schema.fields:
        leaf = element(field.type)
        name = leaf.name if isinstance(leaf, Scalar) else ""
        place = spec.at("output-schema", field.name)
        if name in _TEXTS:
            continue
        if name not in _NUMBERS:
            yield OUTPUT.finding(
                f"{field.name} is of type {name or _kind(leaf)}, and models return numbers or labels",
                fix=f'{field.name} = "float64", or "int64" for classes',
                place=place,
            )
        elif labels and len(spec.output_schema.fields) == 1 and not isinstance(field.type, ListOf):
            yield OUTPUT.finding(
                f"{field.name} is {name}, and this classifier was trained on text labels, which predict() returns",
                fix=f'{field.name} = "string", or train on numbers',
                place=place,
            )


def _kind(type_: Type) -> str:
    return type(type_).__name__.removesuffix("Of").lower()
