"""A zip without some of its members, all else of it byte for byte: nothing is unpacked or compressed anew.

Members are copied as they lie, local headers included; the directory's records keep everything but the offset, which
only ever gets smaller, so that every number still fits where it stood. The format: APPNOTE.TXT 4.3.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hatch_wallaroo.files.zip_reading import END, END64, FULL16, FULL32, LOCATOR, ZipEndError, read_end

_RECORD = struct.Struct("<4s4B4HL2L5H2L")
_EXTRA_HEAD = struct.Struct("<HH")
_OFFSET_AT = 42
_EXTRA64 = 1
_BLOCK = 1 << 18


class UnusualZipError(Exception):
    """A zip that is not taken apart: the message says why."""


@dataclass(frozen=True)
class _Directory:
    """Where things lie: each member's record and the bytes from its header on, and how the zip ends."""

    records: tuple[bytes, ...]
    offsets: tuple[int, ...]
    names: tuple[str, ...]
    start: int
    end: bytes
    end64: bytes


def without(source: Path, target: BinaryIO, gone: Iterable[str]) -> None:
    """Write the zip at `source` into `target` without the members of these names, and see that nothing else changed.

    Raises UnusualZipError for a zip that holds more than its members, OSError.
    """
    left_out = frozenset(gone)
    with source.open("rb") as stream:
        try:
            _copy(stream, _read(stream), left_out, target)
        except struct.error as error:
            raise UnusualZipError("its directory is damaged") from error
    target.flush()
    try:
        _verify(source, target, left_out)
    except (ValueError, NotImplementedError, EOFError, RuntimeError, zipfile.BadZipFile) as error:
        raise UnusualZipError(f"a member is damaged: {error}") from error


def _read(stream: BinaryIO) -> _Directory:
    try:
        with zipfile.ZipFile(stream) as archive:
            infos, comment, start = archive.infolist(), archive.comment, archive.start_dir
    except (ValueError, NotImplementedError, EOFError, zipfile.BadZipFile) as error:
        raise UnusualZipError(f"it cannot be read: {error}") from error
    try:
        end = read_end(stream)
    except ZipEndError as error:
        raise UnusualZipError(f"it {error}") from error
    if end.offset != start or end.members != len(infos) or start + end.length != end.at:
        raise UnusualZipError("there is more in it than its members")
    stream.seek(start)
    records = _records(stream.read(end.length), end.members)
    end64, last = stream.read(end.last - end.at), stream.read(END.size + len(comment))
    offsets = tuple(info.header_offset for info in infos)
    if offsets and min(offsets) != 0:
        raise UnusualZipError("something stands before its members")
    return _Directory(records, offsets, tuple(info.filename for info in infos), start, last, end64)


def _records(data: bytes, count: int) -> tuple[bytes, ...]:
    found, at = [], 0
    for _ in range(count):
        fields = _RECORD.unpack_from(data, at)
        length = _RECORD.size + sum(fields[12:15])
        if fields[0] != b"PK\x01\x02" or at + length > len(data):
            raise UnusualZipError("its directory is damaged")
        found.append(data[at : at + length])
        at += length
    if at != len(data):
        raise UnusualZipError("there is more in its directory than its members")
    return tuple(found)


def _copy(stream: BinaryIO, directory: _Directory, gone: frozenset[str], target: BinaryIO) -> None:
    ends = dict(zip(sorted(directory.offsets), [*sorted(directory.offsets)[1:], directory.start], strict=True))
    if len(ends) != len(directory.offsets):
        raise UnusualZipError("members share bytes")
    moved: dict[int, int] = {}
    names = dict(zip(directory.offsets, directory.names, strict=True))
    for offset in sorted(directory.offsets):
        if names[offset] not in gone:
            moved[offset] = target.tell()
            _copy_range(stream, offset, ends[offset], target)
    start = target.tell()
    for record, offset in zip(directory.records, directory.offsets, strict=True):
        if offset in moved:
            target.write(_moved(record, offset, moved[offset]))
    _write_end(directory, len(moved), start, target)


def _copy_range(stream: BinaryIO, start: int, end: int, target: BinaryIO) -> None:
    stream.seek(start)
    while start < end:
        block = stream.read(min(_BLOCK, end - start))
        if not block:
            raise UnusualZipError("it ends too early")
        target.write(block)
        start += len(block)


def _moved(record: bytes, old: int, new: int) -> bytes:
    """A record of the directory for a member that begins elsewhere now."""
    made = bytearray(record)
    (told,) = struct.unpack_from("<L", record, _OFFSET_AT)
    if told != FULL32:
        struct.pack_into("<L", made, _OFFSET_AT, new)
        return bytes(made)
    at = _offset64(record)
    if struct.unpack_from("<Q", record, at) != (old,):
        raise UnusualZipError("its directory is written in an unusual way")
    struct.pack_into("<Q", made, at, new)
    return bytes(made)


def _offset64(record: bytes) -> int:
    """Where a record holds the offset of eight bytes: behind the sizes, as far as those need eight too."""
    fields = _RECORD.unpack_from(record)
    at = _RECORD.size + int(fields[12])
    end = at + int(fields[13])
    sizes = sum(int(each) == FULL32 for each in fields[10:12])
    while at + _EXTRA_HEAD.size <= end:
        kind, length = _EXTRA_HEAD.unpack_from(record, at)
        if kind == _EXTRA64 and length >= 8 * (sizes + 1):
            return at + _EXTRA_HEAD.size + 8 * sizes
        at += _EXTRA_HEAD.size + int(length)
    raise UnusualZipError("its directory is written in an unusual way")


def _write_end(directory: _Directory, count: int, start: int, target: BinaryIO) -> None:
    length = target.tell() - start
    if directory.end64:
        record = list(END64.unpack_from(directory.end64))
        record[6:10] = [count, count, length, start]
        locator = list(LOCATOR.unpack_from(directory.end64, END64.size))
        locator[2] = target.tell()
        target.write(END64.pack(*record) + LOCATOR.pack(*locator))
    end = list(END.unpack_from(directory.end))
    for at, value, full in ((3, count, FULL16), (4, count, FULL16), (5, length, FULL32), (6, start, FULL32)):
        if end[at] != full or not directory.end64:
            end[at] = value
    target.write(END.pack(*end) + directory.end[END.size :])


def _verify(source: Path, target: BinaryIO, gone: frozenset[str]) -> None:
    """See with Python's own reader that the members that stay are the same, and each begins where it is said to."""
    with zipfile.ZipFile(source) as before, zipfile.ZipFile(target) as after:
        kept = [info for info in before.infolist() if info.filename not in gone]
        if list(map(_facts, kept)) != list(map(_facts, after.infolist())) or before.comment != after.comment:
            raise UnusualZipError("it cannot be rewritten without a loss")
        for info in after.infolist():
            if not info.flag_bits & 1:
                after.open(info).close()


def _facts(info: zipfile.ZipInfo) -> tuple[object, ...]:
    return (
        *(info.filename, info.CRC, info.file_size, info.compress_size, info.compress_type, info.flag_bits),
        *(info.date_time, info.external_attr, info.internal_attr, info.create_system, info.comment),
    )
