"""The metadata part of an upload, as the official SDK sends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.frameworks.mlflow.build_context import reference


def metadata(spec: ModelSpec) -> dict[str, Any]:
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
        return {"image_path": reference(spec), **made}
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
