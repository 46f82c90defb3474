"""The rules about a bundle as a whole: what is in it, how it is packed and written.

What ends the writing of a bundle is an exception, which carries its finding.
"""

from __future__ import annotations

from hatch_wallaroo.files.sources import Entry, ZipMember
from hatch_wallaroo.findings import Finding, Level, rule
from hatch_wallaroo.text import describe_error

STORED_ONLY = rule(
    "WLR600",
    "nothing was compressed, because the portable codec is missing",
    why="A bundle is the same, byte for byte, on every machine only if all of them deflate with the same library. "
    "Without it, everything is stored: a correct bundle, but larger, and with another digest than elsewhere.",
    source="The archive's format: zlib-ng, level 2, is part of it",
    level=Level.WARNING,
)
NO_PORTABLE = rule(
    "WLR601",
    "deflate was asked for, and the portable codec is missing",
    why="Deflating with another library would silently give another digest for the same model.",
    source="The archive's format: zlib-ng, level 2, is part of it",
)
NO_FAST = rule(
    "WLR602",
    "the fast codec was asked for, and it is missing",
    why="The fast profile is deflated by ISA-L, which has no wheels for every machine.",
    source="The archive's format: the fast profile is ISA-L, level 1",
)
CHANGED = rule(
    "WLR603",
    "a file changed while it was packed",
    why="Its bytes in the bundle would be partly old and partly new, under a digest that fits neither.",
    source="The file's identity, size and times, compared before and after each reading",
)
NOT_PACKED = rule(
    "WLR604",
    "a file cannot be read",
    why="A bundle without it would not be the one that was declared.",
    source="The operating system's answer, or the checksum in the archive that it comes from",
)
NO_ENTRIES = rule(
    "WLR605",
    "there is nothing to pack",
    why="The platform refuses an archive without files.",
    source="Upload answers 400, `Not a valid ZIP file.`",
)
BAD_PATH = rule(
    "WLR606",
    "a path that an archive cannot hold",
    why="Paths in an archive are relative, unique and at most 65,535 bytes long; unpackers refuse others, or write "
    "outside of their folder.",
    source="APPNOTE.TXT 4.4.10 and 4.4.17",
)
UNREADABLE = rule(
    "WLR620",
    "a file of the bundle cannot be read",
    why="What cannot be read here cannot be packed.",
    source="The operating system's answer, or what a zip says against its own content",
)
NOT_WRITTEN = rule(
    "WLR621",
    "the bundle could not be written",
    why="Nothing is lost: what stood in the output folder is still there.",
    source="The operating system's answer",
)
NO_SAMPLE = rule(
    "WLR622",
    "the sample is not there",
    why="The bundle is made without it, but there is nothing to try it with.",
    source="The key `sample`",
    level=Level.WARNING,
)
NOTHING = rule(
    "WLR623",
    "none of the models has a bundle",
    why="A build that leaves nothing would look as if it had worked.",
    source="The table: no model of it was read",
)
LEFTOVERS = rule(
    "WLR666",
    "a zip of your own holds what is no part of the model",
    why="Desktops, notebooks and Python leave files of theirs in whatever is zipped. The bundle is made without them "
    "where it is made from the zip's members; a zip that goes along as it is takes them to the platform.",
    source="The names that these programs give to their files",
    level=Level.NOTE,
)
INDEX_FIELD = rule(
    "WLR667",
    "a field that is the index of a DataFrame",
    why="pyarrow makes a column of a DataFrame's index, and calls it __index_level_0__. A request would have to bring "
    "it, and the model was not trained on it.",
    source="pyarrow, Schema.from_pandas and Table.from_pandas: preserve_index",
    level=Level.WARNING,
)


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
