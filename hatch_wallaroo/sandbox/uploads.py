"""The two upload endpoints: receive, judge, remember."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from anyio import to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from hatch_wallaroo.config.model_name import is_name
from hatch_wallaroo.releases.model import FrameworkRow, Release
from hatch_wallaroo.sandbox.contents import Contents, contents
from hatch_wallaroo.sandbox.judging import NOT_A_ZIP, Verdict, is_zip, judge, remembered
from hatch_wallaroo.sandbox.keeping import NoRoomError
from hatch_wallaroo.sandbox.receiving import Received, Receiver
from hatch_wallaroo.sandbox.requests import RequestRefusedError, Sandbox, authorize, cut, drain, error
from hatch_wallaroo.sandbox.shapes import log_line, runtime
from hatch_wallaroo.sandbox.store import Record
from hatch_wallaroo.schema.arrow import SchemaDecodeError, decode
from hatch_wallaroo.text import describe_error


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
    """Read the metadata part. Raises RequestRefusedError with the first thing that is wrong."""
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


def _refused(message: str) -> RequestRefusedError:
    return RequestRefusedError(400, f"Bad request: {message}")


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


STATUS = {"upload": 200, "upload_and_convert": 202}


class _ResetError(Exception):
    """The fault `reset` strikes."""


class Uploads:
    """The endpoints, over a sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def upload(self, request: Request) -> Response:
        return await self._take(request, "upload")

    async def upload_and_convert(self, request: Request) -> Response:
        return await self._take(request, "upload_and_convert")

    async def _take(self, request: Request, route: str) -> Response:
        pieces, most = request.stream(), self._sandbox.largest
        try:
            authorize(request, self._sandbox)
            retry = self._sandbox.faults.take("503")
            if retry is not None:
                await drain(pieces, most)
                return error(503, "Service Unavailable", {"Retry-After": str(int(retry))})
            received = await self._receive(request, pieces)
        except RequestRefusedError as refused:
            await drain(pieces, most)
            return error(refused.status, refused.message)
        except _ResetError:
            return await cut(request)
        except ClientDisconnect:
            return Response(status_code=499)
        try:
            version_id = await self._keep(received, route)
        finally:
            received.discard()
        if self._sandbox.faults.take("lost-answer") is not None:
            return await cut(request)
        return JSONResponse({"insert_models": {"returning": [{"models": [{"id": version_id}]}]}}, STATUS[route])

    async def _receive(self, request: Request, pieces: AsyncIterator[bytes]) -> Received:
        sandbox = self._sandbox
        reset, full = sandbox.faults.take("reset"), sandbox.faults.take("disk-full")
        largest = sandbox.largest if full is None else min(sandbox.largest, int(full))
        receiver = Receiver(request.headers.get("content-type", ""), sandbox.incoming, largest)

        def came(total: int) -> None:
            if reset is not None and total >= reset:
                raise _ResetError

        received = await receiver.take(pieces, came)
        if reset is not None:  # the body was shorter than that: what was asked for happens all the same
            received.discard()
            raise _ResetError
        return received

    async def _keep(self, received: Received, route: str) -> int:
        """Judge an upload and remember it as a version; the version's id. Raises RequestRefusedError."""
        sandbox = self._sandbox
        metadata = read_metadata(received.metadata, sandbox.release, route)
        if sandbox.store.workspace(metadata.workspace_id) is None:
            raise RequestRefusedError(400, f"Bad request: there is no workspace {metadata.workspace_id}")
        verdict = await to_thread.run_sync(partial(self._judge, metadata, received, route))
        held = await to_thread.run_sync(contents, received.file) if received.file else None
        image = metadata.row.family == "mlflow"
        stuck = not image and sandbox.faults.take("stuck") is not None
        loaded = not stuck and not verdict.failed and self._is_loaded(metadata, received)
        tried = image and sandbox.images is not None
        record = self._record(metadata, received, verdict, held, open_end=stuck or loaded or tried)
        if loaded:
            self._keep_file(received, record)
        version_id = sandbox.store.add_version(metadata.workspace_id, metadata.name, record, time.time())
        if sandbox.images and metadata.image_path:
            sandbox.images.begin(version_id, metadata.image_path)
        if sandbox.runtime and loaded:
            sandbox.runtime.begin(version_id)
        return version_id

    def _is_loaded(self, metadata: Metadata, received: Received) -> bool:
        """Whether the runtime decides what becomes of an upload."""
        runtime = self._sandbox.runtime
        return runtime is not None and received.file is not None and runtime.runs(metadata.row)

    def _keep_file(self, received: Received, record: Record) -> None:
        """Have the runtime keep a file. Raises RequestRefusedError."""
        runtime = self._sandbox.runtime
        if runtime is None or received.file is None:
            return
        try:
            runtime.kept.keep(record.version, received.file, received.file_name, received.size)
        except (NoRoomError, OSError) as error:
            said = describe_error(error) if isinstance(error, OSError) else str(error)
            raise RequestRefusedError(507, f"Insufficient Storage: {said}") from None

    def _judge(self, metadata: Metadata, received: Received, route: str) -> Verdict:
        release = self._sandbox.release
        if received.file is None:
            if metadata.row.family != "mlflow" or not metadata.image_path:
                raise RequestRefusedError(400, "Bad request: missing part `file`")
            return Verdict()
        if metadata.row.zipped and not is_zip(received.file):
            raise RequestRefusedError(400, f"Bad request: {NOT_A_ZIP}")
        if self._sandbox.faults.take("conversion-error") is not None:
            return Verdict(failed=True, summary="Conversion failed, as a fault asks for")
        read = not self._is_loaded(metadata, received)
        return judge(release, metadata.row, route, received.file, received.file_name, code=read)

    def _record(
        self, metadata: Metadata, received: Received, verdict: Verdict, held: Contents | None, *, open_end: bool
    ) -> Record:
        """What is remembered; with an open end it stays on its way until something settles it."""
        sandbox, row = self._sandbox, metadata.row
        api = sandbox.release.api
        stages = api.native_statuses if row.runtime == "native" else api.container_statuses
        image = row.family == "mlflow"
        ends = "error" if verdict.failed else "ready"
        config: dict[str, Any] = dict(metadata.schemas)
        return Record(
            version=str(uuid.uuid4()),
            visibility=metadata.visibility,
            conversion=metadata.conversion,
            file_name=None if image else received.file_name,
            sha=received.sha if not image else hashlib.sha256(str(metadata.image_path).encode()).hexdigest(),
            size=received.size,
            image_path=metadata.image_path,
            runtime=runtime(sandbox.release, row),
            stages=("uploading", *stages) if open_end or not image else (),
            pace=sandbox.pace,
            ends="" if open_end else ends,
            error_summary=verdict.summary if verdict.failed else None,
            logs=tuple(log_line(each) for each in verdict.logs),
            config=config,
            findings=remembered(verdict.findings),
            contents=held.as_json() if held and not image else None,
        )
