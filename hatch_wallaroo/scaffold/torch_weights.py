"""PyTorch's own file of weights, made of a safetensors file without PyTorch."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Mapping, Sequence
from math import prod
from typing import NamedTuple

_STORAGES = {"F32": "FloatStorage", "F16": "HalfStorage", "I64": "LongStorage"}
_EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The first date that a zip can say."""


class _Tensor(NamedTuple):
    """`dtype` as safetensors writes it; `data` are its numbers, little-endian, which both formats have."""

    dtype: str
    shape: Sequence[int]
    data: bytes


def torch_archive(safetensors: bytes) -> bytes:
    """What `torch.save` of these tensors writes: a zip of a pickle and of each tensor's numbers."""
    tensors = _tensors(safetensors)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        members = {"data.pkl": _state_dict(tensors)}
        members |= {f"data/{number}": each.data for number, each in enumerate(tensors.values())}
        members["version"] = b"3\n"
        for path, content in members.items():
            archive.writestr(zipfile.ZipInfo(f"archive/{path}", _EARLIEST), content)
    return target.getvalue()


def _tensors(safetensors: bytes) -> dict[str, _Tensor]:
    (length,) = struct.unpack_from("<Q", safetensors)
    header, data = json.loads(safetensors[8 : 8 + length]), safetensors[8 + length :]
    return {
        name: _Tensor(told["dtype"], told["shape"], data[slice(*told["data_offsets"])])
        for name, told in header.items()
        if name != "__metadata__"
    }


def _state_dict(tensors: Mapping[str, _Tensor]) -> bytes:
    """The pickle of an ordered dictionary of tensors, each a view of a storage of its own.

    Written opcode by opcode, since torch's own functions stand in it and torch is not here.
    """
    parts = [b"\x80\x02", _ordered_dict(), b"("]
    for number, (name, (kind, shape, _)) in enumerate(tensors.items()):
        storage = (
            b"("
            + _text("storage")
            + _global("torch", _STORAGES[kind])
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
