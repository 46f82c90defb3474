"""Which bundles are published: manifests that anyone may have written, and what is beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hatch_wallaroo.platform.errors import ConfigurationError
from hatch_wallaroo.platform.packages import find, read, read_all
from support.packages import write_package

GONE = object()
IMAGE = {"reference": "r.example/clusters:1.0", "base": "python:3.8"}


def changed(path: Path, key: str, value: Any) -> Path:
    """The manifest with another value at a dotted key."""
    made = json.loads(path.read_text())
    *above, last = key.split(".")
    table = made
    for each in above:
        table = table[each]
    table[last] = value
    if value is GONE:
        del table[last]
    path.write_text(json.dumps(made))
    return path


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("upload", [], "its `upload` has no name"),
        ("upload.name", "", "its `upload` has no name"),
        ("upload.conversion", None, "its `upload` has no framework"),
        ("upload.conversion.framework", ["onnx"], "its `upload` has no framework"),
        ("file", GONE, "file of its own folder"),
        ("file.sha256", "f" * 63, "no SHA-256"),
        ("file.sha256", "F" * 64, "no SHA-256"),
        ("file.size", True, "no size"),
        ("file.size", -1, "no size"),
        ("route", "delete", "neither upload nor upload_and_convert"),
        ("route", ["upload"], "neither upload nor upload_and_convert"),
        ("route", {}, "neither upload nor upload_and_convert"),
        ("config", {"model_version_id": 5}, "no table of schemas"),
        ("config", None, "no table of schemas"),
    ],
)
def test_a_manifest_that_cannot_be_published(key: str, value: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=said):
        read(changed(write_package(tmp_path), key, value))


@pytest.mark.parametrize("image", [IMAGE, "x", {}])
def test_an_image_without_its_build_context(image: Any, tmp_path: Path) -> None:
    path = write_package(tmp_path, framework="mlflow", image=image)
    changed(path, "upload.image_path", IMAGE["reference"])
    with pytest.raises(ConfigurationError, match="no file that it would be built from"):
        read(changed(path, "file", GONE))


@pytest.mark.parametrize(
    ("release", "told"),
    [(GONE, ""), ([], ""), ("2026.1", ""), ({"asked": 5}, ""), ({"asked": "2026.1"}, "2026.1")],
)
def test_the_release_of_a_bundle(release: Any, told: str, tmp_path: Path) -> None:
    assert read(changed(write_package(tmp_path), "release", release)).release == told


def test_a_bundle_whose_manifest_cannot_be_read_is_told_with_it(tmp_path: Path) -> None:
    write_package(tmp_path).write_text("{")
    with pytest.raises(ConfigurationError, match=r"and clusters-1\.0\.wallaroo\.json cannot be read"):
        find(["clusters-1.0.onnx"], root=tmp_path)


def test_which_of_two_builds_is_meant_is_not_guessed(tmp_path: Path) -> None:
    paths = [write_package(tmp_path), write_package(tmp_path, version="1.1"), write_package(tmp_path, "other")]
    packages, failed = read_all(paths)
    assert [each.name for each in packages] == ["other"]
    assert [path for path, _ in failed] == paths[:2]
    assert len({str(error) for _, error in failed}) == 1
