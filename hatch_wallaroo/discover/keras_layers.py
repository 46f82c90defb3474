"""What a Keras model gives: the shape of a row, followed from its inputs through its layers' settings.

A configuration says the shapes of inputs only. Layers that are not known here end the search: the outputs are
then not told, rather than guessed.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

from hatch_wallaroo.frameworks.keras_config import read_model_config
from hatch_wallaroo.schema.hints import Hint, arrow_dtype, tensor

Shape = tuple[int | None, ...]
Rule = Callable[[list[Shape], Mapping[str, Any]], Shape | None]

_MOST_LAYERS = 20_000
_MOST_ENDS = 1_000
_DEEPEST = 100
_ODD = (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError, OverflowError)
"""What settings lead to that are not as Keras writes them."""
_LARGEST = 2**31


def inputs(text: str) -> tuple[Hint, ...]:
    """The inputs of a model by the JSON of its configuration; empty where it was never built."""
    model = read_model_config(text)
    told = model.inputs if model else []
    return tuple(tensor(each.name, each.dtype or "float32", each.shape, free=len(told) == 1) for each in told)


def outputs(text: str) -> tuple[Hint, ...] | None:
    """The outputs of a model by the JSON of its `model_config`, Keras 2 or 3; None where they cannot be told."""
    try:
        document = json.loads(text)
        config = document["config"]
        graph = _Graph(_layers(config), document["class_name"] == "Sequential", config.get("build_input_shape"))
        ends = graph.order[-1:] if graph.sequential else _names(config.get("output_layers"))
        for name in graph.order:  # a layer mostly stands behind those that it hangs on, so that this goes in steps
            graph.shape(name)
        found = [graph.hint(name, alone=len(ends) == 1) for name in ends]
    except _ODD:
        return None
    told = [each for each in found if each is not None]
    return tuple(told) if told and len(told) == len(found) else None


def _layers(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each for each in config["layers"][:_MOST_LAYERS] if isinstance(each, dict)]


def _names(told: object) -> list[str]:
    """The layers in `output_layers`: `[name, 0, 0]`, or lists and tables of such."""
    found: list[str] = []
    waiting: list[object] = [told]
    while waiting and len(found) < _MOST_ENDS:
        each = waiting.pop(0)
        if isinstance(each, dict):
            waiting = [*each.values(), *waiting]
        elif isinstance(each, list) and each and isinstance(each[0], str):
            found.append(each[0])
        elif isinstance(each, list):
            waiting = [*each[:_MOST_ENDS], *waiting]
    return found


@dataclass
class _Graph:
    """The layers by name, and the shapes that were followed so far."""

    layers: Sequence[Mapping[str, Any]]
    sequential: bool
    built: object
    shapes: dict[str, Shape | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.order = [_name(each) for each in self.layers]
        self.by_name = dict(zip(self.order, self.layers, strict=True))
        self.previous = dict(zip(self.order[1:], self.order, strict=False))

    def hint(self, name: str, *, alone: bool) -> Hint | None:
        shape = self.shape(name)
        dtype = _dtype(self.by_name[name]["config"].get("dtype"))
        return None if shape is None or dtype is None else Hint(name, dtype, shape, free=alone)

    def shape(self, name: str, depth: int = 0) -> Shape | None:
        """The row that a layer gives; each layer is followed once."""
        if name not in self.shapes:
            self.shapes[name] = None  # a layer that hangs on itself is not told
            if depth < _DEEPEST:
                with contextlib.suppress(*_ODD):
                    self.shapes[name] = self.follow(name, depth)
        return self.shapes[name]

    def follow(self, name: str, depth: int) -> Shape | None:
        layer = self.by_name[name]
        config = layer["config"]
        declared = config.get("batch_input_shape") or config.get("batch_shape")
        if layer["class_name"] == "InputLayer":
            return _row(declared)
        before = self.before(name, layer)
        if before:
            given = [self.shape(each, depth + 1) for each in before]
        else:
            given = [_row(declared if declared is not None else self.built)]
        rule = _RULES.get(layer["class_name"])
        known = [each for each in given if each is not None]
        return rule(known, config) if rule and known and len(known) == len(given) else None

    def before(self, name: str, layer: Mapping[str, Any]) -> list[str]:
        """The layers that a layer is fed by. One that is used in several places has no single shape."""
        if self.sequential:
            return [self.previous[name]] if name in self.previous else []
        nodes = layer.get("inbound_nodes")
        if not isinstance(nodes, list) or len(nodes) != 1:
            raise ValueError(name)
        return list(_history(nodes[0]))


def _name(layer: Mapping[str, Any]) -> str:
    name = layer.get("name") or layer["config"]["name"]
    if not isinstance(name, str):
        raise TypeError(name)
    return name


def _history(node: object) -> Iterator[str]:
    """The names in one inbound node: `[name, 0, 0, {}]` in Keras 2, tensors with a `keras_history` in Keras 3."""
    waiting = [node]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, dict):
            history = each.get("keras_history")
            if isinstance(history, list):
                yield history[0]
            else:
                waiting = [*each.values(), *waiting]
        elif isinstance(each, list) and len(each) >= 3 and isinstance(each[0], str):  # noqa: PLR2004 - as above
            yield each[0]
        elif isinstance(each, list):
            waiting = [*each, *waiting]


def _row(shape: object) -> Shape | None:
    if isinstance(shape, dict):
        shape = shape.get("items")
    if not isinstance(shape, list) or not all(each is None or type(each) is int for each in shape):
        return None
    return tuple(shape[1:])


def _dtype(told: object) -> str | None:
    """A layer's dtype; a policy of mixed precision gives another than it says, and is not told."""
    if isinstance(told, dict):
        told = told.get("config", {}).get("name")
    return arrow_dtype(told) if isinstance(told, str) else "float32" if told is None else None


def _same(given: list[Shape], config: Mapping[str, Any]) -> Shape | None:
    del config
    return given[0] if len(set(given)) == 1 else None


def _dense(given: list[Shape], config: Mapping[str, Any]) -> Shape | None:
    return (*given[0][:-1], _size(config["units"])) if given[0] else None


def _flatten(given: list[Shape], config: Mapping[str, Any]) -> Shape | None:
    del config
    sizes = [each for each in given[0] if each is not None]
    return (_size(prod(sizes)) if len(sizes) == len(given[0]) else None,)


def _embedding(given: list[Shape], config: Mapping[str, Any]) -> Shape | None:
    return (*given[0], _size(config["output_dim"]))


def _recurrent(given: list[Shape], config: Mapping[str, Any]) -> Shape | None:
    if config.get("return_state") or len(given[0]) != 2:  # noqa: PLR2004 - steps and features
        return None
    return (given[0][0], _size(config["units"])) if config.get("return_sequences") else (_size(config["units"]),)


def _bidirectional(given: list[Shape], config: Mapping[str, Any]) -> Shape | None:
    inner = config["layer"]
    rule = _RULES.get(inner["class_name"])
    shape = rule(given, inner["config"]) if rule is _recurrent else None
    if shape is None or config.get("merge_mode") is None:
        return None
    last = shape[-1]
    return (*shape[:-1], last * 2) if config["merge_mode"] == "concat" and last is not None else shape


def _pooled_globally(given: list[Shape], config: Mapping[str, Any]) -> Shape | None:
    if config.get("keepdims") or len(given[0]) < 2:  # noqa: PLR2004 - a place and channels
        return None
    return given[0][:1] if config.get("data_format") == "channels_first" else given[0][-1:]


def _reshape(given: list[Shape], config: Mapping[str, Any]) -> Shape | None:
    target = [_size(each) if each != -1 else None for each in config["target_shape"]]
    sizes = [each for each in given[0] if each is not None]
    if None in target and len(sizes) == len(given[0]):
        rest = prod(each for each in target if each is not None)
        return tuple(prod(sizes) // rest if each is None else each for each in target)
    return tuple(target)


def _repeated(given: list[Shape], config: Mapping[str, Any]) -> Shape | None:
    return (_size(config["n"]), *given[0])


def _concatenated(given: list[Shape], config: Mapping[str, Any]) -> Shape | None:
    axis = config.get("axis", -1)
    at = axis if axis < 0 else axis - 1 - len(given[0])  # the first axis counts the rows
    parts = [each[at] for each in given]
    rests = {each[:at] + each[at + 1 or len(each) :] for each in given}
    if len(rests) != 1 or axis == 0:
        return None
    joined = None if None in parts else sum(each for each in parts if each is not None)
    first = given[0]
    return (*first[:at], joined, *first[at + 1 or len(first) :])


def _windowed(given: list[Shape], config: Mapping[str, Any]) -> Shape | None:
    """Convolutions and poolings over places, channels last."""
    if config.get("data_format") == "channels_first" or len(given) != 1:
        return None
    *places, channels = given[0]
    size = config.get("kernel_size", config.get("pool_size"))
    strides = config.get("strides") or size
    dilation = config.get("dilation_rate") or 1
    each = zip(places, *(_for_each(told, len(places)) for told in (size, strides, dilation)), strict=True)
    moved = [_window(place, *told, padding=config.get("padding", "valid")) for place, *told in each]
    return (*moved, _size(config["filters"]) if "filters" in config else channels)


def _for_each(told: Any, places: int) -> list[int]:
    return [_size(each) for each in told] if isinstance(told, list | tuple) else [_size(told)] * places


def _window(place: int | None, size: int, stride: int, dilation: int, *, padding: str) -> int | None:
    if place is None:
        return None
    reach = place if padding in {"same", "causal"} else place - (size - 1) * dilation
    return -(-reach // stride)


def _size(told: Any) -> int:
    """A setting that must be a plain size."""
    if type(told) is not int or not 1 <= told < _LARGEST:
        raise ValueError(told)
    return told


_RULES: Mapping[str, Rule] = {
    **dict.fromkeys(
        ("Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "ThresholdedReLU", "Masking", "Dropout"), _same
    ),
    **dict.fromkeys(("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout"), _same),
    **dict.fromkeys(("GaussianNoise", "GaussianDropout", "ActivityRegularization", "UnitNormalization"), _same),
    **dict.fromkeys(("BatchNormalization", "LayerNormalization", "Normalization", "Rescaling"), _same),
    **dict.fromkeys(("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"), _same),
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN"), _recurrent),
    **{f"Global{kind}Pooling{n}D": _pooled_globally for kind in ("Average", "Max") for n in (1, 2, 3)},
    **{f"{kind}Pooling{n}D": _windowed for kind in ("Average", "Max") for n in (1, 2, 3)},
    **{f"Conv{n}D": _windowed for n in (1, 2, 3)},
    "Dense": _dense,
    "Flatten": _flatten,
    "Embedding": _embedding,
    "Bidirectional": _bidirectional,
    "Reshape": _reshape,
    "RepeatVector": _repeated,
    "Concatenate": _concatenated,
}
