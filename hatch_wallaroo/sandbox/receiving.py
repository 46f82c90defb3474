"""An upload as it comes in: the metadata part kept in memory, the file part written to disk, everything bounded."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import IO

from hatch_wallaroo.sandbox.requests import RequestRefusedError
from hatch_wallaroo.text import describe_error

LARGEST_METADATA = 4 << 20
LARGEST_HEADERS = 16 << 10
MOST_PARTS = 8
_LONGEST_NAME = 4096
_LONGEST_BOUNDARY = 200


@dataclass
class Received:
    """The parts of an upload. `file` is None where there was no file part; whoever takes it deletes it."""

    metadata: bytes | None = None
    file: Path | None = None
    file_name: str = ""
    size: int = 0
    sha: str = ""

    def discard(self) -> None:
        if self.file is not None:
            self.file.unlink(missing_ok=True)


class Receiver:
    """Takes the body of one upload piece by piece. Holds the metadata and one piece in memory, never the file."""

    def __init__(self, content_type: str, folder: Path, largest: int) -> None:
        from python_multipart.multipart import MultipartParser

        self.received = Received()
        self._folder, self._largest = folder, largest
        self._digest = hashlib.sha256()
        self._stream: IO[bytes] | None = None
        self._parts = 0
        self._name = ""
        self._value = bytearray()
        self._header, self._content = bytearray(), bytearray()
        self._headers: dict[str, str] = {}
        self._ended = False
        self._parser = MultipartParser(
            boundary(content_type),
            callbacks={
                "on_part_begin": self._begin,
                "on_header_field": lambda data, start, end: self._take_header(self._header, data[start:end]),
                "on_header_value": lambda data, start, end: self._take_header(self._content, data[start:end]),
                "on_header_end": self._end_header,
                "on_headers_finished": self._open,
                "on_part_data": self._write,
                "on_part_end": self._close_part,
                "on_end": self._end,
            },
        )

    async def take(self, body: AsyncIterator[bytes], each: Callable[[int], None]) -> Received:
        """Take the whole body; `each` is told how many bytes have come after every piece.

        Raises RequestRefusedError, and leaves no file behind then or on any other exception.
        """
        from python_multipart.exceptions import FormParserError

        total = 0
        try:
            async for piece in body:
                total += len(piece)
                self._parser.write(piece)
                each(total)
            self._finish()
        except FormParserError as error:
            self.abandon()
            raise RequestRefusedError(400, f"Bad request: {error}") from None
        except OSError as error:
            self.abandon()
            raise RequestRefusedError(507, f"Insufficient Storage: {describe_error(error)}") from None
        except BaseException:
            self.abandon()
            raise
        self.received.sha = self._digest.hexdigest()
        return self.received

    def _finish(self) -> None:
        self._parser.finalize()
        if not self._ended:
            raise RequestRefusedError(400, "Bad request: the body ends before its last part does")

    def abandon(self) -> None:
        """Forget what has come so far."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        self.received.discard()

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise RequestRefusedError(400, f"Bad request: more than {MOST_PARTS} parts")
        self._headers, self._name = {}, ""
        self._value.clear()

    def _take_header(self, into: bytearray, data: bytes) -> None:
        into += data
        size = len(self._header) + len(self._content) + sum(map(len, self._headers.values()))
        if size > LARGEST_HEADERS or len(self._headers) > MOST_PARTS:
            raise RequestRefusedError(400, "Bad request: the headers of a part are too long")

    def _end_header(self) -> None:
        name = self._header.decode("latin-1").strip().lower()
        self._headers[name] = self._content.decode("latin-1").strip()
        self._header.clear()
        self._content.clear()

    def _open(self) -> None:
        self._name, file_name = disposition(self._headers.get("content-disposition", ""))
        if self._name == "file":
            if self.received.file is not None:
                raise RequestRefusedError(400, "Bad request: more than one file")
            with tempfile.NamedTemporaryFile(dir=self._folder, prefix="upload-", delete=False) as stream:
                self.received.file = Path(stream.name)
            self._stream = self.received.file.open("wb")
            self.received.file_name = file_name or ""
        elif self._name == "metadata" and self.received.metadata is not None:
            raise RequestRefusedError(400, "Bad request: more than one metadata part")

    def _write(self, data: bytes, start: int, end: int) -> None:
        piece = data[start:end]
        if self._stream is None:
            if len(self._value) + len(piece) > LARGEST_METADATA:
                raise RequestRefusedError(400, "Bad request: a part that is no file is too large")
            self._value += piece
            return
        self.received.size += len(piece)
        if self.received.size > self._largest:
            raise RequestRefusedError(507, f"Insufficient Storage: the model has more than {self._largest} bytes")
        self._digest.update(piece)
        self._stream.write(piece)

    def _close_part(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        elif self._name == "metadata":
            self.received.metadata = bytes(self._value)

    def _end(self) -> None:
        self._ended = True


def boundary(content_type: str) -> bytes:
    """The boundary in a Content-Type. Raises RequestRefusedError."""
    message = Message()
    message["Content-Type"] = content_type[:1000]
    found = message.get_param("boundary")
    if message.get_content_type() != "multipart/form-data" or not isinstance(found, str) or not found:
        raise RequestRefusedError(400, "Bad request: the body is not multipart/form-data with a boundary")
    return found[:_LONGEST_BOUNDARY].encode("latin-1", "replace")


def disposition(value: str) -> tuple[str, str | None]:
    """The `name` and `filename` of a part's Content-Disposition (latin-1), as they were sent."""
    from python_multipart.multipart import parse_options_header

    _, options = parse_options_header(value[:_LONGEST_NAME])
    name = options.get(b"name", b"").decode("utf-8", "replace")
    file_name = options.get(b"filename")
    return name, file_name.decode("utf-8", "replace") if file_name is not None else None
