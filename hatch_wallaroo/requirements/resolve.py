"""The requirements.txt of a bundle: what the model needs, on the platform's Python."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.findings import Finding, Level, Place, errors
from hatch_wallaroo.requirements import rules
from hatch_wallaroo.requirements.lines import Line, Source, read
from hatch_wallaroo.requirements.merge import Judge, Wanted, merged, narrowed
from hatch_wallaroo.requirements.target import Target, target
from hatch_wallaroo.text import requirement_name

if TYPE_CHECKING:
    from hatch_wallaroo.requirements.lock import Locked


_BUILD_TOOL = "builds the project; it belongs into [build-system] requires"

NEEDLESS = {
    "hatch-wallaroo": _BUILD_TOOL,
    "hatch": _BUILD_TOOL,
    "hatchling": _BUILD_TOOL,
    "wallaroo": "is the client; the platform's runtime brings its own, with its own pins",
    "mac": "on PyPI is not Wallaroo's; the platform's runtime brings its own",
}
"""Packages by name and what they are, as the end of a sentence."""

MISNAMED: dict[str, tuple[str, str, Level]] = {
    "python": ("is no package", "leave it out; the release decides Python", Level.ERROR),
    "sklearn": ("refuses to be installed", "write 'scikit-learn'", Level.WARNING),
    "pytorch": ("refuses to be installed", "write 'torch'", Level.WARNING),
    "tensorflow-gpu": ("refuses to be installed", "write 'tensorflow'", Level.WARNING),
}
"""Names that do not install what they say: what is wrong, the fix, how sure that is."""

_PATCHES = 40


@dataclass(frozen=True)
class Requirements:
    """The text of requirements.txt (empty, or ending in a newline), its lines, and what is wrong with them.

    `lines` are requirements without markers, options and hashes; the text has
    options first, then one line a package in the order of first mention.
    """

    text: str
    lines: tuple[str, ...]
    findings: tuple[Finding, ...] = ()


def requirements_text(spec: ModelSpec, given: str = "", names: Sequence[str] = ()) -> Requirements:
    """Read, judge and write a model's requirements for the release's Python and the model's processor.

    `given` is a requirement of the runtime itself, `name==version`: it comes first, in the place of all lines for
    packages of these `names`, but for one that says the same with hashes. What cannot be taken is a finding and not in
    the text. Reads files of the project; with `lock`, runs uv or reads pylock.toml.
    """
    platform = target(spec)
    source = read(spec)
    if given:
        _give(source, given, names, Place(key=spec.key))
    judge = Judge(spec, platform)
    wanted, conflicts = merged(judge.wanted(source.lines))
    constraints = judge.wanted(source.constraints)
    narrow, unused = narrowed(wanted, constraints)
    findings = [*source.findings, *judge.findings, *(conflicts or merged(narrow)[1])]
    findings += _notable(spec, platform, narrow)
    findings += _notes(spec, platform, judge, unused)
    findings += _hash_problems(narrow)
    if not spec.lock:
        findings += _unpinned(narrow, _place(spec))
    elif not errors(findings):
        locked = _locked(spec, platform, source, narrow, constraints)
        findings += locked.findings
        if locked.lines is not None:
            return _made(source.options, locked.lines, (), findings)
    return _made(source.options, [each.text for each in narrow], narrow, findings)


def places(spec: ModelSpec) -> dict[str, Place]:
    """Where each package is asked for first, by its normalized name; under no name, where requirements are declared."""
    found = {"": _place(spec)}
    for each in Judge(spec, target(spec)).wanted(read(spec).lines):
        found.setdefault(each.key, each.places[0])
    return found


def _give(source: Source, given: str, names: Sequence[str], place: Place) -> None:
    same = [each for each in source.lines if each.hashes and each.text.replace(" ", "") == given]
    others = [each for each in source.lines if requirement_name(each.text) not in names]
    source.lines[:] = [*(same[:1] or [Line(given, place)]), *others]
    source.constraints[:] = [each for each in source.constraints if requirement_name(each.text) not in names]


def _locked(
    spec: ModelSpec, platform: Target, source: Source, wanted: Sequence[Wanted], constraints: Sequence[Wanted]
) -> Locked:
    """Exact versions, from the project's own lock or by uv."""
    from hatch_wallaroo.requirements.lock import from_pylock, lock

    own = from_pylock(spec, platform, wanted)
    if own is not None:
        return own
    names = {each.key for each in wanted}
    unused = [each for each in constraints if each.key not in names]
    lines = [*source.options, *(each.text for each in wanted)]
    return lock(spec.root, platform, lines if wanted else [], spec.at("lock"), tuple(each.text for each in unused))


def _made(
    options: Sequence[str], lines: Sequence[str], hashed: Sequence[Wanted], findings: Sequence[Finding]
) -> Requirements:
    hashes = {each.text: each.hashes for each in hashed}
    written = [" ".join((line, *(f"--hash={each}" for each in hashes.get(line, ())))) for line in lines]
    text = "".join(f"{line}\n" for line in ([*options, *written] if written else []))
    return Requirements(text, tuple(lines), tuple(dict.fromkeys(findings)))


def _notes(spec: ModelSpec, platform: Target, judge: Judge, unused: Sequence[Wanted]) -> list[Finding]:
    notes = []
    if judge.left_out:
        told = ", ".join(dict.fromkeys(name for name, _ in judge.left_out))
        notes.append(rules.LEFT_OUT.finding(f"not needed on {platform}: {told}", place=judge.left_out[0][1]))
    if unused and not spec.lock:
        told = ", ".join(each.text for each in unused)
        fix = "require the package itself where its version matters, or set lock = true"
        notes.append(
            rules.CONSTRAINT.finding(f"constraints without effect: {told}", fix=fix, place=unused[0].places[0])
        )
    return notes


def _hash_problems(wanted: Sequence[Wanted]) -> list[Finding]:
    """Pip's hash-checking mode takes all lines, exact and with hashes, or none."""
    without = [each for each in wanted if not each.hashes or each.pin is None]
    if not without or not any(each.hashes for each in wanted):
        return []
    names = ", ".join(each.name for each in without)
    fix = "give every line an exact version and hashes, or remove all hashes"
    message = f"some lines have hashes, and {names} {'has' if len(without) == 1 else 'have'} none or no exact version"
    return [rules.HASHES.finding(message, fix=fix, place=without[0].places[0])]


def _place(spec: ModelSpec) -> Place:
    if spec.requirements.kind == "project":
        return Place(key=("project", "dependencies"))
    return spec.at("requirements")


def _notable(spec: ModelSpec, target: Target, wanted: Sequence[Wanted]) -> Iterator[Finding]:
    """Findings about each package, and about the project's own Python."""
    for each in wanted:
        yield from _about(spec, each)
    yield from _project_python(spec, target)


def _unpinned(wanted: Sequence[Wanted], place: Place) -> Iterator[Finding]:
    """One note for all packages without an exact version."""
    names = [each.name for each in wanted if each.pin is None]
    if names:
        verb = "has no exact version" if len(names) == 1 else "have no exact version"
        fix = "pin what the model was made with, or set lock = true"
        yield rules.UNPINNED.finding(f"{', '.join(names)} {verb}", fix=fix, place=place)


def _about(spec: ModelSpec, wanted: Wanted) -> Iterator[Finding]:
    place = wanted.places[0]
    if wanted.key in NEEDLESS:
        message = f"{wanted.name} {NEEDLESS[wanted.key]}"
        fix = "leave it out of the model's requirements"
        if place.key[:1] == ("project",):
            fix += ", or list those under [tool.wallaroo] requirements"
        yield rules.NOT_NEEDED.finding(message, fix=fix, place=place)
    if wanted.key in MISNAMED:
        problem, fix, level = MISNAMED[wanted.key]
        message = f"{wanted.name} {problem}"
        yield rules.NO_SUCH_PACKAGE.finding(message, fix=fix, place=place, level=level)
    pinned = next((version for name, version in spec.release.sdk.items() if name == wanted.key), None)
    if pinned and not _admits(wanted, pinned):
        message = (
            f"{wanted.text} excludes {wanted.name} {pinned}, which the runtime of Wallaroo {spec.release.asked} pins"
        )
        fix = f"test the model with {wanted.name} {pinned} and write '{wanted.name}=={pinned}', or leave the line out"
        yield rules.SDK_PIN.finding(message, fix=fix, place=place)


def _admits(wanted: Wanted, version: str) -> bool:
    """Whether a version satisfies the clauses; one of two parts (`1.26`) stands for all its patches."""
    clauses = wanted.set
    candidates = [version] if version.count(".") > 1 else [version, *(f"{version}.{n}" for n in range(_PATCHES))]
    return any(clauses.contains(candidate, prereleases=True) for candidate in candidates)


def _project_python(spec: ModelSpec, target: Target) -> Iterator[Finding]:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    declared = spec.project.requires_python
    try:
        clauses = SpecifierSet(declared)
    except InvalidSpecifier:
        return
    if declared and not any(clauses.contains(f"{target.python}.{n}") for n in range(_PATCHES)):
        message = f"the project asks for Python {declared}; Wallaroo {spec.release.asked} runs Python {target.python}"
        yield rules.PROJECT_PYTHON.finding(
            message,
            fix=f"make sure that the model's code runs on {target.python}, and widen requires-python to say so",
            place=Place(key=("project", "requires-python")),
        )
