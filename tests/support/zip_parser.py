"""A zip read strictly, by the specification alone: what an archive of ours must look like, byte for byte.

Shares nothing with the writer. Raises AssertionError for anything unexpected, gaps included.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

WIDE, MANY = 0xFFFFFFFF, 0xFFFF


@dataclass(frozen=True)
class Member:
    name: str
    method: int
    stamp: tuple[int, int]
    crc: int
    packed: int
    size: int
    mode: int
    start: int
    data: int
    zip64: bool
    extra: dict[int, bytes]


def parse(path: Path) -> list[Member]:
    with path.open("rb") as stream:
        return _members(stream, path.stat().st_size)


def content(path: Path, member: Member) -> bytes:
    """The unpacked bytes, checked. For small members."""
    with path.open("rb") as stream:
        stream.seek(member.data)
        packed = stream.read(member.packed)
    if member.method == 8:
        unpacker = zlib.decompressobj(-15)
        plain = unpacker.decompress(packed) + unpacker.flush()
        assert unpacker.eof
        assert not unpacker.unused_data
    else:
        plain = packed
    assert len(plain) == member.size
    assert zlib.crc32(plain) == member.crc
    return plain


def _members(stream: BinaryIO, total: int) -> list[Member]:
    count, directory, length, tail = _end(stream, total)
    assert directory + length == tail
    stream.seek(directory)
    raw = stream.read(length)
    members, place, expected = [], 0, 0
    for _ in range(count):
        member, used = _central(raw, place)
        place += used
        member = _local(stream, member)
        assert member.start == expected, "no gaps between entries"
        expected = member.data + member.packed
        members.append(member)
    assert place == len(raw)
    assert expected == directory
    assert len({member.name for member in members}) == count
    return members


def _end(stream: BinaryIO, total: int) -> tuple[int, int, int, int]:
    """Count, place and length of the directory, and where it must end."""
    stream.seek(total - 22)
    magic, disk, first, here, count, length, place, comment = struct.unpack("<4s4H2LH", stream.read(22))
    assert (magic, disk, first, comment) == (b"PK\5\6", 0, 0, 0)
    assert here == count
    if count != MANY and WIDE not in {length, place}:
        return count, place, length, total - 22
    stream.seek(total - 22 - 20)
    magic, disk, end64, disks = struct.unpack("<4sLQL", stream.read(20))
    assert (magic, disk, disks) == (b"PK\6\7", 0, 1)
    assert end64 == total - 22 - 20 - 56
    stream.seek(end64)
    magic, size, made, needs, disk, first, here64, count64, length64, place64 = struct.unpack(
        "<4sQ2H2L4Q", stream.read(56)
    )
    assert (magic, size, made, needs, disk, first) == (b"PK\6\6", 44, (3 << 8) | 45, 45, 0, 0)
    assert here64 == count64
    for narrow, wide, limit in ((count, count64, MANY), (length, length64, WIDE), (place, place64, WIDE)):
        assert narrow == min(wide, limit)
    return count64, place64, length64, end64


def _central(raw: bytes, place: int) -> tuple[Member, int]:
    (magic, made, needs, flags, method, time, date, crc, packed, size, names, extras, comments, disk, inner, outer, start) = (
        struct.unpack_from("<4s6H3L5H2L", raw, place)
    )  # fmt: skip
    assert magic == b"PK\1\2"
    assert made >> 8 == 3
    assert made & 0xFF == needs
    assert (flags, comments, disk, inner) == (0x800, 0, 0, 0)
    assert method in {0, 8}
    name = raw[place + 46 : place + 46 + names].decode()
    extra = _extras(raw[place + 46 + names : place + 46 + names + extras])
    assert set(extra) <= {1}, "nothing but zip64 in the directory"
    wide = list(struct.unpack(f"<{len(extra.get(1, b'')) // 8}Q", extra.get(1, b"")))
    size, packed, start = (wide.pop(0) if value == WIDE else value for value in (size, packed, start))
    assert not wide
    assert needs == 45 if 1 in extra else needs in {20, 45}
    member = Member(name, method, (time, date), crc, packed, size, outer >> 16, start, 0, needs == 45, extra)
    return member, 46 + names + extras


def _local(stream: BinaryIO, member: Member) -> Member:
    stream.seek(member.start)
    magic, needs, flags, method, time, date, crc, packed, size, names, extras = struct.unpack(
        "<4s5H3L2H", stream.read(30)
    )
    assert magic == b"PK\3\4"
    assert (flags, method, (time, date), crc) == (0x800, member.method, member.stamp, member.crc)
    assert stream.read(names).decode() == member.name
    extra = _extras(stream.read(extras))
    assert set(extra) <= {1, 0xD935}
    if 1 in extra:
        assert needs == 45
        assert (packed, size) == (WIDE, WIDE)
        size, packed = struct.unpack("<QQ", extra[1])
    else:
        assert needs == 20
    assert (packed, size) == (member.packed, member.size)
    if 0xD935 in extra:
        assert extra[0xD935][:2] == struct.pack("<H", 4096)
        assert not any(extra[0xD935][2:])
    data = member.start + 30 + names + extras
    return Member(**{**vars(member), "data": data, "extra": extra, "zip64": needs == 45 or member.zip64})


def _extras(raw: bytes) -> dict[int, bytes]:
    fields: dict[int, bytes] = {}
    place = 0
    while place < len(raw):
        kind, length = struct.unpack_from("<HH", raw, place)
        assert kind not in fields
        assert place + 4 + length <= len(raw)
        fields[kind] = raw[place + 4 : place + 4 + length]
        place += 4 + length
    return fields
