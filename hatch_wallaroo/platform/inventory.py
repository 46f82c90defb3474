"""What stands on a platform: models, their versions, and which of them hold the bundles in dist/. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hatch_wallaroo.bundle.manifest import ManifestError, load
from hatch_wallaroo.findings import nearest
from hatch_wallaroo.platform.answered import Model, ModelVersion, Workspace
from hatch_wallaroo.platform.api import Platform
from hatch_wallaroo.platform.errors import ConfigurationError, RefusedError
from hatch_wallaroo.platform.packages import OUTPUT, SUFFIX

Bundles = Mapping[tuple[str, str], str]
"""The file in dist/ for a model's name and a SHA-256."""
_LISTED = 20


@dataclass(frozen=True)
class Entry:
    """A model in its workspace; `versions` are all, the newest first and that one with everything known of it."""

    workspace: Workspace
    model: Model
    versions: tuple[ModelVersion, ...]

    @property
    def newest(self) -> ModelVersion | None:
        return self.versions[0] if self.versions else None


@dataclass(frozen=True)
class Found:
    """A version of a model, and the workspace where it stands (None where this user cannot see that)."""

    version: ModelVersion
    workspace: Workspace | None


def workspaces(platform: Platform, wanted: str | int | None) -> list[Workspace]:
    """The workspaces that are meant: by name or id, or all of this user's, in the order of their names.

    Several may have one name: then it means all of them. Raises ConfigurationError where there is none.
    """
    known = sorted(platform.workspaces(), key=lambda each: (each.name, each.id))
    if wanted is None:
        return known
    found = [each for each in known if each.id == wanted] or [each for each in known if each.name == str(wanted)]
    if found:
        return found
    close = nearest(str(wanted), [each.name for each in known])
    raise ConfigurationError(
        f"there is no workspace {wanted}; this user's are {_listing(map(_called, known))}",
        f"did you mean {close}?" if close else "name another one: -o workspace=NAME",
    )


def entries(platform: Platform, places: Sequence[Workspace]) -> list[Entry]:
    """All models of the workspaces, by name."""
    found = []
    for place in places:
        for model in sorted(platform.models(place.id), key=lambda each: (each.name, each.id)):
            newest, *older = _versions(platform, model) or (None,)
            versions = () if newest is None else (_whole(platform, newest), *filter(None, older))
            found.append(Entry(place, model, versions))
    return found


def versions(platform: Platform, places: Sequence[Workspace], name: str) -> list[Found]:
    """The versions of the model of this name in the workspaces, newest first, each with everything known of it.

    Raises ConfigurationError where there is no such model.
    """
    return [replace(each, version=_whole(platform, each.version)) for each in _named(platform, places, name)]


def newest(platform: Platform, places: Sequence[Workspace], name: str) -> Found:
    """The newest version of the model of this name. Raises ConfigurationError where none or more than one is meant."""
    found = _named(platform, places, name)
    where = {each.workspace.id: each.workspace for each in found if each.workspace}
    if len(where) > 1:
        raise ConfigurationError(
            f"models called {name} stand in several workspaces: {_listing(map(_called, where.values()))}",
            "say which: -o workspace=NAME; or give the id of a version",
        )
    if not found:
        raise ConfigurationError(f"the model {name} has no version yet", "publish one: hatch publish -p wallaroo")
    return replace(found[0], version=platform.version(found[0].version.id))


def by_id(platform: Platform, number: int) -> Found:
    """The version of this id. Raises ConfigurationError where the platform has none."""
    try:
        version = platform.version(number)
    except RefusedError as error:
        if error.status not in {400, 404}:
            raise
        message = f"there is no model version {number} on this platform, or this user may not see it"
        raise ConfigurationError(message, "the ids stand in `hatch-wallaroo models versions NAME`") from error
    place = next((each for each in platform.workspaces() if each.id == version.workspace_id), None)
    return Found(version, place)


def bundles(root: Path) -> Bundles:
    """What the manifests in dist/ describe. One that cannot be read is none: nothing is published from here."""
    found = {}
    for path in sorted((root / OUTPUT).glob("*" + SUFFIX)):
        try:
            manifest = load(path)
        except (ManifestError, OSError):
            continue
        upload: Any = manifest.get("upload")
        name = upload.get("name") if isinstance(upload, dict) else None
        sha = manifest["file"].get("sha256")
        if isinstance(name, str) and isinstance(sha, str) and sha:
            found[name, sha.lower()] = str(manifest["file"]["name"])
    return found


def _named(platform: Platform, places: Sequence[Workspace], name: str) -> list[Found]:
    found, seen = [], []
    there = False
    for place in places:
        for model in platform.models(place.id):
            seen.append(model.name)
            if model.name == name:
                there = True
                found += [Found(each, place) for each in _versions(platform, model)]
    if not there:
        close = nearest(name, seen)
        where = f"the workspace {places[0].name}" if len(places) == 1 else "this user's workspaces"
        raise ConfigurationError(
            f"there is no model {name} in {where}; the models there are {_listing(sorted(set(seen)))}",
            f"did you mean {close}?" if close else "`hatch-wallaroo models list --all` lists every model",
        )
    return sorted(found, key=lambda each: each.version.id, reverse=True)


def _versions(platform: Platform, model: Model) -> list[ModelVersion]:
    """A model's versions, newest first; asked for where the list of models did not bring them along."""
    made = model.versions if model.versions is not None else platform.versions(model.id, model.name)
    return sorted((replace(each, name=model.name) for each in made), key=lambda each: each.id, reverse=True)


def _whole(platform: Platform, version: ModelVersion) -> ModelVersion:
    """A version with its conversion, size and error: the lists of older releases leave them out.

    One in error is always asked for, as its summary is cleaned of secrets only there.
    """
    if version.raw.get("conversion") and not version.is_failed:
        return version
    asked = platform.version(version.id)
    return replace(asked, name=asked.name or version.name, sha=asked.sha or version.sha)


def _called(workspace: Workspace) -> str:
    return f"{workspace.name} ({workspace.id})"


def _listing(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - _LISTED} more" if len(every) > _LISTED else ""
    return ", ".join(every[:_LISTED]) + more if every else "none"
