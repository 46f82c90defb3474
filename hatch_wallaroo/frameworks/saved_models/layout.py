"""The files of a TensorFlow SavedModel, from a folder or a user's zip, under one top folder."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.files import collect
from hatch_wallaroo.files.sources import Entry, FileSource
from hatch_wallaroo.findings import Finding, Place, Rule, rule
from hatch_wallaroo.frameworks.base import Layout, Planned, is_folder
from hatch_wallaroo.text import few

NO_SAVED_MODEL = rule(
    "WLR320",
    "not a SavedModel",
    why="The platform loads a folder with saved_model.pb in it, and no other form of a TensorFlow model.",
    source="Upload guide, TensorFlow and Keras: SavedModel format as .zip file",
)
SEVERAL = rule(
    "WLR321",
    "more than one SavedModel",
    why="One upload is one model; the platform looks for saved_model.pb in the zip's one top folder.",
    source="Upload guide, TensorFlow File Format",
)
GRAPH = "saved_model.pb"
_SAVES: Mapping[str, str] = {
    "tensorflow": 'tf.saved_model.save(model, "my-model"), and name that folder',
    "keras": 'model.save("my-model", save_format="tf"), and name that folder',
}
_FROZEN = (
    f"name the folder that holds {GRAPH}; for a frozen graph: tf.import_graph_def, then "
    'tf.compat.v1.saved_model.simple_save(session, "my-model", inputs={...}, outputs={...})'
)
_CHECKPOINT = "build the model, load the checkpoint, then {save}"
_TO_KERAS = 'framework = "keras" takes it as it is'
_FILES: Mapping[str, tuple[str, str]] = {
    ".pb": ("is one file of a TensorFlow model (a frozen graph, if it is all there is)", _FROZEN),
    ".pbtxt": ("is the text form of a graph", "{save}"),
    ".h5": ("is a Keras HDF5 file", _TO_KERAS),
    ".hdf5": ("is a Keras HDF5 file", _TO_KERAS),
    ".keras": ("is in Keras's own .keras format", "model = tf.keras.models.load_model({file}); {save}"),
    ".tflite": ("is a TensorFlow Lite model", "go back to the model it was converted from; {save}"),
    ".ckpt": ("is a checkpoint: weights without a graph", _CHECKPOINT),
    ".index": ("is part of a checkpoint: weights without a graph", _CHECKPOINT),
    ".meta": ("is part of a TensorFlow 1 checkpoint", "restore it in a session, then {save}"),
    ".onnx": ("is an ONNX model", 'framework = "onnx"'),
    ".pt": ("is a PyTorch file", 'framework = "pytorch"'),
    ".pth": ("is a PyTorch file", 'framework = "pytorch"'),
    ".pkl": ("is a pickle", "{save}"),
    ".tar": ("is a tar archive", "unpack it and name the folder"),
    ".gz": ("is gzip-compressed", "unpack it and name the folder"),
    ".tgz": ("is a tar archive", "unpack it and name the folder"),
}
_INSIDE = (
    (
        re.compile(
            r"(.*/)?variables/variables\.(index|data-[0-9]{5}-of-[0-9]{5})|(.*/)?(fingerprint|keras_metadata)\.pb"
        ),
        "the rest of a SavedModel",
        "copy the whole model again (does .gitignore hide *.pb?), or save it anew: {save}",
    ),
    (re.compile(r"(.*/)?saved_model\.pbtxt"), "a SavedModel in text form (saved_model.pbtxt)", "{save}"),
    (re.compile(r".+\.onnx"), "an ONNX model", 'framework = "onnx", and name the file'),
    (re.compile(r".+\.keras"), "a .keras file", _FILES[".keras"][1]),
    (re.compile(r".+\.(h5|hdf5)"), "a Keras HDF5 file", 'framework = "keras", and name the file'),
    (re.compile(r".+\.tflite"), "a TensorFlow Lite model", _FILES[".tflite"][1]),
    (re.compile(r".+\.safetensors|(.*/)?pytorch_model\.bin|.+\.pth?"), "a PyTorch model", 'framework = "pytorch"'),
    (
        re.compile(r"(.*/)?checkpoint|.+\.ckpt.*|.+\.data-[0-9]{5}-of-[0-9]{5}|.+\.index"),
        "a checkpoint (weights without a graph)",
        _CHECKPOINT,
    ),
    (re.compile(r".+\.pb"), "a frozen graph", _FROZEN),
)


def advice(spec: ModelSpec, fix: str, file: str = "") -> str:
    """A fix, with the line that saves a model of the framework, and the name of the file that it is about."""
    return fix.replace("{save}", _SAVES[spec.framework.family]).replace("{file}", repr(file))


def refuse_file(spec: ModelSpec, declared: str, rule_: Rule, *, said: str = "") -> Planned:
    """Say why one file is not what the framework takes, or that it is missing."""
    place = spec.at("model")
    found, findings = collect.find_file(spec, declared, place=place)
    if found is None:
        return Planned(None, findings)
    path = PurePosixPath(declared)
    usual, fix = _FILES.get(
        path.suffix.lower(), ("is one file, and a SavedModel is a folder or a zip of one", "{save}")
    )
    if spec.framework.family == "keras" and fix == _TO_KERAS:
        fix = "{save}"
    if path.name == GRAPH:
        usual, fix = "is one file of a SavedModel", f'model = "{path.parent}"'
    finding = rule_.finding(f"{found.label} {said or usual}", fix=advice(spec, fix, found.label), place=place)
    return Planned(None, (*findings, finding))


def plan_saved_model(spec: ModelSpec, declared: str) -> Planned:
    """The entries of a SavedModel's zip, under one top folder, from a folder or from the user's own zip."""
    place = spec.at("model")
    zipped = PurePosixPath(declared).suffix.lower() == ".zip" and not is_folder(spec, declared)
    if zipped:
        found, findings = collect.find_file(spec, declared, place=place)
        if found is None:
            return Planned(None, findings)
        unpacked = collect.list_zip(spec, found, place=place)
        entries, findings, stripped = unpacked.entries, (*findings, *unpacked.findings), unpacked.stripped
        top = PurePosixPath(found.path).stem
    else:
        listing = collect.list_folder(spec, declared, place=place)
        entries = tuple(Entry(each.path, FileSource(each.absolute), each.label) for each in listing.files)
        findings, stripped = listing.findings, listing.stripped
        top = PurePosixPath(declared).name
    if not entries:
        empty = (
            ()
            if findings
            else (NO_SAVED_MODEL.finding(f"{declared} is empty", fix=advice(spec, "{save}"), place=place),)
        )
        return Planned(None, (*findings, *empty))
    root, problem = _find_root(spec, declared, entries, place)
    if root is None:
        return Planned(None, (*findings, *problem))
    if root.parts and zipped:
        top = root.parts[0]
    return Planned(_rooted(entries, root, top if top not in {"", ".."} else spec.name, stripped), findings)


def _find_root(
    spec: ModelSpec, declared: str, entries: Sequence[Entry], place: Place
) -> tuple[PurePosixPath | None, tuple[Finding, ...]]:
    """The folder of the one SavedModel among the entries."""
    roots = sorted(
        (PurePosixPath(each.path).parent for each in entries if PurePosixPath(each.path).name == GRAPH),
        key=lambda folder: (len(folder.parts), folder),
    )
    if not roots:
        what, fix, file = next(
            ((what, fix, each.name) for form, what, fix in _INSIDE for each in entries if form.fullmatch(each.path)),
            ("", "{save}", ""),
        )
        holds = f", but {what}" if what else ""
        message = f"there is no {GRAPH} in {declared}{holds}"
        return None, (NO_SAVED_MODEL.finding(message, fix=advice(spec, fix, file), place=place),)
    first = roots[0]
    if all(first == each or first in each.parents for each in roots):
        return first, ()
    named = [str(PurePosixPath(declared) / each) for each in roots]
    choose = " or ".join(f'model = "{each}"' for each in named[:5])
    if not is_folder(spec, declared):
        choose = "unpack it and name the folder of one"
    message = f"{declared} holds {len(roots)} SavedModels: {few(named, 5, counted=True)}"
    return None, (SEVERAL.finding(message, fix=choose, place=place),)


def _rooted(
    entries: Sequence[Entry],
    root: PurePosixPath,
    top: str,
    stripped: tuple[tuple[str, str], ...],
) -> Layout:
    """Everything under the root, moved under one top folder; what lies beside it stays out."""
    kept: list[Entry] = []
    beside: list[tuple[str, str]] = []
    for each in entries:
        path = PurePosixPath(each.path)
        if root == path.parent or root in path.parents:
            kept.append(replace(each, path=str(PurePosixPath(top, path.relative_to(root)))))
        else:
            beside.append((each.name, "not part of the SavedModel"))
    return Layout("zip", ".zip", tuple(kept), (*stripped, *beside))
