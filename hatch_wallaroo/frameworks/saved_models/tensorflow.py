"""TensorFlow: a SavedModel, zipped under one top folder; and what Keras's SavedModels must be as well."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.files.sources import Entry, is_lfs_pointer
from hatch_wallaroo.findings import Finding, Level, Place, rule
from hatch_wallaroo.formats.protobuf import MessageCutOffError, ProtobufError
from hatch_wallaroo.formats.saved_model import MetaGraph, SavedModel, read_saved_model
from hatch_wallaroo.frameworks.base import (
    Family,
    Inspection,
    Layout,
    Planned,
    begins_as,
    declared_model,
    is_file,
    is_newer,
)
from hatch_wallaroo.frameworks.saved_models.layout import GRAPH, NO_SAVED_MODEL, advice, plan_saved_model, refuse_file
from hatch_wallaroo.frameworks.tensors import Tensor
from hatch_wallaroo.text import describe_error, few

VARIABLES = rule(
    "WLR322",
    "weights are missing",
    why="A SavedModel without all shards of its variables cannot be restored.",
    source="TensorFlow: the SavedModel format, variables/; upload guide, TensorFlow File Format",
)
UNREADABLE = rule(
    "WLR323",
    "saved_model.pb cannot be read",
    why="A copy that was cut short or replaced by something else uploads well and never loads.",
    source="TensorFlow: saved_model.proto",
)
VERSION = rule(
    "WLR324",
    "saved by a newer TensorFlow than the platform's",
    why="TensorFlow promises that newer versions load what older ones saved, and not the reverse.",
    source="Upload guide: Supported Libraries; TensorFlow: version compatibility of SavedModels",
    level=Level.WARNING,
)
TAGS = rule(
    "WLR325",
    "not saved for serving",
    why='A graph is chosen by its set of tags, and serving asks for exactly {"serve"}.',
    source="TensorFlow: tag_constants.SERVING; the loader matches the whole set",
)
SIGNATURE = rule(
    "WLR326",
    "no signature to serve",
    why="The signature serving_default names the inputs and outputs of an inference.",
    source="TensorFlow: DEFAULT_SERVING_SIGNATURE_DEF_KEY",
)
OPERATORS = rule(
    "WLR327",
    "operators that TensorFlow alone does not have",
    why="TensorFlow alone runs the graph: neither Python functions nor other libraries' operators are saved in it.",
    source="TensorFlow: tf.py_function is not serialised; run with TensorFlow 2.9.3",
    level=Level.WARNING,
)
NOT_ALL_READ = rule(
    "WLR328",
    "too many parts to be checked in good time",
    why="What was not read was not checked; the model itself may be perfectly good.",
    source="The limits of this tool",
    level=Level.WARNING,
)

_SHARD = re.compile(r"variables/variables\.data-([0-9]{5})-of-([0-9]{5})")
_VARIABLE_OPS = {"VarHandleOp", "VariableV2", "Variable"}
_PYTHON_OPS = {"PyFunc", "PyFuncStateless", "EagerPyFunc"}
_FOREIGN_OPS: Mapping[str, str] = {
    "SimpleML": "tensorflow-decision-forests",
    "TRTEngineOp": "TensorRT",
    "Sentencepiece": "tensorflow-text",
    "WordpieceTokenize": "tensorflow-text",
    "FastWordpiece": "tensorflow-text",
    "FastBertNormalize": "tensorflow-text",
    "RegexSplitWithOffsets": "tensorflow-text",
    "CaseFoldUTF8": "tensorflow-text",
    "NormalizeUTF8": "tensorflow-text",
    "Addons>": "tensorflow-addons",
    "IO>": "tensorflow-io",
}
_AGAIN = "copy the whole model again, or save it anew: {save}"


class TensorFlow(Family):
    """A SavedModel folder, or the user's zip of one."""

    def plan(self, spec: ModelSpec) -> Planned:
        """The SavedModel's files, under one top folder."""
        declared = declared_model(spec)
        if is_file(spec, declared) and PurePosixPath(declared).suffix.lower() != ".zip":
            return refuse_file(spec, declared, NO_SAVED_MODEL)
        return plan_saved_model(spec, declared)

    def inspect(self, spec: ModelSpec, layout: Layout) -> Inspection:
        """Version, tags, signatures and shards."""
        entry = graph_entry(layout)
        model, findings = read_graph(spec, entry)
        if model is None:
            return Inspection({}, findings)
        checked = check_saved_model(spec, layout, entry, model)
        graph = serving_graph(model)
        signatures = _check_signatures(entry, graph) if model.complete else ()
        return Inspection(saved_model_facts(model), (*findings, *checked, *signatures))


def _check_signatures(entry: Entry, graph: MetaGraph) -> Iterator[Finding]:
    place = Place(file=entry.name)
    if not graph.signatures:
        yield SIGNATURE.finding(
            f"{entry.name} has no signature, so its inputs and outputs have no names",
            fix='tf.saved_model.save(model, "my-model", signatures=model.call.get_concrete_function(...))',
            place=place,
        )
    elif "serving_default" not in graph.signatures:
        yield SIGNATURE.finding(
            f"{entry.name} has no signature serving_default, only {', '.join(sorted(graph.signatures)[:5])}",
            fix='tf.saved_model.save(model, "my-model", signatures={"serving_default": ...})',
            place=place,
            level=Level.WARNING,
        )


def graph_entry(layout: Layout) -> Entry:
    """The entry of saved_model.pb: the highest one."""
    graphs = [each for each in layout.entries if PurePosixPath(each.path).name == GRAPH]
    return min(graphs, key=lambda each: each.path.count("/"))


def read_graph(spec: ModelSpec, entry: Entry) -> tuple[SavedModel | None, tuple[Finding, ...]]:
    """Read saved_model.pb; None with the findings that say why not, and without any for a Git LFS pointer."""
    place = Place(file=entry.name)
    try:
        if is_lfs_pointer(entry.source):
            return None, ()
        with entry.source.open() as stream:
            model = read_saved_model(stream, entry.source.size)
    except MessageCutOffError as problem:
        message = f"{entry.name} ends too early: {problem}"
    except ProtobufError as problem:
        message = f"{entry.name} is {begins_as(entry.source) or f'not a SavedModel: {problem}'}"
    except Exception as problem:  # noqa: BLE001 - a damaged zip raises what zlib, zipfile or the disk does
        reason = describe_error(problem)
        message = f"{entry.name} cannot be read: {reason}"
    else:
        return model, ()
    return None, (UNREADABLE.finding(message, fix=advice(spec, _AGAIN), place=place),)


def serving_graph(model: SavedModel) -> MetaGraph:
    """The graph that is served: the one with the tag `serve` alone, else the nearest to it."""
    return min(model.graphs, key=lambda each: ("serve" not in each.tags, len(each.tags)))


def signature_tensors(graph: MetaGraph, side: str) -> list[Tensor]:
    """Inputs or outputs of the default signature."""
    signature = graph.signatures.get("serving_default")
    parts = () if signature is None else signature.inputs if side == "inputs" else signature.outputs
    return [Tensor(each.name, each.dtype, each.shape) for each in parts]


def saved_model_facts(model: SavedModel) -> dict[str, object]:
    """Versions, tags and signatures as plain JSON."""
    graph = serving_graph(model)
    signatures = {
        name: {
            "inputs": [Tensor(each.name, each.dtype, each.shape).facts() for each in signature.inputs],
            "outputs": [Tensor(each.name, each.dtype, each.shape).facts() for each in signature.outputs],
        }
        for name, signature in sorted(graph.signatures.items())
    }
    told: dict[str, object] = {"tensorflow": graph.version, "tags": list(graph.tags), "signatures": signatures}
    return {**told, "object": graph.root_object} if graph.root_object else told


def check_saved_model(spec: ModelSpec, layout: Layout, entry: Entry, model: SavedModel) -> Iterator[Finding]:
    """What holds for any framework that takes SavedModels; signatures are the callers' business."""
    graph = serving_graph(model)
    place = Place(file=entry.name)
    yield from _check_variables(spec, layout, entry, graph)
    if "serve" not in graph.tags:
        yield TAGS.finding(
            f'{entry.name} is tagged {", ".join(graph.tags) or "with nothing"}, not "serve"',
            fix=advice(spec, 'save it with tags=["serve"], or {save}'),
            place=place,
        )
    elif set(graph.tags) != {"serve"}:
        yield TAGS.finding(
            f'{entry.name} is tagged {", ".join(graph.tags)}, and serving asks for "serve" alone',
            fix=advice(spec, 'save it with tags=["serve"], or {save}'),
            place=place,
            level=Level.WARNING,
        )
    runs = spec.framework.libraries.get("tensorflow")
    if runs and is_newer(graph.version, runs):
        yield VERSION.finding(
            f"{entry.name} was saved by TensorFlow {graph.version}; "
            f"Wallaroo {spec.release.asked} runs TensorFlow {runs}",
            fix=f"save it with tensorflow=={runs}",
            place=place,
        )
    yield from _check_operators(entry, graph)
    if not model.complete:
        yield NOT_ALL_READ.finding(f"{entry.name} has more parts than are read here", place=place)


def _check_variables(spec: ModelSpec, layout: Layout, entry: Entry, graph: MetaGraph) -> Iterator[Finding]:
    """All shards `variables.data-00000-of-0000N` and their index."""
    root = PurePosixPath(entry.path).parent
    names = {str(PurePosixPath(each.path).relative_to(root)) for each in layout.entries if _under(root, each.path)}
    place = Place(file=str(PurePosixPath(entry.name).parent / "variables") if "!" not in entry.name else entry.name)
    fix = advice(spec, _AGAIN)
    shards = [found for each in names if (found := _SHARD.fullmatch(each)) and int(found[2])]
    by_count: dict[int, set[int]] = {}
    for shard in shards:
        by_count.setdefault(int(shard[2]), set()).add(int(shard[1]))
    index = "variables/variables.index" in names
    if not index and not shards:
        if graph.ops & _VARIABLE_OPS:
            yield VARIABLES.finding(
                "the folder variables is missing, and the graph has variables", fix=fix, place=place
            )
        return
    if not index:
        yield VARIABLES.finding("variables/variables.index is missing", fix=fix, place=place)
    complete = any(len({each for each in have if each < count}) == count for count, have in by_count.items())
    if complete:
        return
    if not by_count:
        yield VARIABLES.finding("variables/variables.data-00000-of-00001 is missing", fix=fix, place=place)
        return
    count, have = max(by_count.items(), key=lambda item: len(item[1]))
    missing = [number for number in range(count) if number not in have]
    listed = few((f"variables/variables.data-{number:05}-of-{count:05}" for number in missing), counted=True)
    yield VARIABLES.finding(f"{len(missing)} of {count} shards are missing: {listed}", fix=fix, place=place)


def _under(root: PurePosixPath, path: str) -> bool:
    return root in PurePosixPath(path).parents


def _check_operators(entry: Entry, graph: MetaGraph) -> Iterator[Finding]:
    place = Place(file=entry.name)
    python = sorted(graph.ops & _PYTHON_OPS)
    if python:
        yield OPERATORS.finding(
            f"{entry.name} calls Python functions ({', '.join(python)}), which are not saved with it",
            fix='write them with TensorFlow\'s own operators, or package the model as framework = "custom"',
            place=place,
        )
    foreign: dict[str, list[str]] = {}
    for op in sorted(graph.ops):
        library = next((name for start, name in _FOREIGN_OPS.items() if op.startswith(start)), None)
        if library:
            foreign.setdefault(library, []).append(op)
    for library, ops in foreign.items():
        yield OPERATORS.finding(
            f"{entry.name} uses {', '.join(ops[:3])} of {library}, which TensorFlow alone does not have",
            fix='move that step out of the model, or package it as framework = "custom"',
            place=place,
        )
