"""The sandbox with the runtime of 2026.1, over plain HTTP: what becomes of uploads, deployments and processes."""

from __future__ import annotations

import base64
import os
import signal
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pytest

from support.sandboxes import descendants, metadata, running, zipped

pytestmark = [pytest.mark.peer, pytest.mark.slow]

STEP = """\
import os
import time
import numpy as np
from mac.types import InferenceData

{top}

def process_data(input_data: InferenceData) -> InferenceData:
    x = input_data["x"]
    if x[0] == 13:
        os._exit(3)
    return {{"x": x * 2}}
"""
NUMBER = pa.schema([pa.field("x", pa.float64())])


@pytest.fixture
def temporary(monkeypatch):
    """A folder for all that a sandbox and its models write; a short path, for there are sockets below it."""
    with tempfile.TemporaryDirectory(prefix="rt-", dir="/tmp") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


@pytest.fixture(scope="module")
def sandbox(runtime_cache, tmp_path_factory):
    with running(tmp_path_factory.mktemp("runtime"), "2026.1", "--runtime", "--keep", "1") as made:
        yield made


def upload(sandbox, name: str, top: str = "") -> dict:
    """A step that is on its way: its version, as the platform shows it."""
    text = base64.b64encode(bytes(NUMBER.serialize())).decode()
    told = metadata(sandbox.workspace(), "python", name, input_schema=text, output_schema=text)
    content = zipped({"step.py": STEP.format(top=top), "requirements.txt": ""}, name)
    status, _, answer = sandbox.upload(told, content, f"{name}.zip", "upload_and_convert")
    assert status == 202, answer
    return sandbox.version(answer["insert_models"]["returning"][0]["models"][0]["id"])


def settled(sandbox, version: dict, seconds: float = 120) -> dict:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = sandbox.version(version["id"])
        if found["status"] in {"ready", "error"}:
            return found
        assert found["status"] == "attempting_load_container"
        time.sleep(0.1)
    raise AssertionError("it is still on its way")


def build(sandbox, name: str, *versions: dict):
    """What `deploy()` of the SDK sends first; status and answer."""
    steps = [
        {"ModelInference": {"models": [{"name": each["name"], "version": each["file_info"]["version"], "sha": ""}]}}
        for each in versions
    ]
    body = {"pipeline_id": name, "workspace_id": sandbox.workspace(), "definition": {"id": name, "steps": steps}}
    return sandbox.post("/v1/api/pipelines/create", body)


def deploy(sandbox, name: str, *versions: dict) -> int:
    status, made = build(sandbox, name, *versions)
    assert status == 200, made
    version = made["pipeline_variant_pk_id"]
    return sandbox.api("pipelines/deploy", deploy_id=name, pipeline_version_pk_id=version, engine_config={})["id"]


def status_of(sandbox, name: str, number: int) -> dict | None:
    status, answer = sandbox.post("/v1/api/status/get_deployment", {"name": f"{name}-{number}"})
    return answer if status == 200 else None


def waited(sandbox, name: str, number: int, wanted: str) -> dict:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        found = status_of(sandbox, name, number)
        if found["status"] == wanted:
            return found
        assert found["status"] == "Starting", found
        time.sleep(0.1)
    raise AssertionError(found)


def infer(sandbox, name: str, number: int, *values: float):
    return sandbox.post(f"/v1/api/pipelines/infer/{name}-{number}/{name}", [{"x": value} for value in values])


def test_loaded_before_it_is_ready(sandbox) -> None:
    version = upload(sandbox, "prints", 'print("loading now")')
    assert version["status"] in {"uploading", "attempting_load_container"}
    assert settled(sandbox, version)["status"] == "ready"
    logs = sandbox.api("models/get_upload_logs", model_version_id=version["id"])["logs"]
    assert any(line.endswith("stdout F loading now") for line in logs)


@pytest.mark.parametrize(
    ("name", "top", "words"),
    [
        ("imports", "import no_such_module", "No module named 'no_such_module'"),
        ("divides", "1 / 0", "division by zero"),
        ("exits", "os._exit(7)", "its process ended with exit code 7 before it answered"),
    ],
)
def test_what_does_not_load(sandbox, name, top, words) -> None:
    found = settled(sandbox, upload(sandbox, name, top))
    assert found["status"] == "error"
    assert words in found["error_summary"]
    logs = sandbox.api("models/get_upload_logs", model_version_id=found["id"])["logs"]
    assert any("sandbox error WLR" in line for line in logs)
    status, answer = build(sandbox, name, found)
    assert status == 400
    assert "has the status error" in answer["msg"]


def test_a_process_that_ends_is_started_again(sandbox) -> None:
    version = upload(sandbox, "ends")
    number = deploy(sandbox, "ends", version)  # not loaded yet: the deployment waits for it
    waited(sandbox, "ends", number, "Running")
    assert infer(sandbox, "ends", number, 1, 2)[1][1]["out.x"] == 4
    status, answer = infer(sandbox, "ends", number, 13)
    assert (status, answer["error"]) == (400, "its process ended with exit code 3")
    assert infer(sandbox, "ends", number, 3)[1][0]["out.x"] == 6
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda each: infer(sandbox, "ends", number, each)[1][0]["out.x"], range(20, 40)))
    assert found == [each * 2 for each in range(20, 40)]
    children = descendants(sandbox.pid)
    assert children
    assert sandbox.api("pipelines/undeploy", deployment_id=number) == {}
    assert status_of(sandbox, "ends", number) is None
    assert not [each for each in children if Path(f"/proc/{each}").exists()]


def test_deployed_again_in_place_of_itself(sandbox) -> None:
    first, second = settled(sandbox, upload(sandbox, "again")), settled(sandbox, upload(sandbox, "again"))
    number = deploy(sandbox, "again", first)
    waited(sandbox, "again", number, "Running")
    assert deploy(sandbox, "again", second, second) == number
    waited(sandbox, "again", number, "Running")
    assert infer(sandbox, "again", number, 1)[1][0]["out.x"] == 4
    sandbox.api("pipelines/undeploy", deployment_id=number)
    assert infer(sandbox, "again", number, 1)[0] == 404


def test_undeployed_while_it_starts(sandbox) -> None:
    version = settled(sandbox, upload(sandbox, "slow", "time.sleep(4)"))
    assert version["status"] == "ready"
    number = deploy(sandbox, "slow", version)
    time.sleep(1.5)
    assert status_of(sandbox, "slow", number)["status"] == "Starting"
    assert infer(sandbox, "slow", number, 1)[0] == 503
    begun = time.monotonic()
    sandbox.api("pipelines/undeploy", deployment_id=number)
    assert time.monotonic() - begun < 5
    assert status_of(sandbox, "slow", number) is None
    assert descendants(sandbox.pid) == []


def test_files_of_an_earlier_start(runtime_cache, tmp_path) -> None:
    with running(tmp_path, "2026.1", "--runtime") as first:
        version = settled(first, upload(first, "stays"))
        assert len(list((tmp_path / "kept").iterdir())) == 1
    assert not (tmp_path / "kept").exists()
    with running(tmp_path, "2026.1", "--runtime") as second:
        assert second.version(version["id"])["status"] == "ready"
        status, answer = build(second, "stays", version)
    assert status == 400
    assert answer["msg"].endswith("of stays any more: upload it again")


def ended(sandbox, number: signal.Signals) -> tuple[dict, list[int]]:
    """End a sandbox that runs a model and loads another: the version that it loads, and which processes are left."""
    ready = settled(sandbox, upload(sandbox, "ready"))
    waited(sandbox, "ready", deploy(sandbox, "ready", ready), "Running")
    loading = upload(sandbox, "loading", "time.sleep(60)")
    time.sleep(4)
    children = descendants(sandbox.pid)
    assert len(children) >= 2
    os.kill(sandbox.pid, number)
    time.sleep(6)
    return loading, [each for each in children if Path(f"/proc/{each}").exists()]


def test_ended_in_the_middle_of_loading(runtime_cache, temporary, tmp_path) -> None:
    with running(tmp_path, "2026.1", "--runtime") as made:
        loading, left = ended(made, signal.SIGINT)
    assert left == []
    assert list(temporary.iterdir()) == []
    with running(tmp_path, "2026.1") as again:
        found = again.version(loading["id"])
    assert (found["status"], found["error_summary"]) == ("error", "the sandbox ended before the model was loaded")


def test_killed(runtime_cache, temporary, tmp_path) -> None:
    """Its processes die with it; what it leaves on the disk, the next one that runs a model removes."""
    with suppress(AssertionError), running(tmp_path, "2026.1", "--runtime") as made:  # it leaves its announcement
        _, left = ended(made, signal.SIGKILL)
    assert left == []
    assert list((tmp_path / "kept").iterdir())
    (tmp_path / "sandbox.json").unlink()
    with running(tmp_path, "2026.1", "--runtime") as again:
        assert list((tmp_path / "kept").iterdir()) == []
        settled(again, upload(again, "next"))
    assert list(temporary.iterdir()) == []
