"""A stream read forwards, with its offset known and large parts skipped."""

from __future__ import annotations

import io
from typing import BinaryIO

_CHUNK = 1 << 16


class TruncatedError(ValueError):
    """The stream ends inside of what is being read, at `offset`."""

    def __init__(self, offset: int, wanted: int) -> None:
        super().__init__(f"the file ends at byte {offset:,}, {wanted:,} bytes too early")
        self.offset = offset


class LimitError(Exception):
    """The stream goes on beyond what is read of it."""


class ByteReader:
    """Reads a stream front to back; `size` is its length where it can seek, None where it can only be read.

    Not more than `limit` bytes are read, where it is given; LimitError says so.
    """

    def __init__(self, stream: BinaryIO, size: int | None = None, *, limit: int | None = None) -> None:
        self._stream = stream
        self.size = size
        self._limit = limit
        self._buffer = b""
        self._position = 0
        self._start = 0

    @property
    def offset(self) -> int:
        """Bytes from the beginning of the stream."""
        return self._start + self._position

    def byte(self) -> int:
        """The next byte, or -1 at the end."""
        if self._position >= len(self._buffer) and not self._fill():
            return -1
        self._position += 1
        return self._buffer[self._position - 1]

    def take(self, count: int) -> bytes:
        """Just so many bytes; for small counts. Raises TruncatedError."""
        end = self._position + count
        if end <= len(self._buffer):
            data = self._buffer[self._position : end]
            self._position = end
            return data
        parts, missing = [], count
        while missing:
            if self._position >= len(self._buffer) and not self._fill():
                raise TruncatedError(self.offset, missing)
            part = self._buffer[self._position : self._position + missing]
            self._position += len(part)
            missing -= len(part)
            parts.append(part)
        return b"".join(parts)

    def skip(self, count: int) -> None:
        """Go on by so many bytes without keeping them. Raises TruncatedError."""
        if self.size is not None and self.offset + count > self.size:
            raise TruncatedError(self.size, self.offset + count - self.size)
        inside = min(count, len(self._buffer) - self._position)
        self._position += inside
        count -= inside
        if self.size is not None and count > _CHUNK:
            target = self.offset + count
            self._stream.seek(target)
            self._buffer, self._position, self._start = b"", 0, target
            return
        while count:
            if not self._fill():
                raise TruncatedError(self.offset, count)
            self._position = min(count, len(self._buffer))
            count -= self._position

    def line(self, head: int) -> tuple[bytes, int]:
        """Up to the next newline: its first `head` bytes and its whole length, newline not counted."""
        kept, length = b"", 0
        while True:
            if self._position >= len(self._buffer) and not self._fill():
                raise TruncatedError(self.offset, 1)
            end = self._buffer.find(b"\n", self._position)
            stop = len(self._buffer) if end < 0 else end
            if len(kept) < head:
                kept += self._buffer[self._position : min(stop, self._position + head - len(kept))]
            length += stop - self._position
            self._position = stop
            if end >= 0:
                self._position += 1
                return kept, length

    def _fill(self) -> bool:
        self._start += len(self._buffer)
        if self._limit is not None and self._start >= self._limit:
            self._buffer, self._position = b"", 0
            raise LimitError
        self._buffer, self._position = self._stream.read(_CHUNK), 0
        return bool(self._buffer)


def reader_over(data: bytes) -> ByteReader:
    """A reader over bytes in memory."""
    return ByteReader(io.BytesIO(data), len(data))
