"""What a path may look like, judged by its text alone."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

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
