"""Bundles with their manifests, made by hand: what publishing reads, without building anything."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any


def write_package(
    folder: Path,
    name: str = "clusters",
    *,
    data: bytes = b"model bytes",
    version: str = "1.0",
    position: int = 0,
    framework: str = "onnx",
    **changes: Any,
) -> Path:
    """Write NAME-VERSION.onnx and its manifest; gives the manifest's path. `changes` replace its keys."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}-{version}.onnx"
    file.write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    manifest = {
        "format": 1,
        "generator": {"name": "hatch-wallaroo", "version": "0"},
        "model": name,
        "version": version,
        "table": {"key": f"tool.wallaroo.models.{name}", "position": position},
        "framework": framework,
        "release": {"asked": "2023.2.1", "rules": "2023.2.1"},
        "runtime": "native",
        "python": "3.8",
        "file": {"name": file.name, "size": len(data), "sha256": digest, "profile": "stored"},
        "route": "upload",
        "upload": {
            "name": name,
            "visibility": "private",
            "conversion": {"framework": framework, "python_version": "3.8", "requirements": []},
        },
        "contents": [{"path": f"models/{name}.onnx", "size": len(data), "sha256": digest, "method": "stored"}],
        "contents_sha256": digest,
        "left_out": [],
        "requirements": [],
        "facts": {},
        "findings": [],
        **changes,
    }
    path = folder / f"{name}-{version}.wallaroo.json"
    path.write_text(json.dumps(manifest))
    return path
