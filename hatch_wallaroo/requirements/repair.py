"""What an unreadable requirement was probably meant to be."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_NAME = r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?:\[[^\]]*\])?)"
_VERSION = r"(?P<version>v?\d[\w.!+*-]*)"


def _caret(found: re.Match[str]) -> str:
    """Poetry's `^1.2.3` as a range: the first part that is not zero stays."""
    numbers = [int(part) for part in found["version"].split(".")]
    fixed = next((index for index, number in enumerate(numbers) if number), len(numbers) - 1)
    upper = ".".join(str(number) for number in [*numbers[:fixed], numbers[fixed] + 1])
    return f"{found['name']}>={found['version']},<{upper}"


_REPAIRS: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (r"pip3?\s+install\s+(?P<rest>.+)", r"\g<rest>"),
    (r"(?P<quote>[\"'])(?P<rest>.+)(?P=quote),?", r"\g<rest>"),
    (r"(?P<rest>.+?)\s*[,;:]+", r"\g<rest>"),
    (rf"{_NAME}\s*=\s*[\"']?\^(?P<version>\d+(?:\.\d+)*)[\"']?", _caret),
    (rf"{_NAME}\s*\^\s*(?P<version>\d+(?:\.\d+)*)", _caret),
    (rf"{_NAME}\s*=\s*[\"']\s*(?P<rest>[<>=!~].*?)[\"']", r"\g<name>\g<rest>"),
    (rf"{_NAME}\s*=\s*[\"']\*[\"']", r"\g<name>"),
    (rf"{_NAME}\s*=\s*[\"']?{_VERSION}[\"']?", r"\g<name>==\g<version>"),
    (rf"{_NAME}=(?P<version>\d[\w.!+*]*)=\S+", r"\g<name>==\g<version>"),
    (rf"{_NAME}\s*=>\s*{_VERSION}", r"\g<name>>=\g<version>"),
    (rf"{_NAME}\s*=<\s*{_VERSION}", r"\g<name><=\g<version>"),
    (rf"{_NAME}\s*~\s*{_VERSION}", r"\g<name>~=\g<version>"),
    (rf"{_NAME}\s*(?P<sign>[<>])\s+=\s*{_VERSION}", r"\g<name>\g<sign>=\g<version>"),
    (rf"{_NAME}\s*(?P<sign>>=|>|~=)\s*(?P<version>\d+(?:\.\d+)*)\.\*", r"\g<name>\g<sign>\g<version>"),
    (rf"{_NAME}\s*:\s*{_VERSION}", r"\g<name>==\g<version>"),
    (rf"{_NAME}@{_VERSION}", r"\g<name>==\g<version>"),
    (rf"{_NAME}\s+{_VERSION}", r"\g<name>==\g<version>"),
    (rf"{_NAME}\s*(?:==|:)\s*latest", r"\g<name>"),
    (r"(?P<rest>[^#]+?)#.*", r"\g<rest>"),
    (
        r"(?P<rest>.+?;\s*(?:python_version|sys_platform|platform_machine)\s*(?:[<>=!~]=?)\s*)(?P<value>[\w.]+)",
        r"\g<rest>'\g<value>'",
    ),
    (r"(?P<rest>[A-Za-z0-9._-]+(?: [A-Za-z0-9._-]+)+)", lambda found: found["rest"].replace(" ", "-")),
)
"""Patterns for a whole line, and what it becomes; tried in order, and in pairs."""


def repaired(text: str) -> str | None:
    """A readable requirement that a line was probably meant to be, or None."""
    for once in _attempts(text):
        if _readable(once):
            return once
    for once in _attempts(text):
        for twice in _attempts(once):
            if _readable(twice):
                return twice
    return None


def several(text: str) -> list[str]:
    """The requirements of a line that holds more than one, or an empty list."""
    parts = re.split(r"\s*[,;]\s*(?=[A-Za-z])|\s+(?=[A-Za-z])", text.strip())
    pinned = [part for part in parts if re.search("[<>=~]", part)]
    return parts if len(parts) > 1 and len(pinned) == len(parts) and all(map(_readable, parts)) else []


def _attempts(text: str) -> Iterator[str]:
    for pattern, replacement in _REPAIRS:
        found = re.fullmatch(pattern, text.strip())
        if found:
            yield found.expand(replacement).strip() if isinstance(replacement, str) else replacement(found)


def _readable(text: str) -> bool:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(text).url is None
    except (InvalidRequirement, RecursionError):
        return False
