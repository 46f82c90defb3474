"""Judges an upload as the platform does: first what it refuses, then what becomes of the model."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from hatch_wallaroo.config.spec import ModelSpec, Project, RequirementsFrom
from hatch_wallaroo.files.collect import list_zip
from hatch_wallaroo.files.rules import NOT_A_ZIP as NO_ZIP
from hatch_wallaroo.files.sources import Entry, FileSource, Found, ZipMember
from hatch_wallaroo.findings import Finding, Level, Place, errors
from hatch_wallaroo.releases.model import FrameworkRow, Release
from hatch_wallaroo.sandbox import texts

LARGEST_SOURCE = 64 << 20
"""Bytes of Python in one archive that are still read, all files together."""

_LARGEST_REQUIREMENTS = 1 << 20
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA})
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, NotImplementedError)
_ZIPPED = frozenset({"custom", "hugging-face", "llm", "tensorflow"})
"""Families whose upload is always a zip; a Python step is one where its release says so."""


@dataclass(frozen=True)
class Verdict:
    """What becomes of an upload that is taken: nothing is wrong, or `summary` says what is, and `logs` tell more."""

    failed: bool = False
    summary: str = ""
    logs: tuple[str, ...] = ()


def wants_zip(release: Release, row: FrameworkRow) -> bool:
    return row.family in _ZIPPED or (row.family == "python" and release.python_step == "process_data")


def is_zip(file: Path) -> bool:
    """Whether a file is a zip whose directory can be read; reads its end only."""
    try:
        return zipfile.is_zipfile(file)
    except OSError:
        return False


def judge(release: Release, row: FrameworkRow, route: str, file: Path, file_name: str) -> Verdict:
    """The fate of a file that was taken for a framework. Reads what it needs, executes nothing.

    Weights are not judged: of native and converted models only the way they were sent.
    """
    if "/" in file_name or "\\" in file_name:
        return Verdict(failed=True)  # four of four real uploads ended in an error with an empty summary
    if route == "upload" and row.route == "upload_and_convert":
        return _failed(f"{row.name} needs a conversion, and the model was sent to `upload`")
    if row.family == "python" and release.python_step == "wallaroo_json":
        return _step(_spec(release, row, file.parent), [Entry(file_name, FileSource(file), file_name)], "file")
    if row.family not in {"python", "custom"}:
        return Verdict()
    try:
        listed = _UploadedArchive(release, row, file, file_name)
        if listed.problem:
            return _failed(listed.problem)
        _unpacked(listed.entries)
        return _custom(listed) if row.family == "custom" else _step(listed.spec, listed.named, "zip")
    except _DAMAGED as error:
        return _failed(f"{file_name} is damaged: {error}")


def _failed(summary: str, *more: str) -> Verdict:
    return Verdict(failed=True, summary=summary, logs=more or (summary,))


class _UploadedArchive:
    """A zip, unfolded: its files without the one top folder, or the problem that keeps it from being unpacked."""

    def __init__(self, release: Release, row: FrameworkRow, file: Path, file_name: str) -> None:
        self.release = release
        self.file = file
        self.spec = _spec(release, row, file.parent)
        listing = list_zip(self.spec, Found(file_name, file, file_name), place=Place())
        bad = [each for each in errors(listing.findings) if each.code != NO_ZIP.code or not listing.stripped]
        self.problem = bad[0].message if bad else ""
        self.entries = [] if bad else _unfolded(_all_entries(file))
        if sum(each.source.size for each in self.entries if each.path.endswith(".py")) > LARGEST_SOURCE:
            self.problem, self.entries = f"{file_name} holds more than {LARGEST_SOURCE >> 20} MiB of Python", []

    @property
    def named(self) -> list[Entry]:
        """The entries below a top folder, as bundles have them."""
        return [Entry(f"{self.spec.name}/{each.path}", each.source, each.path) for each in self.entries]


def _all_entries(file: Path) -> list[Entry]:
    """Every member that would be unpacked, what a bundle would leave out included: the platform runs that too."""
    with zipfile.ZipFile(file) as archive:
        infos = archive.infolist()
    entries: dict[str, Entry] = {}
    for index, info in enumerate(infos):
        path = info.filename.replace("\\", "/")
        parts = path.split("/")
        readable = not info.flag_bits & 1 and info.compress_type in _METHODS
        if path.endswith("/") or path.startswith("/") or ".." in parts or not readable:
            continue
        entries[path] = Entry(path, ZipMember(file, info.filename, index, info.file_size), path)
    return [entries[path] for path in sorted(entries)]


def _unpacked(entries: list[Entry]) -> None:
    """Read everything once, as the platform unpacks it; raises OSError for a damaged member."""
    for each in entries:
        with each.source.open() as stream:
            while stream.read(1 << 20):
                pass


def _unfolded(entries: list[Entry]) -> list[Entry]:
    tops = {each.path.partition("/")[0] for each in entries}
    if len(tops) != 1 or not all("/" in each.path for each in entries):
        return entries
    return [Entry((path := each.path.partition("/")[2]), each.source, path) for each in entries]


def _custom(archive: _UploadedArchive) -> Verdict:
    """BYOP: requirements.txt, then the validator of the release, if it has one, and its loader."""
    from hatch_wallaroo.frameworks.byop.check import check_code
    from hatch_wallaroo.frameworks.import_findings import once
    from hatch_wallaroo.python.platform_environment import PlatformEnvironment
    from hatch_wallaroo.python.source_files import read_sources

    lines, problem = _requirements(archive)
    if problem:
        return _failed(problem[-1], *problem)
    sources = read_sources(archive.entries, "")
    environment = PlatformEnvironment.of(archive.release, lines)
    try:
        _, findings = check_code(sources, environment, {each.path for each in archive.entries})
    except RecursionError:
        return Verdict(logs=("The code is nested too deeply to be looked at.",))
    return _verdict(once(findings), validator=archive.release.byop.validator)


def _step(spec: ModelSpec, entries: list[Entry], form: Literal["file", "zip"]) -> Verdict:
    """A Python step, as its release's loader sees it."""
    from hatch_wallaroo.frameworks.base import Layout
    from hatch_wallaroo.frameworks.step.family import PythonStep

    tops = [each.path for each in entries if each.path.endswith(".py") and each.path.count("/") == (form == "zip")]
    if not tops:
        return _failed(texts.NO_STEP)
    inspection = PythonStep().inspect(spec, Layout(form, ".zip" if form == "zip" else ".py", tuple(entries)))
    return _verdict(inspection.findings, validator=False)


def _verdict(findings: Iterable[Finding], *, validator: bool) -> Verdict:
    """The platform stops at the first error; the logs hold the others too, and the warnings that nothing came of."""
    found = list(findings)
    wrong = errors(found)
    logs = [line for each in wrong for line in (texts.platform_text(each, validator=validator), _told(each))]
    logs += [_told(each) for each in found if each.level is Level.WARNING]
    if not wrong:
        return Verdict(logs=tuple(logs))
    return Verdict(failed=True, summary=texts.platform_text(wrong[0], validator=validator), logs=tuple(logs))


def _told(finding: Finding) -> str:
    """A log line in our own words, which the platform does not have: the place and the mending."""
    line = f":{finding.place.line}" if finding.place.line else ""
    fix = f"; {finding.fix}" if finding.fix else ""
    return f"sandbox {finding.level.value} {finding.code}: {finding.place.file}{line}: {finding.message}{fix}"


def _requirements(archive: _UploadedArchive) -> tuple[tuple[str, ...] | None, list[str]]:
    """What requirements.txt at the top declares (None: there is none), and log lines where it cannot be installed."""
    own = next((each for each in archive.entries if each.path == "requirements.txt"), None)
    if own is None:
        return (), [texts.NO_REQUIREMENTS] if archive.release.byop.requirements_required else []
    with own.source.open() as stream:
        data = stream.read(_LARGEST_REQUIREMENTS + 1)
    from hatch_wallaroo.requirements import rules
    from hatch_wallaroo.requirements.resolve import requirements_text

    copy = archive.file.with_name(f"{archive.file.name}.requirements.txt")
    try:
        copy.write_bytes(data)
        declared = RequirementsFrom("file", file=copy.name)
        made = requirements_text(replace(archive.spec, requirements=declared))
    finally:
        copy.unlink(missing_ok=True)
    wrong = [each for each in errors(made.findings) if each.code != rules.INDEX_LOGIN.code]
    said = [each.message.replace(copy.name, "requirements.txt") for each in wrong]
    return made.lines, [*said, texts.PIP] if said else []


def _spec(release: Release, row: FrameworkRow, root: Path) -> ModelSpec:
    """A spec for an upload: the checks want one, and look at its release and framework only."""
    return ModelSpec(
        root=root,
        key=(),
        origins={"requirements": ("requirements",)},
        project=Project("model", "0"),
        name="model",
        version="0",
        release=release,
        framework=row,
        model=None,
        artifacts=(),
        exclude=(),
        include_sensitive=(),
        requirements=RequirementsFrom("list"),
        lock=False,
        python_version=release.python_version,
        visibility="private",
        arch=None,
        accel=None,
        framework_config=None,
        compression="auto",
        input_schema=None,
        output_schema=None,
        sample=None,
        byop=None,
        image=None,
    )
