"""Changed files put in their places, all or none: each is made beside the old one first, then they are swapped."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hatch_wallaroo.files.zip_editing import UnusualZipError, without
from hatch_wallaroo.files.zip_reading import member_names
from hatch_wallaroo.fixes.changes import TextFile, ZipFile


class WriteError(Exception):
    """Nothing was changed; the message says which file is in the way and why, `fix` how to go on."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.fix = fix


@dataclass(frozen=True)
class _Made:
    """A file's new content, in `new` beside it, and a second name for the old one until all are swapped."""

    file: TextFile | ZipFile
    new: Path
    old: Path


def write(files: Iterable[TextFile | ZipFile]) -> None:
    """Write all files. Raises WriteError, and then every file is what it was."""
    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(_prepared(each)) for each in files]
        try:
            for each in made:
                _swap(each)
        except BaseException as error:
            for each in made:
                _go_back(each)
            if isinstance(error, OSError):
                raise WriteError(f"a file cannot be written: {error}") from error
            raise


@contextlib.contextmanager
def _prepared(file: TextFile | ZipFile) -> Iterator[_Made]:
    """Make the new file beside the old one, and take both helpers away in the end."""
    path = file.path
    try:
        mode = path.stat().st_mode
        if not (stat.S_IMODE(mode) & 0o222 and os.access(path, os.W_OK)):
            raise WriteError(f"{file.file} is read-only", f"make it writable: chmod u+w {file.file}")
        folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name[:100]}."))
    except OSError as error:
        raise WriteError(f"{file.file} cannot be written: {error.strerror or error}") from error
    made = _Made(file, folder / "new", folder / "old")
    try:
        _write_new(made, stat.S_IMODE(mode))
        yield made
    except BaseException as error:
        # Where even going back has failed, the old file is still in there.
        if not made.old.exists():
            shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise WriteError(f"{file.file} cannot be written: {error.strerror or error}") from error
        raise
    shutil.rmtree(folder, ignore_errors=True)


def _write_new(made: _Made, mode: int) -> None:
    file = made.file
    with made.new.open("w+b") as stream:
        if isinstance(file, TextFile):
            stream.write(file.after)
        else:
            try:
                without(file.path, stream, file.members)
            except UnusualZipError as error:
                fix = "zip its folder again, with a tool that leaves nothing of its own in it"
                raise WriteError(f"{file.file} is left as it is: {error}", fix) from error
        stream.flush()
        os.fsync(stream.fileno())
    made.new.chmod(mode)


def _swap(made: _Made) -> None:
    """Put the new file in the old one's place, if that is still the one that was looked at."""
    file = made.file
    same = (
        file.path.read_bytes() == file.before
        if isinstance(file, TextFile)
        else file.members <= set(member_names(file.path))
    )
    if not same:
        raise WriteError(f"{file.file} was changed meanwhile", "run the command again")
    try:
        os.link(file.path, made.old)
    except OSError:  # a file system without a second name for a file
        shutil.copy2(file.path, made.old)
    made.new.replace(file.path)


def _go_back(made: _Made) -> None:
    if not made.old.exists():
        return
    if made.old.samefile(made.file.path):
        made.old.unlink()
    else:
        made.old.replace(made.file.path)
