"""What scikit-learn and XGBoost models take and give, by what their pickles tell without being loaded."""

from __future__ import annotations

from hatch_wallaroo.files.sources import Entry
from hatch_wallaroo.formats.pickle_nodes import Array, Collection, Node, Value, array_of, class_of, state_of
from hatch_wallaroo.frameworks.pickled import estimators
from hatch_wallaroo.schema.hints import Header, Hint

_WHOLE_NUMBERS = {
    **dict.fromkeys(("KMeans", "MiniBatchKMeans", "BisectingKMeans", "SGDOneClassSVM"), "int32"),
    **dict.fromkeys(("AffinityPropagation", "Birch", "MeanShift"), "int64"),
    **dict.fromkeys(("GaussianMixture", "BayesianGaussianMixture"), "int64"),
    **dict.fromkeys(("EllipticEnvelope", "IsolationForest", "LocalOutlierFactor", "OneClassSVM"), "int64"),
}
"""Clusterings and detectors of outliers: what their predict returns. Run: all estimators of scikit-learn 1.2.2."""

_INSIDE = ("estimator_", "best_estimator_", "base_estimator_", "regressor_")
_BINARIZERS = ("label_binarizer_", "_label_binarizer")
_PER_OUTPUT = {"MultiOutputRegressor", "MultiOutputClassifier", "RegressorChain", "ClassifierChain"}
_ALWAYS_LISTS = {"PLSRegression", "PLSCanonical", "CCA"}
_TARGETS = {"KernelRidge": "dual_coef_", "GaussianProcessRegressor": "y_train_"}
_DEEPEST = 20
_FEATURES = "float64 is the guide's choice: the file tells how many values a row has, not of which type"
_OBJECTS = "the labels are Python objects, most likely texts"


def sklearn(entry: Entry, model: Value, features: int | None) -> Header:
    """A fitted estimator or pipeline: the guide's fields `inputs` and `predictions`."""
    made_by = class_of(model)
    features = _features(model, features)
    texts = _takes_single_texts(model)
    told = "takes texts" if texts else f"{features} features" if features else ""
    if texts:
        inputs = Hint("inputs", "string", ())
    else:
        dtype = None if estimators.takes_texts(model) else "float64"
        inputs = Hint("inputs", dtype, (features,) if features else None, guess=_FEATURES if dtype else "")
    outputs = _predictions(model)
    source = _source(entry, made_by.name if made_by else "", told)
    return Header(source, (inputs,), None if outputs is None else (outputs,))


def xgboost(entry: Entry, name: str, features: int | None) -> Header:
    """A model of XGBoost's, by its class: classes are whole numbers, everything else is float32."""
    inputs = Hint("inputs", "float64", (features,) if features else None, guess=_FEATURES)
    if name.endswith("Classifier"):
        output = Hint("output", "int64", (), guess="predict of a classifier gives the numbers of the classes")
    else:
        guess = "XGBoost computes in float32; a model of several targets or of class probabilities gives a list"
        output = Hint("output", "float32", (), guess=guess)
    return Header(_source(entry, name, f"{features} features" if features else ""), (inputs,), (output,))


def _features(model: Value, told: int | None) -> int | None:
    """How many features a row has; of a voting or stacking, its parts tell."""
    return told or estimators.features_of(_first_part(estimators.final_of(model)))


def _first_part(model: Value) -> Value:
    parts = state_of(model).get("estimators_")
    return parts.items[0] if isinstance(parts, Node) and parts.items else None


def _source(entry: Entry, *about: str) -> str:
    told = ", ".join(each for each in about if each)
    return f"{entry.name} ({told})" if told else entry.name


def _takes_single_texts(model: Value) -> bool:
    """Whether the first thing that a row goes through is a vectorizer, so that a row is one text."""
    for _ in range(_DEEPEST):
        steps = [each.value for each in estimators.steps_of(model) if each.made_by]
        made_by = class_of(model)
        if made_by is None or made_by.name != "Pipeline" or not steps:
            break
        model = steps[0]
    made_by = class_of(model)
    return made_by is not None and made_by.name.endswith("Vectorizer") and estimators.takes_texts(model)


def _predictions(model: Value) -> Hint | None:
    """What the predict of the estimator at the end returns; None for classes that are not scikit-learn's."""
    final = _final(model)
    made_by = class_of(final)
    if made_by is None or not made_by.module.startswith("sklearn.") or made_by.name in estimators.NO_PREDICT:
        return None
    if made_by.name in _WHOLE_NUMBERS:
        return Hint("predictions", _WHOLE_NUMBERS[made_by.name], ())
    labels = _labels(final)
    if labels is not None:
        return labels
    count = _outputs(final, made_by.name)
    return Hint("predictions", "float64", () if count is None else (count,))


def _final(model: Value) -> Value:
    """The estimator that answers in the end, out of pipelines, searches and selections of features."""
    for _ in range(_DEEPEST):
        model = estimators.final_of(model)
        made_by = class_of(model)
        if made_by is None or made_by.name not in {"RFE", "RFECV", "SelfTrainingClassifier", "FrozenEstimator"}:
            return model
        inner = next((each for key in _INSIDE if class_of(each := state_of(model).get(key))), None)
        if inner is None:
            return model
        model = inner
    return model


def _labels(model: Value, depth: int = 0) -> Hint | None:
    """The labels that a classifier was trained on; None for what is none."""
    state = state_of(model)
    made_by = class_of(model)
    if made_by and made_by.name in _PER_OUTPUT:
        return _labels_of_each(model, made_by.name, depth)
    classes = state.get("classes_")
    for key in _BINARIZERS:
        if array_of(classes) is None and class_of(state.get(key)):
            classes = state_of(state.get(key)).get("classes_")
    if isinstance(classes, Collection) and classes.items:  # one array for each output
        kinds = [_label_dtype(array_of(each)) for each in classes.items]
        return _of_outputs(kinds, classes.count)
    array = array_of(classes)
    if array is None:
        return None
    dtype = _label_dtype(array)
    guess = _OBJECTS if array.dtype and array.dtype.kind == "O" else ""
    return Hint("predictions", dtype, (), guess=guess)


def _labels_of_each(model: Value, name: str, depth: int) -> Hint | None:
    """The labels of a classifier that is made of one for each output. A chain gives them as numbers."""
    parts = state_of(model).get("estimators_")
    if not isinstance(parts, Node) or depth > _DEEPEST:
        return None
    inner = [_labels(each, depth + 1) for each in parts.items]
    known = [each for each in inner if each is not None]
    if not known or len(known) < len(inner):
        return None
    return _of_outputs(["float64" if name == "ClassifierChain" else each.dtype for each in known], parts.count)


def _of_outputs(dtypes: list[str | None], count: int) -> Hint:
    same = dtypes[0] if len(set(dtypes)) == 1 else None
    return Hint("predictions", same, (count,))


def _label_dtype(array: Array | None) -> str | None:
    """The dtype of labels by Arrow's name, None where it was not followed."""
    dtype = array.dtype if array else None
    if dtype is None:
        return None
    bits = dtype.itemsize * 8
    numbers = {"i": f"int{bits}", "u": f"uint{bits}", "f": f"float{bits}", "b": "bool"}
    return numbers.get(dtype.kind) or ("string" if dtype.kind in {"U", "S", "O"} else None)


def _outputs(model: Value, name: str, depth: int = 0) -> int | None:
    """How many numbers a regression gives for a row, where it gives a list; None for a single number."""
    state = state_of(model)
    if name in _PER_OUTPUT:
        parts = state.get("estimators_")
        return parts.count if isinstance(parts, Node) else None
    if name in _ALWAYS_LISTS:
        loadings = array_of(state.get("y_loadings_"))
        return loadings.shape[0] if loadings and loadings.shape else None
    count = state.get("n_outputs_")
    if isinstance(count, int) and not isinstance(count, bool):
        return count if count > 1 else None
    # A bagging's own estimator was never trained, its copies were.
    inside = [_first_part(model)] if name.startswith("Bagging") else [state.get(key) for key in _INSIDE]
    inner = next((each for each in inside if class_of(each)), None)
    made_by = class_of(inner)
    if made_by and depth < _DEEPEST:
        return _outputs(inner, made_by.name, depth + 1)
    for key, axis in ((_TARGETS.get(name, ""), 1), ("_y", 1), ("coef_", 0)):
        array = array_of(state.get(key)) if key else None
        if array and len(array.shape) == 2:  # noqa: PLR2004 - a matrix: rows or columns are the targets
            return array.shape[axis]
    return None
