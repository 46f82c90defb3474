"""What can go wrong while a bundle is written, each as an exception that carries its finding."""

from __future__ import annotations

from hatch_wallaroo.bundle.rules import CHANGED, NOT_PACKED
from hatch_wallaroo.files.sources import Entry, ZipMember
from hatch_wallaroo.findings import Finding
from hatch_wallaroo.text import describe_error


class ArchiveError(Exception):
    """The bundle was not written, and no part of it is left. `finding` says why, in the user's words."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding

    @property
    def fix(self) -> str:
        return self.finding.fix


class ChangedError(ArchiveError):
    """A source changed while it was read; `label` is what the user calls it."""

    def __init__(self, entry: Entry) -> None:
        self.label = entry.name
        super().__init__(
            CHANGED.finding(
                f"{entry.name} changed while it was packed",
                fix="wait until nothing writes to it any more, and build again",
            )
        )


class UnreadableError(ArchiveError):
    """A source cannot be read: it vanished, is forbidden, or is damaged inside of a user's archive."""

    def __init__(self, entry: Entry, error: Exception) -> None:
        reason = describe_error(error)
        if isinstance(entry.source, ZipMember):
            message = f"{entry.name} cannot be unpacked from {entry.source.archive.name}: {reason}"
            fix = f"make {entry.source.archive.name} again"
        else:
            message, fix = f"{entry.name} cannot be read: {reason}", "check that it exists and that you may read it"
        super().__init__(NOT_PACKED.finding(message, fix=fix))


class CodecError(ArchiveError):
    """The compression that was asked for needs a library that is not there."""
