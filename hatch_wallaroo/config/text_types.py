"""Strings that the table takes: on one line, paths of the project, names of images; and what every type of value has.

A type never raises: what it cannot read it answers with issues, each at the place inside the value where it arises.
Of paths only the writing is judged here; whether a file exists is found out when bundles are planned.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from hatch_wallaroo.config import rules
from hatch_wallaroo.config.rules import Issue, Read
from hatch_wallaroo.text import found, number, quoted

CONTROLS = re.compile("[\\x00-\\x1f\\x7f]")
"""ASCII's control characters, line breaks among them."""
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_DRIVE = re.compile(r"[A-Za-z]:")
_LONGEST = 4096
_IMAGE_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_IMAGE_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?"
_IMAGE_PATH = rf"(?:{_IMAGE_HOST}/)?{_IMAGE_PART}(?:/{_IMAGE_PART})*"
_IMAGE_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"


class ValueType(ABC):
    """A type of value. `words` is its name in messages and in the reference."""

    words: ClassVar[str]

    @abstractmethod
    def read(self, value: Any, option: str) -> Read:
        """Read a value of TOML; `option` is the key that it stands at, for the fixes."""

    def refused(self, value: Any, fix: str) -> Read:
        """The answer to a value of another type."""
        return Read(None, (Issue(rules.WRONG_TYPE, f"must be {self.words}, not {found(value)}", fix),))

    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """The type in JSON Schema, draft 7."""


@dataclass(frozen=True)
class TextValue(ValueType):
    """A string that is not empty and fits on a line."""

    example: str
    words: ClassVar[str] = "a string"

    def read(self, value: Any, option: str) -> Read:
        if not isinstance(value, str):
            unquoted = isinstance(value, (int, float)) and not isinstance(value, bool)
            fix = f"put it in quotes: {option} = {quoted(number(value) if unquoted else self.example)}"
            return self.refused(value, fix if unquoted else f"for example: {option} = {quoted(self.example)}")
        if not value.strip():
            return Read(None, (Issue(rules.MALFORMED, "is empty", f"write a value, or remove {option}"),))
        if CONTROLS.search(value):
            message = f"{quoted(value)} has line breaks or other control characters in it"
            return Read(None, (Issue(rules.MALFORMED, message, "take them out"),))
        return self.parse(str(value), option)

    def parse(self, text: str, option: str) -> Read:  # noqa: ARG002 - for those that look closer
        """Read a string that is one line."""
        return Read(text)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "examples": [self.example]}


@dataclass(frozen=True)
class PathValue(TextValue):
    """A path below the project's folder, with forward slashes."""

    words: ClassVar[str] = "a path"

    def parse(self, text: str, option: str) -> Read:  # noqa: ARG002 - paths need no option
        return read_path(text)


@dataclass(frozen=True)
class PatternValue(TextValue):
    """A path below the project's folder that may hold `*`, `?` and `**`."""

    words: ClassVar[str] = "a path or pattern"

    def parse(self, text: str, option: str) -> Read:  # noqa: ARG002 - paths need no option
        return read_path(text)


@dataclass(frozen=True)
class ExclusionValue(TextValue):
    """A pattern as .gitignore writes them; what it means is asked when files are listed."""

    words: ClassVar[str] = "a pattern"


@dataclass(frozen=True)
class MatchingValue(TextValue):
    """A string of a form that a pattern describes."""

    form: ClassVar[str]
    advice: ClassVar[str]

    def parse(self, text: str, option: str) -> Read:
        if re.fullmatch(self.form, text, re.ASCII):
            return Read(text)
        message = f"{quoted(text)} is not {self.words}: {self.advice}"
        return Read(None, (Issue(rules.MALFORMED, message, f"for example: {option} = {quoted(self.example)}"),))

    def schema(self) -> dict[str, Any]:
        return {**super().schema(), "pattern": f"^(?:{self.form})$"}


class ImageReferenceValue(MatchingValue):
    """A container image, with tag or digest."""

    words: ClassVar[str] = "an image's name"
    form: ClassVar[str] = rf"{_IMAGE_PATH}(?::{_IMAGE_TAG})?(?:@sha256:[0-9a-f]{{64}})?"
    advice: ClassVar[str] = "write [REGISTRY/]NAME[:TAG], in lower case"


class ImageRepositoryValue(MatchingValue):
    """A registry, with a path in it or without."""

    words: ClassVar[str] = "a registry"
    form: ClassVar[str] = rf"{_IMAGE_HOST}(?:/{_IMAGE_PART})*"
    advice: ClassVar[str] = "write HOST[:PORT][/PATH], without https:// and without a user"


class ImageTagValue(MatchingValue):
    """A tag of an image."""

    words: ClassVar[str] = "a tag"
    form: ClassVar[str] = _IMAGE_TAG
    advice: ClassVar[str] = "letters, digits, _, . and -, at most 128"


class BuilderValue(MatchingValue):
    """A builder of docker buildx."""

    words: ClassVar[str] = "a builder's name"
    form: ClassVar[str] = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
    advice: ClassVar[str] = "docker buildx ls shows them"


class DebianPackageValue(MatchingValue):
    """A Debian package, with a version or without."""

    words: ClassVar[str] = "a Debian package"
    form: ClassVar[str] = r"[a-z0-9][a-z0-9+.-]+(?:=[A-Za-z0-9.+:~-]+)?"
    advice: ClassVar[str] = "write its name, and where wanted =VERSION"


def read_path(text: str) -> Read:
    """A path without `.` parts and doubled slashes; refused where it is absolute or leads upwards."""
    for judge in (_refuse_address, _refuse_absolute, _refuse_backslash, _refuse_upwards, _refuse_long):
        issue = judge(text)
        if issue:
            return Read(None, (issue,))
    return Read("/".join(part for part in text.split("/") if part not in {"", "."}) or ".")


def _refuse_address(text: str) -> Issue | None:
    if not _URL.match(text):
        return None
    fix = "download it into the project's folder, and write its path there"
    return Issue(rules.OUTSIDE, f"{quoted(text)} is an address, not a file of the project", fix)


def _refuse_absolute(text: str) -> Issue | None:
    if text.startswith("~"):
        message = f"{quoted(text)} starts with ~, which stands for a folder outside the project"
    elif text.startswith(("/", "\\")) or _DRIVE.match(text):
        message = f"{quoted(text)} is an absolute path, which exists on one machine only"
    else:
        return None
    last = text.replace("\\", "/").rstrip("/").rpartition("/")[2] or "models"
    fix = f"put the file into the project, and write its path from there, for example {quoted(f'models/{last}')}"
    return Issue(rules.OUTSIDE, message, fix)


def _refuse_backslash(text: str) -> Issue | None:
    if "\\" not in text:
        return None
    fix = f"write forward slashes: {quoted(text.replace(chr(92), '/'))}"
    return Issue(rules.PATH_FORM, f"{quoted(text)} has backslashes in it", fix)


def _refuse_upwards(text: str) -> Issue | None:
    if ".." not in text.split("/"):
        return None
    fix = "move the file into the project, and write its path without .."
    return Issue(rules.OUTSIDE, f"{quoted(text)} leads upwards with ..", fix)


def _refuse_long(text: str) -> Issue | None:
    if len(text) <= _LONGEST:
        return None
    return Issue(rules.PATH_FORM, f"is {len(text):,} characters long; no system has such paths", "write a shorter one")
