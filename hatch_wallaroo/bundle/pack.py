"""From checked plans to files in the output folder: all of them complete, or what was there before."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from hatch_wallaroo.bundle.archive import Archive, ArchiveError, CodecError, write_file, write_zip
from hatch_wallaroo.bundle.check import Checked
from hatch_wallaroo.bundle.manifest import ManifestError, dump, load, manifest
from hatch_wallaroo.bundle.plan import BundlePlan, stem
from hatch_wallaroo.bundle.rules import NOT_WRITTEN, NOTHING
from hatch_wallaroo.bundle.tar import write_tar
from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.files.presence import is_folder
from hatch_wallaroo.files.writing import replace_all
from hatch_wallaroo.findings import Finding, Place, errors
from hatch_wallaroo.text import describe_error

STAGING = ".wallaroo-"
"""How the folder of unfinished files begins, inside the output folder."""


@dataclass(frozen=True)
class Bundle:
    """A finished bundle: the file for the platform, its digest, and the manifest beside it.

    `findings` are those of the checks and of packing, `seconds` is how long both took.
    """

    checked: Checked
    path: Path
    manifest: Path
    size: int
    sha256: str
    findings: tuple[Finding, ...]
    seconds: float


class PackError(Exception):
    """Packing failed; `findings` say why, `finding` is the first. The output folder is as it was."""

    def __init__(self, finding: Finding, *more: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding
        self.findings = (finding, *more)


Finish = Callable[["Bundle", Path], "tuple[Finding, ...]"]
"""Called with a bundle and its packed file, before either is in its place; an error among the findings ends all."""


def pack(models: Sequence[Checked], directory: Path, finish: Finish = lambda *_: ()) -> tuple[Bundle, ...]:
    """Write the bundles and manifests of models that passed their checks.

    All appear together at the end, once `finish` was called for each of them; raises PackError where one cannot be
    made, and then none appears.
    """
    if not models:
        raise PackError(NOTHING.finding("there is nothing to build", fix="declare a model"))
    bundles: list[Bundle] = []
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with _staging(directory) as staging:
            moves: list[tuple[Path, Path]] = []
            for number, checked in enumerate(models):
                folder = staging / str(number)
                folder.mkdir()
                bundle = _pack_one(checked, folder, directory, number)
                if wrong := errors(finish(bundle, folder / bundle.path.name)):
                    raise PackError(*wrong)
                bundles.append(bundle)
                moves += [(folder / bundle.path.name, bundle.path), (folder / bundle.manifest.name, bundle.manifest)]
            outdated = [old for bundle in bundles if (old := _outdated(bundle))]
            replace_all(moves, staging)
            for old in outdated:
                old.unlink(missing_ok=True)
    except OSError as error:
        raise PackError(_write_failed(error, directory)) from error
    return tuple(bundles)


def clean(specs: Sequence[ModelSpec], directory: Path) -> None:
    """Delete what builds of these models left in the output folder: every version, and unfinished files."""
    if not is_folder(directory):
        return
    names = {spec.name for spec in specs}
    for path in sorted(directory.glob("*.wallaroo.json")):
        with contextlib.suppress(ManifestError, OSError):
            made = load(path)
            if made.get("model") in names:
                (directory / made["file"]["name"]).unlink(missing_ok=True)
                path.unlink()
    for unfinished in directory.glob(STAGING + "*"):
        shutil.rmtree(unfinished, ignore_errors=True)


def _pack_one(checked: Checked, folder: Path, directory: Path, position: int) -> Bundle:
    plan = checked.plan
    if plan is None or not checked.passed:
        raise ValueError(f"{checked.spec.name} did not pass its checks")
    start = time.perf_counter()
    archive = _write(plan, folder / plan.filename)
    findings = (*checked.findings, *(finding.at(plan.spec.at("compression")) for finding in archive.findings))
    made = manifest(checked, archive, plan.filename, findings, position)
    (folder / plan.manifest_name).write_bytes(dump(made))
    seconds = checked.seconds + time.perf_counter() - start
    return Bundle(
        checked,
        directory / plan.filename,
        directory / plan.manifest_name,
        archive.size,
        archive.sha256,
        findings,
        seconds,
    )


def _write(plan: BundlePlan, destination: Path) -> Archive:
    spec = plan.spec
    try:
        if plan.layout.form == "file":
            return write_file(plan.layout.entries[0], destination)
        if plan.layout.form == "tar":
            return write_tar(plan.layout.entries, destination, date=_date())
        return write_zip(plan.layout.entries, destination, compression=spec.compression, date=_date())
    except ArchiveError as error:
        place = spec.at("compression") if isinstance(error, CodecError) else Place(key=spec.key)
        raise PackError(error.finding.at(place)) from error


def _date() -> datetime:
    """The date of every entry: SOURCE_DATE_EPOCH within what a zip can say, else its first day."""
    first, last = 315532800, 4354819198
    try:
        seconds = int(os.environ.get("SOURCE_DATE_EPOCH", first))
    except ValueError:
        seconds = first
    return datetime.fromtimestamp(min(max(seconds, first), last), tz=timezone.utc)


@contextlib.contextmanager
def _staging(directory: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=STAGING, dir=directory))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _outdated(bundle: Bundle) -> Path | None:
    """The file of this model and version under its former suffix: its manifest is about to be replaced."""
    with contextlib.suppress(ManifestError, OSError):
        former = str(load(bundle.manifest)["file"]["name"])
        if former != bundle.path.name and former.startswith(stem(bundle.checked.spec) + "."):
            return bundle.path.with_name(former)
    return None


def _write_failed(error: OSError, directory: Path) -> Finding:
    reasons = {
        errno.ENOSPC: ("the disk is full", "free some space, or build elsewhere: hatch build FOLDER"),
        errno.EDQUOT: ("the disk quota is used up", "free some space, or build elsewhere: hatch build FOLDER"),
        errno.EACCES: ("permission denied", "make the folder writable, or build elsewhere: hatch build FOLDER"),
        errno.EROFS: ("the file system is read-only", "build elsewhere: hatch build FOLDER"),
        errno.EISDIR: ("a folder stands where the file should go", "remove or rename that folder"),
        errno.ENOTDIR: ("a file stands where the folder should be", "remove or rename that file"),
        errno.EEXIST: ("a file stands where the folder should be", "remove or rename that file"),
    }
    reason, fix = reasons.get(error.errno or 0, (describe_error(error), "mend the cause and build again"))
    path = f"{directory.name}/"
    if error.errno == errno.EISDIR and error.filename:
        path += Path(os.fsdecode(error.filename2 or error.filename)).name
    return NOT_WRITTEN.finding(f"{path} could not be written: {reason}; it is as it was before", fix=fix)
