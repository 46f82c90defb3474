"""What an ONNX file says about itself, without its weights.

Field numbers are those of onnx.proto in ONNX 1.23; unknown ones are skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO, Literal

from hatch_wallaroo.formats.protobuf import BYTES, VARINT, BudgetError, Message, MessageField, ProtobufError, message

ONNX_DTYPES = {
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    8: "string",
    9: "bool",
    10: "float16",
    11: "float64",
    12: "uint32",
    13: "uint64",
    14: "complex64",
    15: "complex128",
    16: "bfloat16",
    17: "float8e4m3fn",
    18: "float8e4m3fnuz",
    19: "float8e5m2",
    20: "float8e5m2fnuz",
    21: "uint4",
    22: "int4",
    23: "float4e2m1",
    24: "float8e8m0",
    25: "uint2",
    26: "int2",
    27: "float6e2m3",
    28: "float6e3m2",
}
"""TensorProto.DataType, by the names that NumPy and Arrow use where they have one."""

_MOST_VALUES = 4096
_MOST_NAMES = 200_000
_MOST_DIMENSIONS = 256
_MOST_LOCATIONS = 64
_EXTERNAL = 1


class _Model:
    IR_VERSION, PRODUCER, PRODUCER_VERSION, GRAPH, OPSET, TRAINING, FUNCTION = 1, 2, 3, 7, 8, 20, 25


class _Opset:
    DOMAIN, VERSION = 1, 2


class _GraphPart:
    NODE, INITIALIZER, INPUT, OUTPUT, SPARSE_INITIALIZER = 1, 5, 11, 12, 15


class _Training:
    INITIALIZATION, ALGORITHM = 1, 2


class _Function:
    NODE, OPSET, DOMAIN, ATTRIBUTE = 7, 9, 10, 11


class _Node:
    ATTRIBUTE, DOMAIN = 5, 7


class _Attribute:
    TENSOR, GRAPH, FLOATS, INTS, STRINGS, TENSORS, GRAPHS, SPARSE, SPARSES = 5, 6, 7, 8, 9, 10, 11, 22, 23


class _Sparse:
    VALUES, INDICES = 1, 2


class _Tensor:
    NAME, EXTERNAL_DATA, DATA_LOCATION = 8, 13, 14


class _Pair:
    KEY, VALUE = 1, 2


class _ValueInfo:
    NAME, TYPE = 1, 2


class _TensorType:
    ELEMENT, SHAPE, DIMENSION = 1, 2, 1


class _Dimension:
    VALUE, PARAMETER = 1, 2


ValueKind = Literal["tensor", "sequence", "map", "optional", "sparse tensor", "opaque value", "unknown"]
_KINDS: dict[int, ValueKind] = {
    1: "tensor",
    4: "sequence",
    5: "map",
    7: "opaque value",
    8: "sparse tensor",
    9: "optional",
}


@dataclass(frozen=True)
class OnnxValue:
    """An input or output of the graph.

    `shape`: a number, a name or None (unknown) for each dimension; None as a whole
    where not even the rank is told, `()` for a scalar. `dtype` is None for what is no tensor.
    """

    name: str
    kind: ValueKind
    dtype: str | None = None
    shape: tuple[int | str | None, ...] | None = None


@dataclass
class OnnxHeader:
    """A model's header. `defaults` are inputs that an initializer gives a value (IR version 4 on).

    `opsets`: the highest version imported of each domain, by the model or a function of it;
    `""` is written `ai.onnx`. `functions`: the domains that the model defines itself.
    `external`: files that hold tensors. `complete`: False where the file was too large to be read on.
    """

    ir_version: int = 0
    producer: str = ""
    producer_version: str = ""
    opsets: dict[str, int] = field(default_factory=dict)
    has_graph: bool = False
    inputs: tuple[OnnxValue, ...] = ()
    outputs: tuple[OnnxValue, ...] = ()
    defaults: tuple[str, ...] = ()
    nodes: int = 0
    functions: set[str] = field(default_factory=set)
    used_domains: set[str] = field(default_factory=set)
    external: list[str] = field(default_factory=list)
    has_external: bool = False
    complete: bool = True


@dataclass
class _Graph:
    """What the main graph declares, while it is read."""

    inputs: list[OnnxValue] = field(default_factory=list)
    outputs: list[OnnxValue] = field(default_factory=list)
    initializers: set[str] = field(default_factory=set)
    nodes: int = 0


def read_onnx_header(stream: BinaryIO, size: int) -> OnnxHeader:
    """Read a model's header.

    Raises ProtobufError where the bytes are no such message, TruncatedError where they end
    too early, OSError where they cannot be read. A model with more parts than can be
    read in good time is read in part: `complete` is False then.
    """
    header, graph = OnnxHeader(), _Graph()
    try:
        _read_model(message(stream, size), header, graph)
    except BudgetError:
        header.complete = False
    header.nodes = graph.nodes
    header.inputs = tuple(each for each in graph.inputs if each.name not in graph.initializers)
    header.outputs = tuple(graph.outputs)
    header.defaults = tuple(each.name for each in graph.inputs if each.name in graph.initializers)
    return header


def _read_model(model: Message, header: OnnxHeader, graph: _Graph) -> None:
    for number, _, each in model.fields():
        if number == _Model.IR_VERSION:
            header.ir_version = each.integer()
        elif number == _Model.PRODUCER:
            header.producer = each.text(200)
        elif number == _Model.PRODUCER_VERSION:
            header.producer_version = each.text(200)
        elif number == _Model.GRAPH:
            header.has_graph = True
            _read_graph(each.message(), header, graph)
        elif number == _Model.OPSET:
            _read_opset(each.message(), header)
        elif number == _Model.TRAINING:
            _read_training(each.message(), header)
        elif number == _Model.FUNCTION:
            _read_function(each.message(), header)


def _read_opset(opset: Message, header: OnnxHeader) -> None:
    domain, version = "", 0
    for number, _, each in opset.fields():
        if number == _Opset.DOMAIN:
            domain = each.text(200)
        elif number == _Opset.VERSION:
            version = each.integer()
    domain = domain or "ai.onnx"
    header.opsets[domain] = max(version, header.opsets.get(domain, version))


def _read_graph(graph: Message, header: OnnxHeader, into: _Graph | None) -> None:
    """Walk a graph; `into` takes what the main graph declares, and is None for graphs inside of it."""
    for number, _, each in graph.fields():
        if number == _GraphPart.NODE:
            if into is not None:
                into.nodes += 1
            _read_node(each.message(), header)
        elif number == _GraphPart.INITIALIZER:
            name = _read_tensor(each.message(), header)
            if into is not None and len(into.initializers) < _MOST_NAMES:
                into.initializers.add(name)
        elif number == _GraphPart.INPUT and into is not None and len(into.inputs) < _MOST_NAMES:
            into.inputs.append(_read_value(each.message()))
        elif number == _GraphPart.OUTPUT and into is not None and len(into.outputs) < _MOST_VALUES:
            into.outputs.append(_read_value(each.message()))
        elif number == _GraphPart.SPARSE_INITIALIZER:
            name = _read_sparse(each.message(), header)
            if into is not None and len(into.initializers) < _MOST_NAMES:
                into.initializers.add(name)


def _read_training(training: Message, header: OnnxHeader) -> None:
    for number, _, each in training.fields():
        if number in {_Training.INITIALIZATION, _Training.ALGORITHM}:
            _read_graph(each.message(), header, None)


def _read_function(function: Message, header: OnnxHeader) -> None:
    for number, _, each in function.fields():
        if number == _Function.NODE:
            _read_node(each.message(), header)
        elif number == _Function.OPSET:
            _read_opset(each.message(), header)
        elif number == _Function.DOMAIN:
            header.functions.add(each.text(200))
        elif number == _Function.ATTRIBUTE:
            _read_attribute(each.message(), header)


def _read_node(node: Message, header: OnnxHeader) -> None:
    for number, _, each in node.fields():
        if number == _Node.ATTRIBUTE:
            _read_attribute(each.message(), header)
        elif number == _Node.DOMAIN and each.size and len(header.used_domains) < _MOST_VALUES:
            header.used_domains.add(each.text(200))


def _read_attribute(attribute: Message, header: OnnxHeader) -> None:
    for number, _, each in attribute.fields():
        if number in {_Attribute.FLOATS, _Attribute.INTS, _Attribute.STRINGS}:
            # Floats, integers or strings, one field each: a tree ensemble has millions, and nothing else follows.
            return
        if number in {_Attribute.TENSOR, _Attribute.TENSORS}:
            _read_tensor(each.message(), header)
        elif number in {_Attribute.GRAPH, _Attribute.GRAPHS}:
            _read_graph(each.message(), header, None)
        elif number in {_Attribute.SPARSE, _Attribute.SPARSES}:
            _read_sparse(each.message(), header)


def _read_sparse(sparse: Message, header: OnnxHeader) -> str:
    """Read a SparseTensorProto; its name is that of its values."""
    name = ""
    for number, _, each in sparse.fields():
        if number == _Sparse.VALUES:
            name = _read_tensor(each.message(), header)
        elif number == _Sparse.INDICES:
            _read_tensor(each.message(), header)
    return name


def _read_tensor(tensor: Message, header: OnnxHeader) -> str:
    """Read a TensorProto's name, and note where its bytes are if they are elsewhere."""
    name, locations, external = "", [], False
    for number, _, each in tensor.fields():
        if number == _Tensor.NAME:
            name = each.text()
        elif number == _Tensor.EXTERNAL_DATA:
            key, value = _read_pair(each.message())
            if key == "location":
                locations.append(value)
        elif number == _Tensor.DATA_LOCATION:
            external = each.integer() == _EXTERNAL
    if external:
        header.has_external = True
        known = header.external
        known.extend(each for each in locations if each not in known and len(known) < _MOST_LOCATIONS)
    return name


def _read_pair(pair: Message) -> tuple[str, str]:
    key = value = ""
    for number, _, each in pair.fields():
        if number == _Pair.KEY:
            key = each.text(200)
        elif number == _Pair.VALUE:
            value = each.text(1000)
    return key, value


def _read_value(value: Message) -> OnnxValue:
    name, found = "", OnnxValue("", "unknown")
    for number, _, each in value.fields():
        if number == _ValueInfo.NAME:
            name = each.text()
        elif number == _ValueInfo.TYPE:
            found = _read_type(each.message())
    return replace(found, name=name)


def _read_type(type_: Message) -> OnnxValue:
    found = OnnxValue("", "unknown")
    for number, wire, each in type_.fields():
        kind = _KINDS.get(number)
        if kind is None or wire != BYTES:
            continue
        found = OnnxValue("", kind)
        if kind == "tensor":
            found = _read_tensor_type(each.message())
    return found


def _read_tensor_type(tensor: Message) -> OnnxValue:
    dtype: str | None = None
    shape: tuple[int | str | None, ...] | None = None
    for number, _, each in tensor.fields():
        if number == _TensorType.ELEMENT:
            code = each.integer()
            dtype = ONNX_DTYPES.get(code, f"type {code}") if code else None
        elif number == _TensorType.SHAPE:
            shape = tuple(_dimensions(each))
    return OnnxValue("", "tensor", dtype, shape)


def _dimensions(shape: MessageField) -> Iterator[int | str | None]:
    for count, each in enumerate(shape.message().of(_TensorType.DIMENSION), start=1):
        if count > _MOST_DIMENSIONS:
            raise ProtobufError(f"a shape has more than {_MOST_DIMENSIONS} dimensions")
        yield _dimension(each.message())


def _dimension(dimension: Message) -> int | str | None:
    """A number, a name, or None: some exporters write 0, -1 or an empty name for an unknown one."""
    found: int | str | None = None
    for number, wire, each in dimension.fields():
        if number == _Dimension.VALUE and wire == VARINT:
            found = each.integer()
        elif number == _Dimension.PARAMETER:
            found = each.text(200)
    return found if isinstance(found, str) and found else found if isinstance(found, int) and found > 0 else None
