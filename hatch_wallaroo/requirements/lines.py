"""Reads requirement lines from where they come from: a table, or files in pip's format, nested ones included.

Also tells lines that name an address or a path, and logins in addresses.
"""

from __future__ import annotations

import codecs
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.files.collect import find_file
from hatch_wallaroo.files.sources import Entry, FileSource, pointer_finding
from hatch_wallaroo.findings import Finding, Place, Rule
from hatch_wallaroo.requirements import rules

LARGEST_FILE = 1 << 20
DEEPEST = 20

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_COMMENT = re.compile(r"(?:^|\s+)#.*$")
_VARIABLE = re.compile(r"\$\{[A-Z0-9_]+\}")
_OPTION = re.compile(r"(?P<name>--[a-z][a-z0-9-]*|-[a-zA-Z])(?:\s*=\s*|\s+|(?<=^-[a-zA-Z])(?=\S)|$)(?P<value>.*)$")
_SHORT = {
    "-r": "--requirement",
    "-c": "--constraint",
    "-e": "--editable",
    "-i": "--index-url",
    "-f": "--find-links",
}
_INDEXES = {"--index-url", "--extra-index-url", "--find-links"}
_KEPT = {"--pre", "--prefer-binary", "--no-binary", "--only-binary", "--trusted-host", "--require-hashes"}
_REFUSED = {
    "--no-index": "there pip finds packages by an index only",
    "--use-feature": "it is about one version of pip",
    "--process-dependency-links": "pip no longer knows it",
}


_LOGIN = re.compile(r"(?P<start>[A-Za-z][A-Za-z0-9+.-]*://)(?P<login>[^/?#\s@]*(?:@[^/?#\s@]*)*)@")
_REPOSITORY = re.compile(r"\A(?:git|hg|svn|bzr)\+|\Agit@|\Agit://")
_SCHEME = re.compile(r"\A[A-Za-z][A-Za-z0-9+.-]*:(?://|/)")
_PATH = re.compile(r"\A(?:\.{1,2}(?:[/\\]|\Z)|[/\\~]|[A-Za-z]:[/\\])")
_ARCHIVE = re.compile(r"\A[^\s@]+\.(?:whl|tar\.gz|tar\.bz2|tgz|zip)(?:#.*)?\Z")
_TAG = re.compile(r"@v?(?P<version>\d+(?:\.\d+)+)(?:#|\Z)")


@dataclass(frozen=True)
class Line:
    """One requirement as written, without comment; `hashes` as `sha256:…`."""

    text: str
    place: Place
    hashes: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        return _where(self.place)


@dataclass
class Source:
    """What was read: requirements, constraints, and the options that go along, all in order."""

    lines: list[Line] = field(default_factory=list)
    constraints: list[Line] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def say(self, rule: Rule, message: str, fix: str, place: Place) -> None:
        """Add a finding; the message begins with the line of a file."""
        self.findings.append(rule.finding(f"{_where(place)}{message}", fix=fix, place=place))


def read(spec: ModelSpec) -> Source:
    """Read what `requirements` names: the project's dependencies, a file, or a list."""
    source, declared = Source(), spec.requirements
    if declared.kind == "file":
        _read_file(spec, source, declared.file, spec.at("requirements"), ())
    elif declared.kind == "list":
        for index, text in enumerate(declared.lines):
            _take(spec, source, text.strip(), spec.at("requirements", index), ())
    else:
        for index, text in enumerate(spec.project.dependencies):
            place = Place(key=("project", "dependencies", index))
            _take(spec, source, text.strip(), place, (), options=False)
    return source


def _read_file(
    spec: ModelSpec, source: Source, declared: str, place: Place, trail: tuple[str, ...], *, constraint: bool = False
) -> None:
    found, findings = find_file(spec, declared, place=place)
    source.findings.extend(findings)
    if found is None:
        return
    if found.label in trail or len(trail) >= DEEPEST:
        circle = " → ".join([*trail[-3:], found.label])
        fix = "remove one of the `-r` lines"
        source.findings.append(
            rules.FILE_FORM.finding(f"requirements files include each other: {circle}", fix=fix, place=place)
        )
        return
    try:
        file = FileSource(found.absolute)
        if pointer := pointer_finding(Entry(found.path, file, found.label), place):
            source.findings.append(pointer)
            return
        with found.absolute.open("rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
        text = _decoded(content)
    except (OSError, UnicodeError, ValueError) as error:
        reason = "it is not UTF-8 text" if isinstance(error, UnicodeError) else str(error)
        message, fix = f"{found.label} cannot be read: {reason}", "save it as UTF-8 text"
        source.findings.append(rules.FILE_FORM.finding(message, fix=fix, place=place))
        return
    for number, line in _logical(text):
        here = Place(file=found.label, line=number)
        _take(spec, source, line, here, (*trail, found.label), constraint=constraint)


def _decoded(content: bytes) -> str:
    """The text of a file; as pip does, a byte order mark decides. Raises ValueError for what is no text."""
    if len(content) > LARGEST_FILE:
        raise ValueError(f"it is larger than {LARGEST_FILE >> 20} MiB")
    encoding = next((name for mark, name in _BOMS if content.startswith(mark)), "utf-8")
    text = content.decode(encoding)
    if "\x00" in text:
        raise ValueError("it is not text")
    return text


def _logical(text: str) -> Iterator[tuple[int, str]]:
    """The lines with continuations joined and comments gone, each with the number that it starts on."""
    parts: list[str] = []
    start = 1
    for number, line in enumerate(text.splitlines(), 1):
        start = start if parts else number
        comment = _COMMENT.match(line) is not None
        if line.endswith("\\") and not comment:
            parts.append(line[:-1])
            continue
        parts.append(" " + line if comment and parts else line)
        yield from _stripped(start, parts)
        parts = []
    yield from _stripped(start, parts)


def _stripped(number: int, parts: list[str]) -> Iterator[tuple[int, str]]:
    line = _COMMENT.sub("", "".join(parts)).strip()
    if line:
        yield number, line


def _take(
    spec: ModelSpec,
    source: Source,
    text: str,
    place: Place,
    trail: tuple[str, ...],
    *,
    options: bool = True,
    constraint: bool = False,
) -> None:
    """Sort one line in: a requirement, an option, another file."""
    if not text:
        return
    variable = _VARIABLE.search(text)
    if variable:
        fix = "write the value itself, or leave the line out if it is a secret"
        source.say(rules.VARIABLE, f"{variable[0]} is an environment variable", fix, place)
    elif text.startswith("-") and options:
        _take_option(spec, source, text, place, trail)
    else:
        bare, hashes = _split_hashes(source, text, place)
        (source.constraints if constraint else source.lines).append(Line(bare, place, hashes))


def _take_option(spec: ModelSpec, source: Source, text: str, place: Place, trail: tuple[str, ...]) -> None:
    match = _OPTION.match(text)
    name = _SHORT.get(match["name"], match["name"]) if match else text.split(maxsplit=1)[0]
    value = match["value"].strip() if match else ""
    if name in {"--requirement", "--constraint"}:
        folder = posixpath.dirname(place.file)
        nested = value.strip("\"'")
        joined = (
            nested
            if nested.startswith("/") or "://" in nested
            else posixpath.normpath(f"{folder}/{nested}".lstrip("/"))
        )
        _read_file(spec, source, joined, place, trail, constraint=name == "--constraint")
    elif name == "--editable":
        message = f"'-e {without_login(value)}' installs a folder of this machine"
        fix = "leave the line out; the project's own code goes along by `byop.packages`"
        source.say(rules.LOCAL_PROJECT, message, fix, place)
    elif name in _INDEXES:
        _take_index(source, name, value, place)
    elif name in _KEPT:
        option = f"{name} {value}".strip()
        if option not in source.options:
            source.options.append(option)
    else:
        reason = _REFUSED.get(name, "a requirements file may not hold it")
        source.say(rules.OPTION, f"the platform cannot follow {name}: {reason}", "leave the line out", place)


def _take_index(source: Source, name: str, value: str, place: Place) -> None:
    if has_login(value):
        message = f"{name} {without_login(value)} has a login in it"
        fix = "use an index that needs no login, or put the packages' wheels into the project's own index"
        source.say(rules.INDEX_LOGIN, message, fix, place)
    elif not value.startswith(("https://", "http://")):
        message = f"{name} {value} is not on the network, where the platform could reach it"
        source.say(rules.OPTION, message, "leave the line out", place)
    elif f"{name} {value}" not in source.options:
        source.options.append(f"{name} {value}")


def _split_hashes(source: Source, text: str, place: Place) -> tuple[str, tuple[str, ...]]:
    """A line's requirement and its hashes; any other option on the line is refused."""
    bare, *options = re.split(r"\s+(?=--)", text)
    hashes = []
    for option in options:
        match = re.fullmatch(r"--hash[=\s]+(\w+:[0-9a-fA-F]+)", option.strip())
        if match:
            hashes.append(match[1])
        else:
            name = re.split(r"[=\s]", option)[0]
            source.say(rules.OPTION, f"the platform cannot follow {name} on a requirement", "leave it out", place)
    return bare.strip(), tuple(hashes)


def _where(place: Place) -> str:
    return f"{place.file}:{place.line}: " if place.file else ""


@dataclass(frozen=True)
class Address:
    """What kind of address stands in a line, and what to write instead."""

    kind: str
    local: bool
    fix: str


def has_login(text: str) -> bool:
    """Whether an address in a text carries a user or a password."""
    return _LOGIN.search(text) is not None


def without_login(text: str) -> str:
    """The text with every login in an address hidden."""
    return _LOGIN.sub(lambda found: f"{found['start']}…@", text)


def address(text: str, name: str = "") -> Address | None:
    """The address that a requirement consists of or ends in; None for a plain one.

    `name` is the distribution, where the line says it (`name @ address`).
    """
    if _REPOSITORY.match(text):
        return Address("a repository", local=False, fix=_repository_fix(text, name))
    local = text.lower().startswith("file:") or _PATH.match(text) is not None
    if local or (_ARCHIVE.match(text) and not _SCHEME.match(text)):
        return Address("a path of this machine", local=True, fix=_archive_fix(text, name))
    if _SCHEME.match(text):
        return Address("an address", local=False, fix=_archive_fix(text, name))
    return None


def _repository_fix(text: str, name: str) -> str:
    tag = _TAG.search(text)
    called = name or (re.search(r"[#&]egg=([\w.-]+)", text) or [None, ""])[1]
    if tag and called:
        return f"write '{called}=={tag['version']}' if that version is on the index"
    where = f"'{called}==…'" if called else "name and version"
    return f"write {where} if it is on an index; else put its source into the project and name it in `byop.packages`"


def _archive_fix(text: str, name: str) -> str:
    from packaging.utils import (
        InvalidSdistFilename,
        InvalidWheelFilename,
        parse_sdist_filename,
        parse_wheel_filename,
    )

    file = unquote(re.split(r"[?#]", text)[0].replace("\\", "/").rpartition("/")[2])
    try:
        parsed = parse_wheel_filename(file)[:2] if file.endswith(".whl") else parse_sdist_filename(file)
    except (InvalidWheelFilename, InvalidSdistFilename):
        wanted = f"'{name}==…' with the version that you use" if name else "the name and version of the package"
        return f"write {wanted} (`python -m pip list --format=freeze` shows it)"
    return f"write '{name or parsed[0]}=={parsed[1]}'"
