"""JSON from outside, read within bounds: any size, depth and content ends in a value or in one kind of error."""

from __future__ import annotations

import json
from typing import Any, BinaryIO

LARGEST = 16 << 20
"""Bytes of a JSON file that are read, unless the caller knows better."""


class JsonError(ValueError):
    """Why something is not the JSON that is wanted, as the end of a sentence; `line` is where, if it is one place."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.line = line


def parse_json(data: bytes | bytearray | str) -> Any:
    """The value that JSON stands for, from text or from UTF-8 with or without its mark. Raises JsonError."""
    try:
        return json.loads(data if isinstance(data, str) else data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise JsonError(f"is not UTF-8 text (byte {error.start})") from None
    except json.JSONDecodeError as error:
        if not data.strip():
            raise JsonError("is empty") from None
        raise JsonError(f"is broken in line {error.lineno}: {error.msg}", error.lineno) from None
    except (RecursionError, ValueError):
        raise JsonError("is nested too deeply, or holds a number that is too long") from None


def parse_object(data: bytes | bytearray | str) -> dict[str, Any]:
    """The object that JSON stands for. Raises JsonError, also where it is another value."""
    return _object(parse_json(data))


def read_json(stream: BinaryIO, largest: int = LARGEST) -> Any:
    """The value in a stream of at most `largest` bytes. Raises JsonError, and OSError where it cannot be read."""
    data = stream.read(largest + 1)
    if len(data) > largest:
        raise JsonError(f"is larger than {largest >> 20} MiB" if largest >> 20 else f"is larger than {largest:,} bytes")
    return parse_json(data)


def read_object(stream: BinaryIO, largest: int = LARGEST) -> dict[str, Any]:
    """The object in a stream of at most `largest` bytes. Raises JsonError, also where it is another value; OSError."""
    return _object(read_json(stream, largest))


def _object(read: Any) -> dict[str, Any]:
    if isinstance(read, dict):
        return read
    raise JsonError("does not hold an object ({ … })")
