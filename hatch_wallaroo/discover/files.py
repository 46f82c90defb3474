"""Judges single files: which model of Wallaroo's a file can be, and what to do with one that is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from hatch_wallaroo.discover.candidates import AdoptionContext, Candidate, judged
from hatch_wallaroo.discover.walk import SUFFIXES, RepositoryFile
from hatch_wallaroo.formats.pickle_nodes import Collection, Value, class_of
from hatch_wallaroo.formats.recognise import FileKind, Recognised, recognise, recognise_name
from hatch_wallaroo.frameworks.other_models import fix_of, frameworks_of
from hatch_wallaroo.frameworks.pickled.checks import OTHER_LIBRARIES, dangerous
from hatch_wallaroo.text import describe_error

BY_CODE = 'package it with framework = "custom" (BYOP): two functions, load and predict, around it'
_SMALLEST = 16
_NO_MODELS = frozenset((
    ".py", ".pyi", ".pyc", ".md", ".rst", ".csv", ".tsv", ".jsonl", ".yaml", ".yml", ".toml", ".cfg", ".ini",
    ".lock", ".log", ".ipynb", ".html", ".js", ".css", ".ts", ".svg", ".sh", ".c", ".h", ".cpp", ".java", ".go",
    ".rs", ".sql", ".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".ico", ".wav", ".mp3",
    ".flac", ".ogg", ".mp4", ".avi", ".mov", ".pdf", ".parquet", ".feather", ".arrow", ".npy", ".npz", ".docx",
    ".xlsx", ".pptx", ".whl", ".jar", ".ttf", ".woff", ".woff2", ".so", ".dll", ".exe",
))  # fmt: skip
"""Files that are never opened, by what their names end in."""
_MAY_BE_POINTERS = (*SUFFIXES, ".bin", ".zip", ".model")
_WHOLE: Mapping[FileKind, tuple[str, ...]] = MappingProxyType(
    {
        "onnx": (".onnx",),
        "keras-hdf5": (".h5", ".hdf5", ".hdf", ".he5"),
        "keras-archive": (),
        "torchscript": (),
    }
)
"""Models as a framework takes them, if nothing is wrong with them; the endings by which the platform tells some."""
_IN_PART: frozenset[FileKind] = frozenset(
    ("keras-weights", "torch-mobile", "torch-old", "torch-saved", "torch-legacy", "torch-export", "xgboost")
)
"""What belongs to a framework and is no model that it takes: its own check says how to save one."""
_ADVICE: Mapping[FileKind, str] = MappingProxyType(
    {
        "lightgbm": BY_CODE,
        "catboost": BY_CODE,
        "pmml": BY_CODE,
        "hugging-face": "say for which task: --model with --framework hugging-face-…, or unpack it",
        "torchserve": "unpack it: the TorchScript file in it is the model",
        "byop-archive": 'unpack it into the project; framework = "custom" packs it again, with byop.module',
        "step-archive": 'unpack it into the project; framework = "python" packs it again',
    }
)
"""What to do with what no framework takes as it is."""
_DATA = frozenset(("numpy", "pandas", "scipy", "collections", "builtins", "__builtin__", "datetime", "pathlib"))
_MODELS = frozenset(OTHER_LIBRARIES) | {"sklearn"} - {"pandas", "numpy", "matplotlib", "networkx", "pyarrow", "polars"}


def file_model(file: RepositoryFile, context: AdoptionContext) -> Candidate | None:
    """The model in a file; None where it is none. Never raises for what is in it."""
    if file.suffix in _NO_MODELS or 0 < file.size < _SMALLEST:
        return None
    try:
        with file.path.open("rb") as stream:
            found = recognise(stream, file.size, file.name)
        return None if found is None else _judged(file, found, context)
    except OSError as error:
        if file.suffix not in SUFFIXES:
            return None
        return Candidate(file.label, f"a file that cannot be read: {describe_error(error)}", advice="make it readable")


def saved_model(label: str, what: str, context: AdoptionContext) -> Candidate:
    """A SavedModel, folder or zip: for the framework that takes it, native TensorFlow first."""
    native = judged(Candidate(label, what, ("tensorflow",), certain=True), context)
    keras = judged(Candidate(label, what, ("keras",), certain=True), context)
    if native.certain and keras.certain and str(native.facts.get("object", "")).startswith("_tf_keras_"):
        why = "tensorflow runs natively and needs no schemas; keras would take it as well"
        return replace(native, frameworks=("tensorflow", "keras"), why=why)
    if keras.certain and not native.certain:
        return keras
    return _whole_or_none(native)


def _judged(file: RepositoryFile, found: Recognised, context: AdoptionContext) -> Candidate | None:
    """What can be made of a file, by what it was recognised as."""
    kind = found.kind
    if kind == "git-lfs":
        advice = f"git lfs pull --include={file.label!r}"
        what = "a Git LFS pointer, not the file itself"
        return Candidate(file.label, what, advice=advice) if file.suffix in _MAY_BE_POINTERS else None
    if kind == "empty" and file.suffix in SUFFIXES:
        return Candidate(file.label, found.name, advice="save or copy the model again")
    if kind == "zip" and found.problem and file.suffix in SUFFIXES:
        what = f"a zip that cannot be read: {found.problem.removeprefix('it cannot be read: ')}"
        return Candidate(file.label, what, advice="copy it again, or save the model anew")
    if found.by_name:
        return _called_so(file, context)
    if kind == "saved-model":
        return saved_model(file.label, found.name, context)
    if kind == "pickle" and found.pickle is not None and found.pickle.pickle is not None:
        return _pickle(file, found, context)
    if kind in _WHOLE:
        return _whole(file, found, context)
    if kind in _IN_PART or kind == "safetensors":
        frameworks = frameworks_of(found) or ("pytorch",)
        return replace(judged(Candidate(file.label, found.name, frameworks), context), frameworks=())
    if kind == "hdf5":
        return _hdf5(file, found, context)
    advice = _ADVICE.get(kind) or fix_of(found, file.name)
    return Candidate(file.label, found.name, advice=advice) if advice else _called_so(file, context)


def _whole(file: RepositoryFile, found: Recognised, context: AdoptionContext) -> Candidate:
    """A model as its framework takes it, unless its name or its check speaks against it."""
    endings = _WHOLE[found.kind]
    if endings and file.suffix not in endings:
        advice = f"rename it to end in {endings[0]}, by which the platform tells it"
        return Candidate(file.label, found.name, advice=advice)
    told = judged(Candidate(file.label, found.name, frameworks_of(found), certain=True), context)
    # An ONNX model of which something is wrong stays a proposal: it may be mended as it is.
    return told if found.kind == "onnx" else _whole_or_none(told)


def _whole_or_none(told: Candidate) -> Candidate:
    return told if told.certain else replace(told, frameworks=())


def _hdf5(file: RepositoryFile, found: Recognised, context: AdoptionContext) -> Candidate:
    """Data of another program's, or a file that its own format's reader gives up on."""
    if not found.problem:
        return Candidate(file.label, "an HDF5 file without a Keras model", kind="data")
    told = judged(Candidate(file.label, "an HDF5 file that holds no whole model", ("keras",)), context)
    return replace(told, frameworks=())


def _called_so(file: RepositoryFile, context: AdoptionContext) -> Candidate | None:
    """A file that is called as a model and is none: what its framework says of it."""
    named = recognise_name(file.name)
    frameworks = frameworks_of(named) if named else ()
    if not frameworks:
        return None
    what = f"called as a model of {frameworks[0]}, and none"
    return replace(judged(Candidate(file.label, what, frameworks), context), frameworks=())


def _pickle(file: RepositoryFile, found: Recognised, context: AdoptionContext) -> Candidate:
    """A model that Wallaroo runs as it is, one for code of the user's own, or mere data."""
    from hatch_wallaroo.frameworks.pickled.sklearn import describe

    read = found.pickle.pickle if found.pickle else None
    root = read.root if read else None
    if read and (bad := dangerous(read.globals)):
        what = f"a pickle that would call {bad[0]}"
        return Candidate(file.label, what, advice="do not load it; find out where it comes from")
    made_by = class_of(root)
    if made_by and found.writer in {"sklearn", "xgboost"}:
        library = {"sklearn": "a scikit-learn", "xgboost": "an XGBoost"}[found.writer]
        what = f"{library} {made_by.name}"
        return _with_predict(judged(Candidate(file.label, what, (found.writer,), certain=True), context))
    if isinstance(root, Collection) and (inner := _model_in(root)):
        told = judged(Candidate(file.label, f"a pickle of a {root.kind} that holds {inner}", ("sklearn",)), context)
        return replace(told, frameworks=(), advice=told.advice or BY_CODE)
    if made_by is None or found.writer in _DATA:
        return Candidate(file.label, f"a pickle of {describe(root)}", kind="data")
    return Candidate(file.label, f"a pickle of {made_by}", advice=BY_CODE)


def _with_predict(told: Candidate) -> Candidate:
    """What only transforms is no model that answers; it may be part of one."""
    from hatch_wallaroo.frameworks.pickled.sklearn import NO_ESTIMATOR, NO_PREDICT

    wrong = next((each for each in told.findings if each.rule in {NO_PREDICT, NO_ESTIMATOR}), None)
    if wrong is not None:
        return replace(told, certain=False, frameworks=(), advice=wrong.fix)
    return _whole_or_none(told)


def _model_in(root: Collection) -> str | None:
    """The class of a model among the values of a dict or list."""
    values: list[Value] = [*root.items, *(value for _, value in root.entries)]
    names = [each for each in map(class_of, values) if each]
    return next((str(each) for each in names if each.module.partition(".")[0] in _MODELS), None)
