"""How `hatch-wallaroo models` shows what it found: as rows of a table, and as plain values for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hatch_wallaroo.platform.model_versions import ModelVersion, Workspace
from hatch_wallaroo.platform.sending import MEANINGS
from hatch_wallaroo.platform.workspace import Bundles, FoundVersion, ListedModel
from hatch_wallaroo.text import human_size

_SHORT = 16
"""Digits of a SHA-256 that people are shown, as `hatch publish` shows them."""

Row = Sequence[str | int | None]
LIST = ("workspace", "model", "version", "status", "framework", "arch", "created", "versions", "dist")
VERSIONS = ("version", "status", "sha256", "file", "size", "created", "framework", "runtime", "workspace", "dist")


def list_row(entry: ListedModel, local: Bundles) -> Row:
    newest = entry.newest
    if newest is None:
        return (entry.workspace.name, entry.model.name, *[None] * 5, 0, None)
    return (
        entry.workspace.name,
        entry.model.name,
        newest.id,
        newest.status,
        newest.framework,
        _arch(newest),
        _day(newest.created),
        len(entry.versions),
        local.get((entry.model.name, newest.sha)),
    )


def version_row(found: FoundVersion, local: Bundles) -> Row:
    version = found.version
    return (
        version.id,
        version.status,
        version.sha[:_SHORT],
        version.file_name or version.image_path,
        None if version.size is None else human_size(version.size),
        _day(version.created),
        version.framework,
        version.runtime,
        found.workspace.name if found.workspace else None,
        local.get((version.name, version.sha)),
    )


def status_rows(found: FoundVersion, local: Bundles) -> list[Row]:
    """What is known of a version, a row each."""
    version, place = found.version, found.workspace
    meaning = f" ({MEANINGS[version.status]})" if version.status in MEANINGS else ""
    facts: list[tuple[str, str | int | None]] = [
        ("model", version.name),
        ("version", version.id),
        ("uuid", version.version),
        ("status", f"{version.status}{meaning}"),
        ("workspace", f"{place.name} ({place.id})" if place else version.workspace_id),
        ("framework", version.framework),
        ("runtime", version.runtime),
        ("arch", _arch(version)),
        ("file", version.file_name or version.image_path),
        ("size", None if version.size is None else human_size(version.size)),
        ("sha256", version.sha),
        ("created", version.created),
        ("dist", local.get((version.name, version.sha))),
    ]
    return [each for each in facts if each[1] not in {None, ""}]


def _arch(version: ModelVersion) -> str | None:
    """`x86`, or with an accelerator `x86 cuda`."""
    accel = version.accel if version.accel != "none" else None
    return " ".join(filter(None, (version.arch, accel))) or None


def _day(created: str) -> str:
    """Day and minute of the platform's time, which looks like 2026-03-01T12:34:56.789+00:00."""
    return created[:16].replace("T", " ") if created[:4].isdecimal() else created


def entry_document(entry: ListedModel, local: Bundles) -> dict[str, Any]:
    newest = entry.newest
    return {
        "model": entry.model.name,
        "model_id": entry.model.id,
        "workspace": _workspace(entry.workspace),
        "versions": len(entry.versions),
        "newest": None if newest is None else version_document(FoundVersion(newest, entry.workspace), local),
    }


def version_document(found: FoundVersion, local: Bundles) -> dict[str, Any]:
    """A version with the names of `hatch publish -o json`; every key is always there, null where nothing is known."""
    version = found.version
    known = {
        "model": version.name,
        "model_version_id": version.id,
        "model_version": version.version,
        "status": version.status,
        "workspace": _workspace(found.workspace),
        "framework": version.framework,
        "runtime": version.runtime,
        "arch": version.arch,
        "accel": version.accel,
        "sha256": version.sha,
        "file": version.file_name,
        "size": version.size,
        "image": version.image_path,
        "created": version.created,
        "error_summary": version.error_summary,
        "dist": local.get((version.name, version.sha)),
    }
    return {key: None if value == "" else value for key, value in known.items()}


def _workspace(workspace: Workspace | None) -> dict[str, Any] | None:
    return {"id": workspace.id, "name": workspace.name} if workspace else None
