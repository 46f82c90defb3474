"""What an MLflow model's `MLmodel` file says: its flavors, and the signature of its inputs and outputs.

YAML, with the signature as JSON texts in it, written by MLflow 1 and 2. PyYAML parses it into nodes, of which no
objects are made: tags, merge keys and aliases do nothing here. Needs the extra `mlflow`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hatch_wallaroo.files.json_text import JsonError, parse_json

LARGEST = 4 << 20
"""Bytes that are read: a signature of ten thousand columns has a fifth of it."""

_MOST_NODES = 20_000
_DEEPEST = 50


class MLmodelError(Exception):
    """What is wrong, and where if that is known (line and column from 1)."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


@dataclass(frozen=True)
class SignatureField:
    """One input or output. `name` is None where the signature has none, as for a single array.

    `type` is MLflow's word: `double`, `long`, `array`, `object`, `map`, ...; for a tensor it is `tensor`, with NumPy's
    `dtype` and a `shape` in which -1 varies. `item` is what an array or map holds, `properties` what an object does.
    """

    name: str | None
    type: str
    required: bool = True
    dtype: str = ""
    shape: tuple[int, ...] = ()
    item: SignatureField | None = None
    properties: tuple[SignatureField, ...] = ()


@dataclass(frozen=True)
class MLflowSignature:
    """Inputs and outputs in order; None where the signature does not tell. `line` is where each begins."""

    inputs: tuple[SignatureField, ...] | None = None
    outputs: tuple[SignatureField, ...] | None = None
    lines: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class MLmodel:
    """The file. `flavors` hold what each flavor says of itself: texts, truth values, None, and tables of these."""

    flavors: Mapping[str, Any]
    mlflow_version: str | None
    signature: MLflowSignature | None


def read_mlmodel(data: bytes) -> MLmodel:
    """Read the bytes of an MLmodel file. Raises MLmodelError, ModuleNotFoundError where PyYAML is not there."""
    if len(data) > LARGEST:
        raise MLmodelError(f"{len(data):,} bytes are too many for an MLmodel file")
    parts = _pairs(_compose(data))
    if "flavors" not in parts:
        raise MLmodelError("there are no flavors in it, which every MLmodel file has")
    flavors = _plain(parts["flavors"], [_MOST_NODES])
    version = _plain(parts["mlflow_version"], [_MOST_NODES]) if "mlflow_version" in parts else None
    return MLmodel(
        flavors if isinstance(flavors, dict) else {},
        version if isinstance(version, str) else None,
        _signature(parts["signature"]) if "signature" in parts else None,
    )


def _compose(data: bytes) -> Any:
    """The document's nodes. Not by libyaml, whose recursion is not bounded."""
    import yaml  # type: ignore[import-untyped,unused-ignore]  # its stubs are a package of their own

    try:
        return yaml.compose(data, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        said = getattr(error, "problem", None) or str(error).splitlines()[0]
        if mark is None:
            raise MLmodelError(f"this is no YAML: {said}") from None
        raise MLmodelError(f"this is no YAML: {said}", mark.line + 1, mark.column + 1) from None
    except (RecursionError, ValueError) as error:
        raise MLmodelError(f"this is no YAML: {error}"[:120]) from None


def _pairs(node: Any) -> dict[str, Any]:
    """The nodes of a table by key; nothing for what is no table."""
    found = {}
    for key, value in node.value if getattr(node, "id", "") == "mapping" else ():
        if key.id == "scalar":
            found[key.value] = value
    return found


def _plain(node: Any, left: list[int], depth: int = 0) -> Any:
    """A node as plain values, as far as it is worth it; aliases may make it endless."""
    left[0] -= 1
    if depth > _DEEPEST:
        return None
    if node.id == "mapping":
        return {
            key.value: _plain(value, left, depth + 1) for key, value in node.value if key.id == "scalar" and left[0] > 0
        }
    if node.id == "sequence":
        return [_plain(each, left, depth + 1) for each in node.value if left[0] > 0]
    kind = node.tag.rpartition(":")[2]
    if kind == "null":
        return None
    return node.value.lower() in {"true", "yes", "on"} if kind == "bool" else node.value


def _signature(node: Any) -> MLflowSignature | None:
    parts = _pairs(node)
    told: dict[str, Any] = {side: parts[side] for side in ("inputs", "outputs") if side in parts}
    lines: dict[str, int] = {side: part.start_mark.line + 1 for side, part in told.items()}
    specs = {side: _specs(part, side, lines[side]) for side, part in told.items()}
    if not any(specs.values()):
        return None
    return MLflowSignature(specs.get("inputs"), specs.get("outputs"), lines)


def _specs(node: Any, side: str, line: int) -> tuple[SignatureField, ...] | None:
    """A side's JSON text; None where nothing stands there."""
    text = _plain(node, [_MOST_NODES])
    if text is None:
        return None
    try:
        told = parse_json(text) if isinstance(text, str) else text
    except JsonError as error:
        raise MLmodelError(f"the {side} of the signature are no JSON: the text {error}", line) from None
    if not isinstance(told, list) or not told:
        raise MLmodelError(f"the {side} of the signature are no list of columns or tensors", line)
    try:
        return tuple(_spec(each, each.get("name"), side) for each in told if isinstance(each, dict))
    except RecursionError:
        raise MLmodelError(f"the {side} of the signature nest too deeply", line) from None
    except MLmodelError as error:
        raise MLmodelError(error.message, line) from None


def _spec(told: Mapping[str, Any], name: Any, side: str) -> SignatureField:
    """One column, tensor, property or item. Older versions say `optional`, newer ones `required`."""
    kind = told.get("type")
    shown = f"{name!r} of the {side}" if isinstance(name, str) else f"one of the {side}"
    name = name if isinstance(name, str) else None
    required = told.get("required") is not False and told.get("optional") is not True
    if not isinstance(kind, str):
        raise MLmodelError(f"{shown} has no type")
    if kind == "tensor":
        tensor = told.get("tensor-spec")
        dtype, shape = (tensor.get("dtype"), tensor.get("shape")) if isinstance(tensor, dict) else (None, None)
        if not isinstance(dtype, str) or not isinstance(shape, list) or not all(type(each) is int for each in shape):
            raise MLmodelError(f"{shown} is a tensor without dtype and shape")
        return SignatureField(name, kind, required, dtype, tuple(shape))
    inner = told.get({"array": "items", "map": "values"}.get(kind, ""))
    item = _spec(inner, None, side) if isinstance(inner, dict) else None
    properties = told.get("properties")
    parts = properties.items() if isinstance(properties, dict) else ()
    return SignatureField(
        name,
        kind,
        required,
        item=item,
        properties=tuple(_spec(each, key, side) for key, each in parts if isinstance(each, dict)),
    )
