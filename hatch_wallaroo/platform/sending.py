"""Sending a bundle, and never twice: the platform is asked for its SHA-256 first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hatch_wallaroo.platform.api import ModelVersion
from hatch_wallaroo.platform.destination import Destination, look_up, versions_of
from hatch_wallaroo.platform.errors import PlatformError, RefusedError
from hatch_wallaroo.platform.packages import Package
from hatch_wallaroo.platform.screen import Screen
from hatch_wallaroo.schema.ipc import decode
from hatch_wallaroo.text import human_size

_PINNED = "@sha256:"


@dataclass(frozen=True)
class Held:
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


def look(package: Package, destination: Destination) -> Held:
    """Ask for the versions of the model in the workspace that hold this very file, with these settings.

    The file is recognised by `file_info.sha`, the SHA-256 of what was uploaded; a container image by a
    reference that ends in its digest (what stands behind a tag may have changed since).
    """
    versions = versions_of(destination, package.name)
    if versions:
        versions[0] = destination.platform.version(versions[0].id)
    same: list[ModelVersion] = []
    otherwise: tuple[ModelVersion, str] | None = None
    for each in versions:
        if not _holds(each, package):
            continue
        version = destination.platform.version(each.id) if each is not versions[0] else each
        difference = _difference(package, version)
        if not difference:
            same.append(version)
        elif otherwise is None:
            otherwise = (version, difference)
    return Held(tuple(versions), tuple(same), otherwise)


def send(package: Package, destination: Destination, *, route: str | None, screen: Screen) -> int:
    """Upload the file (or register the image); returns the id of the model version.

    A connection that breaks is repaired below: the platform is asked again before anything is repeated.
    """
    if destination.workspace is None:
        raise ValueError("there is no workspace to send to")
    platform, workspace = destination.platform, destination.workspace.id
    if package.file is None:
        return platform.upload(package.manifest, None, workspace, route)
    name = f"{package.name}: {package.file.name}"
    with screen.progress(name, package.size, then="waiting for the platform's answer") as advance:
        version = platform.upload(package.manifest, package.file, workspace, route, advance)
    screen.line(f"{package.name}: sent {human_size(package.size)}, version {version}")
    return version


def twins(package: Package, destination: Destination, version_id: int, before: Held) -> tuple[int, ...]:
    """Other versions with the same file that have appeared since the first question: another publisher's."""
    known = {each.id for each in before.versions} | {version_id}
    try:
        now = versions_of(destination, package.name)
    except PlatformError:  # it is sent, and goes on: this was to warn only
        return ()
    return tuple(sorted(each.id for each in now if each.id not in known and _holds(each, package)))


def check_arrived(package: Package, version: ModelVersion) -> None:
    """Compare the digest that the platform computed with the manifest's; raises RefusedError."""
    if package.sha256 and not package.is_image and version.sha and version.sha.lower() != package.sha256:
        raise RefusedError(
            f"{package.name}: version {version.id} holds another file than was sent: SHA-256 {version.sha[:16]}… "
            f"instead of {package.sha256[:16]}…",
            "do not use that version; publish again, and ask who stands between here and the platform",
        )


def _holds(version: ModelVersion, package: Package) -> bool:
    if package.sha256:
        return version.sha.lower() == package.sha256
    image = package.manifest["upload"].get("image_path", "")
    return _PINNED in image and version.image_path == image


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
