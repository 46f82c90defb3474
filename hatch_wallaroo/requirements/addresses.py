"""Requirements that name an address or a path, and logins in addresses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

_LOGIN = re.compile(r"(?P<start>[A-Za-z][A-Za-z0-9+.-]*://)(?P<login>[^/?#\s@]*(?:@[^/?#\s@]*)*)@")
_REPOSITORY = re.compile(r"\A(?:git|hg|svn|bzr)\+|\Agit@|\Agit://")
_SCHEME = re.compile(r"\A[A-Za-z][A-Za-z0-9+.-]*:(?://|/)")
_PATH = re.compile(r"\A(?:\.{1,2}(?:[/\\]|\Z)|[/\\~]|[A-Za-z]:[/\\])")
_ARCHIVE = re.compile(r"\A[^\s@]+\.(?:whl|tar\.gz|tar\.bz2|tgz|zip)(?:#.*)?\Z")
_TAG = re.compile(r"@v?(?P<version>\d+(?:\.\d+)+)(?:#|\Z)")


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
