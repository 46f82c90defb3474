"""Exact versions for the platform: found by uv, or taken from the project's own pylock.toml (PEP 751)."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.findings import Finding, Place, Rule
from hatch_wallaroo.requirements import rules
from hatch_wallaroo.requirements.merge import Wanted
from hatch_wallaroo.requirements.target import Target
from hatch_wallaroo.requirements.uv import PLATFORMS, compile_lines, find_uv

if TYPE_CHECKING:
    from packaging.pylock import Package, Pylock

PYLOCK = "pylock.toml"
LARGEST_PYLOCK = 16 << 20

_READER = "26.1"
_AGAIN = "make it anew: uv pip compile … --format pylock.toml -o pylock.toml"
_GLIBC_MINORS = range(40, 4, -1)


@dataclass(frozen=True)
class Locked:
    """`name==version` lines, or None with the findings that say why there are none."""

    lines: tuple[str, ...] | None
    findings: tuple[Finding, ...] = ()


def lock(root: Path, target: Target, lines: Sequence[str], place: Place, constraints: Sequence[str] = ()) -> Locked:
    """Resolve requirement lines (options among them) for the target; nothing is installed."""
    platform = PLATFORMS.get(target.machine)
    if platform is None:
        message = f"uv resolves for x86_64 and aarch64, not for {target.machine}"
        fix = "write exact versions yourself, or a pylock.toml, and set lock = false"
        return Locked(None, (rules.UNRESOLVABLE.finding(message, fix=fix, place=place),))
    uv = find_uv()
    if uv is None:
        message = "lock = true needs uv, which is not on the PATH"
        fix = 'write "hatch-wallaroo[lock]" in [build-system] requires, or put uv on the PATH'
        return Locked(None, (rules.NO_UV.finding(message, fix=fix, place=place),))
    if not lines:
        return Locked(())
    made = compile_lines(uv, target.python, lines, platform=platform, constraints=constraints, root=root)
    if not made.passed:
        message = f"no versions found for {target}: {made.reason}"
        fix = f"choose versions that exist for Python {target.python}"
        return Locked(None, (rules.UNRESOLVABLE.finding(message, fix=fix, place=place),))
    return Locked(made.pins)


def from_pylock(spec: ModelSpec, target: Target, wanted: Sequence[Wanted]) -> Locked | None:
    """The lock's versions for the target, checked against what is wanted; None where there is no pylock.toml.

    Versions are written as `name==version` without the lock's hashes: pip's
    hash-checking mode would refuse whatever the platform itself adds.
    """
    path = spec.root / PYLOCK
    if not path.is_file():
        return None
    if not _is_readable():
        message = f"{PYLOCK} is read by packaging {_READER} or later, which is not installed"
        fix = 'write "hatch-wallaroo[lock]" in [build-system] requires, or upgrade packaging'
        return Locked(None, (_finding(rules.LOCK_FORM, message, fix),))
    from packaging.pylock import Pylock, PylockValidationError

    try:
        lock = Pylock.from_dict(_document(path))
        chosen = _Chosen(spec, target, lock)
    except (OSError, ValueError, RecursionError, PylockValidationError) as error:
        return Locked(None, (_finding(rules.LOCK_FORM, f"{PYLOCK} cannot be used: {error}"),))
    findings = (*chosen.findings, *_unsatisfied(chosen.versions, wanted))
    lines = tuple(f"{name}=={version}" for name, version in sorted(chosen.versions.items()))
    return Locked(None if findings else lines, findings)


def _is_readable() -> bool:
    """Other tools of an environment may hold packaging back, so only the extra `lock` asks for this version."""
    import packaging
    from packaging.version import Version

    return Version(packaging.__version__) >= Version(_READER)


def _document(path: Path) -> Mapping[str, Any]:
    """Raises OSError and ValueError."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    if path.stat().st_size > LARGEST_PYLOCK:
        raise ValueError(f"it is larger than {LARGEST_PYLOCK >> 20} MiB")
    document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    return document


def _finding(rule: Rule, message: str, fix: str = _AGAIN) -> Finding:
    return rule.finding(message, fix=fix, place=Place(file=PYLOCK))


class _Chosen:
    """What applies on a target: `versions` by canonical name, and `findings` about what cannot be installed there.

    Raises ValueError for markers that have no answer.
    """

    def __init__(self, spec: ModelSpec, target: Target, lock: Pylock) -> None:
        from packaging.utils import canonicalize_name

        self.target = target
        self.versions: dict[str, str] = {}
        self.findings = list(_of_another_target(spec, target, lock))
        # No extra is asked for, and no groups but the lock's default ones.
        groups = {"extras": frozenset[str](), "dependency_groups": frozenset(lock.default_groups or ())}
        environment: dict[str, Any] = {**target.markers(), **groups}
        own = canonicalize_name(spec.project.name)
        self._tags = frozenset(_tags(target))
        for package in lock.packages:
            applies = package.marker is None or package.marker.evaluate(environment, context="lock_file")
            if applies and package.name != own:
                self._take(package)

    def _take(self, package: Package) -> None:
        if package.is_direct or package.version is None:
            fix = "use a version that is on an index, or put its source into the project"
            self.findings.append(_finding(rules.DIRECT_REFERENCE, f"{PYLOCK}: {package.name} comes from no index", fix))
            return
        if package.name in self.versions:
            self.findings.append(_finding(rules.LOCK_FORM, f"{PYLOCK} has {package.name} twice for {self.target}"))
        if not self._installable(package):
            message = f"{PYLOCK}: {package.name} {package.version} cannot be installed on {self.target}"
            fix = "make it anew for the platform's Python and processor"
            self.findings.append(_finding(rules.LOCK_TARGET, message, fix))
        self.versions[package.name] = str(package.version)

    def _installable(self, package: Package) -> bool:
        """Whether the target's Python is allowed, and there is a source distribution or a wheel for it."""
        from packaging.utils import parse_wheel_filename

        if package.requires_python and not package.requires_python.contains(self.target.full_python):
            return False
        fitting = (not self._tags.isdisjoint(parse_wheel_filename(each.filename)[3]) for each in package.wheels or ())
        return package.sdist is not None or any(fitting)


def _of_another_target(spec: ModelSpec, target: Target, lock: Pylock) -> Iterator[Finding]:
    required = lock.requires_python
    if required and not required.contains(target.full_python):
        message = f"{PYLOCK} is for Python {required}; Wallaroo {spec.release.asked} runs {target.python}"
        fix = f"make it anew with --python-version {target.python} --python-platform x86_64-manylinux2014"
        yield _finding(rules.LOCK_TARGET, message, fix)
    if lock.environments and not any(each.evaluate(target.markers()) for each in lock.environments):
        yield _finding(rules.LOCK_TARGET, f"none of the environments of {PYLOCK} is {target}")


def _tags(target: Target) -> Iterator[Any]:
    """The wheel tags that a current glibc Linux with the target's Python takes."""
    from packaging.tags import compatible_tags, cpython_tags

    major, minor = map(int, target.python.split("."))
    names = [f"manylinux_2_{each}_{target.machine}" for each in _GLIBC_MINORS]
    names += [f"{legacy}_{target.machine}" for legacy in ("manylinux2014", "manylinux2010", "manylinux1", "linux")]
    yield from cpython_tags((major, minor), platforms=names)
    yield from compatible_tags((major, minor), f"cp{major}{minor}", names)


def _unsatisfied(versions: Mapping[str, str], wanted: Sequence[Wanted]) -> Iterator[Finding]:
    """Which requirements the lock does not satisfy."""
    for each in wanted:
        locked = versions.get(each.key)
        if locked is None:
            yield _finding(rules.LOCK_STALE, f"{PYLOCK} does not have {each.name}, which is required")
        elif not each.set.contains(locked, prereleases=True):
            message = f"{PYLOCK} has {each.name} {locked}, and {each.text} is required"
            yield _finding(rules.LOCK_STALE, message)
