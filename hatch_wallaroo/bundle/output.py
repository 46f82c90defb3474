"""The file that a bundle is written to, and its digest, taken while it grows.

Everything here works without the calls that only some systems have: blocks are
shared or reserved where the file system can, and written where it cannot.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import queue
import struct
import threading
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any

from hatch_wallaroo.bundle.reading import BLOCK, Item, Reader

_RESERVED_FROM = 4 << 20
_SHARED_BLOCK = 4096
_CLONE_RANGE = struct.Struct("=qQQQ")
_FICLONERANGE = 0x4020940D
_CANNOT = {
    errno.EBADF, errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOTTY,
    errno.EPERM, errno.EXDEV, errno.ETXTBSY,
}  # fmt: skip


class Output:
    """A file that is complete when the block ends normally, and gone when it ends otherwise.

    Its SHA-256 is taken by a thread of its own that reads again what was written, or the
    file that blocks are shared with: handing buffers between threads is slower.
    """

    def __init__(self, path: Path, reader: Reader) -> None:
        """Open the file for writing; what it held is gone."""
        self.path = path
        self.position = 0
        self._reader = reader
        self._digest = _Follower(path, reader)
        self._file = path.open("wb", buffering=0)

    def __enter__(self) -> Output:  # noqa: PYI034 – `Self` is younger than Python 3.10
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._reader.stop.set()
        complete = False
        try:
            self._digest.end()
            self._file.close()
            complete = kind is None
        finally:
            if not complete:
                self._discard()

    def _discard(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self.path.unlink()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write at the end. What is written counts for the digest once :meth:`settle` says so."""
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) or 0 :]
        self.position += len(data)

    def patch(self, position: int, data: bytes) -> None:
        """Write again at an earlier place, not settled yet."""
        self._file.seek(position)
        if self._file.write(data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._file.seek(self.position)

    def settle(self, start: int) -> None:
        """All from `start` to the end is final."""
        self._digest.follow(None, start, self.position)

    def take(self, item: Item, checksum: Callable[[Any, int], int] | None = None) -> int | None:
        """Append a plain file's content: by sharing its blocks, or by copying. Settles it.

        Gives the copy's crc32, or None without a `checksum`, or where blocks were shared and nothing was read.
        """
        shared = self._share(item)
        if shared:
            self._digest.follow(item, 0, shared)
        if not shared and item.size >= _RESERVED_FROM:
            _reserve(self.path, self.position, item.size)
        crc, settled = 0, self.position
        for block in self._reader.blocks(item, shared):
            if checksum is not None and not shared:
                crc = checksum(block, crc)
            self.write(block)
            if self.position - settled >= _RESERVED_FROM:
                self.settle(settled)
                settled = self.position
        self.settle(settled)
        return None if shared or checksum is None else crc

    def _share(self, item: Item) -> int:
        """Append whole blocks of a file by sharing them, where the file system can; gives their size in bytes."""
        length = item.size // _SHARED_BLOCK * _SHARED_BLOCK
        if self.position % _SHARED_BLOCK or length < _RESERVED_FROM:
            return 0
        with self._reader.opened(item) as stream:
            if not _clone(stream.fileno(), self._file.fileno(), self.position, length):
                return 0
        self.position += length
        self._file.seek(self.position)
        return length

    def digest(self) -> str:
        """The SHA-256 of all that was settled, which must be everything."""
        return self._digest.result()


class _Follower:
    """SHA-256 of ranges of files, in order, in a thread that starts with the first of them."""

    def __init__(self, path: Path, reader: Reader) -> None:
        self._path = path
        self._reader = reader
        self._ranges: queue.SimpleQueue[tuple[Item | None, int, int] | None] = queue.SimpleQueue()
        self._sha = hashlib.sha256()
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None

    def follow(self, item: Item | None, start: int, end: int) -> None:
        """Go on with a range of an item, or of the output itself."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="archive-digest", daemon=True)
            self._thread.start()
        self._ranges.put((item, start, end))

    def end(self) -> None:
        """Wait for what was asked for."""
        if self._thread is not None:
            self._ranges.put(None)
            self._thread.join()
            self._thread = None

    def result(self) -> str:
        self.end()
        if self._error is not None:
            raise self._error
        return self._sha.hexdigest()

    def _run(self) -> None:
        try:
            with self._path.open("rb", buffering=0) as written:
                while (following := self._ranges.get()) is not None:
                    item, start, end = following
                    if item is None:
                        written.seek(start)
                        self._hash(written, end - start)
                    else:
                        for block in self._reader.blocks(item, start, end):
                            self._sha.update(block)
        except BaseException as error:  # noqa: BLE001 – it is raised again by whoever asks for the digest
            self._error = error

    def _hash(self, written: FileIO, left: int) -> None:
        buffer = memoryview(bytearray(BLOCK))
        while left and not self._reader.stop.is_set():
            count = written.readinto(buffer[:left])
            if not count:
                raise OSError(errno.EIO, "the bundle became shorter while it was written")
            self._sha.update(buffer[:count])
            left -= count


def _clone(source: int, target: int, position: int, length: int) -> bool:
    """Let two files share a range of blocks; False where they cannot.

    `os.copy_file_range` shares too, but where that is impossible it copies in the kernel, which is slower on a
    local disk than writing into reserved space.
    """
    try:
        import fcntl

        fcntl.ioctl(target, _FICLONERANGE, _CLONE_RANGE.pack(source, 0, length, position))
    except (ImportError, OSError):  # writing, which comes next, meets what stands in the way of both
        return False
    return True


def _reserve(path: Path, position: int, size: int) -> None:
    """Give a file space at once, where the file system can.

    The C library would otherwise imitate it by writing to every block, which costs more than it
    gains; it does not when the file is open for appending, and answers EBADF instead.
    """
    if not hasattr(os, "posix_fallocate"):
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        os.posix_fallocate(descriptor, position, size)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
    finally:
        os.close(descriptor)
