"""A Keras model's configuration, as model.save writes it: its kind, inputs and layers that carry code."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hatch_wallaroo.frameworks.tensors import Tensor

_MOST_INPUTS = 1_000
_MOST_LAYERS = 100_000


@dataclass(frozen=True)
class KerasModel:
    """`kind` is the class (`Sequential`, `Functional`); inputs are empty where the model was never built."""

    kind: str
    inputs: list[Tensor]
    lambdas: tuple[str, ...] = ()


def read_model_config(text: str) -> KerasModel | None:
    """Read the JSON of `model_config`, of Keras 1 to 3; None where it is no such thing."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or not isinstance(document.get("class_name"), str):
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
