"""The body of an upload: the SDK's two parts, streamed from the file, as often as it must be sent."""

from __future__ import annotations

import io
import json
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from hatch_wallaroo.platform.errors import ConfigurationError
from hatch_wallaroo.text import describe_error

BLOCK = 256 * 1024

Progress = Callable[[int, int], None]
"""Called with the bytes sent so far and the bytes of the whole body; starts again at 0 when it is sent anew."""


class UploadBody:
    """`multipart/form-data` of the metadata and, where there is one, the file; a known length, constant memory.

    Iterating yields blocks of at most 256 KiB from the start, each time anew, so that a broken upload
    can be repeated. `filename` is reduced to its last part: an upload whose filename was a path ended
    in `error` without a summary. Without a file it is the registration of an image: one part.
    Source: requests captured from the SDKs of 2023.2.1 and 2026.1.3.

    Raises ConfigurationError, at once or while iterating, where the file cannot be read or is no longer
    what it was when this was made.
    """

    def __init__(
        self,
        metadata: Mapping[str, Any],
        file: Path | None,
        filename: str | None = None,
        *,
        progress: Progress | None = None,
    ) -> None:
        self.boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={self.boundary}"
        self._file = file
        self._progress = progress
        self._head = self._part('name="metadata"', "application/json") + json.dumps(metadata).encode() + b"\r\n"
        self._tail = f"--{self.boundary}--\r\n".encode()
        self._stamp = (0, 0)
        if file is not None:
            name = _escaped(basename(filename or file.name))
            self._head += self._part(f'name="file"; filename="{name}"', "application/octet-stream")
            self._tail = b"\r\n" + self._tail
            self._stamp = self._stamp_of_path(file)
        self.length = len(self._head) + self._stamp[0] + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        sent = 0
        for block in self._blocks():
            yield block
            sent += len(block)
            if self._progress:
                self._progress(sent, self.length)

    def _blocks(self) -> Iterator[bytes]:
        if self._progress:
            self._progress(0, self.length)
        yield self._head
        if self._file is not None:
            with self._opened(self._file) as stream:
                yield from self._file_blocks(stream)
        yield self._tail

    def _file_blocks(self, stream: io.FileIO) -> Iterator[bytes]:
        """Exactly as many bytes as were announced; the last block only when the file is still the same."""
        self._unchanged(stream)
        left = self._stamp[0]
        while left:
            block = stream.read(min(BLOCK, left))
            left -= len(block)
            if not block or not left:
                self._unchanged(stream, truncated=bool(left))
            yield block

    def _unchanged(self, stream: io.FileIO, *, truncated: bool = False) -> None:
        if truncated or _stamp(os.fstat(stream.fileno())) != self._stamp:
            raise ConfigurationError(
                f"{self._name} changed while it was being sent.", "Publish again when nothing is building any more."
            )

    def _opened(self, file: Path) -> io.FileIO:
        try:
            return file.open("rb", buffering=0)
        except OSError as error:
            raise self._unreadable(error) from error

    def _stamp_of_path(self, file: Path) -> tuple[int, int]:
        try:
            return _stamp(file.stat())
        except OSError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: OSError) -> ConfigurationError:
        return ConfigurationError(f"{self._name} cannot be read: {describe_error(error)}.")

    @property
    def _name(self) -> str:
        return self._file.name if self._file else "the file"

    def _part(self, disposition: str, content_type: str) -> bytes:
        lines = (
            f"--{self.boundary}",
            f"Content-Disposition: form-data; {disposition}",
            f"Content-Type: {content_type}",
        )
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _stamp(stat: os.stat_result) -> tuple[int, int]:
    return stat.st_size, stat.st_mtime_ns


def basename(name: str) -> str:
    """The last part of a path of any system."""
    return re.split(r"[/\\]", name)[-1]


def _escaped(name: str) -> str:
    """A filename inside quotes, as browsers and the SDK's HTTP library write it."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
