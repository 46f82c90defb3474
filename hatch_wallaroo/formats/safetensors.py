"""Safetensors files by their header: what they hold, and whether all of it is there.

The format: eight bytes with the header's length (little endian), the header (JSON: for
each tensor its dtype, shape and place), then the tensors, without gaps.
Source: the format's description, github.com/huggingface/safetensors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeGuard

from hatch_wallaroo.files.json_text import JsonError, parse_object

LONGEST_HEADER = 100_000_000
"""What the format's own reader refuses to go beyond, in bytes."""

_READ_AT_MOST = 8 << 20


class SafetensorsError(Exception):
    """The file is not what it should be; the text says how, as the end of a sentence that begins with its name."""


@dataclass(frozen=True)
class SafetensorsHeader:
    """What a header tells.

    `metadata` is the writer's own, `format` among it: `pt`, `tf`, `flax`, `mlx`.
    `parameters` is their number, None for a header that is too long to be read here.
    """

    parameters: int | None
    metadata: Mapping[str, str]
    dtypes: tuple[str, ...]


def begins_as_safetensors(head: bytes, size: int) -> bool:
    """Whether a file of `size` bytes begins so: eight bytes of length, then a JSON object."""
    length = int.from_bytes(head[:8], "little")
    return head[8:9] == b"{" and 2 <= length <= min(size - 8, LONGEST_HEADER)  # noqa: PLR2004 - an empty object


def read_safetensors_header(stream: BinaryIO, size: int) -> SafetensorsHeader:
    """Read and judge the header of a file of `size` bytes. Memory: the header's, of 8 MiB at most.

    Raises SafetensorsError for what is not whole, OSError when the stream cannot be read.
    """
    first = stream.read(8)
    length = int.from_bytes(first, "little")
    if len(first) < 8:  # noqa: PLR2004 - the length field
        raise SafetensorsError("is empty" if not first else "is cut off in its first bytes")
    if length > LONGEST_HEADER:
        raise SafetensorsError("is not in the safetensors format")
    if 8 + length > size:
        raise SafetensorsError(f"is cut off: it has {size:,} bytes, its header alone has {8 + length:,}")
    if length > _READ_AT_MOST:
        return SafetensorsHeader(None, {}, ())
    header = _parse(stream.read(length))
    end = _end(header)
    if 8 + length + end > size:
        raise SafetensorsError(f"is cut off: {8 + length + end:,} bytes are promised, {size:,} are there")
    if 8 + length + end < size:
        raise SafetensorsError(f"has {size - 8 - length - end:,} bytes more than its header promises")
    tensors = [value for name, value in header.items() if name != "__metadata__"]
    metadata = header.get("__metadata__")
    return SafetensorsHeader(
        sum(_count(each["shape"]) for each in tensors),
        {key: value for key, value in metadata.items() if isinstance(value, str)} if isinstance(metadata, dict) else {},
        tuple(sorted({str(each.get("dtype")) for each in tensors})),
    )


def _parse(data: bytes) -> dict[str, Any]:
    if data[:1] != b"{":
        raise SafetensorsError("is not in the safetensors format")
    try:
        return parse_object(data)
    except JsonError:
        raise SafetensorsError("has a damaged header") from None


def _end(header: Mapping[str, Any]) -> int:
    """Where the last tensor ends, counted from the header's end."""
    end = 0
    for name, value in header.items():
        if name == "__metadata__":
            continue
        described = value if isinstance(value, dict) else {}
        offsets, shape = described.get("data_offsets"), described.get("shape")
        if not _sizes(offsets) or not _sizes(shape) or len(offsets) != 2 or offsets[0] > offsets[1]:  # noqa: PLR2004
            raise SafetensorsError(f"has a damaged header: tensor {name[:60]!r}")
        end = max(end, offsets[1])
    return end


def _sizes(value: object) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(each) is int and 0 <= each < 1 << 63 for each in value)


def _count(sizes: list[int]) -> int:
    count = 1
    for size in sizes:
        count = min(count * size, 1 << 63)
    return count
