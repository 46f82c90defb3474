"""The secrets gate: keys, tokens and passwords do not leave the project by accident.

By name and, for small text files, by content. A finding says file, line and what
kind of secret it looks like; the secret itself is never kept, printed or passed on.
"""

from __future__ import annotations

import math
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

from hatch_wallaroo.files import secret_rules as data
from hatch_wallaroo.files.paths import has_glob, normal
from hatch_wallaroo.files.rules import (
    ADMITS_NEEDLESSLY,
    ADMITS_NOTHING,
    ADMITS_ONE_FILE,
    SECRET_FILE,
    SECRET_SETTING,
    SECRET_TEXT,
)
from hatch_wallaroo.files.sources import Entry, FileSource, ModelFiles
from hatch_wallaroo.files.zip_reading import archives_kept_open
from hatch_wallaroo.findings import Finding, Place, nearest

LARGEST_TEXT = 256 << 10
"""Bytes of the largest file whose text is read."""

_LARGEST_KEY_FILE = 2 << 20
_SMALLEST_KEY, _LARGEST_KEY = 24, 16 << 10
_BINARY_SNIFF = 8_192
_MOST_PER_FILE = 5
_PASSWORD_LENGTH, _TOKEN_LENGTH = 5, 16
_TOKEN_ENTROPY = 3.3
_PRINTABLE = 0.95
_SPACE = 0x20
_BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


@dataclass(frozen=True)
class Hit:
    """Where a secret stands and what kind it is; never the secret."""

    kind: str
    line: int | None = None


def scan(spec: ModelFiles, entries: Sequence[Entry]) -> list[Finding]:
    """Refuse the entries that look like secrets, by name or by text, unless `include-sensitive` admits them.

    Reads text files up to 256 KiB; what cannot be read is left to whoever packs it.
    """
    admitted, findings = _admitted(spec, entries)
    needed = set()
    with archives_kept_open():
        for entry in entries:
            hits = list(_hits(entry))
            name = normal(entry.name)
            if hits and name in admitted:
                needed.add(name)
            elif hits:
                findings.extend(_finding(entry, hit) for hit in hits)
    for name in sorted(admitted.keys() - needed):
        message = f"include-sensitive admits {name}, which holds nothing that would be refused"
        findings.append(ADMITS_NEEDLESSLY.finding(message, fix="remove it from the list", place=admitted[name]))
    return findings


def _finding(entry: Entry, hit: Hit) -> Finding:
    place = Place(file=entry.label, line=hit.line) if entry.label else Place()
    if hit.line is None:
        message = f"{entry.name} looks like {hit.kind}"
        fix = "keep it out of the bundle with `exclude`"
        admit = f"; if it must go along: include-sensitive = [{entry.name!r}]" if entry.label else ""
        return SECRET_FILE.finding(message, fix=fix + admit, place=place)
    where = entry.name if entry.label else f"{entry.name}, line {hit.line},"
    message = f"{where} holds what looks like {hit.kind}"
    keys = PurePosixPath(normal(entry.name)).suffix.lower() in data.KEY_FILES
    instead = "leave it out with `exclude`" if keys else "read it from an environment variable"
    fix = f"{instead}, and revoke it if others have seen it"
    admit = f"; if it is none: include-sensitive = [{entry.name!r}]" if entry.label else ""
    return SECRET_TEXT.finding(message, fix=fix + admit, place=place)


def _admitted(spec: ModelFiles, entries: Sequence[Entry]) -> tuple[dict[str, Place], list[Finding]]:
    """The files that are admitted by their exact paths, and what is wrong with the list itself."""
    names = {normal(entry.name) for entry in entries}
    admitted: dict[str, Place] = {}
    findings = []
    for index, declared in enumerate(spec.include_sensitive):
        place, name = spec.at("include-sensitive", index), normal(declared)
        if name in names:
            admitted[name] = place
        elif has_glob(declared) or declared.endswith("/") or any(each.startswith(f"{name}/") for each in names):
            what = "is a pattern" if has_glob(declared) else "is a folder"
            fix = "write the path of each file, one by one"
            findings.append(ADMITS_ONE_FILE.finding(f"include-sensitive: {declared!r} {what}", fix=fix, place=place))
        else:
            near = nearest(name, names)
            fix = f"did you mean {near!r}?" if near else "remove it from the list"
            message = f"include-sensitive: {declared!r} is not in the bundle"
            findings.append(ADMITS_NOTHING.finding(message, fix=fix, place=place))
    return admitted, findings


def _hits(entry: Entry) -> Iterator[Hit]:
    """What an entry looks like, by its names first; its text is only read where they say nothing."""
    for path in dict.fromkeys(_names(entry)):
        if kind := name_kind(path):
            yield Hit(kind)
            return
    key_file = entry.path.lower().endswith(data.KEY_FILES)
    content = _read(entry, _LARGEST_KEY_FILE if key_file else LARGEST_TEXT)
    if content is None:
        return
    text = _text(content)
    if text is not None:
        yield from text_hits(text, entry.path)
    elif (
        key_file and _SMALLEST_KEY <= len(content) <= _LARGEST_KEY and content[:1] == b"\x30" and _private_der(content)
    ):
        yield Hit("a private key")


def _names(entry: Entry) -> Iterator[str]:
    """What a file is called: in the bundle, in the project, and where a link leads."""
    yield entry.path
    if entry.label:
        yield entry.label.replace("!", "/")
    if isinstance(entry.source, FileSource) and entry.source.path.is_symlink():
        yield os.path.realpath(entry.source.path).replace(os.sep, "/")


def name_kind(path: str) -> str | None:
    """What a path's name says about it, or None; letters' case does not count."""
    parts = path.lower().split("/")
    name = parts[-1]
    if name in data.HARMLESS_NAMES or name.endswith((".example", ".sample", ".template", ".py")):
        return None
    if kind := data.PATHS.get("/".join(parts[-2:])) or data.PATHS.get("/".join(parts[-3:])):
        return kind
    if ".ssh" in parts[:-1] and not name.endswith(".pub") and name not in {"config", "known_hosts"}:
        return "a private key"
    return next((kind for pattern, kind in data.FILE_NAMES.items() if fnmatchcase(name, pattern)), None)


def text_hits(text: str, path: str) -> Iterator[Hit]:
    """The secrets in a text, by line, a few at most."""
    lower = _lowered(text)
    found: dict[int, str] = {}
    for kind, at in (*_tokens(text, lower), *_assignments(text, lower, path)):
        found.setdefault(text.count("\n", 0, at) + 1, kind)
    for line in sorted(found)[:_MOST_PER_FILE]:
        yield Hit(found[line], line)


def _lowered(text: str) -> str:
    """The text in lower case, every character in its place."""
    lower = text.lower()
    return (
        lower if len(lower) == len(text) else "".join(low if len(low := each.lower()) == 1 else each for each in text)
    )


def _tokens(text: str, lower: str) -> Iterator[tuple[str, int]]:
    """What looks like a secret by its own form, and where."""
    words = " ".join(word for word in lower.split() if len(word) >= data.TOKEN_LENGTH)
    for pattern in (*data.PATTERNS, *data.SHORT_PATTERNS):
        if any(hint in (words if pattern.in_token else lower) for hint in pattern.hints):
            convincing = (match for match in pattern.regex.finditer(text) if _convincing(pattern, match))
            yield from ((pattern.kind, match.start()) for match in islice(convincing, _MOST_PER_FILE))


def _convincing(pattern: data.Pattern, match: re.Match[str]) -> bool:
    groups = match.groupdict()
    value = groups.get("value")
    if value is None:
        return True
    if any(known in match[0] for known in data.KNOWN_EXAMPLES):
        return False
    if pattern.entropy:
        return entropy(value) >= pattern.entropy
    return not _placeholder(value) and "{" not in value and value != groups.get("user")


def _assignments(text: str, lower: str, path: str) -> Iterator[tuple[str, int]]:
    """The assignments of passwords and tokens whose value looks real, and where the value stands."""
    name = path.rpartition("/")[2].lower()
    suffix = f".{name.rpartition('.')[2]}" if "." in name else ""
    bare = suffix in data.SETTINGS_SUFFIXES or name.startswith((".env", "dockerfile"))
    for roots, kind, real in (
        (data.PASSWORD_ROOTS, "a password", _real_password),
        (data.TOKEN_ROOTS, "a secret key or token", _real_token),
    ):
        values = (match for start, end in _named(lower, roots) for match in _values(text, start, end, bare=bare))
        convincing = (match for match in values if real(match["value"]))
        yield from ((kind, match.start("value")) for match in islice(convincing, _MOST_PER_FILE))


def _named(lower: str, roots: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where the names of secrets stand: the start of the root and its end."""
    for root in roots:
        at = lower.find(root)
        while at >= 0:
            if root != "key" or data.BEFORE_KEY.search(lower[max(0, at - data.KEY_REACH) : at]):
                yield at, at + len(root)
            at = lower.find(root, at + len(root))


def _values(text: str, start: int, end: int, *, bare: bool) -> Iterator[re.Match[str]]:
    """The value that follows a name, in quotes or, in settings files, without."""
    if quoted := data.QUOTED_VALUE.match(text, end):
        yield quoted
    elif bare and (value := data.BARE_VALUE.match(text, end)):
        line = text.rfind("\n", max(0, start - data.BARE_REACH), start) + 1
        if data.BARE_NAME.match(text[max(line, start - data.BARE_REACH) : start]):
            yield value


def _real_password(value: str) -> bool:
    """Whether an assigned value looks like somebody's password rather than a word, a reference or a placeholder."""
    return len(value) >= _PASSWORD_LENGTH and " " not in value and _classes(value) > 1 and _own(value)


def _real_token(value: str) -> bool:
    """The same for a key or token: long, and without a pattern."""
    plain = len(value) >= _TOKEN_LENGTH and re.fullmatch(r"[A-Za-z0-9_.~+/=!@#$%^&*:-]+", value) is not None
    return plain and _digits_and_letters(value) and entropy(value) >= _TOKEN_ENTROPY and _own(value)


def _own(value: str) -> bool:
    return not (_placeholder(value) or _reference(value) or any(known in value for known in data.KNOWN_EXAMPLES))


def _placeholder(value: str) -> bool:
    return data.PLACEHOLDER.match(unquote(value).strip()) is not None


def _reference(value: str) -> bool:
    """Whether a value names something else: a path, a class, a dotted or underscored name, an address."""
    if re.fullmatch(r"[A-Za-z_][A-Za-z]*(?:[._/:-][A-Za-z]+)*|[A-Za-z_]\w{0,30}(?:\.[A-Za-z_]\w{0,30}){2,}", value):
        return True
    return value.startswith(("./", "/", "http://", "https://", "os.", "self.", "sha256:", "arn:", "projects/"))


def _classes(value: str) -> int:
    kinds = (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^A-Za-z0-9]")
    return sum(re.search(kind, value) is not None for kind in kinds)


def _digits_and_letters(value: str) -> bool:
    return re.search("[0-9]", value) is not None and re.search("[A-Za-z]", value) is not None


def entropy(value: str) -> float:
    """Shannon's entropy of a text's characters, in bits a character."""
    counts, size = Counter(value), len(value)
    return -sum(count / size * math.log2(count / size) for count in counts.values()) if size else 0.0


def _text(content: bytes) -> str | None:
    """The content as text, or None where it is binary."""
    for mark, encoding in _BOMS.items():
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    if b"\x00" in content[:_BINARY_SNIFF]:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        start = content[:_BINARY_SNIFF]
        printable = sum(each >= _SPACE or each in b"\t\n\r\f" for each in start)
        return content.decode("latin-1") if printable >= _PRINTABLE * len(start) else None


def _private_der(content: bytes) -> bool:
    """Whether binary content is a private key in DER: a sequence that starts with a small version number."""
    if not _SMALLEST_KEY <= len(content) <= _LARGEST_KEY or not content.startswith(b"\x30"):
        return False
    header = 2 + (content[1] & 0x7F if content[1] & 0x80 else 0)
    return content[header : header + 3] in {b"\x02\x01\x00", b"\x02\x01\x01"}


def _read(entry: Entry, limit: int) -> bytes | None:
    """The bytes of an entry of at most `limit` bytes; None where it is larger or cannot be read."""
    try:
        if not 0 < entry.source.size <= limit:
            return None
        with entry.source.open() as stream:
            content = stream.read(limit + 1)
    except OSError:  # packing it will say so
        return None
    return content if len(content) <= limit else None


_SETTINGS = "framework-config"


def check_settings(spec: ModelFiles) -> Iterator[Finding]:
    """Refuse texts of the framework's configuration that look like secrets. The finding never holds the text."""
    for inside, kind in _setting_hits(spec.framework_config or {}):
        named = ".".join((_SETTINGS, *map(str, inside)))
        yield SECRET_SETTING.finding(
            f"{named} holds what looks like {kind}",
            fix="remove it, read it from an environment variable where the model runs, and revoke it if others have "
            "seen it",
            place=spec.at(_SETTINGS, *inside),
        )


def _setting_hits(settings: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Where a secret stands, below the option, and its kind. One that is a key is told at the table it is in."""
    pending: list[tuple[tuple[str | int, ...], str, Any]] = [((), "", settings)]
    while pending:
        inside, name, value = pending.pop()
        if isinstance(value, Mapping):
            for key, each in reversed(list(value.items())):
                if kind := _setting_kind(str(key)):
                    yield inside, kind
                else:
                    pending.append(((*inside, str(key)), str(key), each))
        elif isinstance(value, (list, tuple)):
            pending += [((*inside, index), name, each) for index, each in reversed(list(enumerate(value)))]
        elif isinstance(value, str) and (kind := _setting_kind(value) or _setting_kind(f'{name} = "{value}"')):
            yield inside, kind


def _setting_kind(text: str) -> str | None:
    return next((hit.kind for hit in text_hits(text, "")), None)
