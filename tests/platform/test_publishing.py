"""What a publication asks, sends, waits for and says; the platform is a stub (see support/stub_platform.py)."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from hatch_wallaroo.platform import publishing
from hatch_wallaroo.platform.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    RefusedError,
)
from hatch_wallaroo.platform.model_versions import ModelVersion, Workspace
from hatch_wallaroo.platform.publish_settings import Settings
from hatch_wallaroo.platform.results import PublishResult, exit_code
from support.packages import write_package
from support.stub_platform import Clock, Recorder, StubPlatform

SHA = hashlib.sha256(b"model bytes").hexdigest()


class Publication:
    """Publishes manifests to a stub, and keeps what was said and how long it took."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = Clock()
        self.screen = Recorder(self.clock)
        self.monkeypatch = monkeypatch

    def __call__(self, platform: StubPlatform, *manifests: Path, **settings: Any) -> list[PublishResult]:
        self.monkeypatch.setattr(publishing, "connect", lambda *_, **__: platform)
        given = Settings("https://platform.example", **{"workspace": "my-ws", **settings})
        return publishing.publish(manifests, given, screen=self.screen, sleep=self.clock.sleep, clock=self.clock)

    @property
    def text(self) -> str:
        return self.screen.text


@pytest.fixture
def publish(monkeypatch: pytest.MonkeyPatch) -> Publication:
    return Publication(monkeypatch)


def held(number: int, status: str = "ready", *, sha: str = SHA, name: str = "clusters", **more: Any) -> ModelVersion:
    return ModelVersion(number, name, f"uuid-{number}", status, sha, **more)


def test_a_new_model_is_sent_and_waited_for(publish: Publication, tmp_path: Path) -> None:
    platform = StubPlatform(statuses=("uploading", "pending_load_native", "attempting_load_native"))
    (result,) = publish(platform, write_package(tmp_path))
    assert (result.outcome, result.version_id, result.status, result.sent) == ("ready", 208, "ready", True)
    assert platform.uploads == [("clusters", 5, None)]
    assert "attempting_load_native, is loaded into the native runtime" in publish.text
    assert f"clusters 1.0: ready, version 208 in workspace my-ws  11 B  sha256:{SHA[:16]}" in publish.text


def test_the_route_may_be_another(publish: Publication, tmp_path: Path) -> None:
    platform = StubPlatform()
    publish(platform, write_package(tmp_path), route="upload_and_convert")
    assert platform.uploads == [("clusters", 5, "upload_and_convert")]


class TestNeverTwice:
    def test_what_is_there_is_not_sent(self, publish: Publication, tmp_path: Path) -> None:
        platform = StubPlatform(held(11), held(12, sha="0" * 64))
        (result,) = publish(platform, write_package(tmp_path))
        assert (result.outcome, result.version_id, platform.uploads) == ("present", 11, [])
        assert "version 11 (ready) holds this very file already; nothing is sent" in publish.text
        assert exit_code([result]) == 0

    def test_a_version_that_is_still_at_work_is_waited_for(self, publish: Publication, tmp_path: Path) -> None:
        platform = StubPlatform(held(11, "pending_load_container"), statuses=("attempting_load_container",))
        platform.uploaded_now = (platform.held[0],)
        (result,) = publish(platform, write_package(tmp_path))
        assert (result.outcome, result.status, platform.uploads) == ("present", "ready", [])

    def test_what_has_failed_before_is_not_sent_again_unasked(self, publish: Publication, tmp_path: Path) -> None:
        failed = held(11, "error", error_summary="No InferenceBuilder-inherited class found")
        (result,) = publish(StubPlatform(failed), write_package(tmp_path))
        assert result.exit_code == 5
        assert "nothing was sent" in publish.text
        assert "-o again" in publish.text
        (again,) = publish(StubPlatform(failed), write_package(tmp_path), again=True)
        assert again.outcome == "ready"

    def test_what_is_stuck_is_sent_again_only_when_asked(self, publish: Publication, tmp_path: Path) -> None:
        stuck = held(11, "pending_load_container")
        (kept,) = publish(StubPlatform(stuck), write_package(tmp_path), wait=1)
        assert (kept.version_id, kept.sent, kept.exit_code) == (11, False, 6)
        platform = StubPlatform(stuck)
        (again,) = publish(platform, write_package(tmp_path), again=True, route="upload")
        assert (again.outcome, platform.uploads) == ("ready", [("clusters", 5, "upload")])
        assert "version 11 (pending_load_container) holds the same file; it is sent once more" in publish.text
        (ready,) = publish(StubPlatform(stuck, held(12)), write_package(tmp_path), again=True)
        assert (ready.outcome, ready.version_id) == ("present", 12)

    def test_a_question_that_fails_afterwards_does_not_spoil_it(self, publish: Publication, tmp_path: Path) -> None:
        for error in (ConnectionFailedError("gone"), RefusedError("no"), AuthenticationError("no")):
            platform = StubPlatform()

            def refuse(*_: Any, error: Exception = error) -> Any:
                raise error

            platform.on_upload = lambda platform=platform, refuse=refuse: setattr(platform, "all_versions", refuse)
            (result,) = publish(platform, write_package(tmp_path))
            assert (result.outcome, result.other_versions) == ("ready", ())

    def test_a_ready_version_is_preferred_to_a_newer_failed_one(self, publish: Publication, tmp_path: Path) -> None:
        (result,) = publish(StubPlatform(held(11), held(12, "error")), write_package(tmp_path))
        assert (result.outcome, result.version_id) == ("present", 11)

    @pytest.mark.parametrize(
        ("theirs", "told"),
        [
            ({"conversion": {"framework": "onnx", "arch": "arm"}}, "arch arm instead of x86"),
            ({"conversion": {"framework": "tensorflow"}}, "framework tensorflow instead of onnx"),
            ({"conversion": {"framework": "onnx", "arch": None}}, ""),
            ({"conversion": {"framework": "onnx", "arch": "x86", "requirements": ["x"]}}, ""),
            ({"conversion": "?"}, ""),
            ({}, ""),
        ],
    )
    def test_the_same_file_with_other_settings_is_another_model(
        self, theirs: dict[str, Any], told: str, publish: Publication, tmp_path: Path
    ) -> None:
        path = write_package(tmp_path)
        manifest = json.loads(path.read_text())
        manifest["upload"]["conversion"]["arch"] = "x86"
        path.write_text(json.dumps(manifest))
        platform = StubPlatform(held(11, raw=theirs))
        publish(platform, path)
        assert bool(platform.uploads) is bool(told)
        assert told in publish.text

    def test_another_schema_is_another_model(self, publish: Publication, tmp_path: Path) -> None:
        from hatch_wallaroo.schema.arrow import encode
        from hatch_wallaroo.schema.types import Field, Scalar, Schema

        one, other = (encode(Schema((Field(name, Scalar("int64")),))) for name in ("a", "b"))
        path = write_package(tmp_path)
        manifest = json.loads(path.read_text())
        manifest["upload"]["input_schema"] = one
        path.write_text(json.dumps(manifest))
        unreadable = base64.b64encode(b"something").decode()
        for schema, sent in ((one, 0), (unreadable, 0), (other, 1)):
            platform = StubPlatform(held(11, raw={"config": {"input_schema": schema}}))
            publish(platform, path)
            assert len(platform.uploads) == sent, schema

    def test_two_publishers_at_once_are_told(self, publish: Publication, tmp_path: Path) -> None:
        platform = StubPlatform(held(11, sha="0" * 64))
        platform.on_upload = lambda: platform.held.append(held(300))
        (result,) = publish(platform, write_package(tmp_path))
        assert (result.outcome, result.other_versions) == ("ready", (300,))
        assert "somebody else sent the same file at the same time: version 300 holds it too" in publish.text

    def test_an_image_is_recognised_by_its_digest_only(self, publish: Publication, tmp_path: Path) -> None:
        path = write_package(tmp_path, framework="mlflow")
        manifest = json.loads(path.read_text())
        del manifest["file"]
        for reference, sent in (("r.example/m@sha256:abc", 0), ("r.example/m:1", 1)):
            manifest["upload"]["image_path"] = reference
            path.write_text(json.dumps(manifest))
            platform = StubPlatform(held(11, sha="", image_path=reference))
            publish(platform, path)
            assert len(platform.uploads) == sent, reference


class TestBeforeTheFirstByte:
    @pytest.mark.parametrize(
        ("settings", "told", "code"),
        [
            ({"workspace": "my-wz"}, "did you mean my-ws?", 2),
            ({"workspace": 7}, "there is no workspace 7; this user's are my-ws (5), other (6)", 2),
            ({"workspace": None}, "no workspace is named; this user's are my-ws (5), other (6)", 2),
        ],
    )
    def test_the_workspace_must_be_there(
        self, settings: dict[str, Any], told: str, code: int, publish: Publication, tmp_path: Path
    ) -> None:
        platform = StubPlatform()
        results = publish(platform, write_package(tmp_path), **settings)
        assert (exit_code(results), platform.uploads) == (code, [])
        assert told in publish.text

    def test_a_workspace_is_created_only_when_that_is_asked_for(self, publish: Publication, tmp_path: Path) -> None:
        platform = StubPlatform()
        publish(platform, write_package(tmp_path), workspace="new")
        assert len(platform.spaces) == 2
        (result,) = publish(platform, write_package(tmp_path), workspace="new", create_workspace=True)
        assert (result.workspace, result.workspace_id, result.outcome) == ("new", 9, "ready")

    def test_a_workspace_by_id_and_one_that_shares_its_name(self, publish: Publication, tmp_path: Path) -> None:
        platform = StubPlatform()
        platform.spaces.append(Workspace(7, "my-ws"))
        (named,) = publish(platform, write_package(tmp_path))
        assert (named.exit_code, platform.uploads) == (2, [])
        assert "several workspaces are called my-ws: 5, 7" in publish.text
        publish(platform, write_package(tmp_path), workspace=7)
        assert platform.uploads == [("clusters", 7, None)]

    def test_a_file_that_is_not_the_manifests(self, publish: Publication, tmp_path: Path) -> None:
        path = write_package(tmp_path)
        path.with_name("clusters-1.0.onnx").write_bytes(b"MODEL bytes")
        platform = StubPlatform()
        (result,) = publish(platform, path)
        assert (result.exit_code, platform.uploads) == (2, [])
        assert "is not the file that its manifest describes" in publish.text

    def test_a_new_user_is_told_how_to_begin(self, publish: Publication, tmp_path: Path) -> None:
        platform = StubPlatform()
        platform.spaces = []
        publish(platform, write_package(tmp_path), workspace=None)
        assert "this user has none" in publish.text
        assert "-o workspace=NAME -o create-workspace" in publish.text

    def test_the_last_models_mistake_is_told_before_the_first_is_sent(
        self, publish: Publication, tmp_path: Path
    ) -> None:
        first = write_package(tmp_path, "first")
        changed = write_package(tmp_path, "changed", position=1)
        changed.with_name("changed-1.0.onnx").write_bytes(b"MODEL bytes")
        failed = write_package(tmp_path, "failed", position=2)
        misfit = write_package(tmp_path, "misfit", position=3, framework="vllm", release={"asked": "2023.4"})
        platform = StubPlatform(
            held(11, "error", name="failed", error_summary="broken before"),
            held(12, sha="0" * 64, name="misfit", raw={"created_on_version": "2023.4.2"}),
        )
        results = publish(platform, first, changed, failed, misfit)
        assert [each.exit_code for each in results] == [0, 2, 5, 4]
        assert [name for name, *_ in platform.uploads] == ["first"]
        sent = publish.text.index("first: sent")
        for told in (
            "is not the file that its manifest describes",
            "broken before",
            "does not know the framework vllm",
        ):
            assert publish.text.index(told) < sent, told
            assert publish.text.count(told) == 1

    def test_a_bundle_that_changes_while_others_are_sent(self, publish: Publication, tmp_path: Path) -> None:
        first, second = write_package(tmp_path, "first"), write_package(tmp_path, "second", position=1)
        platform = StubPlatform()
        platform.on_upload = lambda: second.with_name("second-1.0.onnx").write_bytes(b"built again")
        results = publish(platform, first, second)
        assert [each.exit_code for each in results] == [0, 2]
        assert [name for name, *_ in platform.uploads] == ["first"]
        assert "second: the bundle is not the one any more" in publish.text

    def test_two_builds_of_one_model_are_told_once(self, publish: Publication, tmp_path: Path) -> None:
        results = publish(StubPlatform(), write_package(tmp_path), write_package(tmp_path, version="1.1"))
        assert [each.exit_code for each in results] == [2, 2]
        assert publish.text.count("is there more than once") == 1

    def test_a_login_that_fails_is_said_once_for_all(self, publish: Publication, tmp_path: Path) -> None:
        platform = StubPlatform()
        platform.refusing["config"] = AuthenticationError("wrong password", "try hatch-wallaroo login")
        results = publish(platform, write_package(tmp_path), write_package(tmp_path, "other"))
        assert [each.exit_code for each in results] == [3, 3]
        assert publish.text.count("wrong password") == 1

    @pytest.mark.parametrize(
        ("made_under", "asked", "framework", "refused"),
        [
            ("2023.2.1", "2025.1", "vllm", False),  # the platform may be newer than its newest version
            ("2026.1.3", "2023.2.1", "python", True),  # wallaroo_json steps do not run there any more
            ("2026.1.3", "2026.1", "vllm", False),
            ("2023.4.2", "2023.4", "vllm", True),
            ("nonsense", "2023.2.1", "python", False),
        ],
    )
    def test_what_a_platform_is_known_not_to_take(
        self, made_under: str, asked: str, framework: str, refused: bool, publish: Publication, tmp_path: Path
    ) -> None:
        release = {"asked": asked, "rules": asked}
        path = write_package(tmp_path, framework=framework, release=release)
        platform = StubPlatform(held(11, sha="0" * 64, raw={"created_on_version": made_under}))
        (result,) = publish(platform, path)
        assert bool(platform.uploads) is not refused
        assert result.exit_code == (4 if refused else 0)

    def test_an_architecture_that_needs_other_nodes_is_told(self, publish: Publication, tmp_path: Path) -> None:
        path = write_package(tmp_path)
        manifest = json.loads(path.read_text())
        manifest["upload"]["conversion"]["arch"] = "arm"
        path.write_text(json.dumps(manifest))
        platform = StubPlatform()
        platform.answers = {"default_arch": "x86"}
        (result,) = publish(platform, path)
        assert result.outcome == "ready"
        assert "the model is for arm, and the platform's own architecture is x86" in publish.text


class TestWaiting:
    def test_a_timeout_says_how_to_look_again(self, publish: Publication, tmp_path: Path) -> None:
        (result,) = publish(StubPlatform(final="pending_load_container"), write_package(tmp_path), wait=60)
        assert (result.exit_code, result.version_id, result.status) == (6, 208, "")
        assert "version 208 is still pending_load_container after 1 min 0 s" in publish.text
        assert "hatch publish -p wallaroo" in publish.text
        assert publish.clock.now == pytest.approx(60)

    def test_none_is_needed(self, publish: Publication, tmp_path: Path) -> None:
        (result,) = publish(StubPlatform(final="uploading"), write_package(tmp_path), wait=0)
        assert (result.outcome, result.exit_code, publish.clock.now) == ("uploaded", 0, 0.0)
        assert "not waiting for version 208" in publish.text

    def test_a_broken_connection_does_not_end_it(self, publish: Publication, tmp_path: Path) -> None:
        broken = ConnectionFailedError("connection refused")
        (result,) = publish(StubPlatform(statuses=(broken, broken, "uploading")), write_package(tmp_path))
        assert result.outcome == "ready"
        assert "does not answer; asking again" in publish.text

    def test_a_server_that_stumbles_does_not_end_it(self, publish: Publication, tmp_path: Path) -> None:
        stumbles = RefusedError("is refused (500)", status=500)
        (result,) = publish(StubPlatform(statuses=(stumbles, "uploading", stumbles)), write_package(tmp_path))
        assert result.outcome == "ready"
        (result,) = publish(StubPlatform(statuses=(stumbles,) * 1000), write_package(tmp_path), wait=60)
        assert result.exit_code == 7
        assert "uploaded as version 208, but: is refused (500)" in publish.text
        forbidden = RefusedError("is refused (403)", status=403)
        (result,) = publish(StubPlatform(statuses=(forbidden,)), write_package(tmp_path), wait=60)
        assert result.exit_code == 4

    def test_a_platform_that_never_comes_back(self, publish: Publication, tmp_path: Path) -> None:
        broken = ConnectionFailedError("connection refused")
        (result,) = publish(StubPlatform(statuses=(broken,) * 1000), write_package(tmp_path), wait=60)
        assert result.exit_code == 7
        assert "uploaded as version 208, but: connection refused" in publish.text

    def test_a_status_that_does_not_change_speaks_every_half_minute(self, publish: Publication, tmp_path: Path) -> None:
        publish(StubPlatform(statuses=("pending_load_container",) * 30), write_package(tmp_path))
        assert 2 <= publish.text.count("waits for its turn to be converted") <= 7

    def test_an_error_comes_with_summary_log_and_where_to_mend_it(self, publish: Publication, tmp_path: Path) -> None:
        platform = StubPlatform(final="error")
        platform.summary = "Could not pip install user provided requirements.txt"
        platform.logs = [f"line {number}" for number in range(50)] + ["No matching distribution found for torch==9.9"]
        (result,) = publish(platform, write_package(tmp_path, framework="sklearn"))
        assert result.exit_code == 5
        assert platform.summary in publish.text
        assert "line 49" in publish.text
        assert "line 30" not in publish.text
        assert "pyproject.toml tool.wallaroo.models.clusters.requirements: there is no torch==9.9" in publish.text

    def test_what_arrived_damaged_is_told(self, publish: Publication, tmp_path: Path) -> None:
        platform = StubPlatform()
        upload = platform.upload

        def damaged(manifest: Any, *rest: Any) -> int:
            return upload({**manifest, "file": {"sha256": "f" * 64}}, *rest)

        platform.upload = damaged  # type: ignore[method-assign]
        (result,) = publish(platform, write_package(tmp_path))
        assert result.exit_code == 4
        assert "holds another file than was sent" in publish.text


class TestSeveral:
    def test_they_go_in_the_tables_order_and_one_failure_hides_nothing(
        self, publish: Publication, tmp_path: Path
    ) -> None:
        paths = [write_package(tmp_path, name, position=place) for place, name in enumerate(["zebra", "bad", "ant"])]
        platform = StubPlatform()
        platform.refusing["bad"] = RefusedError("no right to upload")
        results = publish(platform, *sorted(paths))
        assert [each[0] for each in platform.uploads] == ["zebra", "ant"]
        assert [(each.model, each.outcome) for each in results] == [
            ("zebra", "ready"),
            ("bad", "failed"),
            ("ant", "ready"),
        ]
        assert exit_code(results) == 4
        assert "2 of 3 models published" in publish.text

    def test_all_are_sent_before_any_is_waited_for(self, publish: Publication, tmp_path: Path) -> None:
        publish(StubPlatform(), write_package(tmp_path, "a1"), write_package(tmp_path, "b1", position=1))
        assert publish.text.index("b1: sent") < publish.text.index("a1 1.0: ready")

    def test_each_is_told_as_soon_as_it_is_ready(self, publish: Publication, tmp_path: Path) -> None:
        platform = StubPlatform(statuses=("ready", "pending_load_native"))
        publish(platform, write_package(tmp_path, "a1"), write_package(tmp_path, "b1", position=1))
        assert publish.text.index("a1 1.0: ready") < publish.text.index("b1: version 209: pending_load_native")

    def test_a_manifest_that_cannot_be_read_hides_nothing(self, publish: Publication, tmp_path: Path) -> None:
        broken = tmp_path / "x-1.wallaroo.json"
        broken.write_text("{")
        results = publish(StubPlatform(), broken, write_package(tmp_path))
        assert sorted((each.outcome, each.exit_code) for each in results) == [("failed", 2), ("ready", 0)]


class TestResults:
    def test_json_is_for_programs(self, publish: Publication, tmp_path: Path) -> None:
        target = tmp_path / "out.json"
        platform = StubPlatform()
        platform.refusing["bad"] = RefusedError("no\x1b[31m right")
        publish(platform, write_package(tmp_path), write_package(tmp_path, "bad", position=1), json=target)
        made = json.loads(target.read_text())
        assert made["exit_code"] == 4
        good, bad = made["models"]
        assert (good["model_version_id"], good["sha256"], good["workspace"]) == (208, SHA, {"id": 5, "name": "my-ws"})
        assert (bad["error"]["kind"], bad["error"]["exit_code"]) == ("refused", 4)
        assert "\x1b" not in bad["error"]["message"]
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []

    def test_json_is_written_after_an_interruption(self, publish: Publication, tmp_path: Path) -> None:
        platform = StubPlatform()

        def interrupt() -> None:
            raise KeyboardInterrupt

        platform.on_upload = interrupt
        with pytest.raises(KeyboardInterrupt):
            publish(platform, write_package(tmp_path), json=tmp_path / "out.json")
        made = json.loads((tmp_path / "out.json").read_text())
        assert (made["interrupted"], made["exit_code"]) == (True, 130)

    def test_json_that_cannot_be_written_is_told_first(self, publish: Publication, tmp_path: Path) -> None:
        platform = StubPlatform()
        with pytest.raises(ConfigurationError, match="the folder cannot be written to"):
            publish(platform, write_package(tmp_path), json=tmp_path / "nowhere" / "out.json")
        assert platform.uploads == []

    def test_json_takes_no_place_but_a_files(self, publish: Publication, tmp_path: Path) -> None:
        (tmp_path / "kept").write_text("kept")
        (tmp_path / "link").symlink_to("kept")
        os.mkfifo(tmp_path / "fifo")
        for name in ("link", "fifo", "."):
            platform = StubPlatform()
            with pytest.raises(ConfigurationError, match="that is a"):
                publish(platform, write_package(tmp_path), json=tmp_path / name)
            assert platform.uploads == []
        assert (tmp_path / "kept").read_text() == "kept"
        with pytest.raises(ConfigurationError, match="cannot be written to"):
            publish(StubPlatform(), write_package(tmp_path), json=tmp_path / "kept" / "out.json")


class TestDryRun:
    def test_it_tells_the_plan_and_does_nothing(self, publish: Publication, tmp_path: Path) -> None:
        platform = StubPlatform(held(11, sha="0" * 64, size=5, framework="sklearn"))
        (result,) = publish(platform, write_package(tmp_path), dry_run=True, workspace="new", create_workspace=True)
        assert (result.outcome, platform.uploads, len(platform.spaces)) == ("planned", [], 2)
        assert "new, which would be created" in publish.screen.results.getvalue()
        (result,) = publish(platform, write_package(tmp_path), dry_run=True)
        plan = publish.screen.results.getvalue()
        for part in (
            "POST https://platform.example/v1/api/models/upload",
            '{"name": "clusters", "visibility": "private", "workspace_id": 5, "conversion":',
            f"sha256: {'0' * 64} -> {SHA}",
            "framework: sklearn -> onnx",
            "size: 5 -> 11 bytes (+6)",
            "models/clusters.onnx",
            "Content-Length: ",
            "estimated time: ",
        ):
            assert part in plan

    def test_what_is_there_already(self, publish: Publication, tmp_path: Path) -> None:
        publish(StubPlatform(held(11)), write_package(tmp_path), dry_run=True)
        assert "version 11 (ready) holds this very file; nothing would be sent" in publish.screen.results.getvalue()

    @pytest.mark.parametrize("again", [False, True])
    def test_what_has_failed_before(self, again: bool, publish: Publication, tmp_path: Path) -> None:
        platform = StubPlatform(held(11, "error", error_summary="broken before"))
        (result,) = publish(platform, write_package(tmp_path), dry_run=True, again=again)
        plan = publish.screen.results.getvalue()
        assert (result.exit_code, platform.uploads) == (0 if again else 5, [])
        assert ("version 11 (error) holds this very file; nothing would be sent without -o again" in plan) is not again
        assert ("estimated time" in plan) is again
        (real,) = publish(platform, write_package(tmp_path), again=again)
        assert real.exit_code == result.exit_code

    def test_the_plan_is_shown_where_nobody_can_be_asked(self, publish: Publication, tmp_path: Path) -> None:
        platform = StubPlatform()
        platform.refusing["config"] = ConnectionFailedError("not reached")
        (result,) = publish(platform, write_package(tmp_path), dry_run=True)
        assert result.exit_code == 7
        assert "on the platform: not asked" in publish.screen.results.getvalue()


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (None, "has no verdict of a preflight"),
        ({"verdict": "failed", "file": {"sha256": SHA}}, "failed its preflight"),
        ({"verdict": "passed", "file": {"sha256": "0" * 64}}, "was built anew after its preflight"),
        ({"verdict": "passed", "file": {"sha256": SHA}}, None),
    ],
)
def test_a_passed_preflight_may_be_asked_for(publish, tmp_path, record, message) -> None:
    path = write_package(tmp_path)
    if record is not None:
        (tmp_path / path.name.replace(".wallaroo.json", ".preflight.json")).write_text(json.dumps(record))
    platform = StubPlatform()
    (result,) = publish(platform, path, preflight=True)
    assert (result.error is None) is (message is None), result.error
    if message is not None:
        assert message in str(result.error)
        assert platform.uploads == []
