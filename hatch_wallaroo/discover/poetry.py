"""A Poetry project whose metadata are Poetry's alone: what Hatchling has to know of it, and its requirements."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_FIELDS: Mapping[str, str] = {
    "description": "description",
    "readme": "readme",
    "license": "license",
    "authors": "authors",
    "maintainers": "maintainers",
    "keywords": "keywords",
    "classifiers": "classifiers",
    "homepage": "urls",
    "repository": "urls",
    "documentation": "urls",
    "urls": "urls",
    "scripts": "scripts",
    "plugins": "entry-points",
    "dependencies": "dependencies",
    "extras": "optional-dependencies",
}
"""Poetry's keys, and the fields of [project] that it makes of them."""
_PLAIN = re.compile(r"[0-9]+(?:\.[0-9]+){0,3}")
_CARET = re.compile(r"\^\s*([0-9]+(?:\.[0-9]+){0,3}(?:[.-]?(?:a|b|rc|dev|post)[0-9]*)?)")
_TILDE = re.compile(r"~\s*([0-9]+(?:\.[0-9]+){0,3})")
_KNOWN_KEYS = {"version", "extras", "markers", "python", "optional", "source", "allow-prereleases"}


def dynamic_fields(table: Mapping[str, Any]) -> list[str]:
    """The fields of [project] that Poetry gives: they must be named there, so that it goes on giving them."""
    fields = [field for key, field in _FIELDS.items() if key in table]
    dependencies = table.get("dependencies")
    if isinstance(dependencies, Mapping) and "python" in dependencies:
        fields.append("requires-python")
    return list(dict.fromkeys(fields))


def requirements(table: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Poetry's main dependencies as PEP 508 takes them, and the names of those that cannot be written so."""
    dependencies = table.get("dependencies")
    lines, left = [], []
    for name, told in dependencies.items() if isinstance(dependencies, Mapping) else ():
        if str(name).lower() == "python":
            continue
        line = _line(str(name), told)
        if line is None:
            left.append(str(name))
        elif line:
            lines.append(line)
    return lines, left


def _line(name: str, told: Any) -> str | None:
    """One requirement; '' for what is only an extra's, None for what cannot be said."""
    if isinstance(told, str):
        versions = _versions(told)
        return None if versions is None else f"{name}{versions}"
    if not isinstance(told, Mapping) or told.keys() - _KNOWN_KEYS:
        return None
    if told.get("optional") is True:
        return ""
    versions = _versions(told.get("version", "*"))
    extras, markers = told.get("extras", []), told.get("markers")
    if versions is None or not isinstance(extras, list) or "python" in told:
        return None
    named = f"[{','.join(map(str, extras))}]" if extras else ""
    return f"{name}{named}{versions}" + (f"; {markers}" if isinstance(markers, str) else "")


def _versions(told: object) -> str | None:
    """Poetry's versions as specifiers: `^1.2` is `>=1.2,<2`; None for what is not understood."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    if not isinstance(told, str) or "|" in told:
        return None
    text = told.strip()
    parts = [part for each in text.split(",") for part in _specifiers(each.strip())]
    joined = "" if text in {"*", ""} else ",".join(parts)
    try:
        SpecifierSet(joined)
    except InvalidSpecifier:
        return None
    return joined


def _specifiers(text: str) -> Iterator[str]:
    if found := _CARET.fullmatch(text):
        yield from (f">={found[1]}", f"<{_next(found[1], caret=True)}")
    elif found := _TILDE.fullmatch(text):
        yield from (f">={found[1]}", f"<{_next(found[1], caret=False)}")
    elif _PLAIN.fullmatch(text) or text.endswith(".*"):
        yield f"=={text}"
    else:
        yield text


def _next(version: str, *, caret: bool) -> str:
    """The first version that is out: for a caret, the next of the first part that is not zero."""
    numbers = [int(part) for part in re.match(r"[0-9.]*[0-9]", version)[0].split(".")]  # type: ignore[index]
    if caret:
        at = next((index for index, number in enumerate(numbers) if number), len(numbers) - 1)
    else:
        at = min(1, len(numbers) - 1)
    return ".".join(str(each) for each in [*numbers[:at], numbers[at] + 1])
