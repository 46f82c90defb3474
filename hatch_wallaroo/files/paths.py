"""What a path may look like, judged by its text alone: by itself, and beside the others of a bundle."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hatch_wallaroo.files.rules import ALIKE, FILE_AND_FOLDER, SAME_PATH, UNSAFE_PATH, WINDOWS_NAME
from hatch_wallaroo.files.sources import Entry
from hatch_wallaroo.findings import Finding, Place
from hatch_wallaroo.text import display_path

LONGEST_NAME = 255
"""Bytes in one name, the limit of every common file system."""

LONGEST_PATH = 3_500
"""Bytes in a whole path: Linux stops at 4,096, and the platform unpacks below a folder of its own."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE = re.compile(r"\A[A-Za-z]:")
_ADDRESS = re.compile(r"\A[A-Za-z][A-Za-z0-9+.-]+://")
_GLOB = re.compile(r"[*?\[]")
_WINDOWS_FORBIDS = re.compile(r'[<>:"|?*]')
_WINDOWS_RESERVED = re.compile(r"\A(?:con|prn|aux|nul|com[1-9¹²³]|lpt[1-9¹²³])(?:\..*)?\Z", re.IGNORECASE)


@dataclass(frozen=True)
class Refusal:
    """Why a path cannot be taken, as the end of a sentence, and what to do about it."""

    reason: str
    fix: str


def has_glob(declared: str) -> bool:
    """Whether a declared path holds a character that patterns use."""
    return _GLOB.search(declared) is not None


def normal(path: str) -> str:
    """A relative path without `.`, doubled and trailing slashes; `.` for the project itself."""
    return "/".join(part for part in path.split("/") if part not in {"", "."}) or "."


def composed(path: str) -> str:
    """The path in Unicode's composed form (NFC), which bundles use."""
    return path if path.isascii() else unicodedata.normalize("NFC", path)


def refusal(declared: str) -> Refusal | None:
    """Why a path written in the table is none inside the project, or None where it may be."""
    if not declared.strip():
        return Refusal("is empty", "write a path relative to the project")
    if problem := name_problem(declared.replace("\\", "/").replace("/", "")):
        return Refusal(problem, "rename the file")
    if _ADDRESS.match(declared):
        return Refusal("is an address, not a path", "download the file into the project and write its path here")
    if _DRIVE.match(declared) or declared.startswith(("/", "\\")):
        return Refusal("is an absolute path", "write it relative to the folder that holds pyproject.toml")
    if declared == "~" or declared.startswith("~/"):
        return Refusal("points into a home folder", "write it relative to the folder that holds pyproject.toml")
    if "\\" in declared:
        return Refusal("has backslashes", f"write {declared.replace(chr(92), '/')!r}, with forward slashes")
    if ".." in declared.split("/"):
        return Refusal("goes up with '..'", _without_parents(declared))
    return None


def name_problem(name: str) -> str | None:
    """What is wrong with one name of a path on every system, as the end of a sentence."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return "has a name that is not UTF-8"
    if _CONTROL.search(name):
        return "has a control character in its name"
    if "\\" in name:
        return "has a backslash in its name"
    return None


def windows_problem(name: str) -> str | None:
    """Why Windows cannot hold one name of a path, as the end of a sentence."""
    if _WINDOWS_RESERVED.match(name):
        return "is a device's name on Windows"
    if name.endswith((".", " ")):
        return f"ends in a {'dot' if name.endswith('.') else 'space'}, which Windows drops"
    if found := _WINDOWS_FORBIDS.search(name):
        return f"has {found[0]!r} in its name, which Windows refuses"
    return None


def length_problem(path: str) -> str | None:
    """Whether a path, or one name in it, is too long to be unpacked, as the end of a sentence."""
    longest = max(len(part.encode("utf-8", "surrogateescape")) for part in path.split("/"))
    if longest > LONGEST_NAME:
        return f"has a name of {longest} bytes; {LONGEST_NAME} are the most that a file system holds"
    size = len(path.encode("utf-8", "surrogateescape"))
    if size > LONGEST_PATH:
        return f"is {size:,} bytes long; more than {LONGEST_PATH:,} cannot be unpacked safely"
    return None


def _without_parents(declared: str) -> str:
    kept: list[str] = []
    for part in declared.split("/"):
        if part == "..":
            if not kept:
                return "copy the file into the project, or link to it from a project that holds both"
            kept.pop()
        elif part not in {"", "."}:
            kept.append(part)
    return f"write {'/'.join(kept) or '.'!r}" if kept else "write '.' for the whole project"


def check_paths(entries: Sequence[Entry]) -> list[Finding]:
    """Findings about the paths of a whole bundle; the entries may be in any order."""
    findings = [finding for entry in entries for finding in _alone(entry)]
    findings += _repeated(entries)
    findings += _alike(entries)
    findings += _files_as_folders(entries)
    return findings


def _alone(entry: Entry) -> Iterator[Finding]:
    """What is wrong with one path, without regard to the others."""
    parts = entry.path.split("/")
    unsafe = (
        _shape_problem(entry.path) or next(filter(None, map(name_problem, parts)), None) or length_problem(entry.path)
    )
    if unsafe:
        yield UNSAFE_PATH.finding(f"{display_path(entry.name)} {unsafe}", fix="rename the file", place=_place(entry))
    elif windows := next(filter(None, map(windows_problem, parts)), None):
        yield WINDOWS_NAME.finding(f"{entry.name} {windows}", fix="rename it", place=_place(entry))


def _shape_problem(path: str) -> str | None:
    parts = path.split("/")
    if not path or path.startswith("/"):
        return "has an absolute path in the bundle" if path else "has no path in the bundle"
    if ".." in parts or "." in parts or "" in parts:
        return "has '.', '..' or an empty name in its path in the bundle"
    if re.fullmatch("[A-Za-z]:", parts[0]):
        return "has a drive letter in its path in the bundle"
    return None


def _repeated(entries: Sequence[Entry]) -> Iterator[Finding]:
    by_path: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_path[composed(entry.path)].append(entry)
    for path, same in by_path.items():
        if len(same) > 1:
            names = list(dict.fromkeys(_spelt(entry.name) for entry in same))
            one = len(names) == 1
            message = f"{names[0]} is there twice" if one else f"{' and '.join(names)} would be one file, {path}"
            yield SAME_PATH.finding(message, fix="rename one of them, or exclude it", place=_place(same[0]))


def _alike(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Paths, folders included, that are one path where case does not count."""
    spellings: dict[str, dict[str, Entry]] = defaultdict(dict)
    for entry in entries:
        whole = composed(entry.path)
        for path in (*parents(whole), whole):
            spellings[unicodedata.normalize("NFC", path.lower())].setdefault(path, entry)
    reported: list[str] = []
    for folded in sorted(spellings):
        if len(spellings[folded]) == 1 or any(folded.startswith(f"{above}/") for above in reported):
            continue
        reported.append(folded)
        first, *others = sorted(spellings[folded])
        for other in others:
            entries = [spellings[folded][each] for each in (first, other)]
            one, two = (each.name for each in entries)
            if {composed(each.path) for each in entries} != {first, other} or one.lower() != two.lower():
                one, two = first, other  # folders, or files of different folders: as they are in the bundle
            yield ALIKE.finding(
                f"{one} and {two} differ only in upper and lower case",
                fix="rename one of them, or exclude it",
                place=_place(entries[1]),
            )


def _files_as_folders(entries: Sequence[Entry]) -> Iterator[Finding]:
    files = {composed(entry.path): entry for entry in entries}
    seen: set[str] = set()
    for entry in entries:
        for parent in parents(composed(entry.path)):
            if parent in files and parent not in seen:
                seen.add(parent)
                yield FILE_AND_FOLDER.finding(
                    f"{files[parent].name} is a file in the bundle, and {entry.name} needs a folder of that name",
                    fix="rename one of them",
                    place=_place(entry),
                )


def parents(path: str) -> Iterator[str]:
    """The folders above a path, outermost first."""
    at = path.find("/")
    while at >= 0:
        yield path[:at]
        at = path.find("/", at + 1)


def _spelt(name: str) -> str:
    """A name whose Unicode form shows: the decomposed one is escaped."""
    return name if name == composed(name) else name.encode("ascii", "backslashreplace").decode()


def _place(entry: Entry) -> Place:
    return Place(file=entry.label)
