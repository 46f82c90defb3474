"""Walking a folder of the project: safely, in order, and never into what is excluded."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from itertools import islice
from pathlib import Path

from hatch_wallaroo.files import rules
from hatch_wallaroo.files.exclusions import Exclusions, folder_reason, inside_reason, output_names
from hatch_wallaroo.files.paths import length_problem, name_problem
from hatch_wallaroo.files.sources import ModelFiles
from hatch_wallaroo.findings import Finding, Place, Rule
from hatch_wallaroo.text import display_path

LIMIT = 100_000
"""Files, and folders, in one listing."""

_TEST_FOLDERS_LOOKED_AT = 50


@dataclass(frozen=True)
class Node:
    """A file or folder of the project.

    `path` is absolute, as it is spelt; `label` relative to the project. `trail`
    holds, for a folder, the real paths of the folders that led to it.
    """

    path: str
    label: str
    is_folder: bool
    trail: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.label.rpartition("/")[2]


@dataclass(frozen=True)
class Inside:
    """What lies right in a folder, by name, without the `outputs` that an earlier build left there.

    `more`: it holds more than was asked for. `reason`: what the whole folder is by what lies in it, a cache or tests;
    None where it may belong.
    """

    entries: list[os.DirEntry[str]]
    outputs: frozenset[str]
    more: bool
    reason: str | None


def look_into(folder: str, most: int) -> Inside:
    """The first `most` names in a folder, and what they tell of it. Raises OSError."""
    with os.scandir(folder) as scan:
        found = sorted(islice(scan, most + 1), key=lambda each: each.name)
    entries = found[:most]
    names = [each.name for each in entries]
    outputs = output_names(names)
    reason = inside_reason(os.path.basename(folder), names, _below(entries))  # noqa: PTH119 - of each folder there is
    return Inside([each for each in entries if each.name not in outputs], outputs, len(found) > most, reason)


def is_folder(entry: os.DirEntry[str], *, linked: bool = False) -> bool:
    """Whether it is a folder itself, or `linked` to one; what a link leads to is else found where it lies."""
    try:
        return entry.is_dir(follow_symlinks=linked)
    except OSError:
        return False


def within(path: str, folder: str) -> bool:
    """Whether a real path is a folder's, or below it."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


class Walker:
    """Lists what one declared path names; `findings` and `stripped` tell what was refused and left out."""

    def __init__(self, spec: ModelFiles, place: Place) -> None:
        self.spec = spec
        self.place = place
        self.exclusions = Exclusions(spec)
        self.findings: list[Finding] = list(self.exclusions.findings)
        self.stripped: dict[str, str] = {}
        self._root = str(spec.root)
        self._real_root = os.path.realpath(spec.root)
        self._seen: dict[str, Node | None] = {}
        self._listed: dict[str, list[os.DirEntry[str]]] = {}

    def say(self, rule: Rule, message: str, fix: str = "") -> None:
        """Add a finding at the place of the declared path."""
        self.findings.append(rule.finding(message, fix=fix, place=self.place))

    def exists(self, label: str) -> bool:
        """Whether something is there, be it a broken link."""
        return os.path.lexists(self._path(label))

    def at(self, label: str) -> Node | None:
        """The node of a path that was declared by name; None where it is missing or refused (then with a finding)."""
        path = self._path(label)
        try:
            os.lstat(path)
        except PermissionError as error:
            self._say_unreadable(label, error)
            return None
        except (OSError, ValueError):
            return None
        for part in label.split("/"):
            if problem := name_problem(part):
                self.say(rules.UNSAFE_NAME, f"{display_path(label)} {problem}", "rename it")
                return None
        return self._resolved(path, label, ())

    def files(self, folder: Node, *, declared: bool = True) -> list[Node]:
        """All files below a folder; one that was not declared itself may turn out to be excluded by what it holds."""
        found: list[Node] = []
        waiting, folders = [folder], 0
        while waiting:
            here = waiting.pop()
            folders += 1
            for entry in self._entries(here, declared=declared and here is folder):
                child = self._child(here, entry)
                if child is not None:
                    (waiting if child.is_folder else found).append(child)
            if max(len(found), folders + len(waiting)) > LIMIT:
                self._say_too_many(folder)
                return []
        return found

    def matching(self, base: Node, pattern: str) -> list[Node]:
        """All files that a glob below a folder names; a folder that it names counts with all its files."""
        found: dict[str, Node] = {}
        parts = tuple(pattern.split("/"))
        waiting, visited = [(base, parts)], {(base.label, len(parts))}
        while waiting:
            here, left = waiting.pop()
            for child, rest in self._step(here, left, declared=here is base):
                if not rest:
                    nodes = self.files(child, declared=False) if child.is_folder else [child]
                    found.update((each.label, each) for each in nodes)
                elif child.is_folder and (child.label, len(rest)) not in visited:
                    visited.add((child.label, len(rest)))
                    waiting.append((child, rest))
            if max(len(found), len(visited)) > LIMIT:
                self._say_too_many(base)
                return []
        return list(found.values())

    def _step(self, here: Node, parts: tuple[str, ...], *, declared: bool) -> Iterator[tuple[Node, tuple[str, ...]]]:
        """The children that the first of `parts` names, each with the parts that are left for it."""
        head, rest = parts[0], parts[1:]
        after = rest
        if head == "**":
            if rest:
                yield from self._step(here, rest, declared=declared)
            head, after = "*", parts if rest else ()
        matches = _matcher(head).match
        for entry in self._entries(here, declared=declared):
            if matches(entry.name) and (not after or is_folder(entry, linked=True)):
                child = self._child(here, entry)
                if child is not None:
                    yield child, after

    def _entries(self, folder: Node, *, declared: bool) -> list[os.DirEntry[str]]:
        """What lies in a folder, by name; nothing where the folder turns out to be excluded, full or unreadable."""
        if folder.label in self._listed:
            return self._listed[folder.label]
        self._listed[folder.label] = []
        try:
            inside = look_into(folder.path, LIMIT)
        except OSError as error:
            self._say_unreadable(folder.label, error)
            return []
        if inside.more:
            self._say_too_many(folder)
            return []
        if inside.reason and not declared:
            self.stripped[f"{display_path(folder.label)}/"] = inside.reason
            return []
        for name in inside.outputs:
            self.stripped[display_path(_joined(folder.label, name))] = "an earlier build's output"
        self._listed[folder.label] = inside.entries
        return inside.entries

    def _child(self, folder: Node, entry: os.DirEntry[str]) -> Node | None:
        """The node of a folder's entry, or None where it is left out or refused."""
        label = _joined(folder.label, entry.name)
        if label not in self._seen:
            self._seen[label] = self._admitted(folder, entry, label)
        return self._seen[label]

    def _admitted(self, folder: Node, entry: os.DirEntry[str], label: str) -> Node | None:
        try:
            linked = entry.is_symlink()
            is_folder = entry.is_dir(follow_symlinks=False)
            is_file = entry.is_file(follow_symlinks=False)
        except OSError as error:
            self._say_unreadable(label, error)
            return None
        if is_folder or linked:
            reason = self.exclusions.folder(label)
            if reason:
                self.stripped[f"{display_path(label)}/" if is_folder else display_path(label)] = reason
                return None
        if not is_folder and (reason := self.exclusions.file(label)):
            self.stripped[display_path(label)] = reason
            return None
        problem = name_problem(entry.name) or length_problem(label)
        if problem:
            self.say(rules.UNSAFE_NAME, f"{display_path(label)} {problem}", "rename it, or add it to `exclude`")
            return None
        if is_folder:
            return Node(entry.path, label, is_folder=True, trail=(*folder.trail[:-1], _joined_real(folder, entry.name)))
        if is_file:
            return self._regular(entry.path, label)
        return self._resolved(entry.path, label, folder.trail)

    def _resolved(self, path: str, label: str, trail: tuple[str, ...]) -> Node | None:
        """The node behind a path whose kind and links are not known yet."""
        try:
            real = os.path.realpath(path, strict=True)
            mode = Path(real).stat().st_mode
        except OSError as error:
            self._say_unresolved(path, label, error)
            return None
        if not within(real, self._real_root):
            fix = "copy what it points to into the project" + (", or add the link to `exclude`" if trail else "")
            self.say(rules.LINK_OUTSIDE, f"{label} is a link that leaves the project", fix)
            return None
        if stat.S_ISDIR(mode):
            if any(within(each, real) for each in trail):
                message = f"{label} is a link to a folder that it lies in itself"
                self.say(rules.LINK_BROKEN, message, "remove the link, or add it to `exclude`")
                return None
            return Node(path, label, is_folder=True, trail=(*trail, real))
        if stat.S_ISREG(mode):
            return self._regular(path, label)
        message = f"{label} is {_kind(mode)}, not a regular file"
        self.say(rules.SPECIAL_FILE, message, "remove it" + (", or add it to `exclude`" if trail else ""))
        return None

    def _regular(self, path: str, label: str) -> Node | None:
        if os.access(path, os.R_OK):
            return Node(path, label, is_folder=False)
        gone = not os.path.lexists(path)
        self._say_unreadable(label, OSError(errno.ENOENT if gone else errno.EACCES, ""))
        return None

    def _path(self, label: str) -> str:
        return self._root if label == "." else f"{self._root}{os.sep}{label.replace('/', os.sep)}"

    def _say_unresolved(self, path: str, label: str, error: OSError) -> None:
        broken = error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP} and Path(path).is_symlink()
        if broken:
            circle = error.errno == errno.ELOOP
            message = f"{label} is a link {'in a circle' if circle else 'to something that does not exist'}"
            self.say(rules.LINK_BROKEN, message, "mend or remove the link")
        else:
            self._say_unreadable(label, error)

    def _say_unreadable(self, label: str, error: OSError) -> None:
        if error.errno == errno.ENOENT:
            self.say(rules.UNREADABLE, f"{display_path(label)} vanished during the build", "build again")
        elif error.errno in {errno.EACCES, errno.EPERM}:
            fix = "give yourself the right to read it, or add it to `exclude`"
            self.say(rules.UNREADABLE, f"{display_path(label)} cannot be read: permission denied", fix)
        else:
            reason = os.strerror(error.errno).lower() if error.errno else "the system refuses"
            self.say(rules.UNREADABLE, f"{display_path(label)} cannot be read: {reason}", "check the file system")

    def _say_too_many(self, folder: Node) -> None:
        if any(each.rule is rules.TOO_MANY for each in self.findings):
            return
        what = "the project" if folder.label == "." else display_path(folder.label)
        fix = "declare the folder that holds the model alone, or narrow it with `exclude`"
        self.say(rules.TOO_MANY, f"{what} holds more than {LIMIT:,} files or folders", fix)


def _below(entries: list[os.DirEntry[str]]) -> Iterator[str]:
    """The names in the first folders among some entries."""
    folders = (each for each in entries if is_folder(each) and not folder_reason(each.name))
    for each in islice(folders, _TEST_FOLDERS_LOOKED_AT):
        names: list[str] = []
        with suppress(OSError), os.scandir(each.path) as scan:
            names += (inner.name for inner in islice(scan, LIMIT))
        yield from names


def _joined(folder: str, name: str) -> str:
    return name if folder == "." else f"{folder}/{name}"


def _joined_real(folder: Node, name: str) -> str:
    return f"{folder.trail[-1].rstrip(os.sep)}{os.sep}{name}"


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "something special")


@lru_cache(maxsize=256)
def _matcher(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern))
