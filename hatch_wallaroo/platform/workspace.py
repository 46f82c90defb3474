"""The place of an upload: the workspace, and whether the platform there can take the model at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hatch_wallaroo.findings import nearest
from hatch_wallaroo.platform.api import ModelVersion, Platform, Workspace
from hatch_wallaroo.platform.errors import ConfigurationError, RefusedError
from hatch_wallaroo.platform.model_versions import look_up
from hatch_wallaroo.platform.packages import Package
from hatch_wallaroo.platform.publish_settings import Settings
from hatch_wallaroo.releases.load import UnknownReleaseError, resolve
from hatch_wallaroo.releases.model import Release

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
    by_name = [each for each in known if each.name == str(wanted)]
    by_id = [each for each in known if isinstance(wanted, int) and each.id == wanted]
    found = by_id or by_name
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
    return few_of(f"{each.name} ({each.id})" for each in workspaces)


def few_of(names: Iterable[str]) -> str:
    """Names in a message: not all of very many."""
    every = list(names)
    more = f" and {len(every) - _LISTED} more" if len(every) > _LISTED else ""
    return ", ".join(every[:_LISTED]) + more


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
