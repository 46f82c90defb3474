"""What listings give: files that were found, and entries of a bundle, each a path and where its bytes come from.

The bytes come from a file, a member of the user's zip, or generated text. Making an entry reads no content. A small
text of Git LFS may stand in the place of a file that was never fetched.
"""

from __future__ import annotations

import io
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeAlias

from hatch_wallaroo.files.rules import LFS_POINTER
from hatch_wallaroo.files.zip_reading import open_member
from hatch_wallaroo.findings import Finding, Place

_LARGEST_POINTER = 1024
_POINTER = re.compile(
    rb"\Aversion https://git-lfs\.github\.com/spec/v1\n"
    rb"(?:ext-[^\n]*\n)*oid sha256:[0-9a-f]{64}\nsize (?P<size>[0-9]{1,19})\n"
)


class ModelFiles(Protocol):
    """What listing a model's files asks of its table: where the project is, and what is left out or let in."""

    @property
    def root(self) -> Path: ...
    @property
    def exclude(self) -> tuple[str, ...]: ...
    @property
    def include_sensitive(self) -> tuple[str, ...]: ...
    @property
    def framework_config(self) -> Mapping[str, Any] | None: ...
    @property
    def distributions(self) -> str | None: ...
    def at(self, option: str, *inside: str | int) -> Place: ...


@dataclass(frozen=True)
class FileSource:
    """A regular file; `path` is absolute."""

    path: Path

    def open(self) -> BinaryIO:
        """Open for reading, seekable."""
        return self.path.open("rb")

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    @property
    def executable(self) -> bool:
        return bool(self.path.stat().st_mode & stat.S_IXUSR)


@dataclass(frozen=True)
class ZipMember:
    """A member of a zip that the user made; `archive` is absolute, `size` is unpacked.

    `index` is its place in the central directory: names may stand there twice.
    """

    archive: Path
    member: str
    index: int
    size: int
    executable: bool = False

    def open(self) -> BinaryIO:
        """Open for reading; seekable, but seeking backwards unpacks anew.

        Raises OSError: DamagedMemberError for what cannot be unpacked, here and from reading the stream.
        """
        return open_member(self.archive, self.member, self.index, self.size)


@dataclass(frozen=True)
class TextSource:
    """Generated text, as UTF-8."""

    text: str

    def open(self) -> BinaryIO:
        """Open for reading, seekable."""
        return io.BytesIO(self.text.encode())

    @property
    def size(self) -> int:
        return len(self.text.encode())

    @property
    def executable(self) -> bool:
        return False


Source: TypeAlias = FileSource | ZipMember | TextSource


@dataclass(frozen=True)
class Entry:
    """One file of a bundle: its path there (relative, forward slashes, NFC) and its source.

    `label` is what a user calls the file, relative to the project, for messages.
    """

    path: str
    source: Source
    label: str = ""

    @property
    def name(self) -> str:
        """How messages call it: the user's file, or the path in the bundle where it is generated."""
        return self.label or self.path


@dataclass(frozen=True)
class Found:
    """A regular file of the project.

    `path` is relative to what was asked for (POSIX, NFC): to the folder for a
    folder, to the project for `artifacts`, the bare name for a single file.
    `label` is relative to the project, as it is spelt on the disk.
    """

    path: str
    absolute: Path
    label: str


@dataclass(frozen=True)
class Listing:
    """The files, in the order of their paths; `stripped` says what was left out on purpose: (label, reason)."""

    files: tuple[Found, ...]
    findings: tuple[Finding, ...] = ()
    stripped: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ZipListing:
    """The members of a user's zip as entries of a bundle, in the order of their paths."""

    entries: tuple[Entry, ...]
    findings: tuple[Finding, ...] = ()
    stripped: tuple[tuple[str, str], ...] = ()


def is_lfs_pointer(source: Source) -> bool:
    """Whether a pointer stands in a source's place. Reads 1 KiB at most.

    Raises OSError when the source cannot be read.
    """
    return _pointer(source) is not None


def pointer_finding(entry: Entry, place: Place | None = None) -> Finding | None:
    """Say it of an entry in whose place a pointer stands, at the file itself if no other place is given.

    Raises OSError when the source cannot be read.
    """
    pointer = _pointer(entry.source)
    if pointer is None:
        return None
    return LFS_POINTER.finding(
        f"{entry.name} is a Git LFS pointer, not the file itself ({int(pointer['size']):,} bytes are missing)",
        fix=f"git lfs pull --include={entry.name!r}",
        place=place or Place(file=entry.name),
    )


def _pointer(source: Source) -> re.Match[bytes] | None:
    if source.size > _LARGEST_POINTER:
        return None
    with source.open() as stream:
        return _POINTER.match(stream.read(_LARGEST_POINTER))
