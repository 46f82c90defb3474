"""The metadata of an upload against the requests that the official SDK sends."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import SHARED
from hatch_wallaroo.bundle.manifest import upload_metadata
from hatch_wallaroo.config.spec import ImageSpec
from hatch_wallaroo.schema.arrow import decode
from hatch_wallaroo.schema.types import Field, ListOf, Scalar, Schema
from support.factory import make_spec

WIRE = SHARED / "wire"


def captured(release: str) -> list[dict]:
    """The metadata part of each upload or registration that the SDK of a release sent."""
    found = []
    for line in (WIRE / f"sdk-{release}.jsonl").read_text().splitlines():
        request = json.loads(line)
        if "/v1/api/models/upload" not in request["line"]:
            continue
        part = re.search(r'name="metadata"\r\n.*?\r\n\r\n(\{.*?\})\r\n--', request["body"], re.DOTALL)
        found.append(json.loads(part[1]))
    return found


@pytest.mark.parametrize("release", ["2023.2.1", "2026.1.3"])
def test_every_captured_upload_is_sent_the_same(release: str, tmp_path: Path) -> None:
    if not WIRE.is_dir():
        pytest.skip("the captured requests are not here")
    uploads = captured(release)
    assert len(uploads) >= 13
    assert sum("image_path" in sent for sent in uploads) == 1
    for sent in uploads:
        conversion = sent["conversion"]
        spec = make_spec(tmp_path, conversion["framework"], release=release, name=sent["name"])
        config = conversion.get("framework_config")
        spec = replace(
            spec,
            visibility=sent["visibility"],
            arch=conversion.get("arch"),
            accel=conversion.get("accel"),
            framework_config=config["config"] if config else None,
            image=image_called(sent.get("image_path")),
            input_schema=decode(sent["input_schema"]) if "input_schema" in sent else None,
            output_schema=decode(sent["output_schema"]) if "output_schema" in sent else None,
        )
        # The SDK does not look at the name, which says neither model nor version.
        spec = replace(spec, name=sent["image_path"].rpartition("/")[2].partition(":")[0]) if spec.image else spec
        expected = {key: value for key, value in sent.items() if key != "workspace_id"}
        assert json.dumps({**upload_metadata(spec), "name": sent["name"]}) == json.dumps(expected)


def image_called(name: str | None) -> ImageSpec | None:
    if name is None:
        return None
    repository, _, tag = name.rpartition(":")
    return ImageSpec("python:3.8-slim", registry=repository.rpartition("/")[0], tag=tag)


def test_the_conversion_of_each_release_has_its_own_keys(tmp_path: Path) -> None:
    keys = {
        release: list(upload_metadata(make_spec(tmp_path, "sklearn", release=release))["conversion"])
        for release in ("2023.2.1", "2023.4.2", "2024.1", "2025.1", "2026.1")
    }
    assert keys == {
        "2023.2.1": ["framework", "python_version", "requirements"],
        "2023.4.2": ["arch", "framework", "python_version", "requirements"],
        "2024.1": ["arch", "accel", "framework", "python_version", "requirements"],
        "2025.1": ["arch", "accel", "framework", "framework_config", "python_version", "requirements"],
        "2026.1": ["arch", "accel", "framework", "framework_config", "python_version", "requirements"],
    }


def test_schemas_stand_at_the_top_level(tmp_path: Path) -> None:
    schema = Schema((Field("inputs", ListOf(Scalar("float64"), 4)),))
    sent = upload_metadata(make_spec(tmp_path, "sklearn", input_schema=schema, output_schema=schema))
    assert list(sent) == ["name", "visibility", "conversion", "input_schema", "output_schema"]
    assert decode(sent["input_schema"]) == schema
    assert sent["conversion"]["requirements"] == []
