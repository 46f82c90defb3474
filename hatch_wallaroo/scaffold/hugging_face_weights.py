"""Weights without a framework: numbers that are the same on every machine, in the two formats of PyTorch's models."""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from math import prod

Shapes = Mapping[str, Sequence[int]]
"""The parameters of a model: name to shape."""

_LETTERS = {"F32": "f", "F16": "e", "I64": "q"}
_STORAGES = {"F32": "FloatStorage", "F16": "HalfStorage", "I64": "LongStorage"}
_COUNTER = "num_batches_tracked"
_EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The first date that a zip can say."""


def safetensors(shapes: Shapes, dtype: str = "F32") -> bytes:
    """A safetensors file: the header's length, the header, and the numbers one tensor after another."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    parts, end = [], 0
    for name, shape in sorted(shapes.items()):
        own = _dtype(name, dtype)
        parts.append(_values(name, shape, own))
        start, end = end, end + len(parts[-1])
        header[name] = {"dtype": own, "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(parts)


def torch_archive(shapes: Shapes, dtype: str = "F32") -> bytes:
    """What `torch.save` of a state dict writes: a zip of a pickle and of each tensor's numbers."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        members = {"data.pkl": _state_dict(shapes, dtype)}
        for number, (name, shape) in enumerate(shapes.items()):
            members[f"data/{number}"] = _values(name, shape, _dtype(name, dtype))
        members["version"] = b"3\n"
        for path, content in members.items():
            archive.writestr(zipfile.ZipInfo(f"archive/{path}", _EARLIEST), content)
    return target.getvalue()


def _dtype(name: str, dtype: str) -> str:
    return "I64" if name.endswith(_COUNTER) else dtype


def _values(name: str, shape: Sequence[int], dtype: str) -> bytes:
    """Little-endian numbers such as a fresh model has: random, but for the scales that begin at 1."""
    count = prod(shape)
    return struct.pack(f"<{count}{_LETTERS[dtype]}", *_numbers(name, shape, count))


def _numbers(name: str, shape: Sequence[int], count: int) -> list[float] | list[int]:
    last = name.rpartition(".")[2]
    if last == _COUNTER:
        return [0] * count
    if last == "logit_scale":
        return [2.6592] * count  # CLIP's own, ln(1 / 0.07)
    scale_of_a_norm = last == "weight" and len(shape) == 1
    if scale_of_a_norm or last in {"running_var", "weight_g"}:
        return [1.0] * count
    # Each name has its own sequence, so that a parameter more does not change the others.
    draw = random.Random(zlib.crc32(name.encode())).random  # noqa: S311 - reproducible on purpose, no secret
    inputs = prod(shape[1:]) if len(shape) > 1 else shape[0]
    widest = (3 / inputs) ** 0.5
    return [(2 * draw() - 1) * widest for _ in range(count)]


def _state_dict(shapes: Shapes, dtype: str) -> bytes:
    """The pickle of an ordered dictionary of tensors, each a view of a storage of its own.

    Written opcode by opcode, since torch's own functions stand in it and torch is not here.
    """
    parts = [b"\x80\x02", _ordered_dict(), b"("]
    for number, (name, shape) in enumerate(shapes.items()):
        storage = (
            b"("
            + _text("storage")
            + _global("torch", _STORAGES[_dtype(name, dtype)])
            + _text(str(number))
            + _text("cpu")
            + _integer(prod(shape))
            + b"tQ"
        )
        strides = [prod(shape[axis + 1 :]) for axis in range(len(shape))]
        tensor = (
            _global("torch._utils", "_rebuild_tensor_v2")
            + b"("
            + storage
            + _integer(0)
            + _integers(shape)
            + _integers(strides)
            + b"\x89"  # requires no gradient
            + _ordered_dict()
            + b"tR"
        )
        parts.append(_text(name) + tensor)
    return b"".join((*parts, b"u."))


def _ordered_dict() -> bytes:
    return _global("collections", "OrderedDict") + b")R"


def _global(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def _text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def _integer(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def _integers(values: Sequence[int]) -> bytes:
    return b"(" + b"".join(map(_integer, values)) + b"t"
