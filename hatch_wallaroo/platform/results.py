"""What comes of a publication, or would: for the person who starts it, and as JSON for CI."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hatch_wallaroo.__about__ import __version__
from hatch_wallaroo.exit_codes import EXIT_CODES, INTERRUPTED
from hatch_wallaroo.files.writing import write_whole
from hatch_wallaroo.platform.api import upload_metadata, upload_request
from hatch_wallaroo.platform.errors import ConfigurationError, PlatformError
from hatch_wallaroo.platform.model_versions import ModelVersion
from hatch_wallaroo.platform.packages import Package
from hatch_wallaroo.platform.publish_settings import Settings
from hatch_wallaroo.platform.screen import duration
from hatch_wallaroo.platform.sending import no_registry
from hatch_wallaroo.platform.workspace import Compatibility, Destination, Existing
from hatch_wallaroo.text import describe_error, human_size, printable

FORMAT = 1
Outcome = Literal["ready", "present", "uploaded", "planned", "failed"]


@dataclass
class PublishResult:
    """One manifest's fate.

    `outcome`: `ready` (sent, and the platform made a running model of it), `present` (a version existing the
    file already, nothing was sent), `uploaded` (sent, and not waited for), `planned` (a dry run), `failed`.
    `version_id` is the platform's number of the model version, `platform_version` its UUID, `status` the
    last status seen, `seconds` the time from the first request to the end, `other_versions` those that
    hold the same file, `image` a container image as it was registered, `advice` where to mend what the platform
    complains about.
    """

    manifest: Path
    model: str = ""
    version: str = ""
    framework: str = ""
    sha256: str = ""
    size: int = 0
    workspace: str | None = None
    workspace_id: int | None = None
    version_id: int | None = None
    platform_version: str = ""
    outcome: Outcome = "failed"
    status: str = ""
    image: str = ""
    sent: bool = False
    seconds: float = 0.0
    error: PlatformError | None = None
    other_versions: tuple[int, ...] = ()
    advice: tuple[str, ...] = ()
    log: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        return self.error.exit_code if self.error else 0


def exit_code(results: Sequence[PublishResult]) -> int:
    """That of the first model that failed; 0 where none did."""
    return next((each.exit_code for each in results if each.error), 0)


def to_json(results: Sequence[PublishResult], url: str, *, interrupted: bool = False) -> dict[str, Any]:
    """The document that `-o json=FILE` writes; every key is always there, null where it says nothing."""
    return {
        "format": FORMAT,
        "generator": {"name": "hatch-wallaroo", "version": __version__},
        "url": url,
        "exit_code": INTERRUPTED if interrupted else exit_code(results),
        "interrupted": interrupted,
        "models": [_model(each) for each in results],
    }


def _model(result: PublishResult) -> dict[str, Any]:
    return {
        "manifest": result.manifest.name,
        "model": result.model or None,
        "version": result.version or None,
        "framework": result.framework or None,
        "sha256": result.sha256 or None,
        "size": result.size if result.sha256 else None,
        "workspace": {"id": result.workspace_id, "name": result.workspace},
        "model_version_id": result.version_id,
        "model_version": result.platform_version or None,
        "image": result.image or None,
        "outcome": result.outcome,
        "sent": result.sent,
        "status": result.status or None,
        "seconds": round(result.seconds, 3),
        "other_versions": list(result.other_versions),
        "error": _error(result),
    }


def _error(result: PublishResult) -> dict[str, Any] | None:
    if result.error is None:
        return None
    names = {each.code: each.name for each in EXIT_CODES}
    return {
        "exit_code": result.exit_code,
        "kind": names.get(result.exit_code, "failed"),
        "message": printable(result.error.message, lines=True),
        "fix": printable(result.error.fix, lines=True) or None,
        "advice": [printable(each, lines=True) for each in result.advice],
        "log": [printable(each) for each in result.log],
    }


def result_line(result: PublishResult) -> str:
    """A model's last line: name, version id, digest, workspace, time."""
    what = {"present": "already there", "uploaded": "uploaded, not waited for"}.get(result.outcome, result.outcome)
    status = f" ({result.status})" if result.outcome == "present" and result.status else ""
    size = f"  {human_size(result.size)}" if result.sent and result.size else ""
    digest = f"  sha256:{result.sha256[:16]}" if result.sha256 else ""
    return (
        f"{result.model} {result.version}: {what}{status}, version {result.version_id} in workspace {result.workspace}"
        f"{size}{digest}  {duration(result.seconds)}"
    )


def check_target(path: Path) -> None:
    """Whether the JSON can be written there, asked before anything is sent. Raises ConfigurationError."""
    try:
        kind = "a link" if path.is_symlink() else "a folder" if path.is_dir() else ""
        # The document comes to its place whole, by taking the place of what is there: a device would be gone.
        if kind or (path.exists() and not path.is_file()):
            raise ConfigurationError(
                f"-o json={path}: that is {kind or 'a device'}", "name a file, for example -o json=published.json"
            )
        usable = path.parent.is_dir() and os.access(path.parent, os.W_OK)
    except OSError:
        usable = False
    if not usable:
        raise ConfigurationError(
            f"-o json={path}: the folder cannot be written to", "name a file in a folder that exists"
        )


def write(path: Path, document: dict[str, Any]) -> None:
    """Write the document: readers find all of it or what was there before. Raises ConfigurationError."""
    data = (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace")
    try:
        write_whole(path, data, mode=0o644)
    except OSError as error:
        raise ConfigurationError(
            f"{path} could not be written: {describe_error(error)}", "name a file elsewhere"
        ) from error


_LISTED = 200
_LONGEST = 100
_SPEEDS = (("100 Mbit/s", 12.5e6), ("1 Gbit/s", 125e6))
"""Lines that the estimate is told for: how fast this one is, only an upload tells."""


@dataclass(frozen=True)
class Plan:
    """A publication that has not happened. Holds no secret: the request's token is not part of it.

    `length` is the request's Content-Length, `metadata` its first part; `existing` is None where the
    platform was not asked. `again`: what the platform holds and has not made ready would be sent once more.
    """

    package: Package
    url: str
    workspace: str
    metadata: dict[str, Any]
    length: int
    content_type: str
    existing: Existing | None
    compatible: Compatibility
    again: bool = False

    @property
    def unsent(self) -> ModelVersion | None:
        """The version because of which nothing would be sent."""
        if self.existing is None:
            return None
        failed = self.existing.same[0] if self.existing.same and not self.again else None
        return self.existing.usable(again=self.again) or failed


def make_plan(
    package: Package,
    settings: Settings,
    destination: Destination | None,
    existing: Existing | None,
    compatible: Compatibility,
) -> Plan:
    """Plan a publication. `destination` is None where the platform could not be asked."""
    workspace = destination.workspace if destination else None
    number = workspace.id if workspace else 0
    file = None if package.is_image else package.file
    path, body = upload_request(package.manifest, file, number, settings.route)
    metadata = upload_metadata(package.manifest["upload"], number)
    name = f"{workspace.name} ({workspace.id})" if workspace else f"{settings.workspace or 'not named'}"
    if destination and workspace is None:
        name += ", which would be created"
    return Plan(
        package,
        settings.url + path,
        name,
        metadata,
        body.length,
        body.content_type,
        existing,
        compatible,
        settings.again,
    )


def render_plan(plan: Plan) -> str:
    """The plan as a person reads it."""
    package = plan.package
    lines = [
        f"{package.name} {package.version} ({package.framework})".replace("  ", " "),
        f"  workspace: {plan.workspace}",
        f"  request: POST {plan.url}",
        "    Authorization: Bearer ***",
        f"    Content-Type: {plan.content_type}",
        f"    Content-Length: {plan.length}",
        f"    metadata: {_metadata(plan)}",
    ]
    if package.is_image:
        image = package.manifest["image"]
        lines.append(f"  image: {image['reference']}, built on {image['base']} unless the engine has it;")
        lines.append("    it would be pushed, and registered by the digest that the registry tells")
    if package.file:
        what = "build context" if package.is_image else "file"
        lines.append(f"    {what}: {package.file.name}, {package.size:,} bytes, sha256 {package.sha256}")
    lines += [f"  {line}" for line in (*_contents(package), *_difference(plan), *_times(plan))]
    unnamed = no_registry(package.manifest["image"]["reference"]) if package.is_image else ""
    refused = (*plan.compatible.refusals, unnamed) if plan.unsent is None else ()
    lines += [f"  would be refused: {each}" for each in refused if each]
    return "\n".join(lines)


def _metadata(plan: Plan) -> str:
    shown = dict(plan.metadata)
    for key in ("input_schema", "output_schema"):
        if isinstance(shown.get(key), str) and len(shown[key]) > _LONGEST:
            shown[key] = f"{shown[key][:24]}… ({len(shown[key])} characters)"
    return json.dumps(shown, ensure_ascii=False)


def _contents(package: Package) -> Iterator[str]:
    contents = package.manifest.get("contents")
    entries = [each for each in contents if isinstance(each, dict)] if isinstance(contents, list) else []
    if package.file is None or not entries:
        return
    total = sum(each["size"] for each in entries if isinstance(each.get("size"), int))
    yield f"contents: {len(entries):,} file{'s' if len(entries) > 1 else ''}, {human_size(total)} unpacked"
    for each in entries[:_LISTED]:
        size = each.get("size")
        yield f"  {size if isinstance(size, int) else 0:>14,}  {each.get('path')}"
    if len(entries) > _LISTED:
        yield f"  and {len(entries) - _LISTED:,} more"


def _difference(plan: Plan) -> Iterator[str]:
    """Against the newest version on the platform: it tells a digest, a size and settings, not the contents."""
    existing, package = plan.existing, plan.package
    if existing is None:
        yield "on the platform: not asked"
        return
    newest = existing.newest
    if newest is None:
        yield "on the platform: no version of this model yet"
        return
    if plan.unsent is not None:
        there = f"version {plan.unsent.id} ({plan.unsent.status}) holds this very file"
        unless = " without -o again" if plan.unsent.is_failed else ""
        yield f"on the platform: {there}; nothing would be sent{unless}"
        return
    yield f"newest version there: {newest.id} ({newest.status or 'status unknown'}) {newest.created}".rstrip()
    theirs = {"sha256": newest.sha, "file": newest.file_name, "framework": newest.framework}
    ours = {"sha256": package.sha256, "file": package.file.name if package.file else "", "framework": package.framework}
    for key, value in ours.items():
        if theirs[key] and value and theirs[key] != value:
            yield f"  {key}: {theirs[key]} -> {value}"
    if newest.size is not None and package.file and newest.size != package.size:
        yield f"  size: {newest.size:,} -> {package.size:,} bytes ({package.size - newest.size:+,})"
    for key in ("arch", "accel"):
        other, own = getattr(newest, key), package.manifest["upload"]["conversion"].get(key)
        if other and own and other != own:
            yield f"  {key}: {other} -> {own}"
    if existing.otherwise:
        version, what = existing.otherwise
        yield f"  version {version.id} holds the same file with {what}"


def _times(plan: Plan) -> Iterator[str]:
    if plan.unsent is not None or plan.package.is_image:
        return
    times = ", ".join(f"{duration(plan.length / speed)} at {name}" for name, speed in _SPEEDS)
    native = plan.package.manifest.get("runtime") == "native"
    yield f"estimated time: {times}; then the platform {'loads it, seconds' if native else 'converts it, some minutes'}"
