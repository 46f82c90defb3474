"""The official SDKs, unmodified, each in its own Python, against a sandbox of their release."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from support.byop_cases import CASES
from support.peers import peer
from support.sandboxes import running, zipped

pytestmark = pytest.mark.peer

SESSION = Path(__file__).parent / "sdk_session.py"
ONNX = b"weights, which a sandbox does not look into"


@pytest.fixture(scope="module", params=[("mac-2023.2.1", "2023.2.1"), ("mac-2026.1.3", "2026.1")], ids=lambda p: p[1])
def session(request, tmp_path_factory):
    """What the SDK saw in a whole session; the home that its token cache lives in is new."""
    name, release = request.param
    python = peer(name)
    folder = tmp_path_factory.mktemp("sdk")
    models = folder / "models"
    models.mkdir()
    (models / "model.onnx").write_bytes(ONNX)
    (models / "model.pkl").write_bytes(b"a pickle")
    (models / "byop.zip").write_bytes(zipped(CASES["good"], "byop"))
    (models / "broken.zip").write_bytes(zipped({"requirements.txt": "", **CASES["two builders in two files"]}))
    with running(folder / "state", release, pace=1.4) as sandbox:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder / "home"),
            "WALLAROO_URL": sandbox.url,
            "WALLAROO_USER": sandbox.user,
            "WALLAROO_PASSWORD": sandbox.password,
        }
        done = subprocess.run(
            [str(python), str(SESSION), str(models)], env=environment, capture_output=True, text=True, timeout=240
        )
    assert done.returncode == 0, done.stderr
    return release, json.loads(done.stdout.splitlines()[-1])


def test_workspaces(session) -> None:
    release, seen = session
    assert seen["agent"].startswith(f"WallarooSDK/{release}")
    assert seen["default"] == "sandbox@example.com - Default Workspace"
    assert seen["workspaces"] == [seen["default"], "my-ws"]


def test_a_native_model(session) -> None:
    native = session[1]["native"]
    assert native["runtime"] == "onnx"
    assert native["sha"] == hashlib.sha256(ONNX).hexdigest()
    assert native["file_name"] == "model.onnx"


def test_a_converted_model(session) -> None:
    release, seen = session
    assert seen["converted"]["status"] == "ready"
    assert seen["converted"]["runtime"] == ("mlflow" if release == "2023.2.1" else "flight")
    assert re.search("Model is (uploading|pending|attempting|converting)", seen["converted"]["said"], re.IGNORECASE)


def test_byop(session) -> None:
    release, seen = session
    assert seen["byop"]["status"] == "ready"
    assert seen["byop"].get("logs", []) == []
    broken = seen["broken"]
    if release == "2023.2.1":
        assert broken["raised"].startswith("ModelConversionError")
        return
    several = "Multiple Inference-inherited classes found: ['TinyInference', 'TinyInference']. Only one is allowed."
    assert (broken["status"], broken["error_summary"]) == ("error", several)
    assert several in broken["wait_error"]
    assert broken["logs"][0].endswith(f" stdout F {several}")


def test_a_refusal(session) -> None:
    release, seen = session
    said = "400 Client Error" if release == "2023.2.1" else "[400] Bad request: Not a valid ZIP file."
    assert said in seen["no zip"]["raised"]


def test_an_image(session) -> None:
    assert session[1]["image"] == {"status": "ready", "image_path": "registry.example/image:1"}


def test_lists_and_a_second_version(session) -> None:
    _, seen = session
    assert seen["models"] == seen["listed"] == ["broken", "byop", "converted", "image", "native"]
    assert seen["again"] == {"same": True, "new": True}
