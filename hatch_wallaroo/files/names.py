"""Whether the paths of a bundle can stand beside each other, on the platform and on any desk."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence

from hatch_wallaroo.files.paths import composed, length_problem, name_problem, windows_problem
from hatch_wallaroo.files.sources import Entry
from hatch_wallaroo.findings import Finding, Level, Place, rule
from hatch_wallaroo.text import display_path

SAME_PATH = rule(
    "WLR215",
    "two files with one path in the bundle",
    why="One of the two would be lost when the bundle is unpacked, and which one is not defined.",
    source="Unzippers differ: Info-ZIP asks, Python's zipfile keeps the last",
)
ALIKE = rule(
    "WLR216",
    "paths that differ only in upper and lower case, or in how an accent is written",
    why="On macOS and Windows the two are one file: whoever clones the repository has only one of them, and builds "
    "another bundle.",
    source="APFS and NTFS compare names without case; APFS also without regard to Unicode normal forms",
)
FILE_AND_FOLDER = rule(
    "WLR217",
    "one path that is a file and a folder",
    why="The bundle cannot be unpacked.",
    source="No file system holds both",
)
UNSAFE_PATH = rule(
    "WLR218",
    "a path that cannot stand in a bundle",
    why="It would be unpacked elsewhere, under another name, or not at all.",
    source="APPNOTE.TXT 4.4.17: relative paths with forward slashes",
)
WINDOWS_NAME = rule(
    "WLR219",
    "a file name that Windows cannot hold",
    why="The platform takes it, but nobody can check out the repository or unpack the bundle on Windows.",
    source="Microsoft's 'Naming Files, Paths, and Namespaces'",
    level=Level.WARNING,
)


def check(entries: Sequence[Entry]) -> list[Finding]:
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
        for path in _with_parents(composed(entry.path)):
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
        for parent in _with_parents(composed(entry.path)):
            if parent in files and parent != composed(entry.path) and parent not in seen:
                seen.add(parent)
                yield FILE_AND_FOLDER.finding(
                    f"{files[parent].name} is a file in the bundle, and {entry.name} needs a folder of that name",
                    fix="rename one of them",
                    place=_place(entry),
                )


def _with_parents(path: str) -> Iterator[str]:
    at = path.find("/")
    while at >= 0:
        yield path[:at]
        at = path.find("/", at + 1)
    yield path


def _spelt(name: str) -> str:
    """A name whose Unicode form shows: the decomposed one is escaped."""
    return name if name == composed(name) else name.encode("ascii", "backslashreplace").decode()


def _place(entry: Entry) -> Place:
    return Place(file=entry.label)
