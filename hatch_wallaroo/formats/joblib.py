"""joblib's files: pickles with raw arrays between the opcodes, compressed as a whole or not."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import BinaryIO, cast

from hatch_wallaroo.formats.numpy_arrays import dtype_of, shape_of
from hatch_wallaroo.formats.pickle_nodes import Call, Global, Value, state_of
from hatch_wallaroo.formats.pickles import Hook, Machine

ARRAY = Global("joblib.numpy_pickle", "NumpyArrayWrapper")
"""What stands in an array's place (joblib 0.10 and later); the array's bytes follow its BUILD."""
VENDORED_ARRAY = Global("sklearn.externals.joblib.numpy_pickle", "NumpyArrayWrapper")
"""The same, in the copy of joblib that scikit-learn before 0.23 brought along."""
SEPARATE_ARRAYS = frozenset(
    Global(module, name)
    for module in ("joblib.numpy_pickle", "joblib.numpy_pickle_compat", "sklearn.externals.joblib.numpy_pickle")
    for name in ("NDArrayWrapper", "ZNDArrayWrapper")
)
"""joblib before 0.10: each array is a file of its own beside the pickle."""

COMPRESSIONS: Mapping[str, bytes] = {
    "zlib": rb"\x78[\x01\x5e\x9c\xda]",
    "gzip": rb"\x1f\x8b\x08",
    "bz2": rb"BZh[1-9]",
    "xz": rb"\xfd7zXZ\x00",
    "lzma": rb"\x5d\x00\x00",
    "lz4": rb"\x04\x22\x4d\x18",
    "joblib 0.9": rb"ZF",
}
"""What compressed files begin with, as joblib writes and recognises them."""

_UNREADABLE = frozenset({"lz4", "joblib 0.9"})
_ENOUGH = 64


def compression(head: bytes) -> str | None:
    """The compression that a file's first bytes show."""
    return next((name for name, magic in COMPRESSIONS.items() if re.match(magic, head, re.DOTALL)), None)


def decompressed(stream: BinaryIO, name: str) -> BinaryIO | None:
    """What a compressed stream holds, unpacked as it is read; None for what the standard library cannot unpack.

    Reading it raises OSError, EOFError, zlib.error or lzma.LZMAError where it is broken.
    """
    if name in _UNREADABLE:
        return None
    if name == "gzip":
        import gzip

        return cast("BinaryIO", gzip.GzipFile(fileobj=stream))
    if name == "bz2":
        import bz2

        return cast("BinaryIO", bz2.BZ2File(stream))
    if name in {"xz", "lzma"}:
        import lzma

        return cast("BinaryIO", lzma.LZMAFile(stream))
    return cast("BinaryIO", _Inflated(stream))


def first_bytes(stream: BinaryIO, name: str, count: int) -> bytes | None:
    """The first bytes that a compressed stream holds; None where it is broken or cannot be unpacked here."""
    import lzma
    import zlib

    try:
        unpacked = decompressed(stream, name)
        return unpacked.read(count) if unpacked else None
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        return None


class _Inflated(io.RawIOBase):
    """A zlib stream, unpacked in bounded pieces."""

    def __init__(self, stream: BinaryIO) -> None:
        import zlib

        self._stream = stream
        self._inflater = zlib.decompressobj()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            size = 1 << 16
        inflater = self._inflater
        while not inflater.eof:
            packed = inflater.unconsumed_tail or self._stream.read(1 << 14)
            data = inflater.decompress(packed, size)
            if data or not packed:
                return data
        return b""


def skip_array(machine: Machine, wrapper: Call) -> Value:
    """Pass over the array that follows its wrapper, which is left in its place."""
    state = state_of(wrapper)
    shape, dtype = shape_of(state.get("shape")), dtype_of(state.get("dtype"))
    if shape is None or dtype is None:
        raise machine.fail("joblib's note of an array does not say its shape and dtype")
    if dtype.holds_objects:
        _skip_nested(machine)
        return wrapper
    alignment = state.get("numpy_array_alignment_bytes")
    if isinstance(alignment, int):
        machine.reader.skip(machine.reader.take(1)[0])
    count = 1
    for length in shape:
        count *= length
    if count * dtype.itemsize >= 1 << _ENOUGH:
        raise machine.fail("an array larger than any machine")
    machine.reader.skip(count * dtype.itemsize)
    return wrapper


def _skip_nested(machine: Machine) -> None:
    """An array of objects is a pickle inside the pickle; what it imports counts like the outer one's."""
    from hatch_wallaroo.formats.pickles import read_nested

    read_nested(machine)


HOOKS: Mapping[Global, Hook] = {ARRAY: skip_array, VENDORED_ARRAY: skip_array}
