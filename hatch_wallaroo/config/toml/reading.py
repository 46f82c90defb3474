"""pyproject.toml from disk to a parsed document, or to the line at which it is no TOML; and where its keys stand.

A key that does not stand in the text is answered with the nearest table around it. The text is looked through only
where there are findings.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hatch_wallaroo.config import rules
from hatch_wallaroo.config.toml.statements import Spot, escaped_offset, spots
from hatch_wallaroo.findings import PYPROJECT, Finding, KeyPath, Place
from hatch_wallaroo.text import describe_error

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_LARGEST = 16 << 20
_POSITION = re.compile(r"\s*\((?:at line (?P<line>\d+), column (?P<column>\d+)|at end of document)\)$")
_WORDS = (
    ("Invalid value", "no value of TOML stands here", 'text needs quotes: key = "text"; true and false are lower case'),
    ("Cannot overwrite a value", "the key stands here for the second time", "remove one of the two"),
    ("Cannot declare", "the table begins here for the second time", "put its keys under one header"),
    ("Cannot mutate immutable", "the table was closed with } above", "add the key inside the braces"),
    (
        "Expected '=' after a key",
        "there is no = after the key",
        "a line reads key = value; a key with other letters than a to z needs quotes",
    ),
    ("Unclosed array", "a list is not closed", "close it with ]"),
    ("Unclosed inline table", "a table is not closed", "close it with }"),
    ("Unescaped '\\' in a string", "a backslash in a string", "write forward slashes, or the text in 'single quotes'"),
    (
        "Expected newline or end of document",
        "something follows after the value",
        "one key a line; text with spaces needs quotes around all of it",
    ),
)
"""How tomllib's messages begin, what we say instead, and the fix."""
_WHOLE_LINE = ("Cannot overwrite a value", "Cannot declare")
"""Those that tomllib places at the end of what is wrong."""


@dataclass(frozen=True)
class Document:
    """A pyproject.toml: `table` is None where it cannot be read, and `findings` says why."""

    table: Mapping[str, Any] | None
    findings: tuple[Finding, ...] = ()


def read_document(root: Path) -> Document:
    """Read the pyproject.toml of the project at `root`."""
    try:
        with (root / PYPROJECT).open("rb") as stream:
            data = stream.read(_LARGEST + 1)
    except FileNotFoundError:
        return _failed("there is no pyproject.toml in this folder", "run this in the project's folder")
    except OSError as error:
        return _failed(f"cannot be read: {describe_error(error)}", "make the file readable")
    if len(data) > _LARGEST:
        return _failed(f"is larger than {_LARGEST >> 20} MiB", "nothing but settings belongs in it")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = len(data[data.rfind(b"\n", 0, error.start) + 1 : error.start].decode(errors="replace")) + 1
        return _failed("is not UTF-8 from here on", "save the file as UTF-8", line, column)
    return parse_document(text)


def parse_document(text: str) -> Document:
    """Parse the text of a pyproject.toml."""
    positions = Positions(text)
    text = text.removeprefix("\ufeff")
    try:
        return Document(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        found = _POSITION.search(message)
        line, column = positions.line_and_column(len(text.rstrip()))
        if found and found["line"]:
            line, column = int(found["line"]), int(found["column"])
        what = _POSITION.sub("", message)
        if what.startswith(_WHOLE_LINE):
            written = text.split("\n")[line - 1]
            column = len(written) - len(written.lstrip()) + 1
        if what.startswith("Unescaped"):
            column = text.split("\n")[line - 1].rfind("\\", 0, column) + 1
        words = next((words for words in _WORDS if what.startswith(words[0])), None)
        message, fix = words[1:] if words else (f"{what[:1].lower()}{what[1:]}", "see https://toml.io for the notation")
        return _failed(f"not valid TOML: {message}", fix, line, column)
    except RecursionError:
        return _failed("is nested too deeply", "write lists and tables less deep")


def _failed(message: str, fix: str, line: int | None = None, column: int | None = None) -> Document:
    place = Place(file=PYPROJECT, line=line, column=column)
    return Document(None, (rules.NOT_TOML.finding(message, fix=fix, place=place),))


class Positions:
    """The places of all keys and array items in the text of a pyproject.toml, found on first use."""

    def __init__(self, text: str) -> None:
        self._text = text.removeprefix("\ufeff")
        self._lines: list[int] | None = None
        self._spots: dict[KeyPath, Spot] | None = None

    def locate(self, place: Place) -> Place:
        """Fill in file, line and column for a place in pyproject.toml; any other place is returned as it is.

        A key that does not stand in the text gets the position of the nearest table or array around it.
        A place with a column and no line means that character of the string that stands at the key.
        """
        if place.file not in {"", PYPROJECT} or place.line is not None or (not place.key and not place.file):
            return place
        offset = self._offset(place.key, place.column)
        if offset is None:
            return replace(place, file=PYPROJECT, column=None)
        line, column = self.line_and_column(offset)
        return replace(place, file=PYPROJECT, line=line, column=column)

    def line_and_column(self, offset: int) -> tuple[int, int]:
        """Line and column of a character, both counted from 1, columns in characters."""
        if self._lines is None:
            self._lines = [0, *(index + 1 for index, each in enumerate(self._text) if each == "\n")]
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    def _offset(self, key: KeyPath, column: int | None) -> int | None:
        if self._spots is None:
            self._spots = spots(self._text)
        for length in range(len(key), 0, -1):
            spot = self._spots.get(key[:length])
            if spot is None:
                continue
            if column is not None and length == len(key) and spot.value is not None:
                return escaped_offset(self._text, spot.value, column)
            return spot.key
        return None


def locate_all(findings: Iterable[Finding], root: Path, text: str | None = None) -> list[Finding]:
    """The same findings with their places in `root`'s pyproject.toml filled in, which is read only where needed.

    `text` stands in the place of the file.
    """
    positions: Positions | None = None
    located = []
    for finding in findings:
        place = finding.place
        if place.key and place.file in {"", PYPROJECT} and place.line is None:
            if positions is None:
                positions = Positions(_text(root / PYPROJECT) if text is None else text)
            located.append(finding.at(positions.locate(place)))
        else:
            located.append(finding)
    return located


def _text(path: Path) -> str:
    """The file's text with its own line ends; empty where it cannot be read, as then only positions are lost."""
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:
        return ""
