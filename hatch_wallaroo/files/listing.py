"""What listing gives back: files that were found, what was left out, and what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hatch_wallaroo.files.sources import Entry
from hatch_wallaroo.findings import Finding


@dataclass(frozen=True)
class Found:
    """A regular file of the project.

    `path` is relative to what was asked for (POSIX, NFC): to the folder for a
    folder, to the project for `artifacts`, the bare name for a single file.
    `label` is relative to the project, as it is spelt on the disk.
    """

    path: str
    absolute: Path
    label: str


@dataclass(frozen=True)
class Listing:
    """The files, in the order of their paths; `stripped` says what was left out on purpose: (label, reason)."""

    files: tuple[Found, ...]
    findings: tuple[Finding, ...] = ()
    stripped: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ZipListing:
    """The members of a user's zip as entries of a bundle, in the order of their paths."""

    entries: tuple[Entry, ...]
    findings: tuple[Finding, ...] = ()
    stripped: tuple[tuple[str, str], ...] = ()
