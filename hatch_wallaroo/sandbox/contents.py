"""What an uploaded file holds, for whoever looks at its version: the file itself may be gone by then."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hatch_wallaroo.files.zip_reading import MOST_MEMBERS, ZipEndError, read_directory, read_end
from hatch_wallaroo.formats.recognise import HEAD, is_onnx, recognise_head

MOST_LISTED = 500
"""Members of one archive that are remembered."""

_LONGEST_NAME = 500
_LARGEST_DIRECTORY = 16 << 20
"""Bytes of a zip's directory that are still read: an upload must not decide how much memory it takes."""


@dataclass(frozen=True)
class Contents:
    """What a file is, and its members with their sizes in bytes, unpacked; of more than MOST_LISTED the first.

    `count` members have `size` bytes together. `problem` says, as the end of a sentence, why they are not listed.
    """

    kind: str = ""
    members: tuple[tuple[str, int], ...] = ()
    count: int = 0
    size: int = 0
    problem: str = ""

    def as_json(self) -> dict[str, Any]:
        return {**self.__dict__, "members": [list(each) for each in self.members]}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Contents:
        return cls(**{**told, "members": tuple((name, size) for name, size in told["members"])})


def contents(file: Path) -> Contents:
    """What a file holds, told by its first bytes and its directory; nothing is unpacked. Never raises for its bytes."""
    try:
        with file.open("rb") as stream:
            head = stream.read(HEAD)
            known = recognise_head(head[:64])
            kind = known.name if known else ("an ONNX model" if is_onnx(head) else "")
            if not zipfile.is_zipfile(stream):
                return Contents(kind)
            end = read_end(stream)
        if end.split or end.members > MOST_MEMBERS or end.length > _LARGEST_DIRECTORY:
            return Contents(kind, problem=f"says it has {end.members:,} members, more than are looked at")
        infos = [each for each in read_directory(file) if not each.is_dir()]
    except ZipEndError as error:
        return Contents("a zip archive", problem=str(error))
    except (zipfile.BadZipFile, NotImplementedError, struct.error, ValueError, OverflowError, EOFError):
        return Contents("a zip archive", problem="has a damaged directory")
    listed = tuple((each.filename[:_LONGEST_NAME], each.file_size) for each in infos[:MOST_LISTED])
    return Contents(kind or "a zip archive", listed, len(infos), sum(each.file_size for each in infos))
