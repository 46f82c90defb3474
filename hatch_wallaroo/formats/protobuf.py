"""Protocol buffers read off a stream: only the fields asked for, the others by seeking past them.

Memory stays constant however large the message; what a hostile file can cost is
bounded by a budget of fields and by the depth that messages may nest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Wire types. Groups (3 and 4) are not read: no format of ours has any."""

_WINDOW = 1 << 14
_DEEPEST = 100
_MOST_FIELDS = 2_000_000
_FIXED = {FIXED64: 8, FIXED32: 4}
_LONGEST_VARINT = 10
_MORE = 0x80
_NO_PART = "what stands at byte {:,} is no part of one"


class ProtobufError(ValueError):
    """What was read is no such message."""


class MessageCutOffError(ProtobufError):
    """A field goes on beyond the end: `missing` bytes at least."""

    def __init__(self, missing: int) -> None:
        super().__init__(f"{missing:,} bytes are missing at the end")
        self.missing = missing


class BudgetError(ProtobufError):
    """The message is well formed as far as it was read, and too large to be read on."""


class Message:
    """A message, or one inside it: bytes `start` to `end` of a stream.

    :meth:`fields` walks it once, front to back. What its consumer does not ask
    for costs a seek.
    """

    def __init__(self, window: _Window, start: int, end: int, depth: int = 0) -> None:
        self._window = window
        self._start = start
        self._end = end
        self._depth = depth

    @property
    def size(self) -> int:
        return self._end - self._start

    def fields(self) -> Iterator[tuple[int, int, MessageField]]:
        """Yield (number, wire type, field). A field is good until the next is asked for.

        Raises ProtobufError, TruncatedError or BudgetError, after the fields that are sound.
        """
        window, position, end = self._window, self._start, self._end
        while position < end:
            window.spend()
            begun = position
            key, position = window.varint(position, end)
            number, wire = key >> 3, key & 7
            if number == 0:
                raise ProtobufError(_NO_PART.format(begun))
            value = 0
            start = position
            if wire == VARINT:
                value, position = window.varint(position, end)
            elif wire == BYTES:
                value, start = window.varint(position, end)
                position = start + value
            elif wire in _FIXED:
                position += _FIXED[wire]
            else:
                raise ProtobufError(_NO_PART.format(begun))
            if position > end:
                raise MessageCutOffError(position - end)
            yield number, wire, MessageField(window, wire, value, start, position, self._depth)

    def of(self, number: int) -> Iterator[MessageField]:
        """The fields of one number, by the same walk."""
        return (each for at, _, each in self.fields() if at == number)


class MessageField:
    """One field's value, not read yet where it is long."""

    __slots__ = ("_depth", "_window", "end", "start", "value", "wire")

    def __init__(self, window: _Window, wire: int, value: int, start: int, end: int, depth: int) -> None:
        self._window = window
        self._depth = depth
        self.wire = wire
        self.value = value
        self.start = start
        self.end = end

    @property
    def size(self) -> int:
        return self.end - self.start

    def integer(self) -> int:
        """A varint as a signed 64-bit integer. Raises ProtobufError for another wire type."""
        if self.wire != VARINT:
            raise ProtobufError("a number was expected")
        return self.value - (1 << 64) if self.value >> 63 else self.value

    def data(self, most: int) -> bytes:
        """The first `most` bytes. Raises ProtobufError for another wire type."""
        if self.wire != BYTES:
            raise ProtobufError("a string or a message was expected")
        return self._window.read(self.start, min(self.end, self.start + most))

    def text(self, most: int = 4096) -> str:
        """A string, cut after `most` bytes; bytes that are no UTF-8 are replaced."""
        return self.data(most).decode("utf-8", "replace")

    def message(self) -> Message:
        """The message inside. Raises ProtobufError for another wire type or too deep nesting."""
        if self.wire != BYTES:
            raise ProtobufError("a message was expected")
        if self._depth >= _DEEPEST:
            raise ProtobufError(f"messages nest deeper than {_DEEPEST}")
        return Message(self._window, self.start, self.end, self._depth + 1)


class _Window:
    """A stream seen through a small buffer that follows the reading position."""

    def __init__(self, stream: BinaryIO, most_fields: int) -> None:
        self._stream = stream
        self._base = 0
        self._buffer = b""  # always followed by the stream's own position
        self._left = most_fields

    def spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise BudgetError("it has more fields than are read")

    def varint(self, position: int, end: int) -> tuple[int, int]:
        """The varint at a position, and the position after it."""
        offset = position - self._base
        buffer = self._buffer
        if not 0 <= offset < len(buffer) - _LONGEST_VARINT:
            self._fill(position)
            offset, buffer = 0, self._buffer
        if position < end and offset < len(buffer) and buffer[offset] < _MORE:
            return buffer[offset], position + 1
        value = 0
        for index in range(_LONGEST_VARINT):
            if position + index >= end or offset + index >= len(buffer):
                raise MessageCutOffError(1)
            byte = buffer[offset + index]
            value |= (byte & 0x7F) << (7 * index)
            if byte < _MORE:
                return value & 0xFFFFFFFFFFFFFFFF, position + index + 1
        raise ProtobufError("a number is longer than 10 bytes")

    def read(self, start: int, end: int) -> bytes:
        if not 0 <= start - self._base <= end - self._base <= len(self._buffer):
            self._fill(start)
        data = self._buffer[start - self._base : end - self._base]
        if len(data) < end - start:
            data += self._stream.read(end - start - len(data))
            self._base, self._buffer = start + len(data), b""
        if len(data) < end - start:
            raise MessageCutOffError(end - start - len(data))
        return data

    def _fill(self, position: int) -> None:
        """Move the buffer to a position; never seeks backwards, which a member of a zip pays for dearly."""
        offset = position - self._base
        if 0 <= offset <= len(self._buffer):
            self._buffer = self._buffer[offset:] + self._stream.read(_WINDOW)
        else:
            self._stream.seek(position)
            self._buffer = self._stream.read(_WINDOW)
        self._base = position


def message(stream: BinaryIO, size: int, *, most_fields: int | None = None) -> Message:
    """The message that a seekable stream of `size` bytes holds; by default two million fields are read of it."""
    return Message(_Window(stream, _MOST_FIELDS if most_fields is None else most_fields), 0, size)
