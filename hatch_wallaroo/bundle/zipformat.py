"""The bytes of a zip archive around its entries' data (APPNOTE.TXT 6.3.10).

Everything that could differ between machines is fixed: the date, the modes, the
system, the flags. zip64 stands only where a value does not fit without.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from datetime import datetime
from typing import Literal, NamedTuple

from hatch_wallaroo.bundle.rules import BAD_PATH, ArchiveError
from hatch_wallaroo.files.sources import Entry

ALIGNMENT = 4096
"""Data of large stored entries starts on a multiple of this: file systems share whole blocks only."""

LARGEST_NAME = 0xFFFF

_SIZE_LIMIT = 0xFFFFFFFF
_COUNT_LIMIT = 0xFFFF
_METHODS = {"stored": 0, "deflate": 8}
_UTF8 = 0x800
_UNIX = 3
_PADDING_ID = 0xD935
_PADDING_HEAD = struct.Struct("<HHH")
_ZIP64_ID = 0x0001
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")

Method = Literal["stored", "deflate"]


class Header(NamedTuple):
    """What the headers say of an entry. `roomy`: its packed size, not known yet, may pass 4 GiB."""

    name: bytes
    executable: bool
    method: Method
    crc: int
    size: int
    packed: int
    roomy: bool = False

    @property
    def large(self) -> bool:
        """Whether its sizes need zip64 in the local header."""
        return self.roomy or self.size >= _SIZE_LIMIT or self.packed >= _SIZE_LIMIT


def dos_stamp(date: datetime) -> tuple[int, int]:
    """Time and date as DOS writes them, in steps of two seconds, from 1980 to 2107; others become the nearest."""
    if date.year < 1980:  # noqa: PLR2004 – DOS's first year
        return 0, (1 << 5) | 1
    if date.year > 2107:  # noqa: PLR2004 – and its last
        return (23 << 11) | (59 << 5) | 29, (127 << 9) | (12 << 5) | 31
    return (
        (date.hour << 11) | (date.minute << 5) | (date.second // 2),
        ((date.year - 1980) << 9) | (date.month << 5) | date.day,
    )


def may_outgrow(size: int) -> bool:
    """Whether deflating this many bytes may give 4 GiB or more: incompressible data grows a little."""
    return size + (size >> 10) + ALIGNMENT >= _SIZE_LIMIT


def local_header(header: Header, stamp: tuple[int, int], *, position: int = 0, aligned: bool = False) -> bytes:
    """The header before an entry's data. `position` is its own place; `aligned`: data starts on a block."""
    extra = b""
    if header.large:
        extra = struct.pack("<HHQQ", _ZIP64_ID, 16, header.size, header.packed)
    if aligned:
        extra += _padding(position + _LOCAL.size + len(header.name) + len(extra))
    sizes = (_SIZE_LIMIT, _SIZE_LIMIT) if header.large else (header.packed, header.size)
    needs = 45 if header.large else 20
    fixed = _LOCAL.pack(
        b"PK\3\4", needs, _UTF8, _METHODS[header.method], *stamp, header.crc, *sizes, len(header.name), len(extra)
    )
    return fixed + header.name + extra


def _padding(position: int) -> bytes:
    """An extra field, ignored by readers, that ends on a block when it starts at `position`."""
    length = -position % ALIGNMENT
    if length == 0:
        return b""
    if length < _PADDING_HEAD.size:
        length += ALIGNMENT
    head = _PADDING_HEAD.pack(_PADDING_ID, length - 4, ALIGNMENT)
    return head + bytes(length - len(head))


def central_header(header: Header, stamp: tuple[int, int], position: int) -> bytes:
    """An entry's line in the directory; `position` is its local header's."""
    values = (header.size, header.packed, position)
    wide = [value for value in values if value >= _SIZE_LIMIT]
    extra = struct.pack(f"<HH{len(wide)}Q", _ZIP64_ID, 8 * len(wide), *wide) if wide else b""
    size, packed, offset = (min(value, _SIZE_LIMIT) for value in values)
    needs = 45 if wide or header.large else 20
    mode = 0o100755 if header.executable else 0o100644
    fixed = _CENTRAL.pack(
        b"PK\1\2",
        (_UNIX << 8) | needs,
        needs,
        _UTF8,
        _METHODS[header.method],
        *stamp,
        header.crc,
        packed,
        size,
        len(header.name),
        len(extra),
        0,
        0,
        0,
        mode << 16,
        offset,
    )
    return fixed + header.name + extra


def end_records(count: int, position: int, length: int) -> bytes:
    """What closes an archive whose directory of `count` entries stands at `position`."""
    records = b""
    if count >= _COUNT_LIMIT or position >= _SIZE_LIMIT or length >= _SIZE_LIMIT:
        made_by = (_UNIX << 8) | 45
        records = _END64.pack(b"PK\6\6", _END64.size - 12, made_by, 45, 0, 0, count, count, length, position)
        records += _LOCATOR.pack(b"PK\6\7", 0, position + length, 1)
    few = min(count, _COUNT_LIMIT)
    return records + _END.pack(b"PK\5\6", 0, 0, few, few, min(length, _SIZE_LIMIT), min(position, _SIZE_LIMIT), 0)


def encoded_names(entries: Iterable[Entry]) -> list[bytes]:
    """The entries' paths as the archive holds them, UTF-8.

    Raises ArchiveError for the first that is empty, absolute, leaves its folder, is too long or was there before.
    """
    names: list[bytes] = []
    seen: set[str] = set()
    for entry in entries:
        problem = _problem(entry.path, seen)
        if problem:
            raise ArchiveError(
                BAD_PATH.finding(f"{entry.path[:200]!r} {problem}", fix="rename the file, or leave it out")
            )
        seen.add(entry.path)
        names.append(entry.path.encode())
    return names


def _problem(path: str, seen: set[str]) -> str:
    parts = path.split("/")
    if path in seen:
        return "would stand in the archive twice"
    if "\0" in path or "\\" in path or "" in parts or "." in parts or ".." in parts:
        return "is no plain relative path"
    try:
        length = len(path.encode())
    except UnicodeEncodeError:
        return "is no UTF-8"
    return f"is {length:,} bytes long; an archive holds 65,535" if length > LARGEST_NAME else ""
