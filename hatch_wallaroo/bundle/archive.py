"""Writing a bundle: a zip whose bytes depend on nothing but its entries, or a bare file; and every digest of it.

Small files are packed by threads, a batch at a time. A large file is stored by
sharing or copying its blocks, or deflated in parts on threads. Digests are taken
meanwhile by threads that read the files again. What is held in memory does not
grow with what is packed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from hatch_wallaroo.bundle.codecs import WINDOW, Codecs, Compression, Profile, choose, combine, installed
from hatch_wallaroo.bundle.output import Output
from hatch_wallaroo.bundle.packing import CHUNK, Batch, Task, Worker
from hatch_wallaroo.bundle.reading import Reader
from hatch_wallaroo.bundle.rules import NO_ENTRIES, ArchiveError, ChangedError, CodecError, UnreadableError
from hatch_wallaroo.bundle.zipformat import (
    Header,
    Method,
    central_header,
    dos_stamp,
    encoded_names,
    end_records,
    local_header,
    may_outgrow,
)
from hatch_wallaroo.files.sources import Entry
from hatch_wallaroo.findings import Finding

__all__ = [
    "Archive", "ArchiveError", "ChangedError", "CodecError", "UnreadableError", "Written", "write_file", "write_zip",
]  # fmt: skip

FIRST_DATE = datetime(1980, 1, 1)  # noqa: DTZ001 – DOS dates have no zone
"""The date of entries where nobody says another: the first that a zip can hold."""

LARGE = 1 << 20
"""Files above this size (bytes) are not read at once."""

_BATCH_FILES = 32
_BATCH_BYTES = 1 << 20
_MOST_THREADS = 8
_CHECKED_AT_ONCE = 16 << 20


@dataclass(frozen=True)
class Written:
    """One entry as it went in: `size` (bytes) and `sha256` are its content's, unpacked."""

    path: str
    size: int
    sha256: str
    method: Method


@dataclass(frozen=True)
class Archive:
    """A finished file. `profile`: which codec made its deflated entries; `stored` where there are none.

    `findings` say what a user should know about how it was made.
    """

    path: Path
    size: int
    sha256: str
    entries: tuple[Written, ...]
    profile: Profile
    findings: tuple[Finding, ...] = ()


def write_zip(
    entries: Sequence[Entry],
    destination: Path,
    *,
    compression: Compression,
    date: datetime = FIRST_DATE,
    codecs: Codecs | None = None,
    threads: int | None = None,
) -> Archive:
    """Write entries, in their order, as a zip. Whatever happens, no part of a file is left at `destination`.

    The same entries give the same bytes on every machine, with any number of `threads`, unless the compression is
    `fast`. `date` is every entry's, read as it stands; `codecs` are those installed.

    Raises ArchiveError: CodecError where the compression needs a library that is not there, ChangedError and
    UnreadableError for a source, or itself for paths that an archive cannot hold. OSError comes from writing alone.
    """
    if not entries:
        raise ArchiveError(NO_ENTRIES.finding("the bundle has no files", fix="declare the files that belong to it"))
    codecs = codecs or installed()
    choice = choose(compression, codecs)
    names = encoded_names(entries)
    threads = threads or min(_MOST_THREADS, os.cpu_count() or 1)
    with contextlib.closing(Reader()) as reader:
        tasks = [Task(reader.look(entry), name) for entry, name in zip(entries, names, strict=True)]
        worker = Worker(reader, codecs.crc32, choice, dos_stamp(date))
        with (
            _pool(threads, "archive") as pool,
            _pool(max(1, threads - 1), "archive-hash") as hashers,
            Output(destination, reader) as output,
        ):
            writer = _Writer(output, worker, pool, hashers, threads)
            writer.append(tasks)
            return writer.finish(choice.findings)


def write_file(entry: Entry, destination: Path) -> Archive:
    """Copy a bare model file, its blocks shared where the file system can. Leaves no part of a file behind.

    Raises ChangedError and UnreadableError for the source, OSError for the destination.
    """
    with contextlib.closing(Reader()) as reader:
        item = reader.look(entry)
        with Output(destination, reader) as output:
            if item.seekable:
                output.take(item)
            else:
                for block in reader.blocks(item):
                    output.write(block)
                output.settle(0)
            digest = output.digest()
            written = Written(entry.path, item.size, digest, "stored")
            return Archive(destination, output.position, digest, (written,), "stored")


@contextlib.contextmanager
def _pool(threads: int, name: str) -> Iterator[ThreadPoolExecutor]:
    pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class _Done(NamedTuple):
    """An entry that stands in the archive. Its digest may still be on the way."""

    task: Task
    header: Header
    position: int
    sha256: str | Future[str]


class _Writer:
    """The one thread that writes: everything in order, while others prepare what comes next."""

    def __init__(
        self, output: Output, worker: Worker, pool: ThreadPoolExecutor, hashers: ThreadPoolExecutor, threads: int
    ) -> None:
        self._output = output
        self._worker = worker
        self._pool = pool
        self._hashers = hashers
        self._threads = threads
        self._done: list[_Done] = []

    def append(self, tasks: Sequence[Task]) -> None:
        """Write tasks in order. A few steps ahead, batches are packed and large files sampled."""
        groups = _groups(tasks)
        ahead: deque[tuple[Task, Future[Batch] | Future[Method]]] = deque()
        while True:
            while len(ahead) < self._threads + 2 and (group := next(groups, None)):
                ahead.append((group[0], self._prepare(group)))
            if not ahead:
                return
            task, future = ahead.popleft()
            prepared = future.result()
            if isinstance(prepared, Batch):
                self._batch(prepared)
            elif prepared == "deflate":
                self._deflated(task)
            elif task.item.seekable:
                self._stored(task)
            else:
                self._streamed(task)

    def _prepare(self, group: Sequence[Task]) -> Future[Batch] | Future[Method]:
        """Hand a large file, or a batch that is read here, to the other threads.

        Reading small files is many short calls. Threads that make them side by side wait for each other's turn in
        the interpreter; one thread is faster.
        """
        if group[0].item.size > LARGE:
            return self._pool.submit(self._worker.decide, group[0])
        return self._pool.submit(self._worker.batch, group, [self._worker.reader.read(task.item) for task in group])

    def finish(self, findings: tuple[Finding, ...]) -> Archive:
        """Write the directory, and wait for the digests."""
        output, stamp = self._output, self._worker.stamp
        position = output.position
        pending = bytearray()
        for done in self._done:
            pending += central_header(done.header, stamp, done.position)
            if len(pending) >= LARGE:
                output.write(pending)
                pending = bytearray()
        output.write(pending)
        output.write(end_records(len(self._done), position, output.position - position))
        output.settle(position)
        entries = tuple(
            Written(
                done.task.item.entry.path,
                done.header.size,
                done.sha256 if isinstance(done.sha256, str) else done.sha256.result(),
                done.header.method,
            )
            for done in self._done
        )
        codec = self._worker.choice.codec
        profile = codec.name if codec and any(entry.method == "deflate" for entry in entries) else "stored"
        return Archive(output.path, output.position, output.digest(), entries, profile, findings)

    def _batch(self, batch: Batch) -> None:
        start = self._output.position
        self._output.write(batch.data)
        self._output.settle(start)
        self._done += [_Done(each.task, each.header, start + each.offset, each.sha256) for each in batch.members]

    def _stored(self, task: Task) -> None:
        """A large plain file. Its checksum is taken first: then the header is final, and digests can start."""
        item, output, position = task.item, self._output, self._output.position
        digest = self._hashers.submit(self._worker.sha256, task)
        header = Header(task.name, item.executable, "stored", self._checksum(task), item.size, item.size)
        output.write(local_header(header, self._worker.stamp, position=position, aligned=True))
        output.settle(position)
        # Checked once more while it is copied, unless that would cost as much as the copy does.
        copied = output.take(item, None if self._worker.crc32 is zlib.crc32 else self._worker.crc32)
        if copied not in {None, header.crc}:
            raise ChangedError(item.entry)
        self._done.append(_Done(task, header, position, digest))

    def _checksum(self, task: Task) -> int:
        size = task.item.size
        if size <= _CHECKED_AT_ONCE:
            return self._worker.checksum(task, 0, size)
        step = max(_CHECKED_AT_ONCE, -(-size // (4 * self._threads)))
        ranges = [(start, min(start + step, size)) for start in range(0, size, step)]
        parts = [self._pool.submit(self._worker.checksum, task, *each) for each in ranges]
        crc = 0
        for (start, end), part in zip(ranges, parts, strict=True):
            crc = combine(crc, part.result(), end - start)
        return crc

    def _streamed(self, task: Task) -> None:
        """Something large that can only be read from its start, once."""
        item, output = task.item, self._output
        header = Header(task.name, item.executable, "stored", 0, item.size, item.size)
        digest, crc, position = hashlib.sha256(), 0, output.position
        output.write(local_header(header, self._worker.stamp, position=position, aligned=True))
        for block in self._worker.reader.blocks(item):
            crc = self._worker.crc32(block, crc)
            digest.update(block)
            output.write(block)
        self._amend(header._replace(crc=crc), task, position, digest.hexdigest(), aligned=True)

    def _deflated(self, task: Task) -> None:
        item, output, position = task.item, self._output, self._output.position
        header = Header(task.name, item.executable, "deflate", 0, item.size, 0, roomy=may_outgrow(item.size))
        output.write(local_header(header, self._worker.stamp))
        start, crc = output.position, 0
        inline = hashlib.sha256()
        parts = self._parts(task) if item.seekable else self._parts_in_order(task, inline)
        ahead: deque[Future[tuple[bytes, int, int]]] = deque()
        while True:
            while len(ahead) < self._threads + 2 and (part := next(parts, None)):
                ahead.append(part)
            if not ahead:
                break
            packed, checksum, length = ahead.popleft().result()
            output.write(packed)
            crc = combine(crc, checksum, length)
        digest = self._hashers.submit(self._worker.sha256, task) if item.seekable else inline.hexdigest()
        self._amend(header._replace(crc=crc, packed=output.position - start), task, position, digest)

    def _parts(self, task: Task) -> Iterator[Future[tuple[bytes, int, int]]]:
        for start in range(0, task.item.size, CHUNK):
            yield self._pool.submit(self._worker.chunk_at, task, start)

    def _parts_in_order(self, task: Task, digest: hashlib._Hash) -> Iterator[Future[tuple[bytes, int, int]]]:
        reader, item, before = self._worker.reader, task.item, memoryview(b"")
        with reader.opened(item) as stream:
            for start in range(0, item.size, CHUNK):
                length = min(CHUNK, item.size - start)
                data = memoryview(reader.read_on(item, stream, 0, length))
                digest.update(data)
                yield self._pool.submit(self._worker.chunk, data, before, last=start + length == item.size)
                before = data[-WINDOW:]

    def _amend(
        self, header: Header, task: Task, position: int, digest: str | Future[str], *, aligned: bool = False
    ) -> None:
        """Write an entry's local header again, now that its sizes and checksum are known."""
        local = local_header(header, self._worker.stamp, position=position, aligned=aligned)
        self._output.patch(position, local)
        self._output.settle(position)
        self._done.append(_Done(task, header, position, digest))


def _groups(tasks: Sequence[Task]) -> Iterator[list[Task]]:
    """Large files alone, small ones in batches; the order stays."""
    batch: list[Task] = []
    total = 0
    for task in tasks:
        size = task.item.size
        if batch and (size > LARGE or len(batch) == _BATCH_FILES or total + size > _BATCH_BYTES):
            yield batch
            batch, total = [], 0
        if size > LARGE:
            yield [task]
        else:
            batch.append(task)
            total += size
    if batch:
        yield batch
