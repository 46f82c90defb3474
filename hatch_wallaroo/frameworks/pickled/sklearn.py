"""scikit-learn: one pickle of one fitted estimator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.findings import Finding, Level, rule
from hatch_wallaroo.formats.pickle_nodes import Blob, Call, Collection, Global, Node, Opaque, Value, array_of, class_of
from hatch_wallaroo.frameworks.base import version_numbers
from hatch_wallaroo.frameworks.pickled import estimators
from hatch_wallaroo.frameworks.pickled.checks import OpenedPickle, Pickled
from hatch_wallaroo.frameworks.pickled.estimators import broken_between
from hatch_wallaroo.frameworks.pickled.row_schema import check_schemas
from hatch_wallaroo.text import few

NO_ESTIMATOR = rule(
    "WLR365",
    "the pickle holds something else than a model",
    why="The platform calls predict on the object that the pickle holds.",
    source="Upload guide, SKLearn and XGBoost; mac: Inference.expected_model_types",
)
VERSION = rule(
    "WLR366",
    "trained with another version of scikit-learn than the platform runs",
    why="scikit-learn does not promise that a model loads, or predicts the same, in another version.",
    source="scikit-learn: InconsistentVersionWarning; upload guide, SKLearn: Supported Libraries",
    level=Level.WARNING,
)
UNLOADABLE = rule(
    "WLR367",
    "does not load in the platform's scikit-learn",
    why="The classes or the arrays of this model have another form in that version, and loading it fails.",
    source="Run: models of scikit-learn 1.2.2, 1.3.0, 1.5.2 and 1.9.1 in each other",
)
UNFITTED = rule(
    "WLR368",
    "the model is not trained",
    why="predict of an estimator that was never fitted raises NotFittedError.",
    source="scikit-learn: check_is_fitted",
)
NO_PREDICT = rule(
    "WLR369",
    "the model has no predict",
    why="Transformers and some clusterings only transform or fit; the platform asks for predictions.",
    source="scikit-learn: all estimators of 1.2.2 and 1.9.1; upload guide: SKLearn Schema Outputs",
    level=Level.WARNING,
)
OTHER_FRAMEWORK = rule(
    "WLR370",
    "a model of another framework",
    why="Each framework has an environment and a loader of its own on the platform.",
    source="Upload guide: Supported Models",
)
COLUMN_NAMES = rule(
    "WLR371",
    "columns picked by name",
    why="The platform passes an array, which has no column names; scikit-learn then refuses to pick by name.",
    source="scikit-learn: Specifying the columns using strings is only supported for dataframes; upload guide: "
    "SKLearn Schema Inputs",
    level=Level.WARNING,
)

_LIBRARY = "scikit-learn"
_SHOWN = 5


class Sklearn(Pickled):
    """A bare `.pkl` of an estimator or a pipeline."""

    def judge(self, spec: ModelSpec, opened: OpenedPickle) -> Iterator[Finding]:
        """Whether it is a model that predicts, in the platform's version; class, steps and features are its facts."""
        model = opened.root
        made_by = class_of(model)
        if made_by is None or not _may_be_model(made_by, model):
            return _no_model(opened)
        opened.facts.update(_facts(model, made_by))
        return _check(spec, opened, made_by)

    def check_schemas(self, spec: ModelSpec, facts: Mapping[str, Any]) -> tuple[Finding, ...]:
        """One field of numbers, or of texts; as many as the model was trained on."""
        texts = bool(facts.get("texts"))
        features = None if texts else facts.get("features")
        return tuple(check_schemas(spec, features, texts=texts, labels=bool(facts.get("text_labels"))))


def _may_be_model(made_by: Global, model: Value) -> bool:
    """Whether an object could have a predict: no array, frame, dict or helper of a library."""
    if array_of(model) is not None or made_by.module.partition(".")[0] in {"numpy", "pandas", "scipy", "collections"}:
        return False
    return not any(made_by.module == each or made_by.module.startswith(f"{each}.") for each in estimators.NO_ESTIMATORS)


def _facts(model: Value, made_by: Global) -> dict[str, object]:
    versions = estimators.versions_of(model)
    steps = estimators.steps_of(model)
    facts: dict[str, object] = {"class": str(made_by)}
    if steps:
        facts["steps"] = [{"name": each.name, "class": str(each.made_by or each.value)} for each in steps]
    if versions:
        facts["libraries"] = {_LIBRARY: versions[0]}
    features = estimators.features_of(model)
    if features is not None:
        facts["features"] = features
    if estimators.takes_texts(model):
        facts["texts"] = True
    if estimators.text_labels(model):
        facts["text_labels"] = True
    return facts


def _no_model(opened: OpenedPickle) -> Iterator[Finding]:
    fix = 'save the fitted estimator itself: pickle.dump(model, open("model.pkl", "wb"), protocol=4)'
    if isinstance(opened.root, Opaque):
        return
    if isinstance(opened.root, Collection):
        keys = [key for key, value in opened.root.entries if class_of(value) and isinstance(key, str)]
        fix = (
            f'save the estimator alone (the value of "{keys[0]}"?), or put all steps into one Pipeline' if keys else fix
        )
    yield NO_ESTIMATOR.finding(
        f"{opened.entry.name} holds {describe(opened.root)}, not a model with predict", fix=fix, place=opened.place
    )


def describe(value: Value) -> str:
    """What an object is, for a message: `a dict (model, scaler)`, `a NumPy array of shape (150, 4)`."""
    array = array_of(value)
    if array is not None:
        return f"a NumPy array of shape {array.shape}"
    if isinstance(value, Collection):
        keys = value.keys()
        inside = f" ({few(keys, _SHOWN)})" if keys else f" of {value.count}"
        return f"a {value.kind}{inside}"
    if isinstance(value, Global):
        return f"{value} itself, a class or function"
    if isinstance(value, Call):
        made_by = class_of(value)
        return f"an object of {made_by}" if made_by else "an object of unknown class"
    if isinstance(value, (Blob, bytes)):
        return "bytes" if not isinstance(value, Blob) or value.kind != "text" else "a text"
    if isinstance(value, Node):
        return "a reference to something outside"
    return "None" if value is None else "a text" if isinstance(value, str) else f"the number {value}"


def _check(spec: ModelSpec, opened: OpenedPickle, made_by: Global) -> Iterator[Finding]:
    model = opened.root
    top = made_by.module.partition(".")[0]
    if top == "xgboost":
        yield OTHER_FRAMEWORK.finding(
            f"{opened.entry.name} holds {made_by.name}, an XGBoost model",
            fix='framework = "xgboost"',
            place=opened.place,
        )
    else:
        yield from _fitness(opened, made_by)
    yield from _versions(spec, opened)
    columns = estimators.named_columns(model)
    if columns:
        yield COLUMN_NAMES.finding(
            f"a ColumnTransformer in {opened.entry.name} picks columns by name ({few(columns, _SHOWN)}), and the "
            "platform passes an array",
            fix="train on an array (X.to_numpy()) and give the columns by position: [0, 1, 2]",
            place=opened.place,
        )


def _fitness(opened: OpenedPickle, made_by: Global) -> Iterator[Finding]:
    """Whether the estimator that predicts can, and was trained."""
    final = estimators.final_of(opened.root)
    kind = class_of(final) or made_by
    if not kind.module.startswith("sklearn."):
        return
    where = f"{made_by.name} ends in {kind.name}, which" if final is not opened.root else f"{kind.name}"
    if kind.name in estimators.NO_PREDICT:
        yield NO_PREDICT.finding(
            f"{where} has no predict",
            fix='end the pipeline with an estimator that predicts, or package it with framework = "custom" (BYOP)',
            place=opened.place,
        )
    elif kind.name not in {"Pipeline", "FrozenEstimator"} and estimators.unfitted(final):
        yield UNFITTED.finding(
            f"{where} was saved before it was trained", fix="call fit before pickle.dump", place=opened.place
        )


def _versions(spec: ModelSpec, opened: OpenedPickle) -> Iterator[Finding]:
    runs = spec.framework.libraries.get(_LIBRARY)
    if runs is None:
        return
    for written in estimators.versions_of(opened.root):
        if written == runs:
            continue
        said = (
            f"{opened.entry.name} was saved by scikit-learn {written}, and Wallaroo {spec.release.version} runs {runs}"
        )
        fix = f"train it with scikit-learn=={runs}"
        reasons = broken_between(opened.names, written, runs)
        if reasons:
            yield UNLOADABLE.finding(
                f"{said}, where it does not load: {'; '.join(reasons)}", fix=fix, place=opened.place
            )
        else:
            patch = version_numbers(written)[:2] == version_numbers(runs)[:2]
            yield VERSION.finding(said, fix=fix, place=opened.place, level=Level.NOTE if patch else None)
