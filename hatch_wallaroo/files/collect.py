"""From declared paths to explicit lists of files.

Nothing is opened and nothing is followed out of the project. A folder that is
excluded is never looked into, whatever its size.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from hatch_wallaroo.files.paths import composed, has_glob, normal, refusal
from hatch_wallaroo.files.presence import exists
from hatch_wallaroo.files.rules import DECLARED_PATH, EXCLUDED_YET_DECLARED, MISSING, NOTHING, WRONG_KIND
from hatch_wallaroo.files.sources import Found, Listing, ModelFiles, ZipListing
from hatch_wallaroo.files.walk import Node, Walker
from hatch_wallaroo.findings import Finding, Place, nearest
from hatch_wallaroo.text import display_path

_LOOKED_AT = 2_000
_FOLDERS_LOOKED_AT = 200


def list_folder(spec: ModelFiles, folder: str, *, place: Place) -> Listing:
    """All files of one declared folder, links inside the project followed, `Found.path` relative to the folder.

    Missing, unsafe or empty folders and members are findings at `place`.
    """
    walker = Walker(spec, place)
    start = _start(walker, folder, want="folder")
    nodes = walker.files(start) if start else []
    if start and not nodes:
        _say_empty(walker, f"the folder {start.label}")
    prefix = "" if start is None or start.label == "." else f"{start.label}/"
    files = [_found(node, node.label.removeprefix(prefix)) for node in nodes]
    return Listing(_ordered(files), tuple(walker.findings), _left_out([walker]))


def list_declared(spec: ModelFiles, patterns: Sequence[str]) -> Listing:
    """Everything that `artifacts` name: files, folders with all they hold, globs.

    A file that is reached twice is listed once. `Found.path` is relative to the
    project. A path without glob characters, or one that exists as it is written,
    is exact: exclusions apply to what is below it, not to it.
    """
    found: dict[str, Found] = {}
    walkers = [Walker(spec, spec.at("artifacts", index)) for index in range(len(patterns))]
    for walker, declared in zip(walkers, patterns, strict=True):
        found.update((node.label, _found(node, node.label)) for node in _declared(walker, declared))
    findings = dict.fromkeys(finding for walker in walkers for finding in walker.findings)
    return Listing(_ordered(found.values()), tuple(findings), _left_out(walkers, found))


def find_file(spec: ModelFiles, declared: str, *, place: Place) -> tuple[Found | None, tuple[Finding, ...]]:
    """The one regular file that a path names, `Found.path` its bare name; None with the findings that say why not."""
    walker = Walker(spec, place)
    node = _start(walker, declared, want="file")
    return (_found(node, node.name) if node else None), tuple(walker.findings)


def list_zip(spec: ModelFiles, found: Found, *, place: Place) -> ZipListing:
    """The members of a zip as safe entries, see `zip_listing.list_zip`: imported only where there is a zip."""
    from hatch_wallaroo.files import zip_listing

    return zip_listing.list_zip(spec, found, place=place)


def _declared(walker: Walker, declared: str) -> list[Node]:
    """The files of one path or glob."""
    label = normal(declared)
    exact = refusal(declared) is not None or not has_glob(label) or walker.exists(label)
    base, pattern = (declared, "") if exact else _split(label)
    start = _start(walker, base, want="any" if exact else "folder")
    if start is None or not start.is_folder:
        return [start] if start else []
    nodes = walker.files(start) if exact else walker.matching(start, pattern)
    if not nodes:
        _say_empty(walker, f"the folder {start.label}" if exact else f"the pattern {declared!r}")
    return nodes


def _start(walker: Walker, declared: str, *, want: str) -> Node | None:
    """The node that a declared path names, if it is of the kind that is wanted: `file`, `folder`, `any`."""
    if refused := refusal(declared):
        walker.say(DECLARED_PATH, f"'{display_path(declared)}' {refused.reason}", refused.fix)
        return None
    label, said = normal(declared), len(walker.findings)
    node = walker.at(label)
    if node is None:
        if len(walker.findings) == said:
            glob = want != "any" and has_glob(label)
            walker.say(
                MISSING, f"'{display_path(label)}' does not exist", _missing_fix(walker.spec.root, label, glob=glob)
            )
        return None
    if want == "folder" and not node.is_folder:
        walker.say(WRONG_KIND, f"{label} is a file; a folder is expected here", _around(label))
        return None
    if want == "file" and node.is_folder:
        walker.say(WRONG_KIND, f"{label} is a folder; a file is expected here", f"name the file in it: '{label}/…'")
        return None
    if not node.is_folder and (index := walker.exclusions.index(label)) is not None:
        pattern = walker.spec.exclude[index]
        fix = "remove one of the two"
        walker.say(EXCLUDED_YET_DECLARED, f"{label} is taken although exclude {pattern!r} matches it", fix)
    return node


def _split(label: str) -> tuple[str, str]:
    """A glob as the folder that it starts from and the rest."""
    parts = label.split("/")
    first = next(index for index, part in enumerate(parts) if has_glob(part))
    return "/".join(parts[:first]) or ".", "/".join(parts[first:])


def _say_empty(walker: Walker, what: str) -> None:
    """Say that nothing was found, unless another finding says why already."""
    if any(each.is_error for each in walker.findings):
        return
    if not walker.stripped:
        verb = "is empty" if what.startswith("the folder") else "matches no file"
        walker.say(NOTHING, f"{what} {verb}", "check the path, and that the files are there, not only in the cloud")
        return
    label, reason = min(walker.stripped.items())
    walker.say(
        NOTHING,
        f"everything that {what} names is left out: {label} ({reason})",
        "declare the file by its exact path, or narrow `exclude`",
    )


def _around(label: str) -> str:
    folder = label.rpartition("/")[0]
    return f"name the folder that it lies in: {folder!r}" if folder else "move it into a folder and name that"


def _found(node: Node, path: str) -> Found:
    return Found(composed(path), Path(node.path), node.label)


def _ordered(files: Iterable[Found]) -> tuple[Found, ...]:
    return tuple(sorted(files, key=lambda each: (each.path, each.label)))


def _left_out(walkers: Sequence[Walker], taken: Iterable[str] = ()) -> tuple[tuple[str, str], ...]:
    """What the walkers left out and none of them took."""
    left = {label: reason for walker in walkers for label, reason in walker.stripped.items()}
    return tuple(sorted((label, left[label]) for label in left.keys() - set(taken)))


def _missing_fix(root: Path, label: str, *, glob: bool = False) -> str:
    """How to mend a missing path: the nearest one that exists, or what to check."""
    if glob:
        return "name one path here; patterns are for `artifacts`"
    near = _same_name_below(root, label.rpartition("/")[2]) or _nearest_path(root, label)
    if near:
        return f"did you mean {near!r}?"
    return "check the path; it is relative to the folder that holds pyproject.toml"


def _nearest_path(root: Path, label: str) -> str | None:
    """The path with its first unknown name replaced by the most similar one, if the whole then exists."""
    kept: list[str] = []
    corrected = False
    for part in label.split("/"):
        here = root.joinpath(*kept)
        if not os.path.lexists(here / part):
            near = nearest(part, _names(here))
            if near is None:
                break
            part, corrected = near, True  # noqa: PLW2901 - the rest is looked up below the corrected name
        kept.append(part)
    return "/".join(kept) if corrected else None


def _same_name_below(root: Path, name: str) -> str | None:
    """A file of the same name one folder further down."""
    folders = [each for each in _names(root) if not each.startswith(".")][:_FOLDERS_LOOKED_AT]
    return next((f"{folder}/{name}" for folder in sorted(folders) if exists(root / folder / name)), None)


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in islice(entries, _LOOKED_AT)]
    except OSError:
        return []
