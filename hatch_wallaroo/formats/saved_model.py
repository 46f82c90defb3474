"""What a TensorFlow SavedModel says about itself: saved_model.pb and keras_metadata.pb, without the graph.

Field numbers are those of TensorFlow's saved_model.proto, meta_graph.proto and
saved_object_graph.proto (TensorFlow 1.15 to 2.21); unknown ones are skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from hatch_wallaroo.formats.protobuf import VARINT, BudgetError, Message, ProtobufError, message

TENSORFLOW_DTYPES = {
    1: "float32",
    2: "float64",
    3: "int32",
    4: "uint8",
    5: "int16",
    6: "int8",
    7: "string",
    8: "complex64",
    9: "int64",
    10: "bool",
    11: "qint8",
    12: "quint8",
    13: "qint32",
    14: "bfloat16",
    15: "qint16",
    16: "quint16",
    17: "uint16",
    18: "complex128",
    19: "float16",
    20: "resource",
    21: "variant",
    22: "uint32",
    23: "uint64",
}
"""types.proto: DataType, by the names that NumPy and Arrow use where they have one."""

_MOST = 10_000
_MOST_DIMENSIONS = 256


class _SavedModel:
    VERSION, META_GRAPH = 1, 2


class _MetaGraph:
    INFO, SIGNATURE, OBJECTS = 1, 5, 7


class _Info:
    OPS, TAG, VERSION = 2, 4, 5


class _Ops:
    OP, NAME = 1, 1


class _Signature:
    INPUT, OUTPUT, METHOD = 1, 2, 3


class _Tensor:
    DTYPE, SHAPE, SPARSE, COMPOSITE = 2, 3, 4, 5


class _Shape:
    DIMENSION, UNKNOWN_RANK, SIZE = 2, 3, 1


class _Objects:
    NODE, USER_OBJECT, IDENTIFIER = 1, 4, 1


class _Entry:
    KEY, VALUE = 1, 2


@dataclass(frozen=True)
class SignaturePart:
    """An input or output of a signature; `shape` is None where the rank is unknown, its items where the size is."""

    name: str
    dtype: str | None
    shape: tuple[int | None, ...] | None


@dataclass(frozen=True)
class ServingSignature:
    """A function that a model serves, inputs and outputs by name."""

    name: str
    inputs: tuple[SignaturePart, ...]
    outputs: tuple[SignaturePart, ...]


@dataclass
class MetaGraph:
    """One graph of a SavedModel.

    `ops` are the operators it uses, `root_object` what its root was in Python
    (`_tf_keras_sequential`, `_generic_user_object`; empty for TensorFlow 1 graphs).
    """

    tags: list[str] = field(default_factory=list)
    version: str = ""
    ops: set[str] = field(default_factory=set)
    signatures: dict[str, ServingSignature] = field(default_factory=dict)
    root_object: str = ""


@dataclass
class SavedModel:
    """All of them. `complete`: False where the file was too large to be read on."""

    graphs: list[MetaGraph] = field(default_factory=list)
    complete: bool = True


def read_saved_model(stream: BinaryIO, size: int) -> SavedModel:
    """Read a saved_model.pb.

    Raises ProtobufError where the bytes are no such message, TruncatedError where they end
    too early, OSError where they cannot be read.
    """
    found = SavedModel()
    try:
        for number, _, each in message(stream, size).fields():
            if number == _SavedModel.META_GRAPH and len(found.graphs) < _MOST:
                graph = MetaGraph()
                found.graphs.append(graph)
                _read_meta_graph(each.message(), graph)
            elif number > _SavedModel.META_GRAPH:
                raise ProtobufError("it has fields that no SavedModel has")
    except BudgetError:
        found.complete = False
    if not found.graphs:
        raise ProtobufError("there is no graph in it")
    return found


def _read_meta_graph(meta: Message, graph: MetaGraph) -> None:
    for number, _, each in meta.fields():
        if number == _MetaGraph.INFO:
            _read_info(each.message(), graph)
        elif number == _MetaGraph.SIGNATURE and len(graph.signatures) < _MOST:
            name, value = _pair(each.message())
            if not name.startswith("__saved_model_"):
                graph.signatures[name] = value
        elif number == _MetaGraph.OBJECTS:
            graph.root_object = _root_object(each.message())


def _read_info(info: Message, graph: MetaGraph) -> None:
    for number, _, each in info.fields():
        if number == _Info.OPS:
            graph.ops.update(_op_names(each.message()))
        elif number == _Info.TAG and len(graph.tags) < _MOST:
            graph.tags.append(each.text(200))
        elif number == _Info.VERSION:
            graph.version = each.text(200)


def _op_names(ops: Message) -> Iterator[str]:
    for op in ops.of(_Ops.OP):
        for each in op.message().of(_Ops.NAME):
            yield each.text(200)
            break


def _pair(pair: Message) -> tuple[str, ServingSignature]:
    name, signature = "", ServingSignature("", (), ())
    for number, _, each in pair.fields():
        if number == _Entry.KEY:
            name = each.text(500)
        elif number == _Entry.VALUE:
            signature = _signature(each.message())
    return name, ServingSignature(name, signature.inputs, signature.outputs)


def _signature(signature: Message) -> ServingSignature:
    inputs: list[SignaturePart] = []
    outputs: list[SignaturePart] = []
    for number, _, each in signature.fields():
        into = {_Signature.INPUT: inputs, _Signature.OUTPUT: outputs}.get(number)
        if into is not None and len(into) < _MOST:
            into.append(_part(each.message()))
    by_name = sorted(inputs, key=lambda part: part.name), sorted(outputs, key=lambda part: part.name)
    return ServingSignature("", tuple(by_name[0]), tuple(by_name[1]))


def _part(pair: Message) -> SignaturePart:
    """A TensorInfo by its name in the signature. The map's order in the file means nothing."""
    name, dtype, shape = "", None, None
    for number, _, each in pair.fields():
        if number == _Entry.KEY:
            name = each.text(500)
        elif number == _Entry.VALUE:
            dtype, shape = _tensor(each.message())
    return SignaturePart(name, dtype, shape)


def _tensor(info: Message) -> tuple[str | None, tuple[int | None, ...] | None]:
    dtype: str | None = None
    shape: tuple[int | None, ...] | None = None
    for number, wire, each in info.fields():
        if number == _Tensor.DTYPE and wire == VARINT:
            dtype = TENSORFLOW_DTYPES.get(each.value, f"type {each.value}")
        elif number == _Tensor.SHAPE:
            shape = _shape(each.message())
        elif number in {_Tensor.SPARSE, _Tensor.COMPOSITE}:
            dtype = dtype or "sparse or ragged"
    return dtype, shape


def _shape(shape: Message) -> tuple[int | None, ...] | None:
    sizes: list[int | None] = []
    for number, wire, each in shape.fields():
        if number == _Shape.UNKNOWN_RANK and wire == VARINT and each.value:
            return None
        if number == _Shape.DIMENSION:
            size = 0
            for inner, inner_wire, value in each.message().fields():
                if inner == _Shape.SIZE and inner_wire == VARINT:
                    size = value.integer()
            sizes.append(size if size >= 0 else None)
        if len(sizes) > _MOST_DIMENSIONS:
            raise ProtobufError(f"a shape has more than {_MOST_DIMENSIONS} dimensions")
    return tuple(sizes)


def _root_object(objects: Message) -> str:
    """What the first object of the graph was in Python; objects after it are not read."""
    for node in objects.of(_Objects.NODE):
        for user in node.message().of(_Objects.USER_OBJECT):
            for each in user.message().of(_Objects.IDENTIFIER):
                return each.text(200)
        return ""
    return ""
