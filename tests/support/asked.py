"""Models that a sandbox with a runtime loads and that its pages ask: small Python steps."""

from __future__ import annotations

import time

import pyarrow as pa

from hatch_wallaroo.schema.arrow import encode, from_arrow
from support.sandboxes import metadata, zipped

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"

GRADER = pa.schema(
    [
        pa.field("x", pa.float64()),
        pa.field("times", pa.int64()),
        pa.field("name", pa.string()),
        pa.field("measures", pa.list_(pa.float64(), 3)),
        pa.field("ok", pa.bool_()),
    ]
)
_GRADED = pa.schema(
    [
        pa.field("total", pa.float64()),
        pa.field("label", pa.string()),
        pa.field("halves", pa.list_(pa.float64(), 3)),
    ]
)
_GRADING = """\
import os
import numpy as np
from mac.types import InferenceData


def process_data(input_data: InferenceData) -> InferenceData:
    x, measures = input_data["x"], input_data["measures"]
    if x[0] == 13:
        os._exit(3)
    if x[0] < 0:
        raise ValueError("x is negative")
    words = ["good" if each else "bad" for each in input_data["ok"]]
    names = [f"{name}: {word}" for name, word in zip(input_data["name"], words)]
    return {
        "total": x * input_data["times"] + measures.sum(axis=1),
        "label": np.array(names),
        "halves": measures / 2,
    }
"""
_NUMBER = pa.schema([pa.field("x", pa.float64())])
_DOUBLING = """\
from mac.types import InferenceData


def process_data(input_data: InferenceData) -> InferenceData:
    return {"x": input_data["x"] * 2}
"""


def grader(sandbox) -> int:
    """A version with a field of each kind, ready to be asked."""
    return _ready(sandbox, "grader", _GRADING, GRADER, _GRADED)


def number_step(sandbox, name: str) -> int:
    """A version that doubles one number, ready to be asked."""
    return _ready(sandbox, name, _DOUBLING, _NUMBER, _NUMBER)


def _ready(sandbox, name: str, code: str, takes: pa.Schema, gives: pa.Schema) -> int:
    described = metadata(
        sandbox.workspace("flowers"),
        "python",
        name,
        input_schema=encode(from_arrow(takes)),
        output_schema=encode(from_arrow(gives)),
    )
    files = {"step.py": code, "requirements.txt": ""}
    status, _, made = sandbox.upload(described, zipped(files, name), f"{name}.zip", "upload_and_convert")
    assert status == 202, made
    version = made["insert_models"]["returning"][0]["models"][0]["id"]
    until = time.monotonic() + 240
    while (found := sandbox.version(version))["status"] != "ready":
        assert found["status"] != "error", found
        assert time.monotonic() < until, found
        time.sleep(0.2)
    return version
