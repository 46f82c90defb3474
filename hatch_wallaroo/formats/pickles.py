"""Pickles read opcode by opcode: what a file would import and build, without importing or building anything.

Protocols 0 to 5, bare or as joblib writes them: with raw arrays between the opcodes, compressed as a whole or not. Read
front to back, in constant memory at any size: large payloads are skipped by seeking. What hostile input can cost is
bounded: memory by :data:`hatch_wallaroo.formats.pickle_machine.LIVE`, time by its :data:`OPCODES`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, cast

from hatch_wallaroo.formats.pickle_machine import (
    OPCODES,
    STOP,
    ByteReader,
    ExhaustedError,
    Hook,
    LimitError,
    Machine,
    Pickle,
    PickleError,
    TruncatedError,
)
from hatch_wallaroo.formats.pickle_nodes import OPAQUE, Call, Global, Value, dtype_of, shape_of, state_of
from hatch_wallaroo.formats.pickle_opcodes import OPERATIONS

_HEAD = 64
_NESTED = 8
_UNPACKED = 64 << 20
_FIRST_OPCODES = frozenset(b"(]})cNIFLSVKJMGXUT\x88\x89\x8a\x8b\x8c\x8d\x8e\x8fBC\x95\x96")
_LOOKS_LIKE_ONE = 8
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


def read_pickle(reader: ByteReader, *, hooks: Mapping[Global, Hook] | None = None, opcodes: int = OPCODES) -> Pickle:
    """Read one pickle, up to its STOP.

    Raises PickleError for what no unpickler would take.
    """
    machine = Machine(reader, hooks or {}, opcodes)
    try:
        _run(machine)
    except (ExhaustedError, LimitError):
        machine.found.complete = False
        machine.found.root = machine.stack[0] if machine.stack else OPAQUE
    except TruncatedError as error:
        raise PickleError(str(error), error.offset) from None
    machine.found.end = reader.offset
    return machine.found


def read_nested(machine: Machine) -> None:
    """Read a pickle that stands inside of another's stream; its imports are added to the outer one's.

    Raises PickleError; ExhaustedError when both together are longer than what is read of one.
    """
    inner = Machine(machine.reader, machine.hooks, machine.opcodes)
    inner.found = Pickle(globals=machine.found.globals, called=machine.found.called)
    inner.depth = machine.depth + 1
    if inner.depth > _NESTED:
        raise machine.fail("pickles inside of pickles, without end")
    _run(inner)
    machine.opcodes = inner.opcodes
    machine.found.unresolved += inner.found.unresolved


def _run(machine: Machine) -> None:
    """Execute up to STOP."""
    byte = machine.reader.byte
    while machine.opcodes:
        machine.opcodes -= 1
        code = byte()
        operation = OPERATIONS[code] if code >= 0 else None
        if operation is not None:
            operation(machine)
        elif code == STOP:
            machine.found.root = machine.pop()
            return
        elif code < 0:
            raise machine.fail("the file ends before the pickle does")
        else:
            raise PickleError(f"byte 0x{code:02x} is no pickle opcode", machine.reader.offset - 1)
    raise ExhaustedError


@dataclass(frozen=True)
class PickleFile:
    """What a file turned out to be.

    `head` are its first bytes. `compression` is set where the file is compressed, as
    joblib does on request. `pickle` is None with an `error` where no pickle can be made
    out, and without one where the compression cannot be read here. `behind` counts the
    bytes after the pickle's end, `another` says that a second pickle begins there.
    """

    head: bytes
    compression: str | None = None
    pickle: Pickle | None = None
    error: PickleError | None = None
    behind: int = 0
    another: bool = False

    @property
    def is_pickle(self) -> bool:
        """Whether the file begins as a pickle does; it may break off later."""
        return self.pickle is not None or (self.error is not None and self.error.offset >= _LOOKS_LIKE_ONE)

    @property
    def joblib_arrays(self) -> bool:
        """Whether arrays stand between the opcodes, where only joblib finds them."""
        return self.imports(ARRAY, VENDORED_ARRAY)

    @property
    def separate_arrays(self) -> bool:
        """Whether arrays stand in files of their own (joblib before 0.10)."""
        return self.imports(*SEPARATE_ARRAYS)

    def imports(self, *names: Global) -> bool:
        return self.pickle is not None and any(name in self.pickle.globals for name in names)


def read_pickle_file(stream: BinaryIO, size: int) -> PickleFile:
    """Read a seekable stream of `size` bytes. Never raises for what is in it.

    Raises OSError when it cannot be read.
    """
    head = stream.read(_HEAD)
    stream.seek(0)
    compression = compression_of(head)
    if compression:
        return _compressed(stream, head, compression)
    reader = ByteReader(stream, size)
    try:
        pickle = read_pickle(reader, hooks=HOOKS)
    except PickleError as error:
        return PickleFile(head, error=error)
    if not pickle.complete:
        return PickleFile(head, pickle=pickle)
    return PickleFile(head, pickle=pickle, behind=size - pickle.end, another=_begins_another(reader))


def _compressed(stream: BinaryIO, head: bytes, compression: str) -> PickleFile:
    import lzma
    import zlib

    unpacked = decompressed(stream, compression)
    if unpacked is None:
        return PickleFile(head, compression)
    try:
        pickle = read_pickle(ByteReader(unpacked, limit=_UNPACKED), hooks=HOOKS)
    except PickleError as error:
        return PickleFile(head, compression, error=error)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        return PickleFile(head, compression, error=PickleError(f"the {compression} data is broken ({error})", 0))
    return PickleFile(head, compression, pickle)


def _begins_another(reader: ByteReader) -> bool:
    first = reader.byte()
    if first != ord("\x80"):
        return False
    return 0 <= reader.byte() <= 5 and reader.byte() in _FIRST_OPCODES  # noqa: PLR2004 -- the newest protocol


def compression_of(head: bytes) -> str | None:
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


def first_unpacked(stream: BinaryIO, name: str, count: int) -> bytes | None:
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
        # A pickle inside the pickle: what it imports counts like the outer one's.
        read_nested(machine)
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


HOOKS: Mapping[Global, Hook] = {ARRAY: skip_array, VENDORED_ARRAY: skip_array}
