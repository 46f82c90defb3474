"""What a project says of itself: `[project]` as it is written, or as Hatchling computes it where anything is computed.

What PEP 621 does not allow is said here as well: Hatchling says the same when it builds, but as a traceback and one
thing at a time; and it is slow to import, and what it needs may not be installed beside this command.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hatch_wallaroo.config.spec import Project
from hatch_wallaroo.findings import Finding, KeyPath, Place
from hatch_wallaroo.project.hatch_config import HatchConfig
from hatch_wallaroo.project.rules import NO_PROJECT, UNKNOWN_HERE
from hatch_wallaroo.text import describe_error, found, normalized, quoted

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


_FIELDS = ("version", "dependencies", "optional-dependencies")
"""What we take of the metadata and a project may compute."""


def is_computed(table: Mapping[str, Any], config: HatchConfig) -> bool:
    """Whether Hatchling has to be asked: dynamic fields, metadata hooks, or its own fields in a dependency."""
    extras = table.get("optional-dependencies")
    lines = [table.get("dependencies", []), *(extras.values() if isinstance(extras, Mapping) else [])]
    fields = any(isinstance(line, str) and "{" in line for each in lines if isinstance(each, list) for line in each)
    return bool(table.get("dynamic")) or bool(config.value("metadata", "hooks")) or fields


def by_hatchling(
    root: Path, table: Mapping[str, Any], config: HatchConfig, document: Mapping[str, Any] | None = None
) -> tuple[Project, list[Finding], frozenset[str]]:
    """The project as Hatchling computes it, and which fields are not known because a plugin is not here.

    `document` stands in the place of the file.
    """
    from hatchling.metadata.core import ProjectMetadata
    from hatchling.plugin.exceptions import UnknownPluginError
    from hatchling.plugin.manager import PluginManager

    metadata: Any = ProjectMetadata(str(root), PluginManager(), None if document is None else dict(document))
    try:
        # A hook may print; what this command prints is for programs.
        with contextlib.redirect_stdout(sys.stderr):
            return from_metadata(metadata), [], frozenset()
    except UnknownPluginError as error:
        with contextlib.redirect_stdout(sys.stderr), contextlib.suppress(Exception):
            table = {"version": metadata.hatch.version.cached, **table}
        return elsewhere(table, config, f"{describe_error(error)}: it is not installed beside this command")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever metadata hooks and version sources raise
        project, findings = _without_dynamic(table, config)
        findings += twice(table)
        if not findings:
            message = f"Hatchling cannot read it: {describe_error(error)}"
            findings.append(NO_PROJECT.finding(message, fix="mend [project]", place=_place(table)))
        return project, findings, frozenset()


def elsewhere(
    table: Mapping[str, Any], config: HatchConfig, reason: str
) -> tuple[Project, list[Finding], frozenset[str]]:
    """The project as far as it is written, with a note of what is not: it is computed elsewhere."""
    project, findings = _without_dynamic(table, config)
    hooks = bool(config.value("metadata", "hooks"))
    dynamic = table.get("dynamic")
    listed = [key for key in _FIELDS if isinstance(dynamic, list) and key in dynamic and key not in table]
    unknown = frozenset(listed or (_FIELDS[1:] if hooks else ()))
    if unknown:
        what = " and ".join(key for key in _FIELDS if key in unknown)
        fix = "install what computes it beside this command, or let hatch build check"
        findings.append(UNKNOWN_HERE.finding(f"{what}: {reason}", fix=fix, place=_place(table)))
    return project, findings, unknown


def _without_dynamic(table: Mapping[str, Any], config: HatchConfig) -> tuple[Project, list[Finding]]:
    static = {key: value for key, value in table.items() if key != "dynamic"}
    return written({"version": UNKNOWN_VERSION, **static}, wheel_packages(config.table))


def _place(table: Mapping[str, Any]) -> Place:
    return Place(key=("project", "dynamic") if "dynamic" in table else ("project",))


def from_metadata(metadata: Any) -> Project:
    """The project that Hatchling's ProjectMetadata describes; raises whatever that does for metadata with mistakes."""
    core, table = metadata.core, metadata.config["project"]
    return Project(
        name=core.raw_name,
        version=metadata.version,
        dependencies=_as_written(core.dependencies, table.get("dependencies")),
        optional_dependencies=_extras_as_written(core.optional_dependencies, table.get("optional-dependencies")),
        requires_python=core.requires_python,
        packages=wheel_packages(metadata.hatch.config),
        source=source_url(core.urls),
    )


def source_url(urls: Any) -> str:
    """The address of the sources among a project's `urls`, by the labels that PyPI knows; empty without one."""
    known = ("source", "sourcecode", "repository", "github", "code")
    found = {re.sub(r"[^a-z]", "", str(label).lower()): url for label, url in urls.items()} if urls else {}
    url = next((found[label] for label in known if label in found), "")
    return url if isinstance(url, str) and url.isprintable() else ""


def wheel_packages(hatch: Any) -> tuple[str, ...]:
    """The folders that Hatch is told to ship, from `[tool.hatch]`: the wheel's own `packages`, else all targets'.

    Hatchling judges their types; what is none of ours is left out.
    """
    wheel = _table(_table(_table(hatch, "build"), "targets"), "wheel")
    told = wheel.get("packages", _table(hatch, "build").get("packages", []))
    return tuple(each for each in told if isinstance(each, str)) if isinstance(told, list) else ()


def _table(parent: Any, key: str) -> Any:
    found = parent.get(key, {}) if isinstance(parent, dict) else {}
    return found if isinstance(found, dict) else {}


def _extras_as_written(extras: Mapping[str, Sequence[str]], table: Any) -> dict[str, tuple[str, ...]]:
    """The extras by the names that they have in the table, each in its order; all of Hatchling's where it has none."""
    if not isinstance(table, dict):
        return {extra: tuple(lines) for extra, lines in extras.items()}
    return {extra: _as_written(extras.get(normalized(extra), ()), lines) for extra, lines in table.items()}


def _as_written(dependencies: Sequence[str], written: Any) -> tuple[str, ...]:
    """Hatchling's dependencies, which it sorts, in the order of the table, as findings name them by their place.

    Where the table does not hold them (they are dynamic, or have Hatchling's fields in them), they stay as they are.
    """
    if not isinstance(written, list) or any("{" in line for line in written):
        return tuple(dependencies)
    return tuple(spelt(line) for line in written)


def spelt(line: str) -> str:
    """A requirement as Hatchling writes it into the metadata. Raises packaging's InvalidRequirement."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    requirement = Requirement(line)
    requirement.name = canonicalize_name(requirement.name)
    if requirement.specifier:
        clauses = sorted(map(str, requirement.specifier))
        requirement.specifier = type(requirement.specifier)(",".join(clauses))
    requirement.extras = {str(canonicalize_name(extra)) for extra in requirement.extras}
    # TOML is written with double quotes: so the text can be put between them.
    return str(requirement).replace('"', "'")
