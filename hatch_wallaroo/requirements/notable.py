"""What is worth saying about requirements that can be read: clashes with the platform, needless packages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.findings import Finding, Level, Place
from hatch_wallaroo.requirements import problems
from hatch_wallaroo.requirements.merge import Wanted
from hatch_wallaroo.requirements.target import Target

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


def notable(spec: ModelSpec, target: Target, wanted: Sequence[Wanted]) -> Iterator[Finding]:
    """Findings about each package, and about the project's own Python."""
    for each in wanted:
        yield from _about(spec, each)
    yield from _project_python(spec, target)


def unpinned(wanted: Sequence[Wanted], place: Place) -> Iterator[Finding]:
    """One note for all packages without an exact version."""
    names = [each.name for each in wanted if each.pin is None]
    if names:
        verb = "has no exact version" if len(names) == 1 else "have no exact version"
        fix = "pin what the model was made with, or set lock = true"
        yield problems.UNPINNED.finding(f"{', '.join(names)} {verb}", fix=fix, place=place)


def _about(spec: ModelSpec, wanted: Wanted) -> Iterator[Finding]:
    place = wanted.places[0]
    if wanted.key in NEEDLESS:
        message = f"{wanted.name} {NEEDLESS[wanted.key]}"
        fix = "leave it out of the model's requirements"
        if place.key[:1] == ("project",):
            fix += ", or list those under [tool.wallaroo] requirements"
        yield problems.NOT_NEEDED.finding(message, fix=fix, place=place)
    if wanted.key in MISNAMED:
        problem, fix, level = MISNAMED[wanted.key]
        message = f"{wanted.name} {problem}"
        yield problems.NO_SUCH_PACKAGE.finding(message, fix=fix, place=place, level=level)
    pinned = next((version for name, version in spec.release.sdk.items() if name == wanted.key), None)
    if pinned and not _admits(wanted, pinned):
        message = (
            f"{wanted.text} excludes {wanted.name} {pinned}, which the runtime of Wallaroo {spec.release.asked} pins"
        )
        fix = f"test the model with {wanted.name} {pinned} and write '{wanted.name}=={pinned}', or leave the line out"
        yield problems.SDK_PIN.finding(message, fix=fix, place=place)


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
        yield problems.PROJECT_PYTHON.finding(
            message,
            fix=f"make sure that the model's code runs on {target.python}, and widen requires-python to say so",
            place=Place(key=("project", "requires-python")),
        )
