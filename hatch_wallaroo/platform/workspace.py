"""The workspaces of a platform: where an upload goes and whether it can be taken there, and what they hold already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hatch_wallaroo.bundle.manifest import ManifestError, load
from hatch_wallaroo.findings import nearest
from hatch_wallaroo.platform.api import Platform
from hatch_wallaroo.platform.errors import ConfigurationError, PlatformError, RefusedError
from hatch_wallaroo.platform.model_versions import Model, ModelVersion, Workspace, look_up
from hatch_wallaroo.platform.packages import OUTPUT, SUFFIX, Package
from hatch_wallaroo.platform.publish_settings import Settings
from hatch_wallaroo.releases.load import UnknownReleaseError, resolve
from hatch_wallaroo.releases.model import Release
from hatch_wallaroo.schema.arrow import decode
from hatch_wallaroo.text import few

_LISTED = 20
_CHOOSE = "choose one: -o workspace=NAME (or its id)"


@dataclass(frozen=True)
class Destination:
    """Where the models go. `workspace` is None only in a dry run whose workspace is still to be created."""

    platform: Platform
    workspace: Workspace | None
    default_arch: str | None

    def versions(self, name: str) -> list[ModelVersion]:
        """All versions of a model in the workspace, newest first; none where the model is new."""
        return self.platform.all_versions(self.workspace.id, name) if self.workspace else []


def open_destination(platform: Platform, settings: Settings) -> Destination:
    """Log in, find (or, where that was asked for, create) the workspace.

    Raises PlatformError. A dry run creates nothing.
    """
    config = platform.config()
    arch = config.get("default_arch")
    return Destination(platform, _workspace(platform, settings), arch if isinstance(arch, str) else None)


def _workspace(platform: Platform, settings: Settings) -> Workspace | None:
    known = platform.workspaces()
    wanted = settings.workspace
    if wanted is None:
        if len(known) == 1:
            return known[0]
        first = "have one made: -o workspace=NAME -o create-workspace"
        raise ConfigurationError(f"no workspace is named; {_of_this_user(known)}", _CHOOSE if known else first)
    found = matching(known, wanted)
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(str(each.id) for each in found)
        raise ConfigurationError(f"several workspaces are called {wanted}: {ids}", "name it by its id: -o workspace=ID")
    if settings.create_workspace and isinstance(wanted, str):
        return None if settings.dry_run else platform.create_workspace(wanted)
    create = "" if isinstance(wanted, int) else "; to have it made: -o create-workspace"
    raise no_workspace(known, wanted, f"{_CHOOSE}{create}")


def matching(known: Iterable[Workspace], wanted: str | int) -> list[Workspace]:
    """The workspace of an id, else those of a name: several may have one."""
    by_id = [each for each in known if each.id == wanted]
    return by_id or [each for each in known if each.name == str(wanted)]


def no_workspace(known: Iterable[Workspace], wanted: str | int, otherwise: str) -> ConfigurationError:
    """What to say where none is meant; `otherwise` is what to do if the nearest name is not meant either."""
    close = nearest(str(wanted), [each.name for each in known])
    hint = f"did you mean {close}? " if close else ""
    return ConfigurationError(f"there is no workspace {wanted}; {_of_this_user(known)}", hint + otherwise)


def called(workspaces: Iterable[Workspace]) -> str:
    """Workspaces with their ids."""
    return few((f"{each.name} ({each.id})" for each in workspaces), _LISTED, counted=True)


def _of_this_user(known: Iterable[Workspace]) -> str:
    by_name = sorted(known, key=lambda each: (each.name, each.id))
    return f"this user's are {called(by_name)}" if by_name else "this user has none"


@dataclass(frozen=True)
class Compatibility:
    """What the platform's answers tell about a package: reasons not to send it, and what to say."""

    refusals: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def compatibility(package: Package, destination: Destination, newest: ModelVersion | None) -> Compatibility:
    """Compare framework, arch and accel with what the platform is known to take.

    A platform does not say its release; each model version says under which release it was made, and
    a platform is never older than that. What that release and its successors do not take is refused;
    what a later release may take is a warning. `newest`: the model's newest version there, or None.
    """
    conversion = package.manifest["upload"]["conversion"]
    refusals: list[str] = []
    warnings: list[str] = []
    release = _release_of(newest)
    built_for = _known(package.release)
    if release is not None:
        newer_bundle = built_for is not None and _key(built_for) > _key(release)
        said = warnings if newer_bundle else refusals
        said += _missing(conversion, release)
        if not newer_bundle and built_for is not None and _steps_differ(package, built_for, release):
            refusals.append(
                f"the bundle holds a Python step for release {built_for.asked} ({built_for.python_step}), and the "
                f"platform made its newest version under {release.asked}, which runs {release.python_step}"
            )
    arch, default = conversion.get("arch"), destination.default_arch
    if isinstance(arch, str) and default and arch != default:
        warnings.append(
            f"the model is for {arch}, and the platform's own architecture is {default}: it needs {arch} nodes"
        )
    return Compatibility(tuple(refusals), tuple(warnings))


def refuse_incompatible(compatible: Compatibility) -> None:
    """Raise RefusedError where the platform cannot take the package."""
    if compatible.refusals:
        raise RefusedError(
            "; ".join(compatible.refusals), "set release in [tool.wallaroo] to the platform's own, and build again"
        )


def _missing(conversion: Mapping[str, Any], release: Release) -> Iterator[str]:
    """What a conversion asks for and a release does not have."""
    under = f"the platform made its newest version under release {release.asked}"
    framework = conversion.get("framework")
    if framework not in release.frameworks and framework != "mlflow":
        yield f"{under}, which does not know the framework {framework}"
    arch, accel = conversion.get("arch"), conversion.get("accel")
    if isinstance(arch, str) and release.architectures and arch not in release.architectures:
        yield f"{under}, which does not know the architecture {arch}"
    name = next(iter(accel), None) if isinstance(accel, Mapping) else accel
    if isinstance(name, str) and release.accelerators and name not in release.accelerators:
        yield f"{under}, which does not know the accelerator {name}"


def _steps_differ(package: Package, built_for: Release, release: Release) -> bool:
    return package.framework == "python" and built_for.python_step != release.python_step


def _release_of(version: ModelVersion | None) -> Release | None:
    for value in look_up(version.raw, ("created_on_version", "file_info.version")) if version else ():
        if isinstance(value, str) and (found := _known(value)):
            return found
    return None


def _known(release: str) -> Release | None:
    try:
        return resolve(".".join(release.split(".")[:3]))
    except UnknownReleaseError:
        return None


def _key(release: Release) -> tuple[int, ...]:
    return tuple(int(part) for part in release.asked.split(".")[:2])


Bundles = Mapping[tuple[str, str], str]
"""The file in dist/ for a model's name and a SHA-256."""


_PINNED = "@sha256:"
"""In an image's name: what it stands for stays what it is."""


@dataclass(frozen=True)
class ListedModel:
    """A model in its workspace; `versions` are all, the newest first and that one with everything known of it."""

    workspace: Workspace
    model: Model
    versions: tuple[ModelVersion, ...]

    @property
    def newest(self) -> ModelVersion | None:
        return self.versions[0] if self.versions else None


@dataclass(frozen=True)
class FoundVersion:
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
    found = matching(known, wanted)
    if not found:
        raise no_workspace(known, wanted, "name another one: -o workspace=NAME")
    return found


def entries(platform: Platform, places: Sequence[Workspace]) -> list[ListedModel]:
    """All models of the workspaces, by name."""
    found = []
    for place in places:
        for model in sorted(platform.models(place.id), key=lambda each: (each.name, each.id)):
            newest, *older = platform.versions_of(model) or (None,)
            versions = () if newest is None else (_whole(platform, newest), *filter(None, older))
            found.append(ListedModel(place, model, versions))
    return found


def versions(platform: Platform, places: Sequence[Workspace], name: str) -> list[FoundVersion]:
    """The versions of the model of this name in the workspaces, newest first, each with everything known of it.

    Raises ConfigurationError where there is no such model.
    """
    return [replace(each, version=_whole(platform, each.version)) for each in _named(platform, places, name)]


def newest(platform: Platform, places: Sequence[Workspace], name: str) -> FoundVersion:
    """The newest version of the model of this name. Raises ConfigurationError where none or more than one is meant."""
    found = _named(platform, places, name)
    where = {each.workspace.id: each.workspace for each in found if each.workspace}
    if len(where) > 1:
        raise ConfigurationError(
            f"models called {name} stand in several workspaces: {called(where.values())}",
            "say which: -o workspace=NAME; or give the id of a version",
        )
    if not found:
        raise ConfigurationError(f"the model {name} has no version yet", "publish one: hatch publish -p wallaroo")
    return replace(found[0], version=platform.version(found[0].version.id))


def by_id(platform: Platform, number: int) -> FoundVersion:
    """The version of this id. Raises ConfigurationError where the platform has none."""
    try:
        version = platform.version(number)
    except RefusedError as error:
        if error.status not in {400, 404}:
            raise
        message = f"there is no model version {number} on this platform, or this user may not see it"
        raise ConfigurationError(message, "the ids stand in `hatch-wallaroo models versions NAME`") from error
    place = next((each for each in platform.workspaces() if each.id == version.workspace_id), None)
    return FoundVersion(version, place)


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


def _named(platform: Platform, places: Sequence[Workspace], name: str) -> list[FoundVersion]:
    found, seen = [], []
    there = False
    for place in places:
        for model in platform.models(place.id):
            seen.append(model.name)
            if model.name == name:
                there = True
                found += [FoundVersion(each, place) for each in platform.versions_of(model)]
    if not there:
        close = nearest(name, seen)
        where = f"the workspace {places[0].name}" if len(places) == 1 else "this user's workspaces"
        others = few(sorted(set(seen)), _LISTED, counted=True)
        raise ConfigurationError(
            f"there is no model {name} in {where}; the models there are {others or 'none'}",
            f"did you mean {close}?" if close else "`hatch-wallaroo models list --all` lists every model",
        )
    return sorted(found, key=lambda each: each.version.id, reverse=True)


def _whole(platform: Platform, version: ModelVersion) -> ModelVersion:
    """A version with its conversion, size and error: the lists of older releases leave them out.

    One in error is always asked for, as its summary is cleaned of secrets only there.
    """
    if version.raw.get("conversion") and not version.is_failed:
        return version
    asked = platform.version(version.id)
    return replace(asked, name=asked.name or version.name, sha=asked.sha or version.sha)


@dataclass(frozen=True)
class Existing:
    """What the platform has of a package already.

    `versions`: all of the model's, newest first; `same`: those with the same file and settings;
    `otherwise`: a version with the same file and other settings, and what differs.
    """

    versions: tuple[ModelVersion, ...] = ()
    same: tuple[ModelVersion, ...] = ()
    otherwise: tuple[ModelVersion, str] | None = None

    @property
    def newest(self) -> ModelVersion | None:
        return self.versions[0] if self.versions else None

    def usable(self, *, again: bool) -> ModelVersion | None:
        """The version to go on with: a ready one, else (but not `again`) the newest that has not failed."""
        alive = [each for each in self.same if each.is_ready or not (each.is_failed or again)]
        return next((each for each in alive if each.is_ready), alive[0] if alive else None)


def find_existing(package: Package, destination: Destination) -> Existing:
    """Ask for the versions of the model in the workspace that hold this very file, with these settings.

    The file is recognised by `file_info.sha`, the SHA-256 of what was uploaded; a container image by a
    reference that ends in its digest (what stands behind a tag may have changed since).
    """
    versions, held = destination.versions(package.name), _identity(package)
    if versions:
        versions[0] = destination.platform.version(versions[0].id)
    same: list[ModelVersion] = []
    otherwise: tuple[ModelVersion, str] | None = None
    for each in versions:
        if not each.holds(*held):
            continue
        version = destination.platform.version(each.id) if each is not versions[0] else each
        difference = _difference(package, version)
        if not difference:
            same.append(version)
        elif otherwise is None:
            otherwise = (version, difference)
    return Existing(tuple(versions), tuple(same), otherwise)


def concurrent_uploads(
    package: Package, destination: Destination, version_id: int, before: Existing
) -> tuple[int, ...]:
    """Other versions with the same file that have appeared since the first question: another publisher's."""
    known, held = {each.id for each in before.versions} | {version_id}, _identity(package)
    try:
        now = destination.versions(package.name)
    except PlatformError:  # it is sent, and goes on: this was to warn only
        return ()
    return tuple(sorted(each.id for each in now if each.id not in known and each.holds(*held)))


def _identity(package: Package) -> tuple[str, str]:
    """What a version that holds the package is recognised by, as ModelVersion.holds takes it."""
    image = package.manifest["upload"].get("image_path", "")
    return package.sha256, image if _PINNED in image else ""


def _difference(package: Package, version: ModelVersion) -> str:
    """What makes the version another model although its file is the same; empty where nothing is known to."""
    upload: Mapping[str, Any] = package.manifest["upload"]
    theirs = next((each for each in look_up(version.raw, ("conversion",)) if isinstance(each, Mapping)), {})
    for key in ("framework", "arch", "accel", "framework_config"):
        ours, other = upload["conversion"].get(key), theirs.get(key)
        if ours is not None and other is not None and type(ours) is type(other) and ours != other:
            return f"{key.replace('_', '-')} {_short(other)} instead of {_short(ours)}"
    for key in ("input_schema", "output_schema"):
        other = next((each for each in look_up(version.raw, (f"config.{key}", key)) if isinstance(each, str)), None)
        if other and key in upload and _schemas_differ(other, upload[key]):
            return f"another {key.replace('_', '-')}"
    return ""


def _schemas_differ(first: str, second: str) -> bool:
    """Whether two encoded schemas are known to say different things; what cannot be read says nothing."""
    try:
        return first != second and decode(first) != decode(second)
    except ValueError:
        return False


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:59] + "…"  # noqa: PLR2004 - fits a line
