"""The secrets gate: keys, tokens and passwords do not leave the project by accident.

By name and, for small text files, by content. A finding says file, line and what
kind of secret it looks like; the secret itself is never kept, printed or passed on.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any

from hatch_wallaroo.files.paths import has_glob, normal
from hatch_wallaroo.files.rules import (
    ADMITS_NEEDLESSLY,
    ADMITS_NOTHING,
    ADMITS_ONE_FILE,
    SECRET_FILE,
    SECRET_SETTING,
    SECRET_TEXT,
)
from hatch_wallaroo.files.secret_text import Hit, text_hits
from hatch_wallaroo.files.sources import Entry, FileSource, ModelFiles
from hatch_wallaroo.files.zip_reading import archives_kept_open
from hatch_wallaroo.findings import Finding, Place, nearest

LARGEST_TEXT = 256 << 10
"""Bytes of the largest file whose text is read."""

_LARGEST_KEY_FILE = 2 << 20
_SMALLEST_KEY, _LARGEST_KEY = 24, 16 << 10
_BINARY_SNIFF = 8_192
_PRINTABLE = 0.95
_SPACE = 0x20
_BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


_KEY = "a private key"
_KEY_STORE = "a key store"
_LOGIN = "stored logins"
_CLOUD = "cloud credentials"
_HISTORY = "a shell's history"

_FILE_NAMES: Mapping[str, str] = {
    "id_rsa": _KEY,
    "id_dsa": _KEY,
    "id_ecdsa": _KEY,
    "id_ed25519": _KEY,
    "id_ecdsa_sk": _KEY,
    "id_ed25519_sk": _KEY,
    "*.ppk": _KEY,
    "*.p12": _KEY_STORE,
    "*.pfx": _KEY_STORE,
    "*.jks": _KEY_STORE,
    "*.keystore": _KEY_STORE,
    "*.kdbx": _KEY_STORE,
    ".env": "environment variables",
    ".env.*": "environment variables",
    ".envrc": "environment variables",
    "*.env": "environment variables",
    ".netrc": _LOGIN,
    "_netrc": _LOGIN,
    ".pypirc": _LOGIN,
    ".npmrc": _LOGIN,
    ".yarnrc.yml": _LOGIN,
    ".git-credentials": _LOGIN,
    ".htpasswd": _LOGIN,
    ".pgpass": _LOGIN,
    "pgpass.conf": _LOGIN,
    ".my.cnf": _LOGIN,
    ".dockercfg": _LOGIN,
    ".vault-token": _LOGIN,
    ".boto": _CLOUD,
    ".s3cfg": _CLOUD,
    "credentials.json": _CLOUD,
    "credentials.csv": _CLOUD,
    "client_secret*.json": _CLOUD,
    "service-account*.json": _CLOUD,
    "service_account*.json": _CLOUD,
    "serviceaccount*.json": _CLOUD,
    "application_default_credentials.json": _CLOUD,
    "accesskeys.csv": _CLOUD,
    "*_accesskeys.csv": _CLOUD,
    "kaggle.json": _LOGIN,
    "kubeconfig": "access to a cluster",
    "*.kubeconfig": "access to a cluster",
    "kubeconfig.y*ml": "access to a cluster",
    "secret_key.json": "a secret key",
    "secret-key.json": "a secret key",
    "secret.json": "secrets",
    "secrets.json": "secrets",
    "secrets.y*ml": "secrets",
    "secrets.toml": "secrets",
    "*.tfstate": "the state of an infrastructure",
    "*.ovpn": "access to a network",
    ".bash_history": _HISTORY,
    ".zsh_history": _HISTORY,
    ".python_history": _HISTORY,
    ".psql_history": _HISTORY,
}
"""Names in lower case, as patterns, and what such a file holds."""

_HARMLESS_NAMES = (
    ".env.example",
    ".env.sample",
    ".env.template",
    ".env.dist",
    ".env.defaults",
    "example.env",
    "sample.env",
    "template.env",
)

_PATHS: Mapping[str, str] = {
    ".aws/credentials": _CLOUD,
    ".azure/accesstokens.json": _CLOUD,
    ".azure/msal_token_cache.json": _CLOUD,
    ".config/gcloud/credentials.db": _CLOUD,
    ".docker/config.json": _LOGIN,
    ".kube/config": "access to a cluster",
    ".huggingface/token": "a Hugging Face token",
    "huggingface/token": "a Hugging Face token",
}
"""The last two names of a path, where one alone would say too little."""

_KEY_FILES = (".pem", ".key", ".der", ".pk8")
"""Suffixes of files that hold either keys or public certificates: their content decides."""


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
    keys = PurePosixPath(normal(entry.name)).suffix.lower() in _KEY_FILES
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
        if kind := _name_kind(path):
            yield Hit(kind)
            return
    key_file = entry.path.lower().endswith(_KEY_FILES)
    content = _read(entry, _LARGEST_KEY_FILE if key_file else LARGEST_TEXT)
    if content is None:
        return
    text = _text(content)
    if text is not None:
        yield from text_hits(text, entry.path)
    elif key_file and _private_der(content):
        yield Hit(_KEY)


def _names(entry: Entry) -> Iterator[str]:
    """What a file is called: in the bundle, in the project, and where a link leads."""
    yield entry.path
    if entry.label:
        yield entry.label.replace("!", "/")
    if isinstance(entry.source, FileSource) and entry.source.path.is_symlink():
        yield os.path.realpath(entry.source.path).replace(os.sep, "/")


def _name_kind(path: str) -> str | None:
    """What a path's name says about it, or None; letters' case does not count."""
    parts = path.lower().split("/")
    name = parts[-1]
    if name in _HARMLESS_NAMES or name.endswith((".example", ".sample", ".template", ".py")):
        return None
    if kind := _PATHS.get("/".join(parts[-2:])) or _PATHS.get("/".join(parts[-3:])):
        return kind
    if ".ssh" in parts[:-1] and not name.endswith(".pub") and name not in {"config", "known_hosts"}:
        return _KEY
    return next((kind for pattern, kind in _FILE_NAMES.items() if fnmatchcase(name, pattern)), None)


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
