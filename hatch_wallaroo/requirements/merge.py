"""Requirements read, judged for the platform, and made one line a package."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.findings import Finding, Place, nearest
from hatch_wallaroo.requirements import rules
from hatch_wallaroo.requirements.lines import Line, address, without_login
from hatch_wallaroo.requirements.repair import repaired, several
from hatch_wallaroo.requirements.target import Target

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

_LONGEST_SHOWN = 120


@dataclass(frozen=True)
class Wanted:
    """One package: its name as written first, and everything that is asked of it.

    `specifiers` are single clauses (`>=1.2`) as written; `places` where they stand.
    """

    name: str
    extras: tuple[str, ...]
    specifiers: tuple[str, ...]
    hashes: tuple[str, ...]
    places: tuple[Place, ...]

    @property
    def key(self) -> str:
        """The name as an index compares it."""
        from packaging.utils import canonicalize_name

        return canonicalize_name(self.name)

    @property
    def text(self) -> str:
        """The line for requirements.txt, without hashes."""
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        return f"{self.name}{extras}{','.join(self.specifiers)}"

    @property
    def set(self) -> SpecifierSet:
        from packaging.specifiers import SpecifierSet

        return SpecifierSet(",".join(self.specifiers))

    @property
    def pin(self) -> str | None:
        """The exact version that is asked for, if there is one."""
        return next((each.lstrip("=") for each in self.specifiers if _is_pin(each)), None)


class Judge:
    """Reads lines for a target; collects findings and what does not apply."""

    def __init__(self, spec: ModelSpec, target: Target) -> None:
        self.spec = spec
        self.target = target
        self.findings: list[Finding] = []
        self.left_out: list[tuple[str, Place]] = []

    def wanted(self, lines: Iterable[Line]) -> list[Wanted]:
        """What the lines ask for on the target, the project's own extras expanded, in order."""
        found: list[Wanted] = []
        for line in lines:
            found.extend(self._line(line, "", ()))
        return found

    def _line(self, line: Line, extra: str, within: tuple[str, ...]) -> list[Wanted]:
        from packaging.utils import canonicalize_name

        requirement = self._parsed(line)
        if requirement is None:
            return []
        if requirement.marker and not self._applies(requirement, line, extra):
            return []
        if canonicalize_name(requirement.name) == canonicalize_name(self.spec.project.name):
            return self._own_extras(requirement, line, within)
        clauses = sorted(str(clause) for clause in requirement.specifier)
        return [Wanted(requirement.name, tuple(sorted(requirement.extras)), tuple(clauses), line.hashes, (line.place,))]

    def _parsed(self, line: Line) -> Requirement | None:
        from packaging.requirements import InvalidRequirement, Requirement

        plain = address(line.text)
        try:
            if plain is None:
                requirement = Requirement(line.text)
                if requirement.url is None:
                    return requirement
                plain = address(requirement.url, requirement.name) or address(f"https://{requirement.url}")
        except (InvalidRequirement, RecursionError):
            plain = None
            self._say_unreadable(line)
        if plain is not None:
            rule = rules.LOCAL_PROJECT if plain.local else rules.DIRECT_REFERENCE
            message = f"{line.where}'{_short(line.text)}' is {plain.kind}, not a package of an index"
            self.findings.append(rule.finding(message, fix=plain.fix, place=line.place))
        return None

    def _say_unreadable(self, line: Line) -> None:
        parts = several(line.text)
        meant = repaired(line.text)
        if parts:
            fix = f"write one a line: {' and '.join(repr(part) for part in parts)}"
        elif meant:
            fix = f"did you mean {meant!r}?"
        else:
            fix = "write it as 'name', 'name==1.2.3' or 'name>=1.2,<2'"
        message = f"{line.where}'{_short(line.text)}' is not a requirement"
        self.findings.append(rules.UNREADABLE_LINE.finding(message, fix=fix, place=line.place))

    def _applies(self, requirement: Requirement, line: Line, extra: str) -> bool:
        from packaging.markers import UndefinedComparison, UndefinedEnvironmentName

        marker = requirement.marker
        if marker is None:
            return True
        try:
            applies = marker.evaluate(self.target.markers(extra))
        except (UndefinedComparison, UndefinedEnvironmentName, ValueError, RecursionError):
            self._say_unreadable(line)
            return False
        if not applies:
            self.left_out.append((f"{requirement.name} ({marker})", line.place))
        return applies

    def _own_extras(self, requirement: Requirement, line: Line, within: tuple[str, ...]) -> list[Wanted]:
        """The requirements that an extra of the project itself stands for."""
        from packaging.utils import canonicalize_name

        known = {canonicalize_name(name): name for name in self.spec.project.optional_dependencies}
        found: list[Wanted] = []
        for asked in sorted(requirement.extras):
            extra = canonicalize_name(asked)
            if extra not in known:
                near = nearest(asked, known.values())
                fix = f"did you mean '{requirement.name}[{near}]'?" if near else "declare it, or leave it out"
                message = f"{line.where}the project has no extra {asked!r}"
                self.findings.append(rules.UNKNOWN_EXTRA.finding(message, fix=fix, place=line.place))
            elif extra not in within:
                for index, text in enumerate(self.spec.project.optional_dependencies[known[extra]]):
                    place = Place(key=("project", "optional-dependencies", known[extra], index))
                    found.extend(self._line(Line(text, place), extra, (*within, extra)))
        return found


def merged(wanted: Sequence[Wanted]) -> tuple[list[Wanted], list[Finding]]:
    """One for each package, in the order of first mention, with findings where they exclude each other."""
    by_key: dict[str, Wanted] = {}
    groups: dict[str, list[Wanted]] = {}
    for each in wanted:
        groups.setdefault(each.key, []).append(each)
        before = by_key.get(each.key)
        by_key[each.key] = _joined(before, each) if before else each
    findings = [
        rules.CONFLICT.finding(
            " and ".join(_told(one) for one in groups[each.key]) + ": no version satisfies both"
            if len(groups[each.key]) > 1
            else f"{_told(each)}: no version satisfies it",
            fix="keep the version that the model was made with",
            place=each.places[-1],
        )
        for each in by_key.values()
        if impossible(each)
    ]
    return list(by_key.values()), findings


def narrowed(wanted: Sequence[Wanted], constraints: Sequence[Wanted]) -> tuple[list[Wanted], list[Wanted]]:
    """The packages with the constraints on them added, and the constraints on no package."""
    by_key = {each.key: each for each in wanted}
    unused = []
    for constraint in constraints:
        if constraint.key in by_key:
            by_key[constraint.key] = _joined(by_key[constraint.key], replace(constraint, extras=()))
        else:
            unused.append(constraint)
    return list(by_key.values()), unused


def impossible(wanted: Wanted) -> bool:
    """Whether no version can satisfy all clauses, as far as the clauses alone tell."""
    from packaging.version import InvalidVersion, Version

    try:
        pins = {Version(each.lstrip("=")) for each in wanted.specifiers if _is_pin(each)}
    except InvalidVersion:
        return False
    if pins:
        return any(not wanted.set.contains(pin, prereleases=True) for pin in pins)
    lowest = max((_bound(each) for each in wanted.specifiers if each.startswith((">", "~="))), default=None)
    highest = min((_bound(each) for each in wanted.specifiers if each.startswith("<")), default=None)
    if lowest is None or highest is None or lowest < highest:
        return False
    return lowest > highest or not wanted.set.contains(lowest, prereleases=True)


def _bound(clause: str) -> Version:
    from packaging.version import Version

    return Version(clause.lstrip("<>=~"))


def _is_pin(clause: str) -> bool:
    return clause.startswith("==") and not clause.endswith(".*")


def _joined(first: Wanted, second: Wanted) -> Wanted:
    return Wanted(
        first.name,
        tuple(sorted({*first.extras, *second.extras})),
        tuple(sorted({*first.specifiers, *second.specifiers})),
        tuple(dict.fromkeys((*first.hashes, *second.hashes))),
        tuple(dict.fromkeys((*first.places, *second.places))),
    )


def _told(wanted: Wanted) -> str:
    place = wanted.places[0]
    return f"{wanted.text} ({place.file}:{place.line})" if place.file else wanted.text


def _short(text: str) -> str:
    shown = without_login(text)
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}…"
