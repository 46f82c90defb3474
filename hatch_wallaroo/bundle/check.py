"""Everything that can be told about a planned bundle without packing it.

That includes what desktops, notebooks and Python left in a zip that the user made: no part of the model.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hatch_wallaroo.bundle.plan import BundlePlan, family, plan
from hatch_wallaroo.bundle.rules import INDEX_FIELD, LEFTOVERS, NO_SAMPLE, UNREADABLE
from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.files.exclusions import FILES, FOLDERS, file_reason, folder_reason
from hatch_wallaroo.files.paths import normal
from hatch_wallaroo.files.presence import is_file, is_hidden
from hatch_wallaroo.files.secrets import check_settings, scan
from hatch_wallaroo.files.sources import Entry, FileSource, ZipMember, pointer_finding
from hatch_wallaroo.files.zip_reading import MOST_MEMBERS, DamagedMemberError, archives_kept_open, member_names
from hatch_wallaroo.findings import Finding, Place, errors
from hatch_wallaroo.schema.arrow import is_pandas_index
from hatch_wallaroo.text import describe_error, display_path, few

_LARGEST_REQUIREMENTS = 1 << 20
_FILES_CODES = tuple(f"WLR2{tens}" for tens in range(5))
"""The rules of `files`: they hold in every release."""
_ZIP_CODES = "WLR23"
"""Where one of these refuses a zip, what else is in it does not matter."""


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


def inspected(spec: ModelSpec) -> Checked:
    """Plan a model's bundle and read the headers, and no more: for a model that no table declares yet."""
    with archives_kept_open():
        made, planned = plan(spec)
        if made is None:
            return Checked(spec, None, {}, (), planned)
        pointers = tuple(_pointers(made))
        try:
            inspection = family(spec.framework.family).inspect(spec, made.layout)
        except OSError as error:
            return Checked(spec, made, {}, (), (*planned, *pointers, _unreadable(error, made)))
    return Checked(spec, made, inspection.facts, (), tuple(dict.fromkeys((*planned, *pointers, *inspection.findings))))


def _check(spec: ModelSpec) -> Checked:
    start = time.perf_counter()
    chosen = family(spec.framework.family)
    made, planned = plan(spec)
    findings = [*planned, *(finding for each in _OF_TABLE for finding in each(spec))]
    if spec.files_only:
        return Checked(spec, None, {}, (), tuple(dict.fromkeys(_about_files(made, findings))))
    if made is None:
        return Checked(spec, None, {}, (), tuple(dict.fromkeys([*findings, *chosen.check_schemas(spec, {})])))
    if not any(each.is_error and each.code.startswith(_ZIP_CODES) for each in planned):
        findings += check_own_zips(made)
    facts: Mapping[str, Any] = {}
    try:
        findings += (finding for each in _OF_FILES for finding in each(made))
        inspection = chosen.inspect(spec, made.layout)
        facts = inspection.facts
        findings += inspection.findings
    except OSError as error:
        findings.append(_unreadable(error, made))
    findings += chosen.check_schemas(spec, facts)
    seconds = time.perf_counter() - start
    return Checked(spec, made, facts, _requirements(made), tuple(dict.fromkeys(findings)), seconds)


def _about_files(made: BundlePlan | None, found: Iterable[Finding]) -> Iterator[Finding]:
    """What can be said of the bundle whatever the release: which files are missing, unsafe or secret."""
    yield from (each for each in found if each.code.startswith(_FILES_CODES) or each.rule == NO_SAMPLE)
    with contextlib.suppress(OSError):
        yield from (finding for each in _OF_FILES if made for finding in each(made))


def _sample(spec: ModelSpec) -> Iterator[Finding]:
    if not spec.sample or is_file(path := spec.path(spec.sample)):
        return
    wrong = "is not a file that exists"
    fix = "correct the path, which is relative to the folder of pyproject.toml, or remove the key"
    if is_hidden(path):
        wrong, fix = "cannot be read: permission denied", "give yourself the right to read it, or remove the key"
    yield NO_SAMPLE.finding(f"'{display_path(spec.sample)}' {wrong}", fix=fix, place=spec.at("sample"))


def _index_fields(spec: ModelSpec) -> Iterator[Finding]:
    """A finding for each field of the declared schemas that is an index."""
    for option, schema in (("input-schema", spec.input_schema), ("output-schema", spec.output_schema)):
        for field in schema.fields if schema else ():
            if is_pandas_index(field.name):
                yield INDEX_FIELD.finding(
                    f"{field.name} is the index of a pandas DataFrame, not a column of the data",
                    fix="remove it from the schema",
                    place=spec.at(option, field.name),
                )


def own_requirements(made: BundlePlan) -> Entry | None:
    """The requirements.txt that the platform installs; None where the bundle has none."""
    own = [each for each in made.layout.entries if each.path.rpartition("/")[2] == "requirements.txt"]
    # The nearest to the top: a container's model has its own below it.
    for entry in sorted(own, key=lambda each: each.path.count("/"))[:1]:
        if entry.path.count("/") < 2:  # noqa: PLR2004 - below the one top folder at most
            return entry
    return None


def requirement_lines(entry: Entry) -> dict[int, str]:
    """The lines of a requirements.txt by their numbers, without comments; empty where it cannot be read."""
    with contextlib.suppress(OSError), entry.source.open() as stream:
        lines = stream.read(_LARGEST_REQUIREMENTS).decode("utf-8", "replace").splitlines()
        stripped = {number: line.strip() for number, line in enumerate(lines, 1)}
        return {number: line for number, line in stripped.items() if line and not line.startswith("#")}
    return {}


def _requirements(made: BundlePlan) -> tuple[str, ...]:
    """What the platform will install: the lines of the bundle's own requirements.txt, without comments."""
    entry = own_requirements(made)
    return tuple(requirement_lines(entry).values()) if entry else ()


def _pointers(made: BundlePlan) -> Iterator[Finding]:
    for entry in made.layout.entries:
        finding = _pointer(entry, made)
        if finding:
            yield finding


def _pointer(entry: Entry, made: BundlePlan) -> Finding | None:
    try:
        return pointer_finding(entry)
    except OSError as error:
        return _unreadable(error, made)


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


def _secrets(made: BundlePlan) -> Iterable[Finding]:
    return scan(made.spec, made.layout.entries)


_OF_TABLE: tuple[Callable[[ModelSpec], Iterable[Finding]], ...] = (_sample, check_settings, _index_fields)
"""The checks of what the table says, whatever the framework."""

_OF_FILES: tuple[Callable[[BundlePlan], Iterable[Finding]], ...] = (_pointers, _secrets)
"""The checks of what goes in, whatever the framework and the release. They raise OSError for what cannot be read."""


_REASONS = frozenset({FOLDERS["__macosx"], FOLDERS["__pycache__"], FOLDERS[".ipynb_checkpoints"], FILES["*.pyc"]})


def leftovers(names: Iterable[str]) -> dict[str, str]:
    """Those of a zip's members that are left over, folders' own entries included, and the top of each: `__MACOSX/`."""
    found = {}
    for name in names:
        top = _leftover(name.replace("\\", "/"))
        if top:
            found[name] = top
    return found


def check_own_zips(made: BundlePlan) -> Iterator[Finding]:
    """A note for each zip of the user's that has leftovers in it: the model, or one that goes along whole."""
    spec = made.spec
    archives = {entry.source.archive for entry in made.layout.entries if isinstance(entry.source, ZipMember)}
    if archives and spec.model is not None:
        for archive in archives:
            label = normal(spec.model)
            yield from _note(
                archive, label, spec.at("model"), "nothing needs doing: they are left out of the bundle", made
            )
    if spec.framework.family == "custom":
        for entry in made.layout.entries:
            if isinstance(entry.source, FileSource) and entry.name.lower().endswith(".zip"):
                yield from _note(
                    entry.source.path,
                    entry.name,
                    Place(file=entry.name),
                    "zip its folder again without them: they go along as they are",
                    made,
                )


def _note(path: Path, label: str, place: Place, fix: str, made: BundlePlan) -> Iterator[Finding]:
    names = member_names(path, MOST_MEMBERS)
    found = leftovers(names)
    if not found or len(found) == len(names):
        return
    files = sum(not name.endswith("/") for name in found)
    tops = sorted(set(found.values()))
    many = f"{files:,} files that are" if files != 1 else "a file that is"
    listed = few(map(display_path, tops), counted=True)
    yield LEFTOVERS.finding(
        f"{label} holds {many} no part of {made.spec.name}: {listed}", fix=fix, place=place, about=label
    )


def _leftover(name: str) -> str:
    """The folder, or the file, that makes a member a leftover; empty for one that belongs."""
    parts = name.rstrip("/").split("/")
    for depth, part in enumerate(parts):
        whole = depth < len(parts) - 1 or name.endswith("/")
        if (folder_reason(part) if whole else file_reason(part)) in _REASONS:
            return "/".join(parts[: depth + 1]) + ("/" if whole else "")
    return ""
