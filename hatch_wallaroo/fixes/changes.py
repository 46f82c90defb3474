"""Fixes made: first in memory, as far as the files' text allows them, then on the disk, all files or none.

Of a TOML document all other text stays as it is, and of a file of lines, such as requirements.txt, its comments and its
ends of lines.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hatch_wallaroo.config.toml.editing import Edit, EditError
from hatch_wallaroo.config.toml.values import line
from hatch_wallaroo.files.writing import replace_all
from hatch_wallaroo.findings import FixableError
from hatch_wallaroo.fixes.model import (
    AddLine,
    Append,
    Change,
    ChangeLine,
    Drop,
    Fix,
    Key,
    NoByteOrderMark,
    Rename,
    Replace,
    SetTo,
    TomlChange,
)
from hatch_wallaroo.text import describe_error, key_text

_LARGEST = 16 << 20
_MARK = "\ufeff".encode()
_NEW = "new"


@dataclass(frozen=True)
class ChangedFile:
    """A text file that changes. `file` is the project's name for it, `path` absolute, links followed."""

    file: str
    path: Path
    before: bytes
    after: bytes

    def difference(self) -> str:
        """The difference, as a patch has it."""
        old, new = (each.decode(errors="replace").splitlines() for each in (self.before, self.after))
        made = "\n".join(difflib.unified_diff(old, new, f"a/{self.file}", f"b/{self.file}", lineterm=""))
        return made or f"--- a/{self.file}\n+++ b/{self.file}\n(ends of lines)"


@dataclass(frozen=True)
class Changed:
    """The files that change, by name, and the fixes that are made by it."""

    files: tuple[ChangedFile, ...]
    done: tuple[Fix, ...]


class NotAllowedError(Exception):
    """A fix that the project's files as they are do not allow."""


class WriteError(FixableError):
    """Nothing was changed; the message says which file is in the way and why, `fix` how to go on."""


def apply(root: Path, fixes: Iterable[Fix]) -> Changed:
    """Make fixes one after another, in memory; one that its file does not allow is not among those done."""
    texts: dict[str, _Text] = {}
    done = []
    for fix in sorted(fixes, key=_order):
        try:
            text = texts.get(fix.file) or _read(_inside(root, fix.file), fix.file)
            text.make(fix.changes)
        except NotAllowedError:
            continue
        texts[fix.file] = text
        done.append(fix)
    files = [ChangedFile(file, each.path, each.before, each.after) for file, each in sorted(texts.items())]
    return Changed(tuple(each for each in files if each.before != each.after), tuple(done))


def write(files: Iterable[ChangedFile]) -> None:
    """Write all files. Raises WriteError, and then every file is what it was."""
    with contextlib.ExitStack() as stack:
        made = [(file, _made_beside(file, stack)) for file in files]
        for file, _ in made:
            if not _stands(file.path, file.before):
                raise WriteError(f"{file.file} was changed meanwhile", "run the command again")
        try:
            if made:
                replace_all([(folder / _NEW, file.path) for file, folder in made], kept=made[0][1])
        except BaseException as error:
            if not all(_stands(file.path, file.before) for file, _ in made):
                stack.pop_all()  # even going back has failed: the old files are still in the folders
            if isinstance(error, OSError):
                raise WriteError(f"a file cannot be written: {error}") from error
            raise


def _stands(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except OSError:
        return False


def _made_beside(file: ChangedFile, stack: contextlib.ExitStack) -> Path:
    """A folder beside a file, with its new content; it goes with the stack."""
    path = file.path
    try:
        mode = path.stat().st_mode
        if not (stat.S_IMODE(mode) & 0o222 and os.access(path, os.W_OK)):
            raise WriteError(f"{file.file} is read-only", f"make it writable: chmod u+w {file.file}")
        folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name[:100]}."))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        _write_new(folder / _NEW, file.after, stat.S_IMODE(mode))
    except OSError as error:
        raise WriteError(f"{file.file} cannot be written: {describe_error(error)}") from error
    return folder


def _write_new(path: Path, data: bytes, mode: int) -> None:
    with path.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    path.chmod(mode)


@dataclass
class _Text:
    """A text file on its way: `edit` is there for TOML, whose mark at the beginning is not part of its text."""

    path: Path
    before: bytes
    after: bytes
    edit: Edit | None = None

    def make(self, changes: tuple[Change, ...]) -> None:
        """Make all changes or none. Raises NotAllowedError."""
        kept = self.after
        try:
            if isinstance(changes[0], TomlChange):
                self.edit = self.edit or Edit(self.path)
            with self.edit.whole() if self.edit is not None else contextlib.nullcontext():
                for each in changes:
                    self._make(each)
        except (EditError, NotAllowedError) as error:
            self.after = kept
            raise NotAllowedError(str(error)) from error

    def _make(self, change: Change) -> None:
        mark = _MARK if self.after.startswith(_MARK) else b""
        if isinstance(change, NoByteOrderMark):
            self.after = self.after.removeprefix(_MARK)
        elif isinstance(change, (AddLine, ChangeLine)):
            self.after = mark + _changed_lines(self.after.removeprefix(mark), change)
        elif self.edit is not None:
            _change_toml(self.edit, change)
            self.after = mark + self.edit.after.encode()


def _change_toml(edit: Edit, wanted: TomlChange) -> None:
    """Make one change. Raises EditError."""
    match wanted:
        case SetTo(key, value):
            _set(edit, key, value)
        case Rename(old, new):
            edit.rename(old, new)
        case Append(key, value):
            edit.set(key, [*_list(edit, key), value])
        case Replace(key, old_item, new_item):
            edit.set(key, [new_item if each == old_item else each for each in _list(edit, key)])
        case Drop(key, None):
            edit.remove(key)
        case Drop(key, value):
            edit.set(key, [each for each in _list(edit, key) if each != value])


def _set(edit: Edit, key: Key, value: Any) -> None:
    known = edit.get(key)
    if isinstance(value, Mapping) and known is not None and not isinstance(known, Mapping):
        # A table gets a header and lines of its own, in the place of a value on one line.
        edit.remove(key)
        edit.add_table(key_text(key), "".join(line((name,), each) for name, each in value.items()))
    else:
        edit.set(key, value)


def _list(edit: Edit, key: Key) -> list[Any]:
    found = edit.get(key)
    if found is not None and not isinstance(found, list):
        raise EditError(f"{key_text(key)} is no list")
    return list(found or [])


def _changed_lines(data: bytes, wanted: AddLine | ChangeLine) -> bytes:
    """The content of a file of lines with a change made in it. Raises NotAllowedError."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise NotAllowedError("it is not UTF-8") from error
    return (_added(text, wanted.line) if isinstance(wanted, AddLine) else _changed(text, wanted)).encode()


def _added(text: str, line: str) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    gap = newline if text and not text.endswith("\n") else ""
    if text.rstrip("\r\n").endswith("\\"):
        raise NotAllowedError("its last line goes on")
    return f"{text}{gap}{line}{newline}"


def _changed(text: str, wanted: ChangeLine) -> str:
    lines = text.splitlines(keepends=True)
    line = lines[wanted.number - 1] if wanted.number <= len(lines) else ""
    bare = line.strip()
    rest = bare.removeprefix(wanted.old)
    if not bare.startswith(wanted.old) or (rest and not rest.lstrip().startswith("#")):
        raise NotAllowedError(f"line {wanted.number} says something else")
    lines[wanted.number - 1] = line.replace(wanted.old, wanted.new, 1) if wanted.new is not None else ""
    return "".join(lines)


def _inside(root: Path, file: str) -> Path:
    """The absolute path of a project's file, links followed. Raises NotAllowedError where that leads out of it."""
    path = (root / file).resolve()
    if not path.is_relative_to(root.resolve()):
        raise NotAllowedError(f"{file} lies outside the project")
    return path


def _order(fix: Fix) -> tuple[int, int]:
    """Lines from the end on, so that numbers stay true; new names of keys after all that calls them by the old."""
    first = fix.changes[0]
    if isinstance(first, ChangeLine):
        return 0, -first.number
    return (2 if isinstance(first, Rename) else 1), 0


def _read(path: Path, file: str) -> _Text:
    try:
        with path.open("rb") as stream:
            data = stream.read(_LARGEST + 1)
    except OSError as error:
        raise NotAllowedError(f"{file} cannot be read: {describe_error(error)}") from error
    if len(data) > _LARGEST:
        raise NotAllowedError(f"{file} is larger than {_LARGEST >> 20} MiB")
    return _Text(path, data, data)
