"""The metadata part of an upload: read strictly, as the platform deserialises it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hatch_wallaroo.config.model_name import is_name
from hatch_wallaroo.releases.model import FrameworkRow, Release
from hatch_wallaroo.sandbox.receiving import UploadRefusedError
from hatch_wallaroo.schema.ipc import SchemaDecodeError, decode


@dataclass(frozen=True)
class Metadata:
    """What an upload says of its model, checked. `schemas` are as they were sent."""

    name: str
    visibility: str
    workspace_id: int
    conversion: Mapping[str, Any]
    row: FrameworkRow
    schemas: Mapping[str, str]
    image_path: str | None


def read_metadata(data: bytes | None, release: Release, route: str) -> Metadata:
    """Read the metadata part. Raises UploadRefusedError with the first thing that is wrong."""
    found = _object(data)
    name, visibility = _text(found, "name"), _text(found, "visibility")
    workspace_id, conversion = found.get("workspace_id"), found.get("conversion")
    if not isinstance(workspace_id, int) or isinstance(workspace_id, bool) or not 0 <= workspace_id < 1 << 63:
        raise _refused("metadata: `workspace_id` is no integer")
    if not isinstance(conversion, dict):
        raise _refused("metadata: missing field `conversion`")
    if not is_name(name):
        raise _refused(f"model name {name[:80]!r} is not valid: letters, digits and hyphens, fewer than 64 characters")
    if visibility not in {"private", "public"}:
        raise _refused(f"metadata: unknown variant `{visibility[:40]}`, expected `private` or `public`")
    row = _framework(conversion, release)
    _environment(conversion, release)
    image_path = found.get("image_path")
    return Metadata(
        name=name,
        visibility=visibility,
        workspace_id=workspace_id,
        conversion=conversion,
        row=row,
        schemas=_schemas(found, required=route == "upload_and_convert" and row.schemas == "required"),
        image_path=image_path if isinstance(image_path, str) else None,
    )


def _refused(message: str) -> UploadRefusedError:
    return UploadRefusedError(400, f"Bad request: {message}")


def _object(data: bytes | None) -> dict[str, Any]:
    if data is None:
        raise _refused("missing part `metadata`")
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise _refused("metadata is not JSON") from None
    if not isinstance(found, dict):
        raise _refused("metadata is not a JSON object")
    return found


def _text(found: Mapping[str, Any], key: str) -> str:
    value = found.get(key)
    if not isinstance(value, str):
        raise _refused(f"metadata: missing field `{key}`")
    return value


def _framework(conversion: Mapping[str, Any], release: Release) -> FrameworkRow:
    name = conversion.get("framework")
    row = release.frameworks.get(name) if isinstance(name, str) else None
    if row is None:
        known = ", ".join(f"`{each}`" for each in release.frameworks)
        raise _refused(f"metadata: conversion.framework: unknown variant `{str(name)[:60]}`, expected one of {known}")
    return row


def _environment(conversion: Mapping[str, Any], release: Release) -> None:
    """The Python, the architecture and the accelerator: only what the release knows."""
    if not isinstance(conversion.get("requirements"), list):
        raise _refused("metadata: conversion: missing field `requirements`")
    accel = conversion.get("accel")
    asked = {
        "python_version": (conversion.get("python_version"), release.python_versions),
        "arch": (conversion.get("arch"), release.architectures),
        "accel": (next(iter(accel), None) if isinstance(accel, dict) else accel, release.accelerators),
    }
    for key, (value, known) in asked.items():
        if value is not None and known and (not isinstance(value, str) or value not in known):
            expected = ", ".join(f"`{each}`" for each in known)
            raise _refused(f"metadata: conversion.{key}: unknown variant `{str(value)[:40]}`, expected {expected}")
    arch, accel_name = asked["arch"][0], asked["accel"][0]
    goes_with = release.accelerators.get(accel_name) if isinstance(accel_name, str) else None
    if isinstance(arch, str) and goes_with is not None and arch not in goes_with:
        raise _refused(f"accel `{accel_name}` does not go with arch `{arch}`")


def _schemas(found: Mapping[str, Any], *, required: bool) -> dict[str, str]:
    schemas: dict[str, str] = {}
    for key in ("input_schema", "output_schema"):
        text = found.get(key)
        if text is None and required:
            raise _refused(f"metadata: missing field `{key}`")
        if text is None:
            continue
        if not isinstance(text, str):
            raise _refused(f"metadata: `{key}` is no text")
        try:
            decode(text)
        except SchemaDecodeError as error:
            raise _refused(f"`{key}` is not a serialized Arrow schema: {error}") from None
        schemas[key] = text
    return schemas
