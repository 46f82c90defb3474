"""What threads do for an archive, each for itself: pack small files, deflate parts of large ones, sample, check."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hatch_wallaroo.bundle.codecs import BLOCK, TRIED, WINDOW, Checksum, Choice, places, saves_enough, worth_deflating
from hatch_wallaroo.bundle.reading import Item, Reader
from hatch_wallaroo.bundle.zipformat import Header, Method, local_header

CHUNK = 1 << 20
"""Large files are deflated in parts of this many bytes; it is part of the format, as the codec is."""


class Task(NamedTuple):
    """An item under the name that it has in the archive."""

    item: Item
    name: bytes


class Packed(NamedTuple):
    """One of a batch, ready: its header, where it starts in the batch's bytes, and its content's SHA-256."""

    task: Task
    header: Header
    offset: int
    sha256: str


class Batch(NamedTuple):
    """Several small files, as the bytes that the archive gets."""

    data: bytearray
    members: list[Packed]


@dataclass(frozen=True)
class Worker:
    """The work itself. Nothing in it is shared between threads but the reader."""

    reader: Reader
    crc32: Checksum
    choice: Choice
    stamp: tuple[int, int]

    def batch(self, tasks: Sequence[Task], contents: Sequence[bytes]) -> Batch:
        """Check and pack small files."""
        batch = Batch(bytearray(), [])
        for task, data in zip(tasks, contents, strict=True):
            item = task.item
            method, content = self._pack_small(data)
            header = Header(task.name, item.executable, method, self.crc32(data, 0), len(data), len(content))
            batch.members.append(Packed(task, header, len(batch.data), hashlib.sha256(data).hexdigest()))
            batch.data.extend(local_header(header, self.stamp))
            batch.data.extend(content)
        return batch

    def _pack_small(self, data: bytes) -> tuple[Method, bytes]:
        codec, size = self.choice.codec, len(data)
        if codec is None or not size:
            return "stored", data
        if self.choice.sampled and size > TRIED:
            view = memoryview(data)
            if not worth_deflating(places(size), lambda offset: bytes(view[offset : offset + BLOCK]), codec):
                return "stored", data
        packed = codec.deflate(data)
        good = saves_enough(size, len(packed)) if self.choice.sampled and size <= TRIED else len(packed) < size
        return ("deflate", packed) if good else ("stored", data)

    def decide(self, task: Task) -> Method:
        """Whether a large file is deflated."""
        if self.choice.codec is None:
            return "stored"
        if not self.choice.sampled:
            return "deflate"
        offsets = places(task.item.size)
        with self.reader.opened(task.item) as stream:
            if task.item.seekable:
                deflated = worth_deflating(
                    offsets, lambda offset: self.reader.read_on(task.item, stream, offset, BLOCK), self.choice.codec
                )
            else:  # going back would unpack it anew
                blocks = {offset: self.reader.read_on(task.item, stream, offset, BLOCK) for offset in offsets}
                deflated = worth_deflating(offsets, blocks.__getitem__, self.choice.codec)
        return "deflate" if deflated else "stored"

    def sha256(self, task: Task) -> str:
        """The digest of a file's content."""
        digest = hashlib.sha256()
        for block in self.reader.blocks(task.item):
            digest.update(block)
        return digest.hexdigest()

    def checksum(self, task: Task, start: int, end: int) -> int:
        """The crc32 of a part of a plain file."""
        crc = 0
        for block in self.reader.blocks(task.item, start, end):
            crc = self.crc32(block, crc)
        return crc

    def chunk_at(self, task: Task, start: int) -> tuple[bytes, int, int]:
        """A part of a plain file, deflated; with its crc32 and its size."""
        before = min(start, WINDOW)
        end = min(start + CHUNK, task.item.size)
        with self.reader.opened(task.item) as stream:
            data = memoryview(self.reader.read_on(task.item, stream, start - before, before + end - start))
        return self.chunk(data[before:], data[:before], last=end == task.item.size)

    def chunk(self, data: memoryview, dictionary: memoryview, *, last: bool) -> tuple[bytes, int, int]:
        """The same, when it was read already."""
        if self.choice.codec is None:
            raise ValueError("nothing is deflated without a codec")
        return self.choice.codec.deflate(data, dictionary, last=last), self.crc32(data, 0), len(data)
