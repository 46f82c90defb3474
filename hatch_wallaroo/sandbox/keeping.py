"""Uploaded files, kept while a version of theirs may be deployed: in one folder, within bounds, gone at the end."""

from __future__ import annotations

import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_LONGEST_NAME = 100


class NoRoomError(Exception):
    """A file does not fit beside those that are in use."""


@dataclass(frozen=True)
class _File:
    path: Path
    size: int


class Kept:
    """The files of uploads by their version's own name; the oldest go where all together are more than `most` bytes."""

    def __init__(self, folder: Path, most: int) -> None:
        self._folder, self._most = folder, most
        self._files: dict[str, _File] = {}
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()
        folder.mkdir(mode=0o700)

    def keep(self, version: str, file: Path, name: str, size: int) -> None:
        """Move a file here, and remove older ones that nobody holds where it needs their room. Raises NoRoomError."""
        with self._lock:
            free = self._most - sum(each.size for each in self._files.values()) - size
            old = [each for each in self._files if not self._held[each]]
            if free + sum(self._files[each].size for each in old) < 0:
                raise NoRoomError(f"the sandbox keeps {self._most} bytes of uploads for its runtime")
            for each in old:
                if free >= 0:
                    break
                free += self._files[each].size
                self._remove(each)
            place = self._folder / version
            place.mkdir(mode=0o700)
            path = place / (PurePosixPath(name).name[-_LONGEST_NAME:] or "model")
            file.replace(path)
            self._files[version] = _File(path, size)

    def path(self, version: str) -> Path | None:
        """Where a version's file is; None where it was removed, or is of an earlier start."""
        with self._lock:
            found = self._files.get(version)
        return found.path if found else None

    @contextmanager
    def held(self, version: str) -> Iterator[Path | None]:
        """A version's file, which stays for as long as the block runs."""
        with self._lock:
            self._held[version] += 1
        try:
            yield self.path(version)
        finally:
            with self._lock:
                self._held[version] -= 1

    def close(self) -> None:
        """Remove all of them."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _remove(self, version: str) -> None:
        found = self._files.pop(version)
        shutil.rmtree(found.path.parent, ignore_errors=True)
