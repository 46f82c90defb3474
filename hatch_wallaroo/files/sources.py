"""Where the bytes of a bundle come from: a file, a member of the user's zip, or generated text.

An entry is a path in the bundle and a source. Making one reads no content.
"""

from __future__ import annotations

import io
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

from hatch_wallaroo.files.zip_reading import open_member


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
