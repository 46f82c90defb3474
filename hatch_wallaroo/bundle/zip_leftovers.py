"""What desktops, notebooks and Python left in a zip that the user made: no part of the model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from hatch_wallaroo.bundle.plan import BundlePlan
from hatch_wallaroo.bundle.rules import LEFTOVERS
from hatch_wallaroo.files.exclusions import FILES, FOLDERS, file_reason, folder_reason
from hatch_wallaroo.files.paths import normal
from hatch_wallaroo.files.sources import Entry, FileSource, ZipMember
from hatch_wallaroo.files.zip_reading import MOST_MEMBERS, member_names
from hatch_wallaroo.findings import Finding, Place
from hatch_wallaroo.text import display_path

_REASONS = frozenset({FOLDERS["__macosx"], FOLDERS["__pycache__"], FOLDERS[".ipynb_checkpoints"], FILES["*.pyc"]})
_SUFFIX = ".zip"


def leftovers(names: Iterable[str]) -> dict[str, str]:
    """Those of a zip's members that are left over, folders' own entries included, and the top of each: `__MACOSX/`."""
    found = {}
    for name in names:
        top = _leftover(name.replace("\\", "/"))
        if top:
            found[name] = top
    return found


def check_own_zips(made: BundlePlan) -> Iterator[Finding]:
    """A note for each zip of the user's that has leftovers in it: the model, or one that goes along whole."""
    spec = made.spec
    archives = {entry.source.archive for entry in made.layout.entries if isinstance(entry.source, ZipMember)}
    if archives and spec.model is not None:
        for archive in archives:
            label = normal(spec.model)
            yield from _note(
                archive, label, spec.at("model"), "nothing needs doing: they are left out of the bundle", made
            )
    if spec.framework.family == "custom":
        for entry in made.layout.entries:
            if isinstance(entry.source, FileSource) and entry.name.lower().endswith(_SUFFIX):
                yield from _note(
                    entry.source.path,
                    entry.name,
                    _place(entry),
                    "zip its folder again without them: they go along as they are",
                    made,
                )


def _place(entry: Entry) -> Place:
    return Place(file=entry.name)


def _note(path: Path, label: str, place: Place, fix: str, made: BundlePlan) -> Iterator[Finding]:
    names = member_names(path, MOST_MEMBERS)
    found = leftovers(names)
    if not found or len(found) == len(names):
        return
    files = sum(not name.endswith("/") for name in found)
    tops = sorted(set(found.values()))
    listed = ", ".join(map(display_path, tops[:3])) + (f" and {len(tops) - 3:,} more" if len(tops) > 3 else "")  # noqa: PLR2004
    many = f"{files:,} files that are" if files != 1 else "a file that is"
    yield LEFTOVERS.finding(
        f"{label} holds {many} no part of {made.spec.name}: {listed}", fix=fix, place=place, about=label
    )


def _leftover(name: str) -> str:
    """The folder, or the file, that makes a member a leftover; empty for one that belongs."""
    parts = name.rstrip("/").split("/")
    for depth, part in enumerate(parts):
        whole = depth < len(parts) - 1 or name.endswith("/")
        if (folder_reason(part) if whole else file_reason(part)) in _REASONS:
            return "/".join(parts[: depth + 1]) + ("/" if whole else "")
    return ""
