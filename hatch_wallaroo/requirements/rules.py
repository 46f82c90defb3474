"""The rules about requirements."""

from __future__ import annotations

from hatch_wallaroo.findings import Level, rule

_INSTALL = "The platform runs `pip install -r requirements.txt` while it converts the model; "

UNREADABLE_LINE = rule(
    "WLR250",
    "a requirement that cannot be read",
    why=_INSTALL + "one line that pip cannot read fails it all.",
    source="PEP 508; pip's requirements file format",
)
DIRECT_REFERENCE = rule(
    "WLR251",
    "a requirement that points to an address instead of an index",
    why=_INSTALL + "addresses of files and repositories are not reachable there, need git and logins, and change "
    "without a new version.",
    source="PEP 440, direct references; 'Could not pip install user provided requirements.txt'",
)
LOCAL_PROJECT = rule(
    "WLR252",
    "an editable install or a local path",
    why=_INSTALL + "a folder of this machine does not exist there.",
    source="pip's requirements file format",
)
INDEX_LOGIN = rule(
    "WLR253",
    "an index address with a login",
    why="requirements.txt goes into the bundle as it is, and everyone who can read the bundle can read the password.",
    source="pip's documentation, authentication",
)
OPTION = rule(
    "WLR254",
    "an option that the platform's pip cannot follow",
    why=_INSTALL + "files and settings of this machine are not there.",
    source="pip's requirements file format, the options that a file may hold",
)
CONFLICT = rule(
    "WLR255",
    "requirements that exclude each other",
    why=_INSTALL + "no version satisfies them all.",
    source="PEP 440, version specifiers",
)
FILE_FORM = rule(
    "WLR256",
    "a requirements file that cannot be read",
    why="Its lines would be missing from the bundle.",
    source="pip's requirements file format: UTF-8, or as a byte order mark says; nested files once",
)
PROJECT_PYTHON = rule(
    "WLR257",
    "the project does not run on the platform's Python",
    why="The platform runs the model on the Python of its release, whatever is installed here.",
    source="Release data: `python`; PEP 621, requires-python",
    level=Level.WARNING,
)
SDK_PIN = rule(
    "WLR258",
    "a requirement against a version that the platform's runtime pins",
    why="Both are installed into one environment. The runtime fails to start, or pip refuses.",
    source="The pins of the official SDK's wheel, which carries the runtime",
    level=Level.WARNING,
)
NOT_NEEDED = rule(
    "WLR259",
    "a package that a model on the platform does not need",
    why="It makes conversion slower, and its own requirements may clash with the runtime's.",
    source="The platform's image brings its runtime; build tools run here",
    level=Level.WARNING,
)
UNPINNED = rule(
    "WLR260",
    "requirements without exact versions",
    why="The platform takes the newest versions at the time of conversion, which nobody has tried with this model.",
    source="Model upload guide, BYOP: the versions should be exactly those that the model was made with",
    level=Level.NOTE,
)
LEFT_OUT = rule(
    "WLR261",
    "requirements that do not apply on the platform",
    why="Their environment markers are false for the platform's Python and processor.",
    source="PEP 508, environment markers",
    level=Level.NOTE,
)
UNKNOWN_EXTRA = rule(
    "WLR262",
    "an extra of the project that does not exist",
    why="What it stands for would be missing.",
    source="PEP 621, optional-dependencies",
)
VARIABLE = rule(
    "WLR263",
    "an environment variable in a requirement",
    why=_INSTALL + "your variables are not set there, and pip would take the text as it is.",
    source="pip's requirements file format, environment variables",
)
HASHES = rule(
    "WLR264",
    "hashes for some requirements only",
    why=_INSTALL + "as soon as one line has a hash, pip refuses every line that has none, or no exact version.",
    source="pip's documentation, hash-checking mode",
)
CONSTRAINT = rule(
    "WLR265",
    "constraints on packages that are not required here",
    why="A bundle has one requirements.txt and no constraints; only those on its own lines can be kept.",
    source="pip's documentation, constraints files",
    level=Level.NOTE,
)
NO_SUCH_PACKAGE = rule(
    "WLR266",
    "a name that installs something else, or nothing",
    why=_INSTALL + "these names exist on PyPI to say that another one is meant, or not at all.",
    source="The packages' own pages on PyPI",
)
NO_UV = rule(
    "WLR270",
    "uv is not installed, and locking needs it",
    why="Versions for another Python and processor than this machine's are found by uv.",
    source="uv pip compile --python-version --python-platform",
)
UNRESOLVABLE = rule(
    "WLR271",
    "no set of versions satisfies the requirements on the platform",
    why=_INSTALL + "it would fail there for the same reason.",
    source="uv's resolution for the platform's Python and processor",
)
LOCK_FORM = rule(
    "WLR272",
    "a pylock.toml that cannot be used",
    why="Its versions cannot be told.",
    source="PEP 751",
)
LOCK_STALE = rule(
    "WLR273",
    "pylock.toml does not fit the requirements",
    why="The bundle would be built with versions that the project no longer asks for.",
    source="PEP 751; the project's requirements",
)
LOCK_TARGET = rule(
    "WLR274",
    "pylock.toml was made for another platform",
    why=_INSTALL + "it has another Python or processor than the lock.",
    source="PEP 751: requires-python, environments, wheels",
)
