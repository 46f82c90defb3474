"""What `runtime/serve.py` is told: where the model lies, how it is loaded, and the platform's packaging message."""

from __future__ import annotations

import json
import shutil
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from hatch_wallaroo.preflight.process import SOCKET
from hatch_wallaroo.preflight.subject import Subject

LARGEST = 20 << 30
"""Bytes that a bundle may unpack to."""
_BLOCK = 1 << 20
_PLAIN = {"onnx", "pytorch", "sklearn", "xgboost"}
"""Families whose model is one file, also where that file is a zip in itself, as TorchScript is."""


class UnpackError(Exception):
    """A bundle cannot be unpacked; the message says why."""


def unpack(subject: Subject, folder: Path) -> Path:
    """The model as the platform lays it out: the folder of a zip, or the file itself."""
    target = folder / "model"
    target.mkdir()
    plain = subject.framework.family in _PLAIN or subject.file.suffix == ".keras"
    if plain or not zipfile.is_zipfile(subject.file):
        made = target / subject.file.name
        shutil.copyfile(subject.file, made)
        return made
    try:
        with zipfile.ZipFile(subject.file) as archive:
            _extract(archive, target)
    except (OSError, ValueError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise UnpackError(f"{subject.file.name} cannot be unpacked: {error}") from error
    # The platform takes the one folder at the top of a zip for the model.
    inside = list(target.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else target


def _extract(archive: zipfile.ZipFile, target: Path) -> None:
    left = LARGEST
    for member in archive.infolist():
        path = PurePosixPath(member.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in member.filename or not path.parts:
            raise ValueError(f"the member {member.filename!r} leads out of its folder")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise ValueError(f"the member {member.filename!r} is a link")
        made = target.joinpath(*path.parts)
        if member.is_dir():
            made.mkdir(parents=True, exist_ok=True)
            continue
        made.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, made.open("xb") as sink:
            while block := source.read(min(_BLOCK, left + 1)):
                left -= len(block)
                if left < 0:
                    raise ValueError(f"it unpacks to more than {LARGEST >> 30} GiB")
                sink.write(block)


def job(
    subject: Subject, model: Path, folder: Path, work: Literal["serve", "validate"] = "serve", *, ours: bool
) -> dict[str, Any]:
    """The job for a model that lies below a process's private folder; writes the packaging message beside it."""
    message = folder / "message.json"
    message.write_text(json.dumps(_message(subject, model)), encoding="utf-8")
    return {
        "work": work,
        "framework": subject.framework.name,
        "form": subject.form,
        "service": "ours" if ours else "platform",
        "typed": subject.release.runtime_set.typed,
        "model": str(model),
        "message": str(message),
        "socket": str(folder / SOCKET),
        "record": str(folder / "record.jsonl"),
        "output_names": list(subject.output_names),
        **_schemas(subject),
    }


def _schemas(subject: Subject) -> dict[str, str]:
    from hatch_wallaroo.schema.arrow import encode

    sides = (("input_schema", subject.input_schema), ("output_schema", subject.output_schema))
    return {key: encode(schema) for key, schema in sides if schema is not None}


def _placeholder(subject: Subject) -> dict[str, str]:
    """Typed services read no message without an output schema; a missing one is learned from the answers."""
    from hatch_wallaroo.schema.arrow import encode
    from hatch_wallaroo.schema.types import Schema

    return {"output_schema": encode(Schema(()))} if subject.release.runtime_set.typed else {}


def _message(subject: Subject, model: Path) -> Mapping[str, Any]:
    """The packaging message as mac reads it (facts from running each wheel)."""
    framework = subject.framework.name
    conversion: dict[str, Any] = {
        "framework": framework,
        "python_version": subject.release.python_version,
        "requirements": [],
        "arch": "x86",
        "accel": "none",
    }
    if framework == "custom":
        config = dict(subject.framework_config or {}).get("config")
        inner = {**(config if isinstance(config, Mapping) else {}), "model_path": str(model)}
        conversion["framework_config"] = {"framework": "custom", "config": inner}
    file_info = {"sha": subject.sha256 or "0" * 64, "file_name": str(model), "version": "00000000"}
    version = {"name": subject.name, "workspace_id": 1, "conversion": conversion, "file_info": file_info}
    # Up to 2024.1 the message has no level `model_version`; both are given, each reads its own.
    return {
        "data": {
            "model": {
                **version,
                "visibility": "private",
                "model_version": {**version, "visibility": "private"},
                "config": {**_placeholder(subject), **_schemas(subject)},
            }
        }
    }
