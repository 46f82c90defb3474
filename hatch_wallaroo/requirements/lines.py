"""Where requirements come from: lines of a table, or files in pip's format, nested ones included."""

from __future__ import annotations

import codecs
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.files.collect import find_file
from hatch_wallaroo.files.pointers import lfs_pointer, pointer_finding
from hatch_wallaroo.files.sources import Entry, FileSource
from hatch_wallaroo.findings import Finding, Place
from hatch_wallaroo.requirements import problems
from hatch_wallaroo.requirements.addresses import has_login, without_login

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


@dataclass(frozen=True)
class Line:
    """One requirement as written, without comment; `hashes` as `sha256:…`."""

    text: str
    place: Place
    hashes: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        return f"{self.place.file}:{self.place.line}: " if self.place.file else ""


@dataclass
class Source:
    """What was read: requirements, constraints, and the options that go along, all in order."""

    lines: list[Line] = field(default_factory=list)
    constraints: list[Line] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


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
            problems.FILE_FORM.finding(f"requirements files include each other: {circle}", fix=fix, place=place)
        )
        return
    try:
        file = FileSource(found.absolute)
        if pointer := lfs_pointer(file):
            source.findings.append(pointer_finding(Entry(found.path, file, found.label), pointer, place))
            return
        with found.absolute.open("rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
        text = _decoded(content)
    except (OSError, UnicodeError, ValueError) as error:
        reason = "it is not UTF-8 text" if isinstance(error, UnicodeError) else str(error)
        message, fix = f"{found.label} cannot be read: {reason}", "save it as UTF-8 text"
        source.findings.append(problems.FILE_FORM.finding(message, fix=fix, place=place))
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
        message = f"{_where(place)}{variable[0]} is an environment variable"
        source.findings.append(problems.VARIABLE.finding(message, fix=fix, place=place))
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
        message = f"{_where(place)}'-e {without_login(value)}' installs a folder of this machine"
        fix = "leave the line out; the project's own code goes along by `byop.packages`"
        source.findings.append(problems.LOCAL_PROJECT.finding(message, fix=fix, place=place))
    elif name in _INDEXES:
        _take_index(source, name, value, place)
    elif name in _KEPT:
        option = f"{name} {value}".strip()
        if option not in source.options:
            source.options.append(option)
    else:
        reason = _REFUSED.get(name, "a requirements file may not hold it")
        message = f"{_where(place)}the platform cannot follow {name}: {reason}"
        source.findings.append(problems.OPTION.finding(message, fix="leave the line out", place=place))


def _relative(nested: str, place: Place) -> str:
    """A nested file's path from the project, as pip takes it: relative to the file that names it."""
    if not nested or nested.startswith("/") or "://" in nested or "\\" in nested:
        return nested
    return posixpath.normpath(posixpath.join(posixpath.dirname(place.file), nested))


def _take_index(source: Source, name: str, value: str, place: Place) -> None:
    where = _where(place)
    if has_login(value):
        message = f"{where}{name} {without_login(value)} has a login in it"
        fix = "use an index that needs no login, or put the packages' wheels into the project's own index"
        source.findings.append(problems.INDEX_LOGIN.finding(message, fix=fix, place=place))
    elif not value.startswith(("https://", "http://")):
        message = f"{where}{name} {value} is not on the network, where the platform could reach it"
        source.findings.append(problems.OPTION.finding(message, fix="leave the line out", place=place))
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
            message = f"{_where(place)}the platform cannot follow {name} on a requirement"
            source.findings.append(problems.OPTION.finding(message, fix="leave it out", place=place))
    return bare.strip(), tuple(hashes)


def _where(place: Place) -> str:
    return f"{place.file}:{place.line}: " if place.file else ""
