"""The API's answers, old, new and hostile; and uploads that are never sent twice."""

from __future__ import annotations

import hashlib
import json
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from hatch_wallaroo.exit_codes import EXIT_CODES, INTERRUPTED
from hatch_wallaroo.platform.api import Platform, upload_metadata
from hatch_wallaroo.platform.auth import Authenticator
from hatch_wallaroo.platform.credentials import Secret
from hatch_wallaroo.platform.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    PlatformError,
    RefusedError,
)
from hatch_wallaroo.platform.model_versions import ModelVersion, Workspace
from hatch_wallaroo.platform.multipart import BLOCK, UploadBody
from hatch_wallaroo.platform.publish_settings import Settings
from hatch_wallaroo.platform.transport import Transport
from support.tiny_server import Answer, Asked, TinyServer, answer, serving

SHA = "ab" * 32
TOKEN = "the-ready-token"


def platform(server: TinyServer, *, retries: int = 2) -> Platform:
    transport = Transport(server.url, sleep=lambda _: None, retries=retries, timeout=5.0)
    return Platform(transport, Authenticator(Settings(server.url, token=Secret(TOKEN)), transport))


OLD_VERSION = {
    "id": 7, "models_pk_id": 3, "model_id": "ccfraud", "model_version": "5e-uuid", "sha": SHA.upper(), "owner_id": "x",
    "file_name": "m.onnx", "image_path": None, "status": "ready",
}  # fmt: skip
NEW_VERSION = {
    "model_version": {
        "id": 9, "name": "ccfraud", "visibility": "private", "workspace_id": 5, "status": "error", "image_path": None,
        "conversion": {"arch": "x86", "accel": {"qaic": {"num_cores": 16}}, "framework": "vllm"},
        "file_info": {"version": "9a-uuid", "sha": SHA, "file_name": "m.zip", "file_size": 12},
        "created_at": "2026-01-02T03:04:05", "error_summary": "Could not\nfind it \x1b[31m", "created_on_version": "2026.1.3",
    },
    "config": {"id": 1, "model_version_id": 9, "runtime": "flight", "input_schema": "AAAA"},
}  # fmt: skip


def test_a_version_of_the_old_list() -> None:
    with serving([answer([OLD_VERSION, {**OLD_VERSION, "id": 8}])]) as server:
        newest, old = platform(server).versions(3, "ccfraud")
    assert server.asked[0].json == {"model_id": "ccfraud", "models_pk_id": 3}
    assert (newest.id, old.id, old.name, old.version, old.sha, old.is_ready) == (8, 7, "ccfraud", "5e-uuid", SHA, True)


@pytest.mark.parametrize("wrapped", [NEW_VERSION, {"model_version": NEW_VERSION}])
def test_a_version_by_its_id(wrapped: dict) -> None:
    with serving([answer(wrapped)]) as server:
        made = platform(server).version(9)
    assert server.asked[0].json == {"model_version_id": 9}
    assert made == ModelVersion(
        id=9, name="ccfraud", version="9a-uuid", status="error", sha=SHA, file_name="m.zip", size=12,
        created="2026-01-02T03:04:05", workspace_id=5, runtime="flight", arch="x86", accel="qaic", framework="vllm",
        error_summary="Could not\nfind it  [31m",
    )  # fmt: skip
    assert made.is_failed
    assert made.raw["created_on_version"] == "2026.1.3"
    assert made.raw["config"]["input_schema"] == "AAAA"


def test_no_half_of_a_token_is_left_of_a_long_summary() -> None:
    long = {"model_version": {**NEW_VERSION["model_version"], "error_summary": "x" * (20_000 - 8) + TOKEN}}
    with serving([answer({"model_version": long})]) as server:
        made = platform(server).version(9)
    assert made.error_summary.endswith("xxx***")


def test_the_models_of_old_and_new_releases() -> None:
    old = {"models": [{"id": 3, "name": "ccfraud", "owner_id": "x"}]}
    new = {"models": [{"model": {"id": 3, "name": "ccfraud"}, "model_versions": [NEW_VERSION], "workspace": {"id": 5}}]}

    def script(asked: Asked) -> Answer:
        return answer([OLD_VERSION]) if asked.path.endswith("list_versions") else answer(shapes.pop(0))

    shapes = [old, new]
    with serving(script) as server:
        made = platform(server)
        for number in (7, 9):
            assert [(each.id, each.sha) for each in made.all_versions(5, "ccfraud")] == [(number, SHA)]
    assert [each.rpartition("/")[2] for each in server.paths] == ["list", "list_versions", "list"]


def test_workspaces() -> None:
    entries = [
        {"id": 5, "name": "a"},
        {"id": 6, "name": "b"},
        {"id": 7, "name": "b"},
        {"id": 8, "name": "c", "archived": True},
    ]
    with serving([answer({"workspaces": entries})]) as server:
        made = platform(server)
        assert made.workspaces() == [Workspace(5, "a"), Workspace(6, "b"), Workspace(7, "b")]


def test_a_workspace_whose_answer_was_lost_is_not_made_twice() -> None:
    there: list[dict] = []

    def script(asked: Asked) -> Answer:
        if asked.path.endswith("create"):
            there.append({"id": 11, "name": asked.json["workspace_name"]})
            return Answer(reset=True)
        return answer({"workspaces": there})

    with serving(script) as server:
        assert platform(server).create_workspace("new") == Workspace(11, "new")
    assert len(there) == 1


@pytest.mark.parametrize("status", [404, 405])
def test_what_old_releases_do_not_have(status: int) -> None:
    with serving([answer({}, status)]) as server:
        made = platform(server)
        assert made.config() == {}
        assert made.upload_logs(1) == []


def test_logs_are_cleaned() -> None:
    with serving(
        [answer({"logs": [f"one {TOKEN}", "two\nthree", {"line": "four\x07"}, 5, None, "x" * 9000]})]
    ) as server:
        made = platform(server).upload_logs(9)
    assert server.asked[0].json == {"model_version_id": 9, "lines": None}
    assert made[:4] == ["one ***", "two", "three", "four"]
    assert len(made[4]) == 2000


HOSTILE = [
    None, 5, "x", [], {}, [[]], [None], {"models": 5}, {"models": [5, None, {}, {"id": "x"}, {"id": True}, {"id": -1}]},
    {"workspaces": {"id": 5}}, {"model_version": []}, {"model_version": {"model_version": {"model_version": {}}}},
    {"model_version": {"id": 10**40, "file_info": 5, "conversion": []}}, {"insert_models": {"returning": [{"models": 5}]}},
    {"insert_models": {"returning": {"models": [{"id": 1}]}}}, {"workspace_id": "x"}, {"workspace_id": 1.5},
    {"logs": "x"}, {"logs": [[["x"]]]}, {"models": [{"model": {"id": 1, "name": 5}, "model_versions": [5, {"id": []}]}]},
]  # fmt: skip


@pytest.mark.parametrize("made", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_answers_end_in_words(made: Any) -> None:
    with serving([answer(made)]) as server:
        one = platform(server)
        calls = [
            one.config, one.workspaces, lambda: one.create_workspace("n"), lambda: one.models(5), lambda: one.versions(3),
            lambda: one.version(9), lambda: one.upload_logs(9), lambda: one.all_versions(5, "m"),
            lambda: one.upload({"upload": {"name": "m", "visibility": "p"}, "route": "upload", "file": {}}, None, 5),
        ]  # fmt: skip
        for call in calls:
            with suppress(RefusedError, ConnectionFailedError):
                call()


@pytest.mark.parametrize("body", [b"", b"{", b"<html>", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 50_000, b"9" * 50_000])
def test_answers_that_are_not_json(body: bytes) -> None:
    with serving([Answer(body=body)]) as server, pytest.raises((ConnectionFailedError, RefusedError)):
        platform(server).workspaces()


@pytest.mark.parametrize(
    ("status", "kind", "exit_code"),
    [(400, RefusedError, 4), (401, AuthenticationError, 3), (403, RefusedError, 4), (404, RefusedError, 4), (409, RefusedError, 4),
     (422, RefusedError, 4), (500, RefusedError, 4), (507, RefusedError, 4), (503, ConnectionFailedError, 7), (302, ConnectionFailedError, 7)],
)  # fmt: skip
def test_each_refusal_has_its_kind(status: int, kind: type[PlatformError], exit_code: int) -> None:
    with serving([answer({"msg": f"Not a valid ZIP file. {TOKEN}"}, status)]) as server, pytest.raises(kind) as told:
        platform(server, retries=0).models(5)
    assert told.value.exit_code == exit_code
    assert TOKEN not in str(told.value)
    assert status in {302, 401} or "Not a valid ZIP file. ***" in str(told.value)


def test_the_exit_codes_are_those_of_the_table() -> None:
    kinds = PlatformError.__subclasses__()
    assert {each.exit_code for each in kinds} == {2, 3, 4, 5, 6, 7}
    assert [each.code for each in EXIT_CODES] == [*range(8), INTERRUPTED]


class Store:
    """A platform that keeps what arrives, and breaks as told: `lost` answers are lost after the upload arrived."""

    def __init__(self, *, breaks: int = 0, lost: int = 0, status: int = 0) -> None:
        self.versions: list[dict[str, Any]] = []
        self.breaks, self.lost, self.status = breaks, lost, status
        self.uploads = 0

    def __call__(self, asked: Asked) -> Answer:
        if asked.path.endswith("/upload"):
            self.uploads += 1
            if self.breaks:
                self.breaks -= 1
                return answer({}, self.status) if self.status else Answer(reset=True)
            number = len(self.versions) + 1
            self.versions.append({"id": number, "model_id": "m", "sha": digest_of(asked), "status": "uploading"})
            if self.lost:
                self.lost -= 1
                return answer({}, self.status) if self.status else Answer(reset=True)
            return answer({"insert_models": {"returning": [{"models": [{"id": number}]}]}})
        if asked.path.endswith("list_versions"):
            return answer(self.versions)
        return answer({"models": [{"id": 3, "name": "m"}]})


def digest_of(asked: Asked) -> str:
    file = asked.body.partition(b"octet-stream\r\n\r\n")[2].rpartition(b"\r\n--")[0]
    return hashlib.sha256(file).hexdigest()


@pytest.fixture
def bundle(tmp_path: Path) -> tuple[dict[str, Any], Path]:
    path = tmp_path / "m-1.zip"
    path.write_bytes(b"model" * 200_000)
    manifest = {
        "upload": {"name": "m", "visibility": "private", "conversion": {}},
        "route": "upload",
        "file": {"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()},
    }
    return manifest, path


@pytest.mark.parametrize("status", [0, 502, 503, 504, 408])
@pytest.mark.parametrize(
    ("breaks", "lost", "uploads"), [(0, 0, 1), (1, 0, 2), (2, 0, 3), (0, 1, 1), (1, 1, 2), (2, 1, 3)]
)
def test_an_upload_is_on_the_platform_once(breaks: int, lost: int, uploads: int, status: int, bundle: Any) -> None:
    store = Store(breaks=breaks, lost=lost, status=status)
    with serving(store) as server:
        assert platform(server).upload(*bundle, 5) == 1
    assert (store.uploads, len(store.versions)) == (uploads, 1)
    assert store.versions[0]["sha"] == bundle[0]["file"]["sha256"]


@pytest.mark.parametrize("status", [0, 503])
def test_the_last_answer_of_all_may_be_the_lost_one(status: int, bundle: Any) -> None:
    store = Store(lost=1, status=status)
    with serving(store) as server:
        assert platform(server, retries=0).upload(*bundle, 5) == 1


def test_an_upload_that_never_arrives(bundle: Any) -> None:
    store = Store(breaks=99)
    with serving(store) as server, pytest.raises(ConnectionFailedError, match="Tried 3 times"):
        platform(server).upload(*bundle, 5)
    assert (store.uploads, store.versions) == (3, [])


def test_the_same_file_sent_on_purpose_is_a_new_version(bundle: Any) -> None:
    store = Store(lost=0)
    with serving(store) as server:
        made = platform(server)
        assert made.upload(*bundle, 5) == 1
        store.lost = 1
        assert made.upload(*bundle, 5) == 2
        # What was there before is not taken for what was lost on the way.
        store.breaks = 1
        assert made.upload(*bundle, 5) == 3
    assert store.uploads == 4


def test_the_token_is_made_fresh_before_an_upload(bundle: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Store()) as server:
        made = platform(server)
        asked_before: list[bool] = []
        monkeypatch.setattr(made.authenticator, "freshen", lambda: asked_before.append("/upload" in str(server.paths)))
        made.upload(*bundle, 5)
    assert asked_before == [False]


def test_a_refused_upload_is_not_repeated(bundle: Any) -> None:
    def script(asked: Asked) -> Answer:
        return (
            answer({"msg": "Bad request: Not a valid ZIP file."}, 400)
            if "upload" in asked.path
            else answer({"models": []})
        )

    with serving(script) as server, pytest.raises(RefusedError, match="Not a valid ZIP file"):
        platform(server).upload(*bundle, 5)
    assert sum("upload" in each for each in server.paths) == 1


def test_the_workspace_stands_behind_the_visibility() -> None:
    made = upload_metadata({"image_path": "i", "name": "m", "visibility": "private", "conversion": {}}, 5)
    assert (
        json.dumps(made)
        == '{"image_path": "i", "name": "m", "visibility": "private", "workspace_id": 5, "conversion": {}}'
    )
    with pytest.raises(ConfigurationError):
        upload_metadata({"name": "m"}, 5)


def test_a_large_file_takes_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    with path.open("wb") as stream:
        stream.truncate(256 << 20)
    body = UploadBody({}, path)
    tracemalloc.start()
    try:
        sent = sum(map(len, body))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sent == body.length
    assert peak < 8 * BLOCK
