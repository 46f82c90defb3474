"""The rules about a model's files: their paths, links, names and secrets, and the zips that a user made."""

from __future__ import annotations

from hatch_wallaroo.findings import Level, rule

_ARCHIVE = "A bundle is one archive that a Linux container unpacks; "
_LEAK = "A bundle is uploaded, unpacked and kept where others can read it. "
_UNPACKED = "The platform unpacks the zip before it converts the model. "

DECLARED_PATH = rule(
    "WLR200",
    "a path that is not inside the project",
    why="A bundle is built from the project alone, so that it can be built again on any machine. Absolute paths, "
    "'..', drive letters and backslashes mean something else, or nothing, on the next one.",
    source="The table's reference: paths are relative to pyproject.toml, with forward slashes",
)
MISSING = rule(
    "WLR201",
    "a declared file or folder does not exist",
    why="Without it the bundle would be built without the model, and fail on the platform minutes later.",
    source="hatchling's include lists match nothing silently; a declared path must exist",
)
WRONG_KIND = rule(
    "WLR202",
    "a folder where a file is expected, or a file where a folder is",
    why="Each framework's upload is either one file or a zip of one folder.",
    source="Model upload guide, the requirements of each framework",
)
LINK_OUTSIDE = rule(
    "WLR203",
    "a link that leaves the project",
    why="What it points to is not part of the repository: another machine builds something else, or private files "
    "go to the platform by accident.",
    source=_ARCHIVE + "its content is the project's",
)
LINK_BROKEN = rule(
    "WLR204",
    "a link that leads nowhere, or in a circle",
    why="There is no file to put into the bundle.",
    source=_ARCHIVE + "links are replaced by what they point to",
)
SPECIAL_FILE = rule(
    "WLR205",
    "a device, socket or pipe",
    why="Reading one may block for ever or never end.",
    source=_ARCHIVE + "only regular files have a content to put there",
)
UNREADABLE = rule(
    "WLR206",
    "a file or folder that cannot be read",
    why="The bundle would lack it.",
    source="The operating system's answer",
)
NOTHING = rule(
    "WLR207",
    "nothing is there to take",
    why="An empty folder, or a glob that matches no file, gives a bundle that lacks the model.",
    source="A gitignored model once gave an empty zip without a word; a declared path must give a file",
)
UNSAFE_NAME = rule(
    "WLR208",
    "a file name that an archive cannot carry",
    why="Names in a zip are UTF-8. Other bytes, control characters and backslashes come out as another name, or as "
    "folders, where the platform unpacks them.",
    source="APPNOTE.TXT 4.4.17 and appendix D: names are UTF-8 with forward slashes",
)
TOO_MANY = rule(
    "WLR209",
    "more files than a model has",
    why="It is nearly always a wrong folder: a home folder, a data set, links that multiply.",
    source="The largest published model repositories have a few thousand files",
)
EXCLUDE_PATTERN = rule(
    "WLR210",
    "an exclude pattern that cannot match",
    why="A pattern that does nothing lets in the very files that it was written to keep out.",
    source="The gitignore pattern format, as pathspec reads it",
)
EXCLUDED_YET_DECLARED = rule(
    "WLR211",
    "a file is declared and excluded",
    why="What is declared by its exact path is taken, so the pattern has no effect on it.",
    source="The table's reference: `exclude` narrows folders and globs",
    level=Level.NOTE,
)
SAME_PATH = rule(
    "WLR215",
    "two files with one path in the bundle",
    why="One of the two would be lost when the bundle is unpacked, and which one is not defined.",
    source="Unzippers differ: Info-ZIP asks, Python's zipfile keeps the last",
)
ALIKE = rule(
    "WLR216",
    "paths that differ only in upper and lower case, or in how an accent is written",
    why="On macOS and Windows the two are one file: whoever clones the repository has only one of them, and builds "
    "another bundle.",
    source="APFS and NTFS compare names without case; APFS also without regard to Unicode normal forms",
)
FILE_AND_FOLDER = rule(
    "WLR217",
    "one path that is a file and a folder",
    why="The bundle cannot be unpacked.",
    source="No file system holds both",
)
UNSAFE_PATH = rule(
    "WLR218",
    "a path that cannot stand in a bundle",
    why="It would be unpacked elsewhere, under another name, or not at all.",
    source="APPNOTE.TXT 4.4.17: relative paths with forward slashes",
)
WINDOWS_NAME = rule(
    "WLR219",
    "a file name that Windows cannot hold",
    why="The platform takes it, but nobody can check out the repository or unpack the bundle on Windows.",
    source="Microsoft's 'Naming Files, Paths, and Namespaces'",
    level=Level.WARNING,
)
LFS_POINTER = rule(
    "WLR230",
    "a Git LFS pointer stands in the file's place",
    why="A clone without Git LFS holds a text of three lines instead of the file. It is uploaded without complaint, "
    "and the platform's conversion fails on it minutes later.",
    source="The pointer format, version 1, of the Git LFS specification",
)
NOT_A_ZIP = rule(
    "WLR231",
    "a zip that cannot be read",
    why="The platform answers 400, 'Not a valid ZIP file', or fails during conversion.",
    source="APPNOTE.TXT 4.3; a real platform's answer",
)
UNSAFE_MEMBER = rule(
    "WLR232",
    "a member that would be unpacked outside its folder",
    why=_UNPACKED + "Absolute names and '..' write over files that are not the model's, or are refused.",
    source="APPNOTE.TXT 4.4.17.1: no drive or leading slash",
)
ENCRYPTED = rule(
    "WLR233",
    "an encrypted member",
    why=_UNPACKED + "It has no password.",
    source="APPNOTE.TXT 4.4.4, bit 0",
)
SPECIAL_MEMBER = rule(
    "WLR234",
    "a member that is a link or a device",
    why=_UNPACKED + "A link comes out as a small text file, or points at the container's own files.",
    source="Unix modes in the external attributes, as Info-ZIP writes them",
)
METHOD = rule(
    "WLR235",
    "a compression that Python cannot unpack",
    why=_UNPACKED + "Python's zipfile knows stored, deflate, bzip2 and lzma.",
    source="APPNOTE.TXT 4.4.5; the documentation of Python's zipfile",
)
REPEATED = rule(
    "WLR236",
    "one name twice in a zip",
    why=_UNPACKED + "Which of the two it keeps is not defined.",
    source="Unzippers differ: Info-ZIP asks, Python's zipfile keeps the last",
)
BOMB = rule(
    "WLR237",
    "a zip that unpacks to more than it can hold",
    why="A few bytes that become terabytes are an attack or a broken file; model weights never shrink so far.",
    source="Deflate packs 1,032 to 1 at best; stored members have one size",
)
OVERLAP = rule(
    "WLR238",
    "members that share bytes",
    why="Two members over the same bytes are how zip bombs and hidden files are made.",
    source="APPNOTE.TXT 4.3.6: members follow one another",
)
GUESSED_NAME = rule(
    "WLR239",
    "a member's name in an unknown encoding",
    why="Old zippers write names in the code page of their machine. The name may come out wrong, and code that opens "
    "the file would not find it.",
    source="APPNOTE.TXT appendix D",
    level=Level.WARNING,
)
SECRET_FILE = rule(
    "WLR240",
    "a file that is made to hold secrets",
    why=_LEAK + "A published tutorial's zip ships its author's secret_key.json.",
    source="The names that the tools themselves give to such files",
)
SECRET_TEXT = rule(
    "WLR241",
    "a secret in a file's text",
    why=_LEAK + "Code should read secrets from the environment of the deployment.",
    source="The vendors' own descriptions of their tokens' form",
)
ADMITS_ONE_FILE = rule(
    "WLR242",
    "include-sensitive admits single files only",
    why="A folder or a pattern would also admit the secrets that are put there later.",
    source="The table's reference: exact paths",
)
ADMITS_NOTHING = rule(
    "WLR243",
    "an include-sensitive path that no bundle has",
    why="It admits nothing now, and silently the first file that will have this path.",
    source="The table's reference: exact paths of files in the bundle",
    level=Level.WARNING,
)
ADMITS_NEEDLESSLY = rule(
    "WLR244",
    "an include-sensitive path that needs no admission",
    why="It would silently admit a secret that is put into the file later.",
    source="The table's reference: paths of files that the secrets gate would refuse",
    level=Level.NOTE,
)
SECRET_SETTING = rule(
    "WLR245",
    "a secret in a setting",
    why="Settings are uploaded as they are, and stand in the manifest beside the bundle, where others can read them.",
    source="The vendors' own descriptions of their tokens' form",
)
