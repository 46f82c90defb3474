"""Fixes made in memory: what each file holds now, what it will, and which fixes its text allows."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from hatch_wallaroo.config.toml.editing import Edit, EditError
from hatch_wallaroo.fixes import lines, toml
from hatch_wallaroo.fixes.lines import MARK, LineError
from hatch_wallaroo.fixes.model import (
    AddLine,
    Change,
    ChangeLine,
    Fix,
    NoByteOrderMark,
    Rename,
    TomlChange,
    WithoutMembers,
)

_LARGEST = 16 << 20


@dataclass(frozen=True)
class TextFile:
    """A text file that changes. `file` is the project's name for it, `path` absolute, links followed."""

    file: str
    path: Path
    before: bytes
    after: bytes

    def shown(self) -> str:
        """The difference, as a patch has it."""
        old, new = (each.decode(errors="replace").splitlines() for each in (self.before, self.after))
        made = "\n".join(difflib.unified_diff(old, new, f"a/{self.file}", f"b/{self.file}", lineterm=""))
        return made or f"--- a/{self.file}\n+++ b/{self.file}\n(ends of lines)"


@dataclass(frozen=True)
class ZipFile:
    """A zip that loses members; `tops` are the folders and files that a person sees go."""

    file: str
    path: Path
    members: frozenset[str]
    tops: tuple[str, ...]

    def shown(self) -> str:
        """A line for each folder or file that goes."""
        return "\n".join([f"--- {self.file}", *(f"-{each}" for each in self.tops)])


@dataclass(frozen=True)
class Changed:
    """The files that change, by name, and the fixes that are made by it."""

    files: tuple[TextFile | ZipFile, ...]
    done: tuple[Fix, ...]


class NotAllowedError(Exception):
    """A fix that the project's files as they are do not allow."""


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
            with self.edit.whole() if self.edit is not None else nullcontext():
                for each in changes:
                    self._make(each)
        except (EditError, LineError) as error:
            self.after = kept
            raise NotAllowedError(str(error)) from error

    def _make(self, change: Change) -> None:
        mark = MARK if self.after.startswith(MARK) else b""
        if isinstance(change, NoByteOrderMark):
            self.after = self.after.removeprefix(MARK)
        elif isinstance(change, (AddLine, ChangeLine)):
            self.after = lines.change(self.after, change)
        elif isinstance(change, TomlChange) and self.edit is not None:
            toml.change(self.edit, change)
            self.after = mark + self.edit.after.encode()


@dataclass
class _Work:
    root: Path
    texts: dict[str, _Text] = field(default_factory=dict)
    zips: dict[str, tuple[Path, set[str], set[str]]] = field(default_factory=dict)

    def make(self, fix: Fix) -> None:
        """Make all changes of a fix, or none. Raises NotAllowedError."""
        path = inside(self.root, fix.file)
        members = [each for each in fix.changes if isinstance(each, WithoutMembers)]
        for each in members:
            _, gone, tops = self.zips.setdefault(fix.file, (path, set(), set()))
            gone.update(each.members)
            tops.update(each.tops)
        if not members:
            text = self.texts.get(fix.file) or _read(path, fix.file)
            text.make(fix.changes)
            self.texts[fix.file] = text


def apply(root: Path, fixes: Iterable[Fix]) -> Changed:
    """Make fixes one after another, in memory; one that its file does not allow is not among those done."""
    work, done = _Work(root), []
    for fix in sorted(fixes, key=_order):
        try:
            work.make(fix)
        except NotAllowedError:
            continue
        done.append(fix)
    texts = [TextFile(file, each.path, each.before, each.after) for file, each in work.texts.items()]
    zips = [ZipFile(file, path, frozenset(gone), tuple(sorted(tops))) for file, (path, gone, tops) in work.zips.items()]
    files: list[TextFile | ZipFile] = [*(each for each in texts if each.before != each.after), *zips]
    return Changed(tuple(sorted(files, key=lambda each: each.file)), tuple(done))


def inside(root: Path, file: str) -> Path:
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
        raise NotAllowedError(f"{file} cannot be read: {error.strerror or error}") from error
    if len(data) > _LARGEST:
        raise NotAllowedError(f"{file} is larger than {_LARGEST >> 20} MiB")
    return _Text(path, data, data)
