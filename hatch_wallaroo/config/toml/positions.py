"""Where each key of pyproject.toml stands in its text: line and column, for findings.

A key that does not stand in the text is answered with the nearest table around it. The text is looked through only
where there are findings.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from hatch_wallaroo.config.toml.statements import Spot, escaped_offset, spots
from hatch_wallaroo.findings import PYPROJECT, Finding, KeyPath, Place


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
