"""Every upload that the official SDKs sent, sent by us: route, parts, part headers, metadata."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from conftest import SHARED
from hatch_wallaroo.platform.api import connect, upload_request
from hatch_wallaroo.platform.credentials import Secret
from hatch_wallaroo.platform.errors import ConfigurationError
from hatch_wallaroo.platform.multipart import BLOCK, UploadBody
from hatch_wallaroo.platform.publish_settings import Settings
from support.tiny_server import Asked, answer, serving

WIRE = SHARED / "wire"


def captured(release: str) -> list[dict[str, Any]]:
    if not WIRE.is_dir():
        pytest.skip("the captured requests are not here")
    lines = (WIRE / f"sdk-{release}.jsonl").read_text().splitlines()
    return [
        each
        for each in map(json.loads, lines)
        if "multipart/form-data" in dict(each["headers"]).get("Content-Type", "")
    ]


def without_boundary(body: bytes, content_type: str) -> bytes:
    boundary = content_type.partition("boundary=")[2]
    assert re.fullmatch(r"[0-9a-f]{32}", boundary)
    return body.replace(boundary.encode(), b"BOUNDARY")


def as_manifest(request: dict[str, Any], folder: Path) -> tuple[dict[str, Any], Path | None, int]:
    """The manifest that the captured request's own model would have."""
    body = request["body"].encode("latin-1")
    metadata = json.loads(re.search(rb"\r\n\r\n(\{.*?\})\r\n--", body, re.DOTALL)[1])
    workspace = metadata.pop("workspace_id")
    named = re.search(rb'filename="([^"]+)"', body)
    path = None
    if named:
        path = folder / named[1].decode()
        path.write_bytes(re.search(rb"octet-stream\r\n\r\n(.*)\r\n--[0-9a-f]{32}--", body, re.DOTALL)[1])
    route = request["line"].split()[1].rpartition("/")[2]
    manifest = {"upload": metadata, "route": route, "file": {"name": path.name if path else "none", "sha256": "0" * 64}}
    return manifest, path, workspace


def fake(asked: Asked) -> Any:
    if asked.path.endswith(("upload", "upload_and_convert")):
        return answer({"insert_models": {"returning": [{"models": [{"id": 208}]}]}})
    return answer({"models": []})


@pytest.mark.parametrize("release", ["2023.2.1", "2026.1.3"])
def test_each_upload_of_the_sdk_is_sent_the_same(release: str, tmp_path: Path) -> None:
    requests = captured(release)
    assert len(requests) == {"2023.2.1": 14, "2026.1.3": 18}[release]
    with serving(fake) as server:
        platform = connect(Settings(server.url, token=Secret("to-ken")))
        for request in requests:
            manifest, path, workspace = as_manifest(request, tmp_path)
            assert platform.upload(manifest, path, workspace) == 208
            sent = server.asked[-1]
            expected = dict(request["headers"])
            assert f"{sent.method} {sent.path} HTTP/1.1" == request["line"]
            content_type = sent.header("Content-Type")
            assert without_boundary(sent.body, content_type) == without_boundary(
                request["body"].encode("latin-1"), expected["Content-Type"]
            )
            assert sent.header("Content-Length") == expected["Content-Length"]
            assert sent.header("Transfer-Encoding") is None
            assert sent.header("Authorization") == "Bearer to-ken"


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK])
def test_a_body_has_its_length_each_time_and_small_blocks(size: int, tmp_path: Path) -> None:
    path = tmp_path / "m.zip"
    path.write_bytes(bytes(range(256)) * (size // 256) + b"x" * (size % 256))
    told: list[tuple[int, int]] = []
    body = UploadBody({"name": "m"}, path, progress=lambda *each: told.append(each))
    first = list(body)
    assert max(map(len, first)) <= BLOCK
    assert b"".join(first) == b"".join(body)
    assert len(b"".join(first)) == body.length
    assert told[0] == (0, body.length)
    assert told.count((0, body.length)) == 2
    assert told[-1] == (body.length, body.length)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("/home/me/dist/m-1.zip", "m-1.zip"),
        ("C:\\dist\\m-1.zip", "m-1.zip"),
        ('a"b.zip', "a%22b.zip"),
        ("a\r\nX: y.zip", "a%0D%0AX: y.zip"),
        ("größe.zip", "größe.zip"),
    ],
)
def test_only_the_basename_goes_out(given: str, sent: str, tmp_path: Path) -> None:
    path = tmp_path / "m"
    path.write_bytes(b"")
    made = b"".join(UploadBody({}, path, given)).decode()
    assert f'name="file"; filename="{sent}"\r\n' in made


@pytest.mark.parametrize("change", ["grow", "shrink", "touch", "during", "gone"])
def test_a_file_that_changes_is_not_sent_as_if_it_had_not(change: str, tmp_path: Path) -> None:
    import os

    path = tmp_path / "m.zip"
    path.write_bytes(b"x" * (2 * BLOCK))
    body = UploadBody({}, path)
    if change == "grow":
        path.write_bytes(b"x" * (2 * BLOCK + 1))
    elif change == "shrink":
        path.write_bytes(b"x")
    elif change == "touch":
        os.utime(path, ns=(1, 1))
    elif change == "gone":
        path.unlink()

    def send() -> None:
        for number, _ in enumerate(body):
            if change == "during" and number == 1:
                path.write_bytes(b"y" * (2 * BLOCK))
                os.utime(path, ns=(1, 1))

    with pytest.raises(ConfigurationError, match=r"m\.zip"):
        send()


@pytest.mark.parametrize(
    "manifest",
    [
        {},
        {"upload": {"name": "m"}, "route": "upload"},
        {"upload": {"visibility": "x"}, "route": "../x"},
        {"upload": []},
    ],
)
def test_a_manifest_that_does_not_say_enough_is_refused(manifest: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        upload_request(manifest, None, 5)


def test_route_overrides_the_manifest(tmp_path: Path) -> None:
    manifest = {"upload": {"name": "m", "visibility": "private"}, "route": "upload"}
    path, _ = upload_request(manifest, None, 5, "upload_and_convert")
    assert path == "/v1/api/models/upload_and_convert"
