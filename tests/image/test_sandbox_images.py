"""A sandbox that pulls and starts what is registered before it says `ready`."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from support.containers import Engine
from support.image_projects import ImageProject, state_of
from support.sandboxes import BOUNDARY, metadata, part, running

pytestmark = pytest.mark.peer

DIGEST = "sha256:" + "0" * 64


@pytest.fixture
def images(project: ImageProject, engine: Engine, served_base: str, registry: str) -> dict[str, str]:
    """An image that serves and one that does not, each in the registry only, by digest."""
    made = {}
    for behaves in ("good", "dies"):
        name = f"{registry}/sandbox/{behaves}"
        project.write(base=served_base, requirements=(f"{behaves}==1",), registry=f"{registry}/sandbox", tag=behaves)
        project.built()
        engine.client.images.get(f"{registry}/sandbox/flowers:{behaves}").tag(name, "1")
        engine.client.images.push(name, "1")
        made[behaves] = f"{name}@{engine.client.images.get_registry_data(f'{name}:1').id}"
        for tag in (f"{name}:1", f"{registry}/sandbox/flowers:{behaves}"):
            engine.client.images.remove(tag)
    return {**made, "absent": f"{registry}/sandbox/good@{DIGEST}"}


def test_what_is_registered_is_started(
    images: dict[str, str], engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    before = state_of(engine)
    with running(tmp_path / "state", "2026.1", "--images", pace=0.01) as sandbox:
        workspace = sandbox.workspace()
        numbers = {}
        for name, path in images.items():
            numbers[name] = register(sandbox, workspace, f"image-{name}", path)
        ended = {name: ends(sandbox, number) for name, number in numbers.items()}
        logs = sandbox.api("models/get_upload_logs", model_version_id=numbers["dies"], lines=None)["logs"]
    assert {name: version["status"] for name, version in ended.items()} == {
        "good": "ready", "dies": "error", "absent": "error",
    }  # fmt: skip
    assert "ended by itself (exit code 1)" in ended["dies"]["error_summary"]
    assert any("No module named 'sklearn'" in line for line in logs)
    assert "could not be pulled" in ended["absent"]["error_summary"]
    assert state_of(engine) == before


def register(sandbox, workspace: int, name: str, image_path: str) -> int:
    told = {**metadata(workspace, "mlflow", name), "image_path": image_path}
    status, _, answer = sandbox.upload_body(
        part("metadata", json.dumps(told).encode()) + f"--{BOUNDARY}--\r\n".encode()
    )
    assert status == 200, answer
    return answer["insert_models"]["returning"][0]["models"][0]["id"]


def ends(sandbox, number: int) -> dict[str, object]:
    for _ in range(600):
        version = sandbox.version(number)
        if version["status"] in {"ready", "error"}:
            return version
        time.sleep(0.1)
    raise AssertionError(version)


def test_no_engine_is_an_error_of_the_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    with running(tmp_path / "state", "2023.2.1", "--images", pace=0.01) as sandbox:
        version = ends(sandbox, register(sandbox, sandbox.workspace(), "an-image", "registry.example/x:1"))
    assert version["status"] == "error"
