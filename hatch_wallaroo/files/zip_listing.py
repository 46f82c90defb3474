"""A zip that the user made, as entries of a bundle, judged by its directory alone.

Nothing is unpacked here. What a zip can hide is refused: members that leave the
folder they are unpacked into, that share bytes, or that grow without bound.
"""

from __future__ import annotations

import contextlib
import os
import stat
import struct
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from hatch_wallaroo.files.exclusions import Exclusions, inside_reason
from hatch_wallaroo.files.paths import composed, length_problem, name_problem, normal, parents
from hatch_wallaroo.files.rules import (
    BOMB,
    ENCRYPTED,
    GUESSED_NAME,
    METHOD,
    NOT_A_ZIP,
    OVERLAP,
    REPEATED,
    SPECIAL_MEMBER,
    UNSAFE_MEMBER,
)
from hatch_wallaroo.files.sources import (
    Entry,
    FileSource,
    Found,
    ModelFiles,
    ZipListing,
    ZipMember,
    pointer_finding,
)
from hatch_wallaroo.files.zip_reading import MOST_MEMBERS, ZipEndError, read_directory, read_end
from hatch_wallaroo.findings import Finding, Place, Rule
from hatch_wallaroo.text import describe_error, display_path, few

LARGEST_DIRECTORY = 64 << 20
"""Bytes of a central directory: it is read whole."""

_SMALL = 1 << 30
_RATIO = 100
_DEFLATE_RATIO = 1_032
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}
_METHOD_NAMES = {9: "Deflate64", 93: "Zstandard", 95: "XZ", 98: "PPMd", 99: "AES encryption"}
_UTF8_FLAG = 0x800
_ENCRYPTED_FLAGS = 0x2041
_LOCAL_HEADER = 30


@dataclass(frozen=True)
class _Member:
    """A member that may become an entry: its index in the directory and the path that it would have."""

    index: int
    info: zipfile.ZipInfo
    path: str


class _Report:
    """Findings at one place, about one zip; of each kind only so many that they can be read."""

    def __init__(self, label: str, place: Place) -> None:
        self.label = label
        self.place = place
        self.findings: list[Finding] = []

    def say(self, rule: Rule, message: str, fix: str) -> None:
        self.findings.append(rule.finding(message, fix=fix, place=self.place))

    def members(self, rule: Rule, names: Sequence[str], problem: str, fix: str) -> None:
        """One finding for all members that share a problem."""
        if not names:
            return
        self.say(rule, f"{self.label}: {problem}: {few(names, counted=True)}", fix)


def list_zip(spec: ModelFiles, found: Found, *, place: Place) -> ZipListing:
    """The members of a zip as safe entries, what is excluded left out. Reads the central directory only.

    Where anything is refused, the entries that are safe are given all the same,
    so that other checks can go on; the findings hold the errors.
    """
    report = _Report(found.label, place)
    if pointer := _pointer(found, place):
        return ZipListing((), (pointer,))
    infos = _directory(found, report)
    if infos is None:
        return ZipListing((), tuple(report.findings))
    members, stripped = _without_excluded(spec, found, _named(infos, report))
    report.findings.extend(Exclusions(spec).findings)
    _check_sizes(infos, found, report)
    _check_overlap(infos, report)
    safe = _safe(members, report)
    entries = [_entry(found, member) for member in safe]
    if not entries and not report.findings:
        report.say(NOT_A_ZIP, f"{found.label} holds no file", "zip the folder that holds the model")
    entries.sort(key=lambda each: each.path)
    return ZipListing(tuple(entries), tuple(report.findings), tuple(sorted(stripped.items())))


def _entry(found: Found, member: _Member) -> Entry:
    mode = member.info.external_attr >> 16
    source = ZipMember(
        found.absolute,
        member.info.filename,
        member.index,
        member.info.file_size,
        executable=bool(mode & stat.S_IXUSR),
    )
    return Entry(composed(member.path), source, f"{found.label}!{member.path}")


def _pointer(found: Found, place: Place) -> Finding | None:
    with contextlib.suppress(OSError):  # reading the directory will say so
        return pointer_finding(Entry(found.path, FileSource(found.absolute), found.label), place)
    return None


def _directory(found: Found, report: _Report) -> list[zipfile.ZipInfo] | None:
    """The members in the order of the central directory, None where it cannot be read."""
    broken = "make the zip anew, or declare the folder itself"
    try:
        with found.absolute.open("rb") as stream:
            if problem := _end_problem(stream):
                report.say(NOT_A_ZIP, f"{found.label} {problem}", broken)
                return None
        return read_directory(found.absolute)
    except (zipfile.BadZipFile, NotImplementedError, struct.error, ValueError, OverflowError, EOFError):
        report.say(NOT_A_ZIP, f"{found.label} has a damaged directory", broken)
    except OSError as error:
        report.say(NOT_A_ZIP, f"{found.label} cannot be read: {describe_error(error)}", "check the file")
    return None


def _end_problem(stream: BinaryIO) -> str | None:
    """What the records at a zip's end say against reading its directory, as the end of a sentence."""
    try:
        end = read_end(stream)
    except ZipEndError as error:
        return str(error)
    if end.split:
        return "is one part of a zip that was split"
    if end.members > MOST_MEMBERS or end.length > min(LARGEST_DIRECTORY, stream.seek(0, os.SEEK_END)):
        return f"says it has {end.members:,} members in a directory of {end.length:,} bytes, more than can be"
    return None


def _named(infos: Sequence[zipfile.ZipInfo], report: _Report) -> list[_Member]:
    """The files of a zip, their names decoded and with forward slashes."""
    members, guessed = [], []
    for index, info in enumerate(infos):
        name, certain = _decoded(info)
        if not certain:
            guessed.append(display_path(name))
        name = name.replace("\\", "/")
        if not name.endswith("/"):
            members.append(_Member(index, info, name))
    fix = "zip it again with a current tool, or declare the folder itself"
    report.members(GUESSED_NAME, guessed, "the encoding of a name is not told", fix)
    return members


def _decoded(info: zipfile.ZipInfo) -> tuple[str, bool]:
    """A member's name, and whether its encoding is certain."""
    name = info.orig_filename
    if info.flag_bits & _UTF8_FLAG or name.isascii():
        return name, True
    try:
        return name.encode("cp437").decode("utf-8"), True
    except UnicodeError:
        return name, False


def _without_excluded(
    spec: ModelFiles, found: Found, members: Sequence[_Member]
) -> tuple[list[_Member], dict[str, str]]:
    """The members that belong, and what was left out: folders first, as in a walk."""
    exclusions = Exclusions(spec)
    inside = _folders(member.path for member in members)
    folders = {folder: _folder_reason(exclusions, folder, inside) for folder in sorted(inside)}
    kept, stripped = [], {}
    for member in members:
        excluded = [folder for folder in parents(member.path) if folders.get(folder)]
        if excluded:
            stripped[f"{found.label}!{display_path(excluded[0])}/"] = folders[excluded[0]] or ""
        elif reason := exclusions.file(member.path):
            stripped[f"{found.label}!{display_path(member.path)}"] = reason
        else:
            kept.append(member)
    return kept, stripped


def _folders(paths: Iterable[str]) -> Mapping[str, set[str]]:
    """Each folder of a zip and the names in it."""
    inside: dict[str, set[str]] = defaultdict(set)
    for path in paths:
        name = path.rpartition("/")[2]
        for parent in reversed(list(parents(path))):
            if name in inside[parent]:
                break
            inside[parent].add(name)
            name = parent.rpartition("/")[2]
    return inside


def _folder_reason(exclusions: Exclusions, folder: str, inside: Mapping[str, set[str]]) -> str | None:
    names = inside[folder]
    below = (each for name in names for each in inside.get(f"{folder}/{name}", ()))
    return exclusions.folder(folder, in_project=False) or inside_reason(folder.rpartition("/")[2], names, below)


def _safe(members: Sequence[_Member], report: _Report) -> list[_Member]:
    """The members that may be unpacked, by the path that they will have; findings for the others."""
    groups: dict[tuple[Rule, str, str], list[str]] = defaultdict(list)
    taken: dict[str, _Member] = {}
    repeated = []
    for member in members:
        if refused := _refused(member):
            groups[refused].append(display_path(member.path))
            continue
        path = normal(member.path)
        if path in taken:
            repeated.append(display_path(path))
            continue
        taken[path] = _Member(member.index, member.info, path)
    for (broken, problem, fix), names in groups.items():
        report.members(broken, names, problem, fix)
    report.members(REPEATED, repeated, "a name stands there twice", "make the zip anew, from an empty file")
    return list(taken.values())


def _refused(member: _Member) -> tuple[Rule, str, str] | None:
    """The rule that a member breaks, what is wrong, and the fix."""
    parts, info = member.path.split("/"), member.info
    anew = "make the zip anew, or declare the folder itself"
    if member.path.startswith("/") or ".." in parts or parts[0].endswith(":") or normal(member.path) == ".":
        return UNSAFE_MEMBER, "a member would be unpacked outside its folder", anew
    if problem := next(filter(None, map(name_problem, parts)), None) or length_problem(member.path):
        return UNSAFE_MEMBER, f"a member {problem}", "rename it and make the zip anew"
    if info.flag_bits & _ENCRYPTED_FLAGS:
        return ENCRYPTED, "a member is encrypted", "make the zip anew without a password"
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in {0, stat.S_IFREG}:
        what = "a link" if kind == stat.S_IFLNK else "not a regular file"
        return SPECIAL_MEMBER, f"a member is {what}", "make the zip anew with the file itself (without `zip -y`)"
    if info.compress_type not in _METHODS:
        method = _METHOD_NAMES.get(info.compress_type, f"method {info.compress_type}")
        return METHOD, f"a member is compressed with {method}", "make the zip anew with deflate"
    return None


def _check_sizes(infos: Sequence[zipfile.ZipInfo], found: Found, report: _Report) -> None:
    """Say where declared sizes cannot be, or are those of a bomb."""
    lies = [
        display_path(info.filename)
        for info in infos
        if (info.compress_type == zipfile.ZIP_STORED and info.file_size != info.compress_size)
        or (info.compress_type == zipfile.ZIP_DEFLATED and info.file_size > (info.compress_size + 1) * _DEFLATE_RATIO)
    ]
    report.members(BOMB, lies, "a member's sizes contradict each other", "make the zip anew")
    total, packed = sum(info.file_size for info in infos), found.absolute.stat().st_size
    if not lies and total > max(_SMALL, _RATIO * packed):
        message = f"{found.label} has {packed:,} bytes and would unpack to {total:,}"
        report.say(BOMB, message, "unpack it, see what is in it, and declare the folder instead")


def _check_overlap(infos: Sequence[zipfile.ZipInfo], report: _Report) -> None:
    """Say where members share bytes; a local header is at least as long as its name asks for."""
    end, shared = -1, []
    for info in sorted(infos, key=lambda each: each.header_offset):
        if info.header_offset < end:
            shared.append(display_path(info.filename))
        name = info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8_FLAG else "cp437", "replace")
        end = max(end, info.header_offset + _LOCAL_HEADER + len(name) + info.compress_size)
    report.members(OVERLAP, shared, "a member shares bytes with another", "make the zip anew")
