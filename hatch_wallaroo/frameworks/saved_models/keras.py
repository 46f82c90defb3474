"""Keras: a SavedModel as a zip, or one HDF5 file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sized
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.files import collect
from hatch_wallaroo.files.json_text import JsonError, parse_object
from hatch_wallaroo.files.sources import Entry, FileSource, is_lfs_pointer
from hatch_wallaroo.findings import Finding, Level, Place, rule
from hatch_wallaroo.formats.hdf5 import Attributes, Hdf5Error, read_root_attributes
from hatch_wallaroo.formats.recognise import recognise_head
from hatch_wallaroo.formats.saved_model import MetaGraph
from hatch_wallaroo.frameworks.base import (
    Family,
    Inspection,
    Layout,
    Planned,
    declared_model,
    is_file,
    is_folder,
    is_newer,
)
from hatch_wallaroo.frameworks.saved_models.layout import plan_saved_model, refuse_file
from hatch_wallaroo.frameworks.saved_models.tensorflow import (
    check_saved_model,
    graph_entry,
    read_graph,
    saved_model_facts,
    serving_graph,
    signature_tensors,
)
from hatch_wallaroo.frameworks.tensors import Tensor, type_difference
from hatch_wallaroo.text import describe_error

FORM = rule(
    "WLR330",
    "a form of Keras models that the platform does not take",
    why="The platform's TensorFlow loads the forms that its release names, a SavedModel and .h5, and no other.",
    source="Upload guide, Keras: Supported File Types",
)
UNREADABLE = rule(
    "WLR331",
    "not an HDF5 file",
    why="A download that was cut short or answered with a web page uploads well and never loads.",
    source="HDF5 File Format Specification, version 3.0",
)
WEIGHTS_ONLY = rule(
    "WLR332",
    "weights without the model",
    why="Only a file that holds the model's configuration can be loaded without the code that built it.",
    source="Keras: model.save writes the attribute model_config, model.save_weights does not",
)
KERAS_VERSION = rule(
    "WLR333",
    "saved by a newer Keras than the platform's",
    why="Keras reads what older versions wrote. What Keras 3 writes, TensorFlow below 2.16 cannot read at all.",
    source="Upload guide, Keras: Supported Libraries; run with Keras 3.15 and TensorFlow 2.9.3",
    level=Level.WARNING,
)
LAMBDA = rule(
    "WLR334",
    "a layer that carries Python bytecode",
    why="A Lambda layer is saved as the bytecode of one Python version, and another version cannot run it.",
    source="Keras: generic_utils.func_dump marshals the function's code",
    level=Level.WARNING,
)
INPUTS = rule(
    "WLR335",
    "the input schema is not the model's",
    why="The columns of a request are handed to the model's inputs.",
    source="Upload guide, Keras; Keras: model_config, batch_input_shape",
    level=Level.WARNING,
)
NO_KERAS = rule(
    "WLR336",
    "a SavedModel without its Keras part",
    why="tf.keras.models.load_model needs what model.save writes beside the graph.",
    source="Run with TensorFlow 2.9.3: load_model refuses such a folder, or gives an object without predict",
)
NOT_ALL_READ = rule(
    "WLR337",
    "a header that could not be read",
    why="What was not read was not checked; the model itself may be perfectly good.",
    source="The limits of this tool",
    level=Level.WARNING,
)

SAVE = 'model.save("model.h5", save_format="h5"), and name that file'
_FORMS = {"saved-model": "a SavedModel", "h5": ".h5", "keras": ".keras"}
"""The forms that a release's data may name, as messages name them."""
_SAID = {
    "saved-model": "would be a SavedModel",
    "h5": "is a Keras HDF5 file",
    "keras": "is in Keras's own .keras format",
}
_LAST_KERAS_2 = "2.99"
_WITH_KERAS_3 = "2.16"
_BEFORE_METADATA = "2.4"
_SUFFIXES = {**dict.fromkeys((".h5", ".hdf5", ".hdf", ".he5"), "h5"), ".keras": "keras"}
_MOST_INPUTS = 1_000
_MOST_LAYERS = 100_000


class Keras(Family):
    """A SavedModel folder or zip, or one file: of these, the forms that the release's data names."""

    def plan(self, spec: ModelSpec) -> Planned:
        """One entry for a file; a SavedModel's files under one top folder."""
        declared, place = declared_model(spec), spec.at("model")
        suffix = PurePosixPath(declared).suffix.lower()
        form = None if is_folder(spec, declared) else _SUFFIXES.get(suffix)
        saved_model = form is None and (suffix == ".zip" or not is_file(spec, declared))
        if saved_model and "saved-model" in spec.framework.file_forms:
            return plan_saved_model(spec, declared)
        if form not in spec.framework.file_forms:
            return _refused(spec, declared, "saved-model" if saved_model else form)
        found, findings = collect.find_file(spec, declared, place=place)
        if found is None:
            return Planned(None, findings)
        entry = Entry(PurePosixPath(found.path).name, FileSource(found.absolute), found.label)
        return Planned(Layout("file", f".{form}", (entry,)), findings)

    def inspect(self, spec: ModelSpec, layout: Layout) -> Inspection:
        """Versions, inputs, and whether the whole model is there. Nothing is known yet of what a `.keras` holds."""
        if layout.form == "zip":
            return _inspect_saved_model(spec, layout)
        return _inspect_hdf5(spec, layout.entries[0]) if layout.suffix == ".h5" else Inspection()


def _refused(spec: ModelSpec, declared: str, form: str | None) -> Planned:
    """Say that a form of Keras's is not among the release's, or that a file (`form` None) is none of Keras's."""
    if form is None:
        return refuse_file(spec, declared, FORM)
    taken = " or ".join(_FORMS[each] for each in spec.framework.file_forms)
    said = f"{_SAID[form]}; the platform takes {taken}"
    if form == "saved-model":
        fix = f"save the model as {taken}"
        return Planned(None, (FORM.finding(f"{declared} {said}", fix=fix, place=spec.at("model")),))
    return refuse_file(spec, declared, FORM, said=said)


def _inspect_saved_model(spec: ModelSpec, layout: Layout) -> Inspection:
    entry = graph_entry(layout)
    model, findings = read_graph(spec, entry)
    if model is None:
        return Inspection({}, findings)
    graph = serving_graph(model)
    found = [*findings, *check_saved_model(spec, layout, entry, model)]
    if model.complete:
        found += _check_keras_part(layout, entry, graph)
        found += _check_inputs(spec, signature_tensors(graph, "inputs"))
    return Inspection(saved_model_facts(model), tuple(found))


def _check_keras_part(layout: Layout, entry: Entry, graph: MetaGraph) -> list[Finding]:
    place = Place(file=entry.name)
    fix = 'model.save("my-model", save_format="tf") with TensorFlow\'s Keras 2, or framework = "tensorflow"'
    metadata = any(PurePosixPath(each.path).name == "keras_metadata.pb" for each in layout.entries)
    if not graph.root_object.startswith("_tf_keras_"):
        message = f"{entry.name} was not saved from a Keras model: it can be called, and has no predict"
        return [NO_KERAS.finding(message, fix=fix, place=place, level=Level.WARNING)]
    if not metadata and is_newer(graph.version, _BEFORE_METADATA):
        message = f"{entry.name} has no keras_metadata.pb beside it: it was written by tf.saved_model.save"
        return [NO_KERAS.finding(message, fix=fix, place=place)]
    return []


def _inspect_hdf5(spec: ModelSpec, entry: Entry) -> Inspection:
    place = Place(file=entry.name)
    try:
        if is_lfs_pointer(entry.source):
            return Inspection()
        with entry.source.open() as stream:
            head = stream.read(64)
            found = read_root_attributes(stream, entry.source.size)
    except OSError as problem:
        message = f"{entry.name} cannot be read: {describe_error(problem)}"
        return Inspection({}, (UNREADABLE.finding(message, place=place),))
    except Hdf5Error as problem:
        other = recognise_head(head)
        said = f"is {other.name}, not an HDF5 file" if other and other.kind != "hdf5" else f"is not readable: {problem}"
        fix = f"copy or download it again, or save the model anew: {SAVE}"
        return Inspection({}, (UNREADABLE.finding(f"{entry.name} {said}", fix=fix, place=place),))
    return _judge_hdf5(spec, entry, found)


def _judge_hdf5(spec: ModelSpec, entry: Entry, found: Attributes) -> Inspection:
    place = Place(file=entry.name)
    version = found.values.get("keras_version") or ""
    facts: dict[str, object] = {"keras": version, "backend": found.values.get("backend") or ""}
    findings = _check_version(spec, entry, version)
    config = found.values.get("model_config")
    if config is None:
        return Inspection(facts, (*findings, _without_config(entry, found)))
    model = read_model_config(config)
    if model is None:
        message = f"{entry.name}: the model's configuration in it cannot be understood"
        return Inspection(facts, (*findings, NOT_ALL_READ.finding(message, place=place)))
    facts["model"] = model.kind
    facts["inputs"] = [each.facts() for each in model.inputs]
    return Inspection(facts, (*findings, *_check_inputs(spec, model.inputs), *_check_layers(spec, entry, model)))


def _without_config(entry: Entry, found: Attributes) -> Finding:
    """No readable model_config: weights only, something else's data, or something we cannot read."""
    place = Place(file=entry.name)
    if not found.complete or "model_config" in found.values:
        reason = found.problem or "its model_config is no text"
        return NOT_ALL_READ.finding(f"{entry.name} was not checked: {reason}", place=place)
    if "layer_names" in found.values or PurePosixPath(entry.path).name.endswith(".weights.h5"):
        message = f"{entry.name} holds weights only; the model itself was not saved"
        fix = f"build the model, model.load_weights({PurePosixPath(entry.path).name!r}), then {SAVE}"
        return WEIGHTS_ONLY.finding(message, fix=fix, place=place)
    message = f"{entry.name} holds no Keras model (no model_config): weights only, or another program's data"
    return WEIGHTS_ONLY.finding(message, fix=SAVE, place=place)


def _check_version(spec: ModelSpec, entry: Entry, version: str) -> list[Finding]:
    """Keras 2 has TensorFlow's numbers from 2.4 on; Keras 3 came with TensorFlow 2.16."""
    runs = spec.framework.libraries.get("tensorflow")
    if not runs or not version:
        return []
    place = Place(file=entry.name)
    message = f"{entry.name} was saved by Keras {version}; Wallaroo {spec.release.asked} runs TensorFlow {runs}"
    keras_3 = is_newer(version, _LAST_KERAS_2)
    if keras_3 and is_newer(_WITH_KERAS_3, runs):
        fix = f"build and save the model with tensorflow=={runs}: Keras 3's files cannot be read by its Keras 2"
        return [KERAS_VERSION.finding(message, fix=fix, place=place, level=Level.ERROR)]
    if not keras_3 and is_newer(version, runs) and not version.startswith("2.2.4-tf"):
        return [KERAS_VERSION.finding(message, fix=f"save it with tensorflow=={runs}", place=place)]
    return []


def _check_layers(spec: ModelSpec, entry: Entry, model: KerasModel) -> list[Finding]:
    if not model.lambdas:
        return []
    message = (
        f"{entry.name} has Lambda layers ({', '.join(model.lambdas[:3])}); "
        f"they run only if it was saved with the platform's Python ({spec.release.python})"
    )
    fix = "use built-in layers instead, or save the model with that Python"
    return [LAMBDA.finding(message, fix=fix, place=Place(file=entry.name))]


def _counted(things: Sized, word: str) -> str:
    return f"{len(things)} {word}" if len(things) == 1 else f"{len(things)} {word}s"


def _check_inputs(spec: ModelSpec, inputs: list[Tensor]) -> list[Finding]:
    """The input schema against the model's inputs: how many, and how large a row. Names are free."""
    schema = spec.input_schema
    if schema is None or not inputs:
        return []
    if len(schema.fields) != len(inputs):
        names = ", ".join(each.name for each in inputs[:10])
        message = (
            f"the input schema has {_counted(schema.fields, 'field')}, the model {_counted(inputs, 'input')} ({names})"
        )
        return [INPUTS.finding(message, fix="declare one field for each input", place=spec.at("input-schema"))]
    by_name = {each.name: each for each in inputs}
    pairs = [(field, by_name[field.name]) for field in schema.fields if field.name in by_name]
    if len(inputs) == 1:
        pairs = [(schema.fields[0], inputs[0])]
    return [
        INPUTS.finding(
            difference, fix="write the field as the model's input is", place=spec.at("input-schema", field.name)
        )
        for field, tensor in pairs
        if (difference := type_difference(field, Tensor(tensor.name, None, tensor.shape)))
    ]


@dataclass(frozen=True)
class KerasModel:
    """`kind` is the class (`Sequential`, `Functional`); inputs are empty where the model was never built."""

    kind: str
    inputs: list[Tensor]
    lambdas: tuple[str, ...] = ()


def read_model_config(text: str) -> KerasModel | None:
    """Read the JSON of `model_config`, of Keras 1 to 3; None where it is no such thing."""
    try:
        document = parse_object(text)
    except JsonError:
        return None
    if not isinstance(document.get("class_name"), str):
        return None
    config = document.get("config")
    layers = list(_layers(config))
    lambdas = tuple(_name(layer) for layer in layers if layer.get("class_name") == "Lambda")
    declared = config.get("input_layers") if isinstance(config, dict) else None
    inputs = list(_functional_inputs(declared, layers)) if declared else _sequential_inputs(config, layers)
    return KerasModel(document["class_name"], inputs, lambdas)


def _layers(config: object) -> Iterator[Mapping[str, Any]]:
    """The layers' own tables; Keras 1 wrote a Sequential's as a bare list."""
    listed = config.get("layers") if isinstance(config, dict) else config
    for layer in (listed if isinstance(listed, list) else [])[:_MOST_LAYERS]:
        if isinstance(layer, dict):
            yield layer


def _settings(layer: Mapping[str, Any]) -> Mapping[str, Any]:
    config = layer.get("config")
    return config if isinstance(config, dict) else {}


def _name(layer: Mapping[str, Any]) -> str:
    return str(layer.get("name") or _settings(layer).get("name") or "")[:200]


def _functional_inputs(declared: object, layers: list[Mapping[str, Any]]) -> Iterator[Tensor]:
    """The layers that `input_layers` names: `[name, 0, 0]`, or lists and tables of such."""
    by_name = {_name(layer): layer for layer in layers}
    waiting: list[object] = [declared]
    count = 0
    while waiting and count < _MOST_INPUTS:
        count += 1
        each = waiting.pop(0)
        if isinstance(each, dict):
            waiting = [*each.values(), *waiting]
        elif isinstance(each, list) and each and isinstance(each[0], str):
            layer = by_name.get(each[0])
            if layer is not None:
                yield _tensor(each[0], _settings(layer))
        elif isinstance(each, list):
            waiting = [*each[:_MOST_INPUTS], *waiting]


def _sequential_inputs(config: object, layers: list[Mapping[str, Any]]) -> list[Tensor]:
    if not layers:
        return []
    settings = _settings(layers[0])
    if not {"batch_input_shape", "batch_shape"} & settings.keys() and isinstance(config, dict):
        settings = {"batch_shape": config.get("build_input_shape"), "dtype": settings.get("dtype")}
    tensor = _tensor(_name(layers[0]), settings)
    return [tensor] if tensor.shape is not None else []


def _tensor(name: str, settings: Mapping[str, Any]) -> Tensor:
    shape = settings.get("batch_input_shape") or settings.get("batch_shape")
    if isinstance(shape, dict):
        shape = shape.get("items")
    dtype = settings.get("dtype")
    return Tensor(
        name,
        dtype if isinstance(dtype, str) else None,
        tuple(each if _is_size(each) else None for each in shape[:256]) if isinstance(shape, list) else None,
    )


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
