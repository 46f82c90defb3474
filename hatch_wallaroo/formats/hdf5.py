"""The text attributes of an HDF5 file's root group, read without the HDF5 library.

That is where Keras says what a file is. Written after the HDF5 File Format
Specification, version 3.0: superblocks 0 to 3, object headers 1 and 2, attribute
messages 1 to 3, fixed-length strings and variable-length ones in global heaps.
Attributes in a fractal heap (many of them, or large ones, in the newest format)
are noticed, not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

SIGNATURE = b"\x89HDF\r\n\x1a\n"

_USER_BLOCKS = (0, *(512 << power for power in range(12)))
_MOST_MESSAGES = 20_000
_MOST_BLOCKS = 1_000
_LARGEST_BLOCK = 1 << 20
_LARGEST_TEXT = 16 << 20
_LARGEST_HEAP = 64 << 20

_ATTRIBUTE, _CONTINUATION, _ATTRIBUTE_INFO = 0x0C, 0x10, 0x15
_SHARED = 0b10
_STRING, _VARIABLE = 3, 9
_SCALAR_SPACE = 0


class Hdf5Error(ValueError):
    """The bytes are no HDF5 file, or a damaged one."""


@dataclass
class Attributes:
    """The attributes found: text where it is a single string, else None.

    `complete` is False where some could not be read; `problem` says why.
    """

    values: dict[str, str | None] = field(default_factory=dict)
    complete: bool = True
    problem: str = ""

    def unread(self, problem: str) -> None:
        """Note that something is there which was not read."""
        self.complete = False
        self.problem = self.problem or problem


def read_root_attributes(stream: BinaryIO, size: int) -> Attributes:
    """Read the attributes of the root group.

    Raises Hdf5Error where the file is damaged or no HDF5 file, OSError where it cannot be read.
    """
    file = _File(stream, size)
    found = Attributes()
    for kind, flags, data in _messages(file, file.root):
        if kind == _ATTRIBUTE_INFO:
            _read_attribute_info(file, data, found)
        elif kind == _ATTRIBUTE and flags & _SHARED:
            found.unread("an attribute is kept elsewhere in the file")
        elif kind == _ATTRIBUTE:
            _read_attribute(file, data, found)
    return found


class _File:
    """Bytes by address, with the widths that the superblock declares."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._size = size
        self._base = 0
        self.offset_width = self.length_width = 8
        self.root = 0
        start = next((at for at in _USER_BLOCKS if at < size and self._at(at, 8) == SIGNATURE), None)
        if start is None:
            raise Hdf5Error("it does not begin as an HDF5 file")
        self._read_superblock(start)

    def _at(self, position: int, size: int) -> bytes:
        if not 0 <= position <= self._size:
            raise Hdf5Error("an address points beyond the end of the file: it is cut short or damaged")
        self._stream.seek(position)
        return self._stream.read(size)

    def read(self, address: int, size: int) -> bytes:
        """Exactly `size` bytes. Raises Hdf5Error beyond the end."""
        data = self._at(self._base + address, size)
        if len(data) < size:
            raise Hdf5Error(f"{size - len(data):,} bytes are missing at the end: it is cut short")
        return data

    def size_of(self, address: int) -> int:
        """How many bytes there are from an address to the end of the file."""
        return max(0, self._size - self._base - address)

    def undefined(self, address: int) -> bool:
        return address == (1 << (8 * self.offset_width)) - 1

    def _read_superblock(self, start: int) -> None:
        version = self.read(start + 8, 1)[0]
        if version <= 1:
            self.offset_width, self.length_width = self._widths(self.read(start + 13, 2))
            fixed = start + (24 if version == 0 else 28)
            addresses = _Cursor(self.read(fixed, 6 * self.offset_width))
            self._base = addresses.integer(self.offset_width)
            addresses.skip(3 * self.offset_width)  # free space, end of file, driver information
            addresses.skip(self.offset_width)  # the root entry's link name
            self.root = addresses.integer(self.offset_width)
        elif version <= 3:  # noqa: PLR2004 - the newest superblock there is
            self.offset_width, self.length_width = self._widths(self.read(start + 9, 2))
            addresses = _Cursor(self.read(start + 12, 4 * self.offset_width))
            self._base = addresses.integer(self.offset_width)
            addresses.skip(2 * self.offset_width)  # extension, end of file
            self.root = addresses.integer(self.offset_width)
        else:
            raise Hdf5Error(f"its superblock has version {version}, and 3 is the newest known")
        if self._base not in {0, start}:
            raise Hdf5Error("its base address is wrong: it is damaged")

    @staticmethod
    def _widths(data: bytes) -> tuple[int, int]:
        offset_width, length_width = data
        if {offset_width, length_width} - {2, 4, 8}:
            raise Hdf5Error("it declares impossible address widths: it is damaged")
        return offset_width, length_width


class _Cursor:
    """Little-endian numbers off bytes, in order. Raises Hdf5Error beyond the end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    @property
    def left(self) -> int:
        return len(self._data) - self.position

    def take(self, size: int) -> bytes:
        if size > self.left:
            raise Hdf5Error("a message ends too early: it is damaged")
        data = self._data[self.position : self.position + size]
        self.position += size
        return data

    def skip(self, size: int) -> None:
        self.take(size)

    def integer(self, width: int) -> int:
        return int.from_bytes(self.take(width), "little")


def _messages(file: _File, address: int) -> Iterator[tuple[int, int, bytes]]:
    """Yield (type, flags, content) of an object header's messages, continuation blocks followed."""
    if file.read(address, 4) == b"OHDR":
        layout, block, size = _header_2(file, address)
    else:
        layout, block, size = _header_1(file, address)
    blocks = [(block, size)]
    turns = count = 0
    while blocks:
        block, size = blocks.pop(0)
        turns += 1
        if size > _LARGEST_BLOCK or turns > _MOST_BLOCKS:
            raise Hdf5Error("an object header is impossibly large: it is damaged")
        cursor = _Cursor(file.read(block, size))
        while cursor.left >= layout.prefix:
            count += 1
            if count > _MOST_MESSAGES:
                raise Hdf5Error("an object header has too many messages")
            kind, flags, data = layout.message(cursor)
            if kind == _CONTINUATION:
                blocks.append(layout.continuation(file, _Cursor(data)))
            else:
                yield kind, flags, data


@dataclass(frozen=True)
class _HeaderLayout:
    """How messages stand in a header's blocks: `prefix` bytes before each one's content."""

    version: int
    prefix: int

    def message(self, cursor: _Cursor) -> tuple[int, int, bytes]:
        if self.version == 1:
            kind, size, flags = cursor.integer(2), cursor.integer(2), cursor.integer(1)
            cursor.skip(3)
        else:
            kind, size, flags = cursor.integer(1), cursor.integer(2), cursor.integer(1)
            cursor.skip(self.prefix - 4)
        return kind, flags, cursor.take(size)

    def continuation(self, file: _File, cursor: _Cursor) -> tuple[int, int]:
        """Address and size of the messages in a continuation block."""
        block, size = cursor.integer(file.offset_width), cursor.integer(file.length_width)
        if self.version == 1:
            return block, size
        if file.read(block, 4) != b"OCHK":
            raise Hdf5Error("a continuation block does not begin as one: it is damaged")
        return block + 4, max(0, size - 8)


def _header_1(file: _File, address: int) -> tuple[_HeaderLayout, int, int]:
    cursor = _Cursor(file.read(address, 16))
    if cursor.integer(1) != 1:
        raise Hdf5Error("its root group has no object header: it is damaged")
    cursor.skip(7)
    return _HeaderLayout(1, 8), address + 16, cursor.integer(4)


def _header_2(file: _File, address: int) -> tuple[_HeaderLayout, int, int]:
    version, flags = file.read(address + 4, 2)
    if version != 2:  # noqa: PLR2004 - the only version with this signature
        raise Hdf5Error(f"an object header has version {version}, and 2 is the newest known")
    position = address + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
    width = 1 << (flags & 0b11)
    size = int.from_bytes(file.read(position, width), "little")
    return _HeaderLayout(2, 6 if flags & 0b100 else 4), position + width, size


def _read_attribute_info(file: _File, data: bytes, found: Attributes) -> None:
    cursor = _Cursor(data)
    cursor.skip(1)
    if cursor.integer(1) & 1:
        cursor.skip(2)
    if not file.undefined(cursor.integer(file.offset_width)):
        found.unread("its attributes are in HDF5's dense storage, which is not read here")


def _read_attribute(file: _File, data: bytes, found: Attributes) -> None:
    cursor = _Cursor(data)
    version, flags = cursor.integer(1), cursor.integer(1)
    if not 1 <= version <= 3:  # noqa: PLR2004 - the newest attribute message there is
        raise Hdf5Error(f"an attribute has version {version}, and 3 is the newest known")
    sizes = [cursor.integer(2) for _ in range(3)]
    if version == 3:  # noqa: PLR2004 - the first to name its encoding
        cursor.skip(1)
    padded = [-(-size // 8) * 8 if version == 1 else size for size in sizes]
    name = cursor.take(padded[0])[: sizes[0]].partition(b"\0")[0].decode("utf-8", "replace")
    kind, space = cursor.take(padded[1])[: sizes[1]], cursor.take(padded[2])[: sizes[2]]
    found.values[name] = None
    if version > 1 and flags:
        found.unread(f"the type of {name} is kept elsewhere in the file")
    elif _is_single(space):
        found.values[name] = _text(file, kind, cursor, name, found)


def _is_single(space: bytes) -> bool:
    """Whether a dataspace holds one element: a scalar, or one item in each dimension left out of account."""
    cursor = _Cursor(space)
    version, rank, _ = cursor.integer(1), cursor.integer(1), cursor.integer(1)
    return rank == 0 and (version == 1 or cursor.integer(1) == _SCALAR_SPACE)


def _text(file: _File, kind: bytes, cursor: _Cursor, name: str, found: Attributes) -> str | None:
    """A string's value; None for another type."""
    described = _Cursor(kind)
    class_, bits = described.integer(1) & 0x0F, described.integer(3)
    size = described.integer(4)
    if class_ == _STRING:
        return cursor.take(size).partition(b"\0")[0].decode("utf-8", "replace")
    if class_ != _VARIABLE or bits & 0x0F != 1:
        return None
    length, heap, index = cursor.integer(4), cursor.integer(file.offset_width), cursor.integer(4)
    if length > _LARGEST_TEXT:
        found.unread(f"{name} has {length:,} bytes, more than is read here")
        return None
    return _heap_object(file, heap, index)[:length].partition(b"\0")[0].decode("utf-8", "replace")


def _heap_object(file: _File, heap: int, index: int) -> bytes:
    """An object of a global heap collection."""
    head = _Cursor(file.read(heap, 8 + file.length_width))
    if head.take(4) != b"GCOL":
        raise Hdf5Error("a string points to no heap: it is damaged")
    head.skip(4)
    end = heap + min(head.integer(file.length_width), _LARGEST_HEAP, file.size_of(heap))
    position = heap + 8 + file.length_width
    width = 8 + file.length_width
    for _ in range(_MOST_MESSAGES):
        if position + width > end:
            break
        entry = _Cursor(file.read(position, width))
        number = entry.integer(2)
        entry.skip(6)
        size = entry.integer(file.length_width)
        if number == index and index:
            if size > _LARGEST_TEXT:
                break
            return file.read(position + width, size)
        if number == 0:
            break
        position += width + -(-size // 8) * 8
    raise Hdf5Error("a string is missing from its heap: it is damaged")
