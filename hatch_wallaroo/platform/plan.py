"""`-o dry-run`: what would be sent, what the platform has, and how long it would take. Sends nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hatch_wallaroo.platform.api import ModelVersion, upload_metadata, upload_request
from hatch_wallaroo.platform.destination import Destination, Fit
from hatch_wallaroo.platform.images import no_registry
from hatch_wallaroo.platform.packages import Package
from hatch_wallaroo.platform.progress_text import duration
from hatch_wallaroo.platform.sending import Held
from hatch_wallaroo.platform.settings import Settings
from hatch_wallaroo.text import human_size

_LISTED = 200
_LONGEST = 100
_SPEEDS = (("100 Mbit/s", 12.5e6), ("1 Gbit/s", 125e6))
"""Lines that the estimate is told for: how fast this one is, only an upload tells."""


@dataclass(frozen=True)
class Plan:
    """A publication that has not happened. Holds no secret: the request's token is not part of it.

    `length` is the request's Content-Length, `metadata` its first part; `held` is None where the
    platform was not asked. `again`: what the platform holds and has not made ready would be sent once more.
    """

    package: Package
    url: str
    workspace: str
    metadata: dict[str, Any]
    length: int
    content_type: str
    held: Held | None
    fit: Fit
    again: bool = False

    @property
    def unsent(self) -> ModelVersion | None:
        """The version because of which nothing would be sent."""
        if self.held is None:
            return None
        failed = self.held.same[0] if self.held.same and not self.again else None
        return self.held.usable(again=self.again) or failed


def make(package: Package, settings: Settings, destination: Destination | None, held: Held | None, fit: Fit) -> Plan:
    """Plan a publication. `destination` is None where the platform could not be asked."""
    workspace = destination.workspace if destination else None
    number = workspace.id if workspace else 0
    file = None if package.is_image else package.file
    path, body = upload_request(package.manifest, file, number, settings.route)
    metadata = upload_metadata(package.manifest["upload"], number)
    name = f"{workspace.name} ({workspace.id})" if workspace else f"{settings.workspace or 'not named'}"
    if destination and workspace is None:
        name += ", which would be created"
    return Plan(package, settings.url + path, name, metadata, body.length, body.content_type, held, fit, settings.again)


def render(plan: Plan) -> str:
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
    refused = (*plan.fit.refusals, unnamed) if plan.unsent is None else ()
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
    held, package = plan.held, plan.package
    if held is None:
        yield "on the platform: not asked"
        return
    newest = held.newest
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
    if held.otherwise:
        version, what = held.otherwise
        yield f"  version {version.id} holds the same file with {what}"


def _times(plan: Plan) -> Iterator[str]:
    if plan.unsent is not None or plan.package.is_image:
        return
    times = ", ".join(f"{duration(plan.length / speed)} at {name}" for name, speed in _SPEEDS)
    native = plan.package.manifest.get("runtime") == "native"
    yield f"estimated time: {times}; then the platform {'loads it, seconds' if native else 'converts it, some minutes'}"
