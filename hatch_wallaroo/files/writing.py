"""Files written whole or not at all: whoever reads one finds the new content or the old, never a part.

The new content is made in a file beside the old one, which it then takes the place of in one step. Whatever
fails before, an interruption as well, leaves no trace.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

PRIVATE = 0o600
"""For its owner alone."""

_NO_SECOND_NAME = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS}


def write_whole(path: Path, data: bytes, *, mode: int | None = None) -> None:
    """Write a file in one step, with the permissions of the one that is there. Raises OSError.

    A new file gets what the umask leaves; `mode` counts before both. A link stays one: what it leads to is written.
    """
    with replacing(path, mode=mode) as stream:
        stream.write(data)


@contextlib.contextmanager
def replacing(path: Path, *, mode: int | None = None) -> Iterator[BinaryIO]:
    """A stream whose content takes the place of a file when the block ends well; see :func:`write_whole`."""
    target = path.resolve()
    made = _made_beside(target)
    try:
        with made.open("w+b") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        made.chmod(_mode(target, mode))
        made.replace(target)
    except BaseException:
        made.unlink(missing_ok=True)
        raise


def write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet. Raises OSError: FileExistsError where something is, be it a broken link."""
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    made = _made_beside(path)
    try:
        made.write_bytes(data)
        made.chmod(_new_mode())
        made.rename(path)
    except BaseException:
        made.unlink(missing_ok=True)
        raise


def replace_all(moves: Sequence[tuple[Path, Path]], kept: Path) -> None:
    """Move finished files, each (new, place), to their places; where one cannot go, those before it come back.

    Of what is replaced a second name stays in the folder `kept`, which the caller removes. Raises OSError.
    """
    done: list[tuple[Path, Path | None]] = []
    try:
        for number, (new, place) in enumerate(moves):
            old = _second_name(place, kept / f"old-{number}")
            new.replace(place)
            done.append((place, old))
    except BaseException:
        for place, old in reversed(done):
            if old is None:
                place.unlink(missing_ok=True)
            else:
                old.replace(place)
        raise


def _made_beside(path: Path) -> Path:
    """A new empty file in the folder of another, which nobody but its owner can read yet."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
    os.close(handle)
    return Path(name)


def _mode(target: Path, mode: int | None) -> int:
    if mode is not None:
        return mode
    return stat.S_IMODE(target.stat().st_mode) if target.exists() else _new_mode()


def _new_mode() -> int:
    """What a new file may be used for, by the user's umask."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _second_name(path: Path, name: Path) -> Path | None:
    """Keep a second name (or, where the file system has none, a copy) of what will be replaced."""
    if not os.path.lexists(path):
        return None
    try:
        os.link(path, name, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_SECOND_NAME:
            raise
        shutil.copy2(path, name, follow_symlinks=False)
    return name
