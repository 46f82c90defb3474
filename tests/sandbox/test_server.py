"""The sandbox over HTTP: who gets in, what it answers, what it remembers, what goes wrong on demand."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hatch_wallaroo.sandbox.logins import TokenIssuer
from hatch_wallaroo.sandbox.store import Store
from support.byop_cases import CASES
from support.fronts import REPOSITORY
from support.sandboxes import (
    BOUNDARY,
    TOKEN,
    body,
    bomb,
    listening,
    metadata,
    part,
    running,
    schemas,
    zipped,
)

DEVICE = "/auth/realms/master/protocol/openid-connect/auth/device"
END = f"--{BOUNDARY}--\r\n".encode()


@pytest.fixture(scope="module")
def new(tmp_path_factory):
    with running(tmp_path_factory.mktemp("new"), "2026.1", "--max-upload", "1") as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    with running(tmp_path_factory.mktemp("old"), "2023.2.1") as sandbox:
        yield sandbox


def only_id(answer):
    status, _, made = answer
    assert status in {200, 202}, made
    return made["insert_models"]["returning"][0]["models"][0]["id"]


def digests(sandbox, workspace):
    models = sandbox.api("models/list", workspace_id=workspace)["models"]
    return [each["model_version"]["file_info"]["sha"] for found in models for each in found["model_versions"]]


# Who gets in


def test_only_on_loopback(new) -> None:
    assert listening(new.pid) == {"127.0.0.1"}


def test_not_under_another_name(new) -> None:
    status, _, _ = new.request("GET", "/v1/api/config", headers={"Host": "wallaroo.example.com"})
    assert status == 400


@pytest.mark.parametrize(
    "path",
    ["/v1/graphql", "/v1/api/workspaces/list", "/v1/api/models/list", "/v1/api/models/upload", "/sandbox/faults"],
)
@pytest.mark.parametrize("token", [None, "", "nonsense", "a.b.c", "é", "x" * 10_000])
def test_nothing_without_a_token(new, path, token) -> None:
    headers = {} if token is None else {"Authorization": f"Bearer {token}".encode()}
    assert new.request("POST", path, "{}", headers)[0] == 401


def test_a_token_of_another_start_is_worth_nothing(new, old) -> None:
    assert new.post("/v1/api/workspaces/list", token=old.login())[0] == 401


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({"password": "wrong"}, 401, "invalid_grant"),
        ({"username": "jane@example.com"}, 401, "invalid_grant"),
        ({"client_id": "other"}, 401, "invalid_client"),
        ({"client_id": "api-client"}, 401, "invalid_client"),
        ({"grant_type": "client_credentials"}, 400, "unsupported_grant_type"),
        ({"grant_type": "refresh_token", "refresh_token": "x.y.z"}, 400, "invalid_grant"),
    ],
)
def test_logins_that_fail(new, fields, status, error) -> None:
    right = {"client_id": "sdk-client", "grant_type": "password", "username": new.user, "password": new.password}
    given, answer = new.form(**{**right, **fields})
    assert (given, answer["error"]) == (status, error)


def claims(token):
    text = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def test_tokens(new) -> None:
    _, answer = new.form(client_id="sdk-client", grant_type="password", username=new.user, password=new.password)
    said = claims(answer["access_token"])
    assert said["email"] == new.user
    assert said["sub"]
    status, again = new.form(client_id="sdk-client", grant_type="refresh_token", refresh_token=answer["refresh_token"])
    assert status == 200
    assert again["access_token"] != answer["access_token"]
    assert new.post("/v1/api/workspaces/list", token=again["access_token"])[0] == 200
    assert new.post("/v1/api/workspaces/list", token=answer["refresh_token"])[0] == 401
    tampered = answer["access_token"][:-2] + ("AA" if answer["access_token"][-2:] != "AA" else "BB")
    assert new.post("/v1/api/workspaces/list", token=tampered)[0] == 401


def test_a_refresh_token_of_another_client(new) -> None:
    _, granted = new.form(client_id="sdk-client", grant_type="password", username=new.user, password=new.password)
    basic = base64.b64encode(f"{new.client}:{new.secret}".encode()).decode()
    asked = {"grant_type": "refresh_token", "refresh_token": granted["refresh_token"]}
    assert new.form(headers={"Authorization": f"Basic {basic}"}, **asked)[1]["error"] == "invalid_grant"
    assert new.form(client_id="sdk-client", **asked)[0] == 200


def test_tokens_end() -> None:
    now = 1_700_000_000.0
    tokens = TokenIssuer("id", "jane@example.com", clock=lambda: now)
    granted = tokens.issue("http://x", "sdk-client")
    assert tokens.read(granted["access_token"], "Bearer")
    now += granted["expires_in"]
    assert tokens.read(granted["access_token"], "Bearer") is None
    assert tokens.read(granted["refresh_token"], "Refresh")
    now += granted["refresh_expires_in"]
    assert tokens.read(granted["refresh_token"], "Refresh") is None


def test_a_device_code_ends() -> None:
    now = 1_700_000_000.0
    tokens = TokenIssuer("id", "jane@example.com", clock=lambda: now)
    device, code = tokens.start_device()
    now += 10_000
    assert (tokens.approve(code), tokens.redeem(device)) == (False, "expired_token")


def test_the_confidential_client(new) -> None:
    right = base64.b64encode(f"{new.client}:{new.secret}".encode()).decode()
    wrong = base64.b64encode(f"{new.client}:guess".encode()).decode()
    fields = {"grant_type": "password", "username": new.user, "password": new.password}
    assert new.form(headers={"Authorization": f"Basic {right}"}, **fields)[0] == 200
    assert new.form(headers={"Authorization": f"Basic {wrong}"}, **fields)[0] == 401
    assert new.form(headers={"Authorization": "Basic %%%"}, **fields)[0] == 401


def test_the_device_flow(new) -> None:
    _, started = new.form(DEVICE, client_id="sdk-client")
    ask = {
        "client_id": "sdk-client",
        "device_code": started["device_code"],
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
    }
    assert new.form(**ask)[1]["error"] == "authorization_pending"
    assert new.request("GET", "/auth/realms/master/device?user_code=<b>")[0] == 400
    page = started["verification_uri_complete"].removeprefix(new.url)
    assert "Logged in" in new.request("GET", page)[2]
    status, answer = new.form(**ask)
    assert status == 200
    assert new.post("/v1/api/workspaces/list", token=answer["access_token"])[0] == 200
    assert new.form(**ask) == (400, {"error": "invalid_grant", "error_description": "Device code not valid"})


def test_the_announcement_is_for_its_owner(new) -> None:
    assert stat.S_IMODE((new.state / "sandbox.json").stat().st_mode) == 0o600


# What it answers


def test_config_before_a_login(new, old) -> None:
    assert new.request("GET", "/v1/api/config")[::2] == (200, {"default_arch": "x86"})
    assert old.request("GET", "/v1/api/config")[0] == 404


def test_workspaces(new) -> None:
    made = new.workspace("listed")
    (found,) = [each for each in new.api("workspaces/list")["workspaces"] if each["id"] == made]
    assert set(found) == {"id", "name", "created_at", "created_by", "archived", "models", "pipelines"}
    assert new.post("/v1/api/workspaces/create", {"workspace_name": "listed"})[0] == 400
    assert new.post("/v1/api/workspaces/create", {"workspace_name": "no spaces"})[0] == 400


def test_an_upload_of_the_new_release(new) -> None:
    workspace = new.workspace("fresh")
    taken = new.upload(metadata(workspace, "sklearn", **schemas()), b"weights", "m.pkl", "upload_and_convert")
    assert taken[0] == 202
    found = new.version(only_id(taken))
    assert found["file_info"] == {
        "version": found["file_info"]["version"],
        "sha": hashlib.sha256(b"weights").hexdigest(),
        "file_name": "m.pkl",
        "size": 7,
    }
    assert (found["status"], found["error_summary"], found["deployed"]) == ("ready", None, False)
    answer = new.api("models/get_version_by_id", model_version_id=found["id"])["model_version"]["config"]
    assert answer["input_schema"] == schemas()["input_schema"]
    (listed,) = new.api("models/list", workspace_id=workspace, workspace_name=None)["models"]
    assert set(listed) == {"model", "model_versions", "workspace"}
    assert listed["model_versions"][0]["model_version"]["id"] == found["id"]
    (flat,) = new.api("models/list_versions", models_pk_id=listed["model"]["id"])
    assert flat["sha"] == found["file_info"]["sha"]


def test_an_upload_of_the_old_release(old) -> None:
    workspace = old.workspace()
    taken = old.upload(metadata(workspace), b"weights", "m.onnx")
    assert taken[0] == 200
    found = old.version(only_id(taken))
    assert set(found["file_info"]) == {"version", "sha", "file_name"}
    assert "error_summary" not in found
    (listed,) = old.api("models/list", workspace_id=workspace)["models"]
    assert set(listed) == {"id", "name", "owner_id", "created_at", "updated_at"}
    assert old.post("/v1/api/models/get_upload_logs", {"model_version_id": found["id"]})[0] == 404


@pytest.mark.parametrize(
    ("release", "framework", "route", "stages"),
    [
        ("2023.2.1", "sklearn", "upload_and_convert", ["uploading", "pending_conversion", "converting", "ready"]),
        ("2026.1", "onnx", "upload", ["uploading", "pending_load_native", "attempting_load_native", "ready"]),
        (
            "2026.1",
            "sklearn",
            "upload_and_convert",
            ["uploading", "pending_load_container", "attempting_load_container", "ready"],
        ),
    ],
)
def test_stages(tmp_path, release, framework, route, stages) -> None:
    with running(tmp_path, release, pace=1000) as sandbox:
        described = metadata(sandbox.workspace(), framework, **schemas())
        version = only_id(sandbox.upload(described, b"weights", route=route))
        assert sandbox.version(version)["status"] == "uploading"
    store = Store(tmp_path)
    found = store.version(version)
    store.close()
    assert [found.status(found.created_at + 1000 * number + 1) for number in range(4)] == stages
    assert found.status(found.created_at - 3600) == "uploading"


def test_image_and_its_schemas(new) -> None:
    described = {**metadata(new.workspace(), "mlflow", "an-image"), "image_path": "registry.example/image:1"}
    status, _, made = new.upload_body(part("metadata", json.dumps(described).encode()) + END)
    assert status == 200
    version = made["insert_models"]["returning"][0]["models"][0]["id"]
    assert new.api("models/insert_model_config", model_version_id=version, **schemas())
    answer = new.api("models/get_version_by_id", model_version_id=version)["model_version"]
    assert answer["model_version"]["image_path"] == "registry.example/image:1"
    assert answer["config"]["output_schema"] == schemas()["output_schema"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "-bad"}, "model name"),
        ({"name": "x" * 64}, "model name"),
        ({"name": None}, "`name`"),
        ({"visibility": "secret"}, "unknown variant"),
        ({"workspace_id": "5"}, "workspace_id"),
        ({"workspace_id": 99_999}, "no workspace"),
        ({"workspace_id": 1 << 70}, "workspace"),
        ({"conversion": None}, "conversion"),
        ({"conversion": {"framework": "caffe", "requirements": []}}, "caffe"),
        ({"conversion": {"framework": ["sklearn"], "requirements": []}}, "framework"),
        ({"conversion": {"framework": "sklearn", "requirements": [], "python_version": "3.11"}}, "python_version"),
        ({"conversion": {"framework": "sklearn", "requirements": [], "arch": "riscv"}}, "arch"),
        ({"conversion": {"framework": "sklearn", "requirements": [], "accel": ["x"]}}, "accel"),
        ({"conversion": {"framework": "sklearn", "requirements": [], "arch": "x86", "accel": "jetson"}}, "jetson"),
        ({"input_schema": None}, "input_schema"),
        ({"input_schema": "bm90IGEgc2NoZW1h"}, "input_schema"),
        ({"output_schema": 7}, "output_schema"),
    ],
)
def test_metadata_that_is_refused(new, change, said) -> None:
    described = {**metadata(new.workspace(), "sklearn", **schemas()), **change}
    status, _, answer = new.upload(described, b"weights", route="upload_and_convert")
    assert (status, answer["code"]) == (400, 400)
    assert said in answer["msg"]


def test_no_zip(new) -> None:
    described = metadata(new.workspace(), "custom", **schemas())
    status, _, answer = new.upload(described, b"no zip", "m.zip", "upload_and_convert")
    assert (status, answer) == (400, {"msg": "Bad request: Not a valid ZIP file.", "code": 400})


def test_a_broken_byop_tells_why_in_its_logs(new) -> None:
    described = metadata(new.workspace(), "custom", "broken", **schemas())
    files = zipped({"requirements.txt": "", **CASES["no builder"]})
    found = new.version(only_id(new.upload(described, files, "m.zip", "upload_and_convert")))
    assert found["status"] == "error"
    assert found["error_summary"] == "No InferenceBuilder-inherited class found in the model directory"
    logs = new.api("models/get_upload_logs", model_version_id=found["id"], lines=1)["logs"]
    assert len(logs) == 1
    assert "WLR522" in "".join(new.api("models/get_upload_logs", model_version_id=found["id"], lines=None)["logs"])


@pytest.mark.parametrize(
    "query",
    [
        "",
        "{",
        "{ nothing { id } }",
        "{ workspace }",
        "{a" * 200,
        "query { workspace { ...x } } fragment x on w { ...x }",
        "{ workspace { id(a: [" + "[" * 100 + "]" * 100 + "]) } }",
        "{ workspace { " + "id " * 30_000 + "} }",
        "{ workspace { " + " ".join(f"a{n}: id" for n in range(600)) + " } }",
        "{ workspace { ...a } } fragment a on workspace { ...b ...b } fragment b on workspace { ...a ...a }",
        "{ workspace { ...f0 } } " + " ".join(f"fragment f{n} on workspace {{ ...f{n + 1} }}" for n in range(100)),
        "{ workspace { ...f0 } } fragment f40 on workspace { id } "
        + " ".join(f"fragment f{n} on workspace {{ ...f{n + 1} ...f{n + 1} }}" for n in range(40)),
        "query A { workspace { id } } query B { workspace { id } }",
    ],
)
def test_graphql_that_cannot_be_answered(new, query) -> None:
    status, answer = new.post("/v1/graphql", {"query": query})
    assert status == 200
    assert answer["errors"][0]["message"]


def test_graphql(new) -> None:
    workspace = new.workspace("queried")
    version = only_id(new.upload(metadata(workspace, name="queried"), b"weights"))
    query = (
        "query Q($id: bigint!) { it: workspace_by_pk(id: $id) { name models(order_by: {id: desc}, limit: 1) "
        '{ ...M } } } fragment M on models { models { id framework: conversion(path: "framework") } }'
    )
    _, answer = new.post("/v1/graphql", {"query": query, "variables": {"id": workspace}})
    assert answer == {
        "data": {"it": {"name": "queried", "models": [{"models": [{"id": version, "framework": "onnx"}]}]}}
    }
    where = '{ model(where: {_and: [{model_id: {_eq: "queried"}}, {model: {workspace_id: {_eq: %d}}}]}) { id } }'
    assert new.post("/v1/graphql", {"query": where % workspace})[1] == {"data": {"model": [{"id": version}]}}


def test_graphql_chooses_rows(new) -> None:
    """By a relation's columns too, in their order, by pages; `path` names a member of a column of JSON."""
    workspace = new.workspace("chosen")
    for name in ("chosen-b", "chosen-a", "chosen-c"):
        only_id(new.upload(metadata(workspace, name=name), b"weights"))
    query = """query Q($where: model_bool_exp, $offset: Int) {
      model(where: $where, order_by: [{model: {name: asc}}], limit: 2, offset: $offset) { model { name } }
    }"""
    where = {
        "model": {"workspace": {"name": {"_eq": "chosen"}}},
        "_not": {"_or": [{"model_id": {"_in": ["chosen-a"]}}, {"id": {"_is_null": True}}]},
    }

    def found(**variables) -> list[str]:
        _, answer = new.post("/v1/graphql", {"query": query, "variables": variables})
        return [each["model"]["name"] for each in answer["data"]["model"]]

    assert found(where=where) == ["chosen-b", "chosen-c"]
    assert found(where=where, offset=1) == ["chosen-c"]
    assert found(where={"model_id": {"_neq": "chosen-a"}, "model": {"workspace_id": {"_eq": workspace}}}) == [
        "chosen-b",
        "chosen-c",
    ]
    assert found(where={"_and": [{"model_id": {"_eq": "chosen-a"}}, {"model_id": {"_eq": "chosen-b"}}]}) == []


def test_a_kept_connection_is_answered_at_once(new) -> None:
    """Head and body are two writes: the second must not wait, some 40 ms, until the first is acknowledged."""
    connection = http.client.HTTPConnection(new.address, timeout=30)
    took = []
    for _ in range(20):
        start = time.monotonic()
        connection.request("GET", "/v1/api/config")
        assert connection.getresponse().read()
        took.append(time.monotonic() - start)
    connection.close()
    assert min(took[1:]) < 0.03


# What it remembers


def test_state_survives_a_restart_and_credentials_do_not(tmp_path) -> None:
    with running(tmp_path, "2026.1") as first:
        workspace = first.workspace("kept")
        version = only_id(first.upload(metadata(workspace), b"weights"))
        before, token = first.version(version), first.login()
        assert list((tmp_path / "incoming").iterdir()) == []
    (tmp_path / "incoming" / "upload-left").write_text("from a crash")
    with running(tmp_path, "2026.1") as second:
        assert second.password != first.password
        assert second.post("/v1/api/workspaces/list", token=token)[0] == 401
        assert second.workspace("kept") == workspace
        assert second.version(version) == before
        assert list((tmp_path / "incoming").iterdir()) == []


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "hatch_wallaroo", "sandbox", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_one_sandbox_a_state(new) -> None:
    done = command("--state", str(new.state))
    assert done.returncode == 2
    assert "another sandbox is running" in done.stderr


def test_a_state_that_is_none(tmp_path) -> None:
    (tmp_path / "state.sqlite").write_bytes(b"no database, but long enough to look at" * 40)
    done = command("--state", str(tmp_path))
    assert done.returncode == 2
    assert "holds no state" in done.stderr
    done = command("--state", str(tmp_path / "state.sqlite" / "below"))
    assert done.returncode == 2
    assert "cannot be used: Not a directory" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_ends_it_leaves_nothing_of_it(number, tmp_path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "hatch_wallaroo", "sandbox"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    (folder,) = tmp_path.iterdir()
    assert (folder / "sandbox.json").exists()
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    assert (process.returncode, said) == (0, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--fault", "slwo"), "did you mean slow"),
        (("--fault", "reset=much"), "no number"),
        (("--release", "2019.1"), "2023.2"),
        (("--port", "70000"), "65535"),
    ],
)
def test_options_that_are_refused(arguments, said) -> None:
    done = command(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken(new) -> None:
    done = command("--port", new.address.rpartition(":")[2])
    assert done.returncode == 1
    assert "cannot be used" in done.stderr


# What goes wrong on demand


@pytest.fixture
def faulty(new):
    yield new
    new.no_faults()


def test_503_and_then_no_more(faulty) -> None:
    described = metadata(faulty.workspace("fault-503"))
    faulty.fault("503", value=7)
    status, headers, answer = faulty.upload(described, b"weights")
    assert (status, headers["Retry-After"], answer["code"]) == (503, "7", 503)
    assert faulty.upload(described, b"weights")[0] == 200


def test_reset(faulty) -> None:
    workspace = faulty.workspace("fault-reset")
    faulty.fault("reset", value=100_000)
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        faulty.upload(metadata(workspace), bytes(10_000_000))
    assert digests(faulty, workspace) == []
    assert list((faulty.state / "incoming").iterdir()) == []


def test_reset_of_an_upload_that_is_shorter(faulty) -> None:
    workspace = faulty.workspace("fault-short")
    faulty.fault("reset")
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        faulty.upload(metadata(workspace), b"weights")
    assert digests(faulty, workspace) == []
    assert list((faulty.state / "incoming").iterdir()) == []
    assert faulty.upload(metadata(workspace), b"weights")[0] == 200


def test_a_lost_answer_leaves_a_version(faulty) -> None:
    workspace = faulty.workspace("fault-lost")
    faulty.fault("lost-answer")
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        faulty.upload(metadata(workspace), b"weights")
    assert digests(faulty, workspace) == [hashlib.sha256(b"weights").hexdigest()]


def test_disk_full(faulty) -> None:
    workspace = faulty.workspace("fault-full")
    faulty.fault("disk-full", value=1000)
    status, _, answer = faulty.upload(metadata(workspace), bytes(1_000_000))
    assert (status, answer["code"]) == (507, 507)
    assert faulty.upload(metadata(workspace), bytes(1000))[0] == 200
    assert list((faulty.state / "incoming").iterdir()) == []


def test_token_expiry(faulty) -> None:
    token = faulty.login()
    faulty.fault("token-expiry")
    assert faulty.post("/v1/api/workspaces/list", token=token)[0] == 401
    assert faulty.post("/v1/api/workspaces/list", token=token)[0] == 200


def test_slow(faulty) -> None:
    faulty.fault("slow", value=0.5, times=1)
    start = time.monotonic()
    assert faulty.post("/v1/api/workspaces/list")[0] == 200
    assert time.monotonic() - start >= 0.5


def test_a_conversion_that_never_ends_or_ends_badly(faulty) -> None:
    workspace = faulty.workspace("fault-stuck")
    faulty.fault("stuck", times=1)
    version = only_id(faulty.upload(metadata(workspace), b"one"))
    assert faulty.version(version)["status"] == "attempting_load_native"
    faulty.fault("conversion-error")
    version = only_id(faulty.upload(metadata(workspace), b"two"))
    assert faulty.version(version)["status"] == "error"


def test_faults_from_the_command_line(tmp_path) -> None:
    with running(tmp_path, "2026.1", "--fault", "503=3*2") as sandbox:
        described = metadata(sandbox.workspace())
        assert [sandbox.upload(described, b"x")[0] for _ in range(3)] == [503, 503, 200]


def test_faults_that_are_none(faulty) -> None:
    assert faulty.post("/sandbox/faults", {"name": "slow", "value": "NaN"})[0] == 400
    assert faulty.post("/sandbox/faults", {"name": ["slow"]})[0] == 400


# Hostile uploads


def memory(pid: int) -> int:
    """The most memory that a process ever had, in KiB (Linux)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "ends before"),
        (b"no multipart", ""),
        (part("metadata", b"{}"), "ends before"),
        (END, "missing part"),
        (part("other", b"x") * 9 + END, "more than 8 parts"),
        (part("file", b"x", "a") * 2 + END, "more than one file"),
        (part("metadata", b"{}") * 2 + END, "more than one metadata"),
        (part("metadata", b" " * (5 << 20)) + END, "too large"),
        (part("metadata", b"[" * 100_000) + END, "not JSON"),
        (part("metadata", b"[]") + END, "not a JSON object"),
        (part("x" * 50_000, b"") + END, "header"),
        (part("metadata", b"{}").replace(b"\r\n\r\n", b"\r\n" + b"X-A: b\r\n" * 50_000 + b"\r\n", 1) + END, ""),
    ],
)
def test_bodies_that_are_refused(new, data, said) -> None:
    status, _, answer = new.upload_body(data)
    assert (status, answer["code"]) == (400, 400), answer
    assert said in answer["msg"]
    assert list((new.state / "incoming").iterdir()) == []


@pytest.mark.parametrize("kind", ["", "application/json", "multipart/form-data", "multipart/form-data; boundary="])
def test_content_types_that_are_refused(new, kind) -> None:
    headers = {"Authorization": f"Bearer {new.login()}", "Content-Type": kind}
    assert new.request("POST", "/v1/api/models/upload", b"x", headers)[0] == 400


@pytest.mark.parametrize("name", ["../../../tmp/x.onnx", "/etc/passwd", "C:\\x\\..\\y", "ü\u202e.onnx"])
def test_file_names_are_never_paths(new, name) -> None:
    before = sorted(new.state.rglob("*"))
    version = only_id(new.upload(metadata(new.workspace()), b"weights", name))
    assert sorted(new.state.rglob("*")) == before
    found = new.version(version)
    assert found["status"] == ("ready" if name.startswith("ü") or "\\" in name else "error")
    assert not found["error_summary"]


@pytest.mark.slow
def test_memory_is_bounded(new) -> None:
    described = metadata(new.workspace("large"))
    new.upload(described, b"weights")
    custom = metadata(new.workspace("large"), "custom", **schemas())
    # What reads a bundle is imported with the first.
    new.version(only_id(new.upload(custom, zipped({"main.py": "x = 1\n"}), "m.zip", "upload_and_convert")))
    before = memory(new.pid)
    assert new.upload(described, bytes(150_000_000))[0] == 200
    found = new.version(only_id(new.upload(custom, bomb(), "m.zip", "upload_and_convert")))
    assert found["status"] == "error"
    assert memory(new.pid) - before < 60_000


def test_two_uploads_at_once(new) -> None:
    workspace = new.workspace("at-once")
    contents = [bytes([number]) * 3_000_000 for number in range(4)]
    token = new.login()
    threads = [
        threading.Thread(target=new.upload, args=(metadata(workspace), each), kwargs={"token": token})
        for each in contents
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(digests(new, workspace)) == sorted(hashlib.sha256(each).hexdigest() for each in contents)


def test_bodies_of_requests_are_bounded(new) -> None:
    assert new.post("/v1/api/workspaces/list", {"x": "y" * (2 << 20)})[0] == 413
    assert new.request("POST", TOKEN, "a=b&" * 1000, {"Content-Type": "application/x-www-form-urlencoded"})[0] == 400
    assert body(metadata(1), b"", "x").endswith(END)
