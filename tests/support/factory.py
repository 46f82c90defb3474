"""Specs and weights made by hand, for tests of what comes after the reader."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from hatch_wallaroo.config.spec import ModelSpec, Project, RequirementsFrom
from hatch_wallaroo.releases.load import resolve

TABLE = ("tool", "wallaroo")


def make_spec(root: Path, framework: str, *, release: str = "2023.2.1", **options: Any) -> ModelSpec:
    """A spec as the reader would give it: `make_spec(tmp_path, "onnx", model="m.onnx")`.

    Each option given counts as written in `[tool.wallaroo]`.
    """
    resolved = resolve(release)
    row = resolved.frameworks[framework]
    written = {name.replace("_", "-"): (*TABLE, name.replace("_", "-")) for name in options}
    bare = ModelSpec(
        root=root,
        key=TABLE,
        origins={"framework": (*TABLE, "framework"), **written},
        project=Project("a-model", "1.0"),
        name="a-model",
        version="1.0",
        release=resolved,
        framework=row,
        model=None,
        artifacts=(),
        exclude=(),
        include_sensitive=(),
        requirements=RequirementsFrom("project"),
        lock=False,
        python_version=resolved.python_version,
        visibility="private",
        arch=None,
        accel=None,
        framework_config=row.default_config,
        compression="auto",
        input_schema=None,
        output_schema=None,
        sample=None,
        byop=None,
        image=None,
    )
    return replace(bare, **options)


def safetensors() -> bytes:
    """A file of weights with one small tensor."""
    header = json.dumps({"w": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(4)
