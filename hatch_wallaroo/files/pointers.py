"""Git LFS pointers: the small text that stands in for a file that was never fetched."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hatch_wallaroo.files.sources import Entry, Source
from hatch_wallaroo.findings import Finding, Place, rule

LFS_POINTER = rule(
    "WLR230",
    "a Git LFS pointer stands in the file's place",
    why="A clone without Git LFS holds a text of three lines instead of the file. It is uploaded without complaint, "
    "and the platform's conversion fails on it minutes later.",
    source="The pointer format, version 1, of the Git LFS specification",
)

_LARGEST = 1024
_POINTER = re.compile(
    rb"\Aversion https://git-lfs\.github\.com/spec/v1\n"
    rb"(?:ext-[^\n]*\n)*oid sha256:(?P<oid>[0-9a-f]{64})\nsize (?P<size>[0-9]{1,19})\n"
)


@dataclass(frozen=True)
class Pointer:
    """What the pointer promises: the file's SHA-256 and size in bytes."""

    oid: str
    size: int


def lfs_pointer(source: Source) -> Pointer | None:
    """The pointer that stands in a source's place, or None for real content. Reads 1 KiB at most.

    Raises OSError when the source cannot be read.
    """
    if source.size > _LARGEST:
        return None
    with source.open() as stream:
        found = _POINTER.match(stream.read(_LARGEST))
    return Pointer(found["oid"].decode(), int(found["size"])) if found else None


def pointer_finding(entry: Entry, pointer: Pointer, place: Place) -> Finding:
    """Say it for an entry of a bundle."""
    return LFS_POINTER.finding(
        f"{entry.name} is a Git LFS pointer, not the file itself ({pointer.size:,} bytes are missing)",
        fix=f"git lfs pull --include={entry.name!r}",
        place=place,
    )
