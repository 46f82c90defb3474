"""Everything that can be told about a planned bundle without packing it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hatch_wallaroo.bundle import pandas_index
from hatch_wallaroo.bundle.plan import BundlePlan, family, plan
from hatch_wallaroo.bundle.zip_leftovers import check_own_zips
from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.files import secrets
from hatch_wallaroo.files.secrets import check_settings
from hatch_wallaroo.files.sources import Entry, ZipMember, lfs_pointer, pointer_finding
from hatch_wallaroo.files.zip_reading import DamagedMemberError, archives_kept_open
from hatch_wallaroo.findings import Finding, Level, Place, errors, rule
from hatch_wallaroo.text import describe_error, display_path

UNREADABLE = rule(
    "WLR620",
    "a file of the bundle cannot be read",
    why="What cannot be read here cannot be packed.",
    source="The operating system's answer, or what a zip says against its own content",
)
NO_SAMPLE = rule(
    "WLR622",
    "the sample is not there",
    why="The bundle is made without it, but there is nothing to try it with.",
    source="The key `sample`",
    level=Level.WARNING,
)

_LARGEST_REQUIREMENTS = 1 << 20
_FILES_CODES = tuple(f"WLR2{tens}" for tens in range(5))
"""The rules of `files`: they hold in every release."""


@dataclass(frozen=True)
class Checked:
    """A model, planned and checked: `plan` is None where the findings leave nothing to pack.

    `facts` is what the headers told, `requirements` what the platform will install,
    `seconds` how long it took to find out.
    """

    spec: ModelSpec
    plan: BundlePlan | None
    facts: Mapping[str, Any]
    requirements: tuple[str, ...]
    findings: tuple[Finding, ...]
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        return self.plan is not None and not errors(self.findings)


def check(spec: ModelSpec) -> Checked:
    """Plan a model's bundle, read the headers of what goes in, and give all findings. Writes nothing."""
    with archives_kept_open():
        return _check(spec)


def _check(spec: ModelSpec) -> Checked:
    start = time.perf_counter()
    chosen = family(spec.framework.family)
    made, planned = plan(spec)
    found = (*planned, *_sample(spec), *check_settings(spec), *pandas_index.check_schemas(spec))
    if spec.files_only:
        return Checked(spec, None, {}, (), tuple(_about_files(spec, made, found)))
    if made is None:
        return Checked(spec, None, {}, (), tuple(_unique([*found, *chosen.check_schemas(spec, {})])))
    findings = [*found, *_pointers(made), *check_own_zips(made, planned)]
    facts: Mapping[str, Any] = {}
    try:
        findings += secrets.scan(spec, made.layout.entries)
        inspection = chosen.inspect(spec, made.layout)
        facts = inspection.facts
        findings += inspection.findings
    except OSError as error:
        findings.append(_unreadable(error, made))
    findings += chosen.check_schemas(spec, facts)
    seconds = time.perf_counter() - start
    return Checked(spec, made, facts, _requirements(made), tuple(_unique(findings)), seconds)


def _about_files(spec: ModelSpec, made: BundlePlan | None, found: tuple[Finding, ...]) -> Iterator[Finding]:
    """What can be said of the bundle whatever the release: which files are missing, unsafe or secret."""
    yield from (each for each in found if each.code.startswith(_FILES_CODES) or each.rule == NO_SAMPLE)
    if made is not None:
        yield from _pointers(made)
        with contextlib.suppress(OSError):
            yield from secrets.scan(spec, made.layout.entries)


def _sample(spec: ModelSpec) -> Iterator[Finding]:
    if spec.sample and not spec.path(spec.sample).is_file():
        fix = "correct the path, which is relative to the folder of pyproject.toml, or remove the key"
        yield NO_SAMPLE.finding(
            f"'{display_path(spec.sample)}' is not a file that exists", fix=fix, place=spec.at("sample")
        )


def _requirements(made: BundlePlan) -> tuple[str, ...]:
    """What the platform will install: the lines of the bundle's own requirements.txt, without comments."""
    own = [each for each in made.layout.entries if each.path.rpartition("/")[2] == "requirements.txt"]
    # The nearest to the top: a container's model has its own below it.
    for entry in sorted(own, key=lambda each: each.path.count("/"))[:1]:
        if entry.path.count("/") < 2:  # noqa: PLR2004 - below the one top folder at most
            with contextlib.suppress(OSError), entry.source.open() as stream:
                lines = stream.read(_LARGEST_REQUIREMENTS).decode("utf-8", "replace").splitlines()
                return tuple(line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#"))
    return ()


def _pointers(made: BundlePlan) -> Iterator[Finding]:
    for entry in made.layout.entries:
        finding = _pointer(entry, made)
        if finding:
            yield finding


def _pointer(entry: Entry, made: BundlePlan) -> Finding | None:
    try:
        pointer = lfs_pointer(entry.source)
    except OSError as error:
        return _unreadable(error, made)
    return pointer_finding(entry, pointer, Place(file=entry.name)) if pointer else None


def _unreadable(error: OSError, made: BundlePlan) -> Finding:
    if isinstance(error, DamagedMemberError):
        return _damaged(error, made)
    name = error.filename or made.filename
    if isinstance(name, bytes):
        name = name.decode(errors="replace")
    return UNREADABLE.finding(
        f"{name} cannot be read: {describe_error(error)}",
        fix="make the file readable, or leave it out with exclude",
        place=Place(key=made.spec.key),
    )


def _damaged(error: DamagedMemberError, made: BundlePlan) -> Finding:
    name = f"{error.archive.name}!{error.member}"
    for entry in made.layout.entries:
        source = entry.source
        if isinstance(source, ZipMember) and (source.archive, source.member) == (error.archive, error.member):
            name = entry.name
    return UNREADABLE.finding(
        f"{name} is damaged: {describe_error(error)}",
        fix=f"make or download {name.partition('!')[0]} again",
        place=Place(key=made.spec.key),
    )


def _unique(findings: list[Finding]) -> list[Finding]:
    return list(dict.fromkeys(findings))
