"""Judges which model of Wallaroo's a file or a folder of a repository can be, and what to do with one that is none."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hatch_wallaroo.discover.candidates import AdoptionContext, Candidate, judged
from hatch_wallaroo.discover.walk import SUFFIXES, RepositoryFile, Tree
from hatch_wallaroo.files.json_text import JsonError, read_object
from hatch_wallaroo.formats.pickle_nodes import Collection, Value, class_of
from hatch_wallaroo.formats.recognise import FileKind, Recognised, recognise, recognise_folder, recognise_name
from hatch_wallaroo.frameworks.other_models import fix_of, frameworks_of
from hatch_wallaroo.frameworks.pickled.checks import OTHER_LIBRARIES, dangerous
from hatch_wallaroo.frameworks.pretrained.tasks import PREFIX, Task, fitting
from hatch_wallaroo.releases.load import resolve
from hatch_wallaroo.releases.model import Release
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


_LARGEST_JSON = 4 << 20
_LARGEST_TEXT = 1 << 16
_CHECKPOINT = re.compile(r"checkpoint-([0-9]{1,12})")
_FLAVOR = re.compile(r"^  ([a-z_]+):", re.MULTILINE)
_DIFFUSION = ("hugging-face-stable-diffusion-text-2-img",)
_FOLDER_ADVICE: Mapping[FileKind, str] = {
    "adapter": "merge it into its base model, model.merge_and_unload(), and save that with save_pretrained",
    "tensorflow-checkpoint": "build the model, load the checkpoint, then save the whole: a SavedModel, or .h5",
}
_GENERIC = {"python_function"}
_LANGUAGE = ("vllm", "sglang")
_TRANSLATORS = ("Marian", "M2M100", "NllbMoe", "FSMT", "MBart")
_LAST = ("feature-extraction", "sentiment-analysis")
"""What nearly any model fits, and what is another under a second name."""


def folder_models(tree: Tree, context: AdoptionContext) -> Iterator[Candidate]:
    """The models that are folders, those inside of others left out. A model that fills the project's own is told."""
    claimed: list[str] = []
    for folder in sorted(tree.folders, key=lambda each: (each.count("/"), each)):
        if any(folder.startswith(f"{each}/") for each in claimed):
            continue
        found = folder_model(tree, folder, context)
        if found is not None and folder:
            claimed.append(folder)
            yield found
        elif found is not None:
            advice = "move the model's files into a folder of their own, and name that: --model models/my-model"
            yield replace(found, path=".", certain=False, frameworks=(), advice=advice)


def folder_model(tree: Tree, folder: str, context: AdoptionContext) -> Candidate | None:
    """The model that a folder is, by the files right in it; None where it is none."""
    files = tree.folders.get(folder, {})
    found = recognise_folder(files)
    if found is None or found.by_name:
        return None
    if found.kind == "saved-model":
        return saved_model(folder, found.name, context)
    if found.kind == "mlflow":
        return _mlflow(tree, folder, context)
    if found.kind == "diffusers":
        return judged(Candidate(folder, found.name, _DIFFUSION, certain=True), context)
    if found.kind == "hugging-face":
        return _pretrained(files["config.json"], folder, context)
    return Candidate(folder, found.name, advice=_FOLDER_ADVICE[found.kind])


def frameworks_at(path: Path, release: str) -> tuple[Recognised | None, tuple[str, ...]]:
    """What stands at any path, file or folder, and the frameworks that may serve it. Raises OSError."""
    if not os.path.isdir(path):  # noqa: PTH112 - pathlib raises for names that no file system takes
        with path.open("rb") as stream:
            found = recognise(stream, path.stat().st_size, path.name)
        return found, frameworks_of(found) if found else ()
    found = recognise_folder([each.name for each in path.iterdir()])
    if found and found.kind == "diffusers":
        return found, _DIFFUSION
    if found and found.kind == "hugging-face":
        config = _read_config(path / "config.json")
        return found, frameworks_for(config, resolve(release))[0] if config else ()
    return found, frameworks_of(found) if found else ()


def latest_only(candidates: list[Candidate]) -> list[Candidate]:
    """Of the checkpoints that a training left beside each other, the last one stays certain."""
    last: dict[str, int] = {}
    for each in candidates:
        parent, number = _numbered(each)
        if number is not None:
            last[parent] = max(number, last.get(parent, -1))
    made = []
    for each in candidates:
        parent, number = _numbered(each)
        earlier = number is not None and number < last[parent]
        advice = f"an earlier checkpoint than checkpoint-{last[parent]}" if earlier else each.advice
        made.append(replace(each, certain=each.certain and not earlier, advice=advice))
    return made


def _numbered(candidate: Candidate) -> tuple[str, int | None]:
    parent, _, name = candidate.path.rpartition("/")
    found = _CHECKPOINT.fullmatch(name)
    return parent, int(found[1]) if found else None


def _pretrained(file: RepositoryFile, folder: str, context: AdoptionContext) -> Candidate | None:
    config = _read_config(file.path)
    if config is None:
        what = "weights with a config.json that cannot be read"
        return Candidate(folder, what, advice=f"save it again: {file.label}")
    if not config.keys() & {"architectures", "model_type", "transformers_version"}:
        return None
    spec = context.spec("onnx", "model.onnx")
    frameworks, why = frameworks_for(config, spec.release) if spec else ((), "")
    named = config.get("architectures")
    name = named[0] if isinstance(named, list) and named and isinstance(named[0], str) else config.get("model_type")
    what = f"a Hugging Face {name}" if isinstance(name, str) else "a Hugging Face model"
    if not frameworks:
        advice = f"none of Wallaroo's tasks is known to take it; say which: --model {folder} --framework hugging-face-…"
        return Candidate(folder, what, advice=advice)
    return judged(Candidate(folder, what, frameworks, certain=True, why=why), context)


def _mlflow(tree: Tree, folder: str, context: AdoptionContext) -> Candidate:
    """Wallaroo takes MLflow's models as images; what the folder wraps may go as it is."""
    text = _read_text(tree.folders[folder]["MLmodel"])
    flavors = [each for each in dict.fromkeys(_FLAVOR.findall(text)) if each not in _GENERIC]
    what = f"an MLflow model ({', '.join(flavors[:3])})" if flavors else "an MLflow model"
    inside = [each for each in tree.files.values() if each.label.startswith(f"{folder}/") and each.name != "MLmodel"]
    natives = (found for each in inside[:50] if (found := file_model(each, context)) and found.certain)
    native = next(natives, None)
    image = "as mlflow it becomes a container image"
    advice = f"{native.path} in it goes as it is: --model {native.path}; {image}" if native else image
    return Candidate(folder, what, ("mlflow",), advice=advice)


def _read_config(path: Path) -> dict[str, Any] | None:
    try:
        with path.open("rb") as stream:
            return read_object(stream, _LARGEST_JSON)
    except (OSError, JsonError):
        return None


def _read_text(file: RepositoryFile) -> str:
    try:
        with file.path.open("rb") as stream:
            return stream.read(_LARGEST_TEXT).decode(errors="replace")
    except OSError:
        return ""


def frameworks_for(config: Mapping[str, Any], release: Release) -> tuple[tuple[str, ...], str]:
    """The frameworks of a release that fit, and why the first of several is the first; none for an unknown class."""
    named = config.get("architectures")
    names = [each for each in named if isinstance(each, str)] if isinstance(named, list) else []
    fits = [task for name in names for task in fitting(name) if task.framework in release.frameworks]
    tasks = sorted(dict.fromkeys(fits), key=lambda task: _LAST.index(task.name) if task.name in _LAST else -1)
    if not tasks:
        return (), ""
    first, why = _likeliest(tasks, names, config)
    found = [first.framework, *(each.framework for each in tasks if each is not first)]
    if first.name == "text-generation":
        found += [each for each in _LANGUAGE if each in release.frameworks]
    found = [each for each in found if each not in _no_choice(config)]
    if len(found) > 1 and not why:
        why = f"the first that fits; so do {', '.join(found[1:])}"
    return tuple(found), why


def _no_choice(config: Mapping[str, Any]) -> set[str]:
    """What fits by its class and is no choice: another's second name, and what asks for a class that is not there."""
    labels = config.get("label2id")
    without = isinstance(labels, dict) and not _knows_entailment(labels)
    return {f"{PREFIX}sentiment-analysis", *([f"{PREFIX}zero-shot-classification"] if without else ())}


def _knows_entailment(labels: Mapping[str, Any]) -> bool:
    return any(str(label).lower().startswith("entail") for label in labels)


def _likeliest(tasks: list[Task], names: list[str], config: Mapping[str, Any]) -> tuple[Task, str]:
    by_name = {task.name: task for task in tasks}
    labels = config.get("label2id")
    if isinstance(labels, dict) and _knows_entailment(labels) and "zero-shot-classification" in by_name:
        return by_name["zero-shot-classification"], "one of its classes is called entailment"
    if "translation" in by_name and any(name.startswith(_TRANSLATORS) for name in names):
        return by_name["translation"], f"{names[0]} translates"
    settings = config.get("task_specific_params")
    for told in settings if isinstance(settings, dict) else ():
        task = next((each for each in tasks if str(told).startswith(each.name)), None)
        if task is not None:
            return task, f"its config.json has settings for {task.name}"
    return tasks[0], ""
