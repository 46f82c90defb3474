"""Exact versions from the project's own pylock.toml (PEP 751)."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.findings import Finding, Place, Rule
from hatch_wallaroo.requirements import problems
from hatch_wallaroo.requirements.lock import Locked
from hatch_wallaroo.requirements.merge import Wanted
from hatch_wallaroo.requirements.target import Target

FILE = "pylock.toml"
LARGEST = 16 << 20

_AGAIN = "make it anew: uv pip compile … --format pylock.toml -o pylock.toml"
_GROUPS = re.compile(r"(['\"])(?P<name>[^'\"]*)\1\s+(?P<negated>not\s+)?in\s+(?P<set>extras|dependency_groups)\b")
"""Conditions that markers of a lock have beyond PEP 508, and that older releases of packaging cannot read."""

_GLIBC_MINORS = range(40, 4, -1)


@dataclass(frozen=True)
class _Package:
    """A package of the lock that applies on the target."""

    key: str
    name: str
    version: str


class _UnusableError(Exception):
    """The lock cannot be used at all; the text says why."""


def from_pylock(spec: ModelSpec, target: Target, wanted: Sequence[Wanted]) -> Locked | None:
    """The lock's versions for the target, checked against what is wanted; None where there is no pylock.toml.

    Versions are written as `name==version` without the lock's hashes: pip's
    hash-checking mode would refuse whatever the platform itself adds.
    """
    path = spec.root / FILE
    if not path.is_file():
        return None
    reader = _Reader(spec, target)
    try:
        packages = reader.packages(_document(path))
    except _UnusableError as error:
        reader.say(problems.LOCK_FORM, f"{FILE} {error}", _AGAIN)
        return Locked(None, tuple(reader.findings))
    _check_fresh(reader, packages, wanted)
    lines = tuple(f"{each.name}=={each.version}" for each in sorted(packages.values(), key=lambda each: each.key))
    return Locked(None if reader.findings else lines, tuple(reader.findings))


def _document(path: Path) -> Mapping[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        if path.stat().st_size > LARGEST:
            raise _UnusableError(f"is larger than {LARGEST >> 20} MiB")
        document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise _UnusableError(f"cannot be read: {error}") from error
    version = document.get("lock-version")
    if not isinstance(version, str) or not version.startswith("1."):
        raise _UnusableError(f"has lock-version {version!r}; 1.0 is known")
    return document


class _Reader:
    """Reads a lock for a target."""

    def __init__(self, spec: ModelSpec, target: Target) -> None:
        self.spec = spec
        self.target = target
        self.findings: list[Finding] = []
        self._tags: frozenset[Any] | None = None
        self._default_groups: set[str] = set()

    def say(self, rule: Rule, message: str, fix: str) -> None:
        self.findings.append(rule.finding(message, fix=fix, place=Place(file=FILE)))

    def packages(self, document: Mapping[str, Any]) -> dict[str, _Package]:
        """The packages that apply on the target, by canonical name. Raises _UnusableError."""
        groups = document.get("default-groups", [])
        self._default_groups = {str(each) for each in groups} if isinstance(groups, list) else set()
        self._check_target(document)
        found: dict[str, _Package] = {}
        tables = document.get("packages", [])
        if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
            raise _UnusableError("has no [[packages]] tables")
        for table in tables:
            package = self._package(table)
            if package is None:
                continue
            if package.key in found:
                self.say(problems.LOCK_FORM, f"{FILE} has {package.name} twice for {self.target}", _AGAIN)
            found[package.key] = package
        return found

    def _check_target(self, document: Mapping[str, Any]) -> None:
        required = document.get("requires-python", "")
        if required and not self._python_fits(required):
            message = f"{FILE} is for Python {required}; Wallaroo {self.spec.release.asked} runs {self.target.python}"
            fix = f"make it anew with --python-version {self.target.python} --python-platform x86_64-manylinux2014"
            self.say(problems.LOCK_TARGET, message, fix)
        environments = document.get("environments", [])
        if isinstance(environments, list) and environments and not any(map(self._applies, environments)):
            self.say(problems.LOCK_TARGET, f"none of the environments of {FILE} is {self.target}", _AGAIN)

    def _package(self, table: Mapping[str, Any]) -> _Package | None:
        from packaging.utils import canonicalize_name
        from packaging.version import InvalidVersion, Version

        name, version = table.get("name"), table.get("version")
        if not isinstance(name, str):
            raise _UnusableError("has a package without a name")
        if "marker" in table and not self._applies(table["marker"]):
            return None
        key = canonicalize_name(name)
        if key == canonicalize_name(self.spec.project.name):
            return None
        unindexed = next((kind for kind in ("vcs", "directory", "archive") if kind in table), None)
        if unindexed or not isinstance(version, str):
            fix = "use a version that is on an index, or put its source into the project"
            self.say(problems.DIRECT_REFERENCE, f"{FILE}: {name} comes from no index", fix)
            return None
        try:
            Version(version)
        except InvalidVersion:
            raise _UnusableError(f"has a version that is none: {name} {version}") from None
        if not self._python_fits(table.get("requires-python", "")) or not self._installable(table):
            message = f"{FILE}: {name} {version} cannot be installed on {self.target}"
            self.say(problems.LOCK_TARGET, message, "make it anew for the platform's Python and processor")
        return _Package(key, name, version)

    def _applies(self, marker: object) -> bool:
        from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName

        try:
            return Marker(_GROUPS.sub(self._group, str(marker))).evaluate(self.target.markers())
        except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName, ValueError, TypeError, RecursionError):
            raise _UnusableError(f"has a marker that cannot be read: {marker}") from None

    def _group(self, found: re.Match[str]) -> str:
        """A condition on extras or groups as a plain one: none are asked for but the lock's default groups."""
        chosen = found["set"] == "dependency_groups" and found["name"] in self._default_groups
        return "python_version >= '0'" if chosen != bool(found["negated"]) else "python_version < '0'"

    def _python_fits(self, required: object) -> bool:
        from packaging.specifiers import InvalidSpecifier, SpecifierSet

        try:
            return SpecifierSet(str(required)).contains(self.target.full_python)
        except InvalidSpecifier:
            raise _UnusableError(f"has a requires-python that cannot be read: {required}") from None

    def _installable(self, table: Mapping[str, Any]) -> bool:
        """Whether there is a source distribution, or a wheel for the target; a lock may list none at all."""
        wheels = table.get("wheels", [])
        if "sdist" in table or not isinstance(wheels, list) or not wheels:
            return True
        return any(self._fits(wheel) for wheel in wheels)

    def _fits(self, wheel: object) -> bool:
        from packaging.utils import InvalidWheelFilename, parse_wheel_filename

        described = wheel if isinstance(wheel, dict) else {}
        where = str(described.get("name") or described.get("url") or described.get("path") or "")
        try:
            tags = parse_wheel_filename(where.split("#", maxsplit=1)[0].replace("\\", "/").rpartition("/")[2])[3]
        except InvalidWheelFilename:
            return True
        if self._tags is None:
            self._tags = frozenset(_tags(self.target))
        return not self._tags.isdisjoint(tags)


def _tags(target: Target) -> Iterator[Any]:
    """The wheel tags that a current glibc Linux with the target's Python takes."""
    from packaging.tags import compatible_tags, cpython_tags

    major, minor = map(int, target.python.split("."))
    names = [f"manylinux_2_{each}_{target.machine}" for each in _GLIBC_MINORS]
    names += [f"{legacy}_{target.machine}" for legacy in ("manylinux2014", "manylinux2010", "manylinux1", "linux")]
    yield from cpython_tags((major, minor), platforms=names)
    yield from compatible_tags((major, minor), f"cp{major}{minor}", names)


def _check_fresh(reader: _Reader, packages: Mapping[str, _Package], wanted: Sequence[Wanted]) -> None:
    """Say which requirements the lock does not satisfy."""
    for each in wanted:
        locked = packages.get(each.key)
        if locked is None:
            reader.say(problems.LOCK_STALE, f"{FILE} does not have {each.name}, which is required", _AGAIN)
        elif not each.set.contains(locked.version, prereleases=True):
            message = f"{FILE} has {locked.name} {locked.version}, and {each.text} is required"
            reader.say(problems.LOCK_STALE, message, _AGAIN)
