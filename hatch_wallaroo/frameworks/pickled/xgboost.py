"""XGBoost: one pickle of a model of its scikit-learn interface, or of a Booster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.findings import Finding, Level, rule
from hatch_wallaroo.formats.pickle_nodes import Blob, Global, Node, Value, class_of, state_of, walk
from hatch_wallaroo.formats.recognise import recognise_head
from hatch_wallaroo.formats.xgboost_model import XGBoostModel, own_format, read_model
from hatch_wallaroo.frameworks.base import version_numbers
from hatch_wallaroo.frameworks.pickled.checks import OpenedPickle, Pickled
from hatch_wallaroo.frameworks.pickled.row_schema import check_schemas
from hatch_wallaroo.frameworks.pickled.sklearn import NO_ESTIMATOR, OTHER_FRAMEWORK, UNFITTED, describe

OWN_FORMAT = rule(
    "WLR375",
    "a file in XGBoost's own format",
    why="The platform takes pickles of XGBoost models only.",
    source="Upload guide, XGBoost: Supported File Types, pickle (XGB files are not supported.)",
)
REFUSED_CLASS = rule(
    "WLR376",
    "a class that the platform does not convert",
    why="The platform's conversion knows the classes that it can run, and this one is not among them.",
    source="The release's data (facts of 2024.1 and later: XGBRanker)",
)
XGBOOST_VERSION = rule(
    "WLR377",
    "trained with another version of XGBoost than the platform runs",
    why="XGBoost promises to read pickles of its own version only.",
    source="XGBoost: Introduction to Model IO, pickle; upload guide, XGBoost: Supported Libraries",
    level=Level.WARNING,
)
XGBOOST_UNLOADABLE = rule(
    "WLR378",
    "does not run in the platform's XGBoost",
    why="Models of the scikit-learn interface carry their parameters as attributes, and versions before 2.0 look for "
    "some that later ones no longer write.",
    source="Run: models of 2.1.4 and 3.2.0 in 1.7.4 raise AttributeError: gpu_id, use_label_encoder",
)

_LIBRARY = "xgboost"
_SUFFIXES = frozenset({".json", ".ubj", ".model", ".bin", ".deprecated", ".xgb", ".bst"})
_ATTRIBUTES_GONE = (2, 0)
_HANDLE = 50
_BOOSTER = Global("xgboost.core", "Booster")


class XGBoost(Pickled):
    """A bare `.pkl` of an XGBoost model."""

    def judge(self, spec: ModelSpec, opened: OpenedPickle) -> Iterable[Finding]:
        """Whether it is a model that the platform converts and runs; class, version and features are its facts."""
        made_by = class_of(opened.root)
        if made_by is None or made_by.module.partition(".")[0] != "xgboost":
            return _no_model(opened, made_by)
        header = _header(opened)
        opened.facts["class"] = str(made_by)
        if header and header.version:
            opened.facts["libraries"] = {_LIBRARY: header.version}
        if header and header.features:
            opened.facts["features"] = header.features
        return (*_class(spec, opened, made_by), *_version(spec, opened, made_by, header))

    def no_pickle(self, spec: ModelSpec, opened: OpenedPickle) -> Iterable[Finding]:
        """Whether it is XGBoost's own, by content, else by suffix."""
        name, head = opened.entry.name, opened.file.head
        form = own_format(head)
        if form is None and PurePosixPath(name).suffix.lower() in _SUFFIXES and recognise_head(head) is None:
            form = "own"
        return [_own_format(spec, opened, form)] if form else opened.findings

    def check_schemas(self, spec: ModelSpec, facts: Mapping[str, Any]) -> tuple[Finding, ...]:
        """One field of numbers, as many as the model was trained on."""
        return tuple(check_schemas(spec, facts.get("features")))


def _own_format(spec: ModelSpec, opened: OpenedPickle, form: str) -> Finding:
    name = opened.entry.name
    pickled = PurePosixPath(name).with_suffix(".pkl").name
    versions = _runs(spec, "; use xgboost=={}")
    return OWN_FORMAT.finding(
        f"{name} is in XGBoost's {form} format, and the platform takes pickles",
        fix=f'python -c "import pickle, xgboost; m = xgboost.XGBClassifier(); m.load_model({name!r}); '
        f"pickle.dump(m, open({pickled!r}, 'wb'), protocol=4)\" (XGBRegressor for a regression{versions})",
        place=opened.place,
    )


def _runs(spec: ModelSpec, text: str) -> str:
    version = spec.framework.libraries.get(_LIBRARY)
    return text.format(version) if version else ""


def _no_model(opened: OpenedPickle, made_by: Global | None) -> Iterator[Finding]:
    if made_by and made_by.module.startswith("sklearn."):
        inner = [each for each in opened.names if each.module.partition(".")[0] == "xgboost"]
        said = f"a scikit-learn {made_by.name}" + (f" around {inner[0].name}" if inner else "")
        yield OTHER_FRAMEWORK.finding(
            f"{opened.entry.name} holds {said}",
            fix='save the XGBoost model alone, or package it with framework = "custom" (BYOP)'
            if inner
            else 'framework = "sklearn"',
            place=opened.place,
        )
        return
    yield NO_ESTIMATOR.finding(
        f"{opened.entry.name} holds {describe(opened.root)}, not an XGBoost model",
        fix='save the trained model itself: pickle.dump(model, open("model.pkl", "wb"), protocol=4)',
        place=opened.place,
    )


def _header(opened: OpenedPickle) -> XGBoostModel | None:
    """What the Booster's bytes say; None where the model holds none."""
    blob = _handle(opened.root)
    if blob is None or opened.file.compression:
        return None
    with opened.entry.source.open() as stream:
        return read_model(stream, blob.offset, blob.size)


def _handle(model: Value) -> Blob | None:
    for each in walk(model):
        if class_of(each) == _BOOSTER:
            handle = state_of(each).get("handle")
            return _payload(handle)
    return None


def _payload(handle: Value) -> Blob | None:
    """A bytearray is a payload of its own in protocol 5, the argument of one or two calls before."""
    blobs = [each for each in walk(handle, most=_HANDLE) if isinstance(each, Blob)]
    return max(blobs, key=lambda each: each.size, default=None)


def _class(spec: ModelSpec, opened: OpenedPickle, made_by: Global) -> Iterator[Finding]:
    """Whether the class can be converted, and whether the model was trained."""
    refused = spec.framework.refused_classes.get(made_by.name)
    if refused:
        yield REFUSED_CLASS.finding(
            f"{opened.entry.name} holds {made_by.name}, and {refused}",
            fix='package it with framework = "custom" (BYOP)',
            place=opened.place,
        )
    state = state_of(opened.root)
    if made_by.module.startswith(("xgboost.dask", "xgboost.spark")):
        yield NO_ESTIMATOR.finding(
            f"{opened.entry.name} holds {made_by}, which needs a cluster to predict",
            fix="pickle its Booster: model.get_booster()",
            place=opened.place,
        )
    elif made_by.module == "xgboost.sklearn" and state.entries and state.complete and not _trained(state):
        yield UNFITTED.finding(
            f"{made_by.name} was saved before it was trained", fix="call fit before pickle.dump", place=opened.place
        )


def _trained(state: Node) -> bool:
    """Whether there is a Booster, or something in its place that was not followed."""
    return any(key == "_Booster" and value is not None for key, value in state.entries)


def _version(spec: ModelSpec, opened: OpenedPickle, made_by: Global, header: XGBoostModel | None) -> Iterator[Finding]:
    written = header.version if header else None
    runs = spec.framework.libraries.get(_LIBRARY)
    if not written or not runs or written == runs:
        return
    said = f"{opened.entry.name} was saved by XGBoost {written}, and Wallaroo {spec.release.version} runs {runs}"
    fix = f"train it with xgboost=={runs}"
    if made_by != _BOOSTER and version_numbers(runs) < _ATTRIBUTES_GONE <= version_numbers(written):
        yield XGBOOST_UNLOADABLE.finding(f"{said}, where predict fails", fix=fix, place=opened.place)
        return
    patch = version_numbers(written)[:2] == version_numbers(runs)[:2]
    yield XGBOOST_VERSION.finding(said, fix=fix, place=opened.place, level=Level.NOTE if patch else None)
