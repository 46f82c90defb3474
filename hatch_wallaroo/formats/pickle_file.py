"""A file that may be a pickle, bare or as joblib writes it: opened, read, and described."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from hatch_wallaroo.formats import joblib
from hatch_wallaroo.formats.byte_reader import ByteReader
from hatch_wallaroo.formats.pickle_nodes import Global
from hatch_wallaroo.formats.pickles import Pickle, PickleError, read_pickle

_HEAD = 64
_UNPACKED = 64 << 20
_FIRST_OPCODES = frozenset(b"(]})cNIFLSVKJMGXUT\x88\x89\x8a\x8b\x8c\x8d\x8e\x8fBC\x95\x96")
_LOOKS_LIKE_ONE = 8


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
        return self.imports(joblib.ARRAY, joblib.VENDORED_ARRAY)

    @property
    def separate_arrays(self) -> bool:
        """Whether arrays stand in files of their own (joblib before 0.10)."""
        return self.imports(*joblib.SEPARATE_ARRAYS)

    def imports(self, *names: Global) -> bool:
        return self.pickle is not None and any(name in self.pickle.globals for name in names)


def read_pickle_file(stream: BinaryIO, size: int) -> PickleFile:
    """Read a seekable stream of `size` bytes. Never raises for what is in it.

    Raises OSError when it cannot be read.
    """
    head = stream.read(_HEAD)
    stream.seek(0)
    compression = joblib.compression(head)
    if compression:
        return _compressed(stream, head, compression)
    reader = ByteReader(stream, size)
    try:
        pickle = read_pickle(reader, hooks=joblib.HOOKS)
    except PickleError as error:
        return PickleFile(head, error=error)
    if not pickle.complete:
        return PickleFile(head, pickle=pickle)
    return PickleFile(head, pickle=pickle, behind=size - pickle.end, another=_begins_another(reader))


def _compressed(stream: BinaryIO, head: bytes, compression: str) -> PickleFile:
    import lzma
    import zlib

    unpacked = joblib.decompressed(stream, compression)
    if unpacked is None:
        return PickleFile(head, compression)
    try:
        pickle = read_pickle(ByteReader(unpacked, limit=_UNPACKED), hooks=joblib.HOOKS)
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
