"""Reading what goes into a bundle: in blocks, by several threads, and never unnoticed while it changes.

A file is identified before anything is read, and looked at again before and after
each reading: whoever reads, reads the same file.
"""

from __future__ import annotations

import contextlib
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeAlias, cast

from hatch_wallaroo.bundle.rules import ArchiveError, ChangedError, UnreadableError
from hatch_wallaroo.files.sources import Entry, FileSource, TextSource, ZipMember
from hatch_wallaroo.files.zip_reading import archives_kept_open

BLOCK = 256 * 1024
"""Bytes read at once: less costs calls, more leaves the processor's cache."""

Mark: TypeAlias = tuple[int, ...]
"""What tells a file from its other versions: device, inode, size, times of change."""


_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0)


class StoppedError(Exception):
    """Another thread failed; this one stopped where it was."""


class Item(NamedTuple):
    """An entry, looked at: its size in bytes, and the file that holds it (for generated text: none)."""

    entry: Entry
    size: int
    executable: bool
    file: Path | None
    mark: Mark

    @property
    def seekable(self) -> bool:
        """Whether any thread may read any part of it at once: true for plain files."""
        return isinstance(self.entry.source, FileSource)


class Reader:
    """Reads items for all threads of one run; `stop` ends the reading of all of them. Close it at the end."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self._archives: contextlib.ExitStack | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        if self._archives:
            self._archives.close()

    def look(self, entry: Entry) -> Item:
        """Identify an entry's file without reading it.

        Raises UnreadableError where there is no regular file.
        """
        source = entry.source
        if isinstance(source, TextSource):
            return Item(entry, source.size, executable=False, file=None, mark=())
        path = source.path if isinstance(source, FileSource) else source.archive
        try:
            found = path.stat()
        except OSError as error:
            raise UnreadableError(entry, error) from error
        if not stat.S_ISREG(found.st_mode):
            raise UnreadableError(entry, OSError("it is not a file"))
        if isinstance(source, ZipMember):
            return Item(entry, source.size, source.executable, path, _mark(found))
        return Item(entry, found.st_size, bool(found.st_mode & stat.S_IXUSR), path, _mark(found))

    @contextlib.contextmanager
    def opened(self, item: Item) -> Iterator[BinaryIO]:
        """Open an item's content, unbuffered; what fails inside is told as a failure to read it.

        Raises ChangedError where the file is not the one that was looked at, before or afterwards.
        """
        source = item.entry.source
        try:
            if isinstance(source, TextSource):
                with source.open() as stream:
                    yield stream
            elif isinstance(source, FileSource):
                with source.path.open("rb", buffering=0) as stream:
                    _check(item, os.fstat(stream.fileno()))
                    yield cast("BinaryIO", stream)
                    _check(item, os.fstat(stream.fileno()))
            else:
                with self._member(item, source) as stream:
                    yield stream
        except (ArchiveError, StoppedError):
            raise
        except OSError as error:
            raise UnreadableError(item.entry, error) from error

    @contextlib.contextmanager
    def _member(self, item: Item, source: ZipMember) -> Iterator[BinaryIO]:
        _check(item, source.archive.stat())
        with self._lock:
            if self._archives is None:
                self._archives = contextlib.ExitStack()
                self._archives.enter_context(archives_kept_open())
        with source.open() as stream:
            yield stream
        _check(item, source.archive.stat())

    def blocks(self, item: Item, start: int = 0, end: int | None = None) -> Iterator[memoryview]:
        """A part of an item's content, in blocks that are valid until the next one is asked for.

        Raises ChangedError or UnreadableError where there is less, or more than there was, and StoppedError when
        `stop` is set.
        """
        left = (item.size if end is None else end) - start
        buffer = memoryview(bytearray(min(BLOCK, max(left, 1))))
        with self.opened(item) as stream:
            if start:
                stream.seek(start)
            while left:
                if self.stop.is_set():
                    raise StoppedError
                count = stream.readinto(buffer[:left])  # type: ignore[attr-defined] # all of ours have it
                if not count:
                    raise self._short(item)
                left -= count
                yield buffer[:count]
            if end is None and stream.read(1):
                raise self._short(item)

    def read(self, item: Item) -> bytes:
        """The content of a small item at once. As many as there may be, each call to the system counts."""
        if not item.seekable or item.file is None:
            with self.opened(item) as stream:
                return self.read_on(item, stream, 0, item.size)
        try:
            descriptor = os.open(item.file, _READ)
            try:
                data = os.read(descriptor, item.size + 1)
                _check(item, os.fstat(descriptor))
            finally:
                os.close(descriptor)
        except OSError as error:
            raise UnreadableError(item.entry, error) from error
        if len(data) != item.size:
            raise self._short(item)
        return data

    def read_on(self, item: Item, stream: BinaryIO, start: int, length: int) -> bytes:
        """A part of an item's content, from a stream that is open."""
        if start:
            stream.seek(start)
        data = stream.read(length)
        while len(data) < length:
            more = stream.read(length - len(data))
            if not more:
                raise self._short(item)
            data += more
        return data

    @staticmethod
    def _short(item: Item) -> ArchiveError:
        if isinstance(item.entry.source, ZipMember):
            return UnreadableError(item.entry, EOFError("its size is not what the archive says"))
        return ChangedError(item.entry)


def _mark(found: os.stat_result) -> Mark:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _check(item: Item, found: os.stat_result) -> None:
    if _mark(found) != item.mark:
        raise ChangedError(item.entry)
