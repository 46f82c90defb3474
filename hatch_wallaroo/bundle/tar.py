"""A bundle as a tar, the form in which an engine takes a build context: bytes that depend on its entries alone."""

from __future__ import annotations

import contextlib
import hashlib
import tarfile
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from hatch_wallaroo.bundle.archive import FIRST_DATE, Archive, Written
from hatch_wallaroo.bundle.output import Output
from hatch_wallaroo.bundle.reading import Item, Reader
from hatch_wallaroo.bundle.rules import NO_ENTRIES, ArchiveError
from hatch_wallaroo.files.sources import Entry

_BLOCK = tarfile.BLOCKSIZE
_SETTLED_FROM = 4 << 20


def write_tar(entries: Sequence[Entry], destination: Path, *, date: datetime = FIRST_DATE) -> Archive:
    """Write entries, in their order, as an uncompressed tar. Whatever happens, no part of a file is left there.

    Every entry belongs to root, has the mode 0644 (or 0755 where its source can be executed) and the same date.
    Raises ArchiveError (ChangedError and UnreadableError among them) for the sources, OSError for the destination.
    """
    if not entries:
        raise ArchiveError(NO_ENTRIES.finding("the bundle has no files", fix="declare the files that belong to it"))
    seconds = int(date.replace(tzinfo=date.tzinfo or timezone.utc).timestamp())
    with contextlib.closing(Reader()) as reader:
        items = [reader.look(entry) for entry in entries]
        with Output(destination, reader) as output:
            written = tuple(_append(output, reader, item, seconds) for item in items)
            start = output.position
            output.write(bytes(2 * _BLOCK))
            output.settle(start)
            return Archive(destination, output.position, output.digest(), written, "stored")


def _append(output: Output, reader: Reader, item: Item, seconds: int) -> Written:
    digest = hashlib.sha256()
    settled = output.position
    output.write(_header(item, seconds))
    for block in reader.blocks(item):
        digest.update(block)
        output.write(block)
        if output.position - settled >= _SETTLED_FROM:
            output.settle(settled)
            settled = output.position
    output.write(bytes(-item.size % _BLOCK))
    output.settle(settled)
    return Written(item.entry.path, item.size, digest.hexdigest(), "stored")


def _header(item: Item, seconds: int) -> bytes:
    """The plain old header where path and size fit into it, else one of POSIX 2001 before it."""
    info = tarfile.TarInfo(item.entry.path)
    info.size = item.size
    info.mtime = seconds
    info.mode = 0o755 if item.executable else 0o644
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
