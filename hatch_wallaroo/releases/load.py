"""From what a user asks for to a release: find its data file, merge it over its base, read it strictly.

A release is a file `data/YEAR.MINOR[.PATCH].toml`; adding one is adding a file. A file may say

- `base`: the release whose data it continues; tables are merged, everything else replaces;
- `remove`: dotted paths that the base has and this release has no more;
- `patches.N`: what changed with patch N of this release, merged where the user asks for that patch
  or a later one, or for no patch at all.

What else it may say is read from the dataclasses of `releases.model`: a key is a field's name with hyphens, and no key
may be unknown or missing, no value of a wrong type.
"""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from hatch_wallaroo.releases.model import ApiSupport, ByopSupport, FrameworkRow, OnnxSupport, Release, RuntimeSet

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_DATA = Path(__file__).with_name("data")
_Version = tuple[int, ...]
_VERSION = re.compile(r"[0-9]{4}\.(?:0|[1-9][0-9]{0,3})(?:\.(?:0|[1-9][0-9]{0,3}))?", re.ASCII)
_LIKE_A_VERSION = re.compile(r"(20[0-9]{2})(?:[.\-_ ]+([0-9]{1,2}))?", re.ASCII)


_Made = TypeVar("_Made", bound=Release | FrameworkRow | OnnxSupport | ByopSupport | ApiSupport | RuntimeSet)
_TABLES: Mapping[str, type[OnnxSupport | ByopSupport | ApiSupport | RuntimeSet]] = {
    "onnx": OnnxSupport,
    "byop": ByopSupport,
    "api": ApiSupport,
    "runtime-set": RuntimeSet,
}
_HINTS: dict[type, dict[str, Any]] = {cls: get_type_hints(cls) for cls in (Release, FrameworkRow, *_TABLES.values())}
_OURS = ("asked", "version")


class ReleaseDataError(ValueError):
    """A data file is wrong; the message names the key."""


class UnknownReleaseError(ValueError):
    """No data answers for the release `asked`; `nearest` is the known one to suggest, or None."""

    def __init__(self, asked: object, nearest: str | None) -> None:
        self.asked = asked if isinstance(asked, str) else repr(asked)
        self.nearest = nearest
        super().__init__(f"Wallaroo release {self.asked[:40]!r} is not known; known are {', '.join(known())}")


def known() -> tuple[str, ...]:
    """All releases that have a data file of their own, oldest first."""
    names = (each.name.removesuffix(".toml") for each in _DATA.iterdir())
    return tuple(sorted((name for name in names if _VERSION.fullmatch(name)), key=_parts))


def resolve(asked: str) -> Release:
    """The data of a release, as the user names it: `2024.1`, or with a patch, `2025.2.4`.

    A release without a file of its own is answered by the newest one before it of the same year
    (`2024.3` by 2024.2): data does not carry over from year to year. `Release.exact` tells which.

    Raises UnknownReleaseError where nothing answers.
    """
    given: object = asked
    wanted = _parts(given) if isinstance(given, str) and _VERSION.fullmatch(given) else ()
    version = next((each for each in reversed(known()) if wanted and _answers(_parts(each), wanted)), None)
    if version is None:
        raise UnknownReleaseError(asked, _nearest(asked))
    own = _parts(version)
    patch = wanted[2] if len(wanted) > 2 and wanted[:2] == own[:2] else None  # noqa: PLR2004 - year, minor, patch
    return parse_release(_document(version, patch), asked=asked, version=version)


def all_releases() -> tuple[Release, ...]:
    """Every release that has a data file, oldest first."""
    return tuple(resolve(each) for each in known())


def releases_with(having: Callable[[Release], bool]) -> tuple[str, ...]:
    """The known releases that have something, oldest first."""
    return tuple(each.version for each in all_releases() if having(each))


def framework_names(releases: Iterable[Release]) -> tuple[str, ...]:
    """The frameworks that any of the releases knows, in the order in which they came."""
    return tuple(dict.fromkeys(name for each in releases for name in each.frameworks))


def _answers(version: _Version, wanted: _Version) -> bool:
    """Whether a data file speaks for the wanted release: same year, and not newer than what was asked for."""
    return version[0] == wanted[0] and (version <= wanted or version[:2] == wanted)


def _nearest(asked: object) -> str | None:
    """The release to suggest: the closest in time where a year stands in the text, else None."""
    found = _LIKE_A_VERSION.search(asked[:40]) if isinstance(asked, str) else None
    if found is None:
        return None
    wanted = (int(found[1]), int(found[2] or 1))
    return min(known(), key=lambda each: _distance(_parts(each), wanted))


def _distance(version: _Version, wanted: _Version) -> int:
    """How far two releases lie apart, in months: there are four a year."""
    return abs(12 * (version[0] - wanted[0]) + 3 * (version[1] - wanted[1]))


def _parts(version: str) -> _Version:
    return tuple(int(part) for part in version.split("."))


def _document(version: str, patch: int | None, seen: tuple[str, ...] = ()) -> dict[str, Any]:
    """A release's data over all its bases', with the patches up to `patch` (None: all of them)."""
    own = dict(_file(version))
    base = own.pop("base", None)
    removed = own.pop("remove", [])
    patches = own.pop("patches", {})
    document: dict[str, Any] = {}
    if base is not None:
        if base in (*seen, version) or base not in known():
            raise ReleaseDataError(f"{version}: base {base!r} is no other release")
        document = _document(base, None, (*seen, version))
    for path in removed:
        _remove(document, path, version)
    document = merge(document, own)
    for number in sorted(patches, key=int):
        if patch is None or int(number) <= patch:
            document = merge(document, patches[number])
    return document


@cache
def _file(version: str) -> Mapping[str, Any]:
    text = (_DATA / f"{version}.toml").read_text(encoding="utf-8")
    document: dict[str, Any] = tomllib.loads(text)
    return document


def _remove(document: dict[str, Any], path: str, version: str) -> None:
    """Take out one dotted path; removing what is not there is a mistake in the data."""
    *tables, last = path.split(".")
    for name in tables:
        document = document.get(name, {})
    if last not in document:
        raise ReleaseDataError(f"{version}: nothing to remove at {path!r}")
    del document[last]


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """A new document: tables merged key by key, any other value taken from `over`. Shares nothing with either."""
    merged = {key: _copy(value) for key, value in base.items()}
    for key, value in over.items():
        before = merged.get(key)
        merged[key] = merge(before, value) if isinstance(before, dict) and isinstance(value, Mapping) else _copy(value)
    return merged


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(inner) for key, inner in value.items()}
    return [_copy(inner) for inner in value] if isinstance(value, list) else value


def parse_release(document: Mapping[str, Any], *, asked: str, version: str) -> Release:
    """Read a merged document. Raises ReleaseDataError, which names the release and the key."""
    for key in _OURS:
        if key in document:
            raise ReleaseDataError(f"{version}: a data file does not say {key!r}, its name does")
    try:
        families = _table(document, "families")
        rows = {name: _row(name, row, families) for name, row in _table(document, "frameworks").items()}
        values = {key: value for key, value in document.items() if key != "families"}
        values.update(frameworks=rows, asked=asked, version=version)
        values.update({key: _make(cls, _table(document, key), key) for key, cls in _TABLES.items()})
        return _make(Release, values, "")
    except ReleaseDataError as error:
        raise ReleaseDataError(f"{version}: {error}") from None


def _row(name: str, row: Any, families: Mapping[str, Any]) -> FrameworkRow:
    """A framework: its family's values, then its own. The task is what its name adds to the family's."""
    where = f"frameworks.{name}"
    family = row.get("family") if isinstance(row, Mapping) else None
    if not isinstance(family, str) or family not in families:
        raise ReleaseDataError(f"{where}.family: {family!r} is no family of this release")
    shared = _table(families, family)
    values: dict[str, Any] = {"libraries": {}, **shared, **row, "name": name}
    values["libraries"] = {**shared.get("libraries", {}), **row.get("libraries", {})}
    if name.startswith(f"{family}-"):
        values["task"] = name.removeprefix(f"{family}-")
    return _make(FrameworkRow, values, where)


def _table(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    table = document.get(key)
    if not isinstance(table, Mapping):
        raise ReleaseDataError(f"{key} must be a table")
    return table


def _make(cls: type[_Made], table: Mapping[str, Any], where: str) -> _Made:
    prefix = f"{where}." if where else ""
    declared = {each.name.replace("_", "-"): each for each in fields(cls)}
    hints = _HINTS[cls]
    for key in table:
        if key not in declared:
            raise ReleaseDataError(f"unknown key {prefix}{key}")
    values: dict[str, Any] = {}
    for key, each in declared.items():
        if key not in table:
            if each.default is MISSING and each.default_factory is MISSING:
                raise ReleaseDataError(f"missing key {prefix}{key}")
            continue
        value = _frozen(table[key])
        if not fits(value, hints[each.name]):
            raise ReleaseDataError(f"{prefix}{key}: {table[key]!r} is not what belongs here")
        values[each.name] = value
    return cls(**values)


def _frozen(value: Any) -> Any:
    """TOML's arrays as tuples, all the way down."""
    if isinstance(value, Mapping):
        return {key: _frozen(inner) for key, inner in value.items()}
    return tuple(_frozen(inner) for inner in value) if isinstance(value, list) else value


def fits(value: Any, hint: Any) -> bool:
    """Whether a value is of an annotated type: plain classes, Any, Literal, unions, tuples and mappings."""
    if hint is Any:
        return True
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return value in arguments
    if origin in {types.UnionType, Union}:
        return any(fits(value, each) for each in arguments)
    if origin is tuple:
        return isinstance(value, tuple) and all(fits(each, arguments[0]) for each in value)
    if origin is not None:  # Mapping[key, value]
        return isinstance(value, Mapping) and all(
            fits(key, arguments[0]) and fits(inner, arguments[1]) for key, inner in value.items()
        )
    return type(value) is hint or (hint is type(None) and value is None)
