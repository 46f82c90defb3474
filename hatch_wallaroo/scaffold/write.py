"""Write a new repository whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from errno import EEXIST
from pathlib import Path

from hatch_wallaroo.files.writing import write_new
from hatch_wallaroo.findings import PYPROJECT
from hatch_wallaroo.scaffold.repository import ScaffoldFile
from hatch_wallaroo.scaffold.requested import Problem, ScaffoldError
from hatch_wallaroo.text import describe_error


def write(files: Sequence[ScaffoldFile], folder: Path) -> None:
    """Write the files into a folder that is not there yet, or is empty. Raises ScaffoldError.

    All files are written beside the folder first, and come to their place by one rename. A folder that is there
    stays what it is, with its rights and whoever stands in it: the files are written into it under another name,
    and then moved up one by one; pyproject.toml is the last. Whatever fails, an interruption as well, what was
    written goes away again, and so do the folders above that were made for it.
    """
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 - `..` goes, links stay
    try:
        _judge(folder)
        if folder.is_dir():
            _fill(files, folder)
        else:
            _make(files, folder)
    except OSError as error:
        raise _unwritable(folder, error) from error


def write_file(data: bytes, path: Path) -> None:
    """Write one file that is not there yet, whole or not at all. Raises ScaffoldError."""
    try:
        write_new(path, data)
    except FileExistsError:
        raise ScaffoldError([Problem(f"{path} is there already", "it is left as it is")]) from None
    except OSError as error:
        raise _unwritable(path, error) from error


def _judge(folder: Path) -> None:
    """Refuse a place where something is already."""
    if folder.is_dir():
        if any(folder.iterdir()):
            fix = "give another name, another place, or empty it; `hatch-wallaroo init` is for a project that is there"
            raise ScaffoldError([Problem(f"the folder {folder} is not empty", fix)])
    elif os.path.lexists(folder):
        what = "a link that leads nowhere" if folder.is_symlink() else "a file"
        raise ScaffoldError([Problem(f"{folder} is {what}", "give another name, or another place")])


def _make(files: Sequence[ScaffoldFile], folder: Path) -> None:
    """Write beside the folder's place, and rename."""
    with _parents(folder.parent):
        made = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
        with _removed(made):
            _write_all(files, made)
            made.rename(folder)


def _fill(files: Sequence[ScaffoldFile], folder: Path) -> None:
    """Write inside the folder, and move up."""
    made = folder / f".new.{secrets.token_hex(4)}"
    with _removed(made):
        _write_all(files, made)
        sources = sorted(made.iterdir(), key=lambda each: (each.name == PYPROJECT, each.name))
        try:
            for source in sources:
                _move(source, folder / source.name)
            made.rmdir()
        except BaseException:
            for source in sources:
                if not os.path.lexists(source):
                    _remove(folder / source.name)
            raise


def _move(source: Path, target: Path) -> None:
    """Rename, but never over what somebody else has put there meanwhile."""
    if os.path.lexists(target):
        raise FileExistsError(EEXIST, "somebody else writes there too", str(target))
    source.rename(target)


def _write_all(files: Sequence[ScaffoldFile], folder: Path) -> None:
    folder.mkdir()
    for path, data in files:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        _write(target, data)


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as stream:
        stream.write(data)


@contextmanager
def _removed(path: Path) -> Iterator[None]:
    """What is still at this path when something fails goes away."""
    try:
        yield
    except BaseException:
        _remove(path)
        raise


@contextmanager
def _parents(folder: Path) -> Iterator[None]:
    """Makes the folders above; those that were not there before go away again when something fails."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    try:
        for each in reversed(missing):
            each.mkdir(exist_ok=True)
        yield
    except BaseException:
        with suppress(OSError):
            for each in missing:
                each.rmdir()
        raise


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _unwritable(folder: Path, error: OSError) -> ScaffoldError:
    """What the system said, without the name of a file that is gone again."""
    message = f"{folder} cannot be written: {describe_error(error)}; nothing was left behind"
    return ScaffoldError([Problem(message)], misused=False)
