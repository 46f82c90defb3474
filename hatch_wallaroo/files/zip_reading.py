"""Reading members of zips that the user made: each directory once, and damage told as what it is.

`zipfile` reads a whole directory to open one member of it, and raises whatever its
decompressors do. Here archives stay open while somebody works with them, and all
that a damaged one raises is an OSError.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import struct
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, NamedTuple, TypeVar, cast

if TYPE_CHECKING:
    import zipfile

MOST_MEMBERS = 100_000
"""A zip of more is no model."""
MOST_OPEN = 8
"""Archives that are kept open at once: the operating system's files are few."""

_OF_A_ZIP = {None, errno.EINVAL}
"""What no disk says: bzip2 gives no number, and a member that would begin before the file does is an invalid seek."""

_REASONS: dict[type[Exception], str] = {
    NotImplementedError: "Python cannot unpack its kind of compression",
    RuntimeError: "this Python was built without what unpacks it",
    EOFError: "it ends too early",
    MemoryError: "unpacking it would need more memory than there is",
}
_BAD_ZIP = {
    "CRC": "its checksum does not fit its content",
    "Overlapped": "it shares bytes with another member",
    "header": "its header in the zip is broken",
}

END = struct.Struct("<4s4H2LH")
END64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR = struct.Struct("<4sLQL")
"""The records behind the directory: APPNOTE.TXT 4.3.14 to 4.3.16."""
FULL16, FULL32 = 0xFFFF, 0xFFFFFFFF
"""What stands in a field whose number is in zip64's record."""

_Answer = TypeVar("_Answer")


class ZipEndError(ValueError):
    """What is wrong with the end of a zip, as the end of a sentence; `cut_off` where the end is not there."""

    def __init__(self, reason: str, *, cut_off: bool = False) -> None:
        super().__init__(reason)
        self.cut_off = cut_off


class ZipEnd(NamedTuple):
    """What a zip's last records tell of its directory: its members, its bytes and where they begin.

    `at` is where those records begin, `last` where the very last of them does, behind zip64's own.
    """

    members: int
    length: int
    offset: int
    at: int
    last: int
    split: bool


class DamagedMemberError(OSError):
    """A member of a zip that cannot be unpacked: `archive` is absolute, `strerror` says why, as half a sentence."""

    def __init__(self, archive: Path, member: str, reason: str) -> None:
        super().__init__(reason)
        self.archive = archive
        self.member = member
        self.strerror = reason

    def __str__(self) -> str:
        return f"{self.archive.name}!{self.member} is damaged: {self.strerror}"


class _Identity(NamedTuple):
    """What tells an archive from its other versions."""

    path: Path
    device: int
    inode: int
    size: int
    modified: int
    changed: int


_lock = threading.RLock()  # reentrant: collecting garbage may close a stream while another one is opened
_open: OrderedDict[_Identity, zipfile.ZipFile] = OrderedDict()
_users: list[object] = []


@contextlib.contextmanager
def archives_kept_open() -> Iterator[None]:
    """Keep the archives that are read inside open for the next one who reads them, in any thread.

    May be nested. With the end of the outermost one, all are closed; streams that are open go on.
    """
    user = object()
    with _lock:
        _users.append(user)
    try:
        yield
    finally:
        with _lock:
            _users.remove(user)
            while _open and not _users:
                _open.popitem()[1].close()


def read_end(stream: BinaryIO) -> ZipEnd:
    """The records behind a zip's directory, with no more of it read. Raises ZipEndError, OSError."""
    size = stream.seek(0, os.SEEK_END)
    begin = stream.seek(max(0, size - END.size - FULL16))
    tail = stream.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < END.size:
        stream.seek(0)
        started = stream.read(4) == b"PK\x03\x04"
        raise ZipEndError("is cut off: the end of the zip is missing" if started else "is not a zip", cut_off=True)
    _, disk, first_disk, _, members, length, offset, _ = END.unpack_from(tail, at)
    last = start = begin + at
    if tail[max(0, at - LOCATOR.size) : at].startswith(b"PK\x06\x07"):
        start = last - LOCATOR.size - END64.size
        stream.seek(max(0, start))
        record = stream.read(END64.size)
        if start < 0 or not record.startswith(b"PK\x06\x06"):
            raise ZipEndError("has a damaged end")
        _, _, _, _, disk, first_disk, _, members, length, offset = END64.unpack(record)
    elif FULL32 in {length, offset}:
        raise ZipEndError("has a damaged end")
    return ZipEnd(members, length, offset, start, last, bool(disk or first_disk))


def member_names(path: Path, most: int | None = None) -> list[str]:
    """The names of a zip's members, as its directory has them; none where it cannot be read or has more than `most`."""
    import zipfile

    try:
        infos = read_directory(path)
    except (OSError, ValueError, NotImplementedError, EOFError, zipfile.BadZipFile):
        return []
    return [info.filename for info in infos] if most is None or len(infos) <= most else []


def read_directory(path: Path) -> list[zipfile.ZipInfo]:
    """The members of a zip in the order of its central directory. Raises what `zipfile` does."""
    with _archive(path) as archive:
        return archive.infolist()


def open_member(path: Path, member: str, index: int, size: int) -> BinaryIO:
    """Open the member at a place of the directory; seekable, but seeking backwards unpacks anew.

    Raises DamagedMemberError, here and from every method of the stream, and OSError where the file cannot be read.
    """
    return cast("BinaryIO", _told(path, member, _opened, path, member, index, size))


def _opened(path: Path, member: str, index: int, size: int) -> _Stream:
    with _archive(path) as archive:
        infos = archive.infolist()
        if index >= len(infos) or (infos[index].filename, infos[index].file_size) != (member, size):
            raise DamagedMemberError(path, member, "the zip's directory no longer says what it said before")
        return _Stream(archive.open(infos[index]), path, member)


@contextlib.contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """The open archive, for this thread alone. Where nobody keeps it, streams do until they are closed."""
    import zipfile

    with _lock:
        known = _identity(path, path.stat())
        archive = _open.get(known) or zipfile.ZipFile(path)
        try:
            if _users:
                _keep(path, known, archive)
            yield archive
        finally:
            if not _users:
                archive.close()


def _keep(path: Path, known: _Identity, archive: zipfile.ZipFile) -> None:
    """Remember an archive as the last used; forget its former versions, and those not used for longest."""
    if known not in _open and archive.fp is not None:
        for former in [each for each in _open if each.path == path]:
            _open.pop(former).close()
        known = _identity(path, os.fstat(archive.fp.fileno()))
        _open[known] = archive
    _open.move_to_end(known)
    while len(_open) > MOST_OPEN:
        _open.popitem(last=False)[1].close()


def _identity(path: Path, found: os.stat_result) -> _Identity:
    return _Identity(path, found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


class _Stream(io.RawIOBase):
    """A member's content, unpacked while it is read."""

    def __init__(self, stream: IO[bytes], archive: Path, member: str) -> None:
        self._stream = stream
        self._names = archive, member

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._do(self._stream.read, size)

    def readinto(self, buffer: Any) -> int:
        return self._do(cast("io.BufferedIOBase", self._stream).readinto, buffer)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._do(self._stream.seek, offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def close(self) -> None:
        if not self.closed:
            with _lock:  # zipfile counts the streams of an archive without one
                self._stream.close()
        super().close()

    def _do(self, action: Callable[..., _Answer], *arguments: object) -> _Answer:
        if self.closed:
            raise ValueError("I/O operation on closed file")
        return _told(*self._names, action, *arguments)


def _told(archive: Path, member: str, action: Callable[..., _Answer], *arguments: object) -> _Answer:
    """Do something with a member. Raises DamagedMemberError, and OSError where the system has a reason of its own."""
    try:
        return action(*arguments)
    except Exception as error:
        if isinstance(error, DamagedMemberError) or (isinstance(error, OSError) and error.errno not in _OF_A_ZIP):
            raise
        raise DamagedMemberError(archive, member, _reason(error)) from error


def _reason(error: Exception) -> str:
    """What an error of `zipfile` or a decompressor means for a member."""
    import zipfile

    said = str(error)
    if isinstance(error, zipfile.BadZipFile):
        return next((reason for words, reason in _BAD_ZIP.items() if words in said), "the zip's directory is damaged")
    if isinstance(error, RuntimeError) and "encrypted" in said:
        return "it is encrypted"
    if isinstance(error, (UnicodeError, struct.error, ValueError)) or getattr(error, "errno", None):
        return _BAD_ZIP["header"]
    return next(
        (reason for kind, reason in _REASONS.items() if isinstance(error, kind)), "its compressed data is broken"
    )
