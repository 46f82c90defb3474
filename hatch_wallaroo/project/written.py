"""`[project]` as it is written, for projects that compute nothing: what PEP 621 does not allow is said.

Hatchling says the same when it builds, but as a traceback and one thing at a time; and it is slow to import.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hatch_wallaroo.config.spec import Project
from hatch_wallaroo.findings import Finding, KeyPath, Place, rule
from hatch_wallaroo.project.hatchling import source_url
from hatch_wallaroo.project.spelling import spelt
from hatch_wallaroo.text import found, quoted

NO_PROJECT = rule(
    "WLR650",
    "the project's own metadata cannot be read",
    why="A bundle is named by the project's name and version, and takes its requirements from there.",
    source="PEP 621, and what Hatchling answers",
)

UNKNOWN_NAME = "unnamed"
UNKNOWN_VERSION = "0"
"""What stands in where nothing is known: findings about the stand-in itself would be noise."""

_NAME = re.compile(r"[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]")
_PLAIN_VERSION = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*")


def written(table: Mapping[str, Any], packages: Sequence[str], *, direct: bool = True) -> tuple[Project, list[Finding]]:
    """The project that a table `[project]` describes by itself; what cannot be read is left out of it.

    `direct`: whether a dependency may be an address, which Hatchling asks for a setting of its own.
    """
    findings = [*_name(table.get("name")), *twice(table)]
    version, wrong = _version(table.get("version"))
    findings += wrong
    dependencies, wrong = _lines(table.get("dependencies", []), ("project", "dependencies"), direct)
    findings += wrong
    extras = table.get("optional-dependencies", {})
    optional = {}
    if isinstance(extras, Mapping):
        for extra, lines in extras.items():
            optional[extra], wrong = _lines(lines, ("project", "optional-dependencies", extra), direct)
            findings += wrong
    else:
        findings.append(_wrong_type(extras, "a table of lists", 'gpu = ["torch"]', "optional-dependencies"))
    python, wrong = _python(table.get("requires-python", ""))
    findings += wrong
    name, urls = table.get("name"), table.get("urls")
    return (
        Project(
            name=name if isinstance(name, str) and name else UNKNOWN_NAME,
            version=version,
            dependencies=dependencies,
            optional_dependencies=optional,
            requires_python=python,
            packages=tuple(packages),
            source=source_url(urls if isinstance(urls, Mapping) else None),
        ),
        findings,
    )


def normal_version(version: str) -> str:
    """A version as Hatchling writes it into file names. Raises ValueError for what is none."""
    if _PLAIN_VERSION.fullmatch(version):
        return version
    from packaging.version import Version

    return str(Version(version))


def _say(message: str, fix: str, *key: str | int) -> Finding:
    return NO_PROJECT.finding(message, fix=fix, place=Place(key=("project", *key)))


def _wrong_type(value: Any, wanted: str, example: str, *key: str | int) -> Finding:
    return _say(f"must be {wanted}, not {found(value)}", f"for example: {example}", *key)


def _name(name: Any) -> Iterator[Finding]:
    if name is None or name == "":
        yield _say("[project] has no name", 'write name = "my-model"', "name")
    elif not isinstance(name, str):
        yield _wrong_type(name, "a string", 'name = "my-model"', "name")
    elif not _NAME.fullmatch(name):
        fix = "use letters, digits, hyphens, underscores and dots; a letter or digit first and last"
        yield _say(f"{quoted(name)} is no name of a project", fix, "name")


def twice(table: Mapping[str, Any]) -> Iterator[Finding]:
    """What is written, and said to be computed as well."""
    dynamic = table.get("dynamic", [])
    for key in dynamic if isinstance(dynamic, list) else ():
        if isinstance(key, str) and key in table:
            yield _say(f"{key} is written, and also listed in dynamic", "keep one of the two", key)


def _version(version: Any) -> tuple[str, list[Finding]]:
    if version is None or version == "":
        return UNKNOWN_VERSION, [_say("[project] has no version", 'write version = "1.0.0"', "version")]
    if not isinstance(version, str):
        return UNKNOWN_VERSION, [_wrong_type(version, "a string", 'version = "1.0.0"', "version")]
    try:
        return normal_version(version), []
    except ValueError:
        message = f"{quoted(version)} is no version that packages can have"
        return UNKNOWN_VERSION, [_say(message, 'write numbers with dots, for example: "2024.11.3"', "version")]


def _lines(value: Any, key: KeyPath, direct: bool) -> tuple[tuple[str, ...], list[Finding]]:
    """Requirements, each as PEP 508 has them, in Hatchling's spelling."""
    if not isinstance(value, list):
        message = f"must be a list of strings, not {found(value)}"
        return (), [NO_PROJECT.finding(message, fix='for example: ["numpy>=1.26"]', place=Place(key=key))]
    if not value:
        return (), []
    lines, findings = [], []
    for index, line in enumerate(value):
        spelt, wrong = _line(line, (*key, index), direct)
        lines.append(spelt)
        findings += wrong
    return tuple(lines), findings


def _line(line: Any, key: KeyPath, direct: bool) -> tuple[str, list[Finding]]:
    from packaging.requirements import InvalidRequirement, Requirement

    from hatch_wallaroo.requirements.repair import repaired

    place = Place(key=key)
    if not isinstance(line, str):
        message = f"must be a string, not {found(line)}"
        return "", [NO_PROJECT.finding(message, fix='for example: "numpy>=1.26"', place=place)]
    try:
        requirement = Requirement(line)
        if requirement.url and not direct:
            message = f"{quoted(line)} is an address, and Hatchling takes none here"
            fix = "name a package of an index, or write allow-direct-references = true under [tool.hatch.metadata]"
            return line, [NO_PROJECT.finding(message, fix=fix, place=place)]
        return spelt(line), []
    except (InvalidRequirement, RecursionError):
        meant = repaired(line)
        fix = f"did you mean {quoted(meant)}?" if meant else "write it as 'name', 'name==1.2.3' or 'name>=1.2,<2'"
        return line, [NO_PROJECT.finding(f"{quoted(line)} is not a requirement", fix=fix, place=place)]


def _python(value: Any) -> tuple[str, list[Finding]]:
    if not isinstance(value, str):
        return "", [_wrong_type(value, "a string", 'requires-python = ">=3.10"', "requires-python")]
    if not value:
        return "", []
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        return str(SpecifierSet(value)), []
    except InvalidSpecifier:
        message = f"{quoted(value)} is no range of versions"
        return "", [_say(message, 'for example: requires-python = ">=3.10"', "requires-python")]
