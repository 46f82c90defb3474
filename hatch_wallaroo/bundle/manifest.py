"""The manifest beside a bundle: everything that publishing needs, and what went in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any

from hatch_wallaroo.__about__ import __version__
from hatch_wallaroo.bundle.archive import Archive
from hatch_wallaroo.bundle.check import Checked
from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.files.exclusions import COME_AND_GO
from hatch_wallaroo.files.json_text import JsonError, read_object
from hatch_wallaroo.findings import Finding
from hatch_wallaroo.frameworks.mlflow.folder import image_reference
from hatch_wallaroo.report import to_json
from hatch_wallaroo.text import key_text, one_line

FORMAT = 1
GENERATOR = "hatch-wallaroo"
MOST_ITEMS = 1000
"""Items of a list or table that a file tells about itself which are kept; what is behind them is left out."""

_LARGEST = 64 << 20
_DEEPEST = 8


def manifest(
    checked: Checked, archive: Archive, filename: str, findings: tuple[Finding, ...], position: int = 0
) -> dict[str, Any]:
    """The manifest of a packed model, ready for JSON; see manifest.schema.json for each key.

    `position` counts the models of one table from 0. Holds no time, host or absolute path: the same input gives the
    same bytes everywhere.
    """
    spec = checked.spec
    contents = [
        {"path": entry.path, "size": entry.size, "sha256": entry.sha256, "method": entry.method}
        for entry in archive.entries
    ]
    return {
        "format": FORMAT,
        "generator": {"name": GENERATOR, "version": __version__},
        "model": spec.name,
        "version": spec.version,
        "table": {"key": key_text(spec.key), "position": position},
        "framework": spec.framework.name,
        "release": {"asked": spec.release.asked, "rules": spec.release.version},
        "runtime": spec.framework.runtime,
        "python": spec.release.python,
        "file": {"name": filename, "size": archive.size, "sha256": archive.sha256, "profile": archive.profile},
        "route": spec.framework.route,
        "upload": upload_metadata(spec),
        **_image(checked),
        "contents": contents,
        "contents_sha256": contents_digest(contents),
        "left_out": [{"path": one_line(path), "reason": one_line(reason)} for path, reason in left_out(checked)],
        "requirements": [one_line(line) for line in checked.requirements],
        "facts": bounded(dict(checked.facts)),
        "findings": [to_json(finding) for finding in findings],
    }


def _image(checked: Checked) -> dict[str, Any]:
    """What publishing needs of a container image: how it is built, and the configuration that is set afterwards."""
    image = checked.spec.image
    if image is None:
        return {}
    from hatch_wallaroo.frameworks.mlflow.family import effective_schemas
    from hatch_wallaroo.frameworks.mlflow.folder import image_reference
    from hatch_wallaroo.schema.arrow import encode

    entries = checked.plan.layout.entries if checked.plan else ()
    sides = zip(("input_schema", "output_schema"), effective_schemas(checked.spec, entries), strict=True)
    return {
        "image": {
            "reference": image_reference(checked.spec),
            "base": image.base,
            "platform": image.platform,
            "builder": image.builder,
        },
        "config": {key: encode(schema) for key, schema in sides if schema is not None},
    }


def left_out(checked: Checked) -> tuple[tuple[str, str], ...]:
    """What was left out on purpose, but for caches and the like: they come and go, and the model is the same."""
    stripped = checked.plan.layout.stripped if checked.plan else ()
    return tuple((path, reason) for path, reason in stripped if reason not in COME_AND_GO or "!" in path)


def bounded(value: Any, depth: int = _DEEPEST) -> Any:
    """What a file tells about itself, as JSON that can be written and read: anyone may have made the file.

    Texts without what steers a terminal, and cut; numbers that JSON holds; lists and tables of a bounded size
    and depth. null stands for everything else.
    """
    if isinstance(value, str):
        return one_line(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -(1 << 63) <= value < 1 << 63 else None
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Mapping) and depth:
        return {one_line(str(key)): bounded(each, depth - 1) for key, each in islice(value.items(), MOST_ITEMS)}
    if isinstance(value, (list, tuple)) and depth:
        return [bounded(each, depth - 1) for each in islice(value, MOST_ITEMS)]
    return None


def contents_digest(contents: list[dict[str, Any]]) -> str:
    """What identifies a model's contents however they are packed: SHA-256 over `sha256  path` lines."""
    lines = "".join(f"{each['sha256']}  {each['path']}\n" for each in contents)
    return hashlib.sha256(lines.encode()).hexdigest()


def dump(made: Mapping[str, Any]) -> bytes:
    """The manifest's bytes: UTF-8 JSON, two spaces, a newline at the end."""
    return (json.dumps(made, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


class ManifestError(ValueError):
    """What stands in a file is no manifest of ours; says why."""


def load(path: Path, *, images: bool = False) -> dict[str, Any]:
    """Read a manifest back; it may have been written by anyone.

    With `images`, a manifest may name a container image (`upload.image_path`) instead of a file.
    Raises ManifestError where it is not a manifest or names a file outside its own folder,
    OSError where it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            made = read_object(stream, _LARGEST)
    except JsonError as error:
        raise ManifestError(f"{path.name} is no manifest: it {error}") from error
    if not isinstance(made.get("generator"), dict):
        raise ManifestError(f"{path.name} is not a manifest of {GENERATOR}")
    if made["generator"].get("name") != GENERATOR or made.get("format") != FORMAT:
        raise ManifestError(f"{path.name} is not a manifest that this version of {GENERATOR} understands")
    if not isinstance(made.get("model"), str):
        raise ManifestError(f"{path.name} does not name its model")
    if images and "file" not in made and isinstance(made.get("upload"), dict) and made["upload"].get("image_path"):
        return made
    file = made.get("file")
    name = file.get("name") if isinstance(file, dict) else None
    plain = isinstance(name, str) and name.isprintable() and name == Path(name).name and "\\" not in name
    if not isinstance(name, str) or not plain or name in {"", ".", ".."}:
        raise ManifestError(f"{path.name} does not name a file of its own folder")
    return made


def upload_metadata(spec: ModelSpec) -> dict[str, Any]:
    """What `POST …/upload` takes as its `metadata` part, without `workspace_id`.

    Keys in the SDK's order; publishing puts `workspace_id` behind `visibility`.
    Source: requests captured from the SDKs of 2023.2.1 and 2026.1.3.
    """
    keys = spec.framework.conversion_keys or spec.release.conversion_keys
    made: dict[str, Any] = {
        "name": spec.name,
        "visibility": spec.visibility,
        "conversion": {key: _CONVERSION[key](spec) for key in keys},
    }
    if spec.image is not None:
        # An image is registered by its name, and its schemas are set afterwards.
        return {"image_path": image_reference(spec), **made}
    if spec.input_schema is not None or spec.output_schema is not None:
        from hatch_wallaroo.schema.arrow import encode

        for key, schema in (("input_schema", spec.input_schema), ("output_schema", spec.output_schema)):
            if schema is not None:
                made[key] = encode(schema)
    return made


def _framework_config(spec: ModelSpec) -> dict[str, Any] | None:
    if spec.framework_config is None:
        return None
    return {"config": dict(spec.framework_config), "framework": spec.framework.name}


_CONVERSION: Mapping[str, Callable[[ModelSpec], Any]] = {
    "arch": lambda spec: spec.arch,
    "accel": lambda spec: spec.accel,
    "framework": lambda spec: spec.framework.name,
    "framework_config": _framework_config,
    "python_version": lambda spec: spec.python_version,
    "requirements": lambda _: [],
}
"""The parts of `conversion`. `requirements` is always empty: a BYOP's stand in its requirements.txt."""
