"""`hatch-wallaroo models` against sandboxes of an old and of the newest release."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from reference_pages.commands import DOCUMENTS, VERSION_KEYS
from support.command_line import Run, Said, environment, output, program, run
from support.sandboxes import Sandbox, metadata, running, schemas, zipped
from support.tiny_server import Asked, answer, jwt, serving

__all__ = ["run"]

IRIS = b"the newest iris"
RELEASES = ("2023.2.1", "2026.1")


@dataclass(frozen=True)
class Bench:
    """A sandbox with models in two workspaces, and a project that has built one of them."""

    box: Sandbox
    project: Path
    ids: dict[str, int]

    def __call__(self, *arguments: str, **more: str) -> Said:
        return output("models", *arguments, cwd=self.project, **{**self.settings, **more})

    @property
    def settings(self) -> dict[str, str]:
        return {
            "WALLAROO_URL": self.box.url,
            "WALLAROO_USER": self.box.user,
            "WALLAROO_PASSWORD": self.box.password,
            "XDG_CONFIG_HOME": str(self.project / "config"),
            "HATCH_CONFIG": str(self.project / "none.toml"),
        }


def uploaded(answered) -> int:
    return answered[2]["insert_models"]["returning"][0]["models"][0]["id"]


def stocked(box: Sandbox, project: Path) -> Bench:
    flowers, prod = box.workspace("flowers"), box.workspace("prod")
    byop = {**metadata(flowers, "custom", name="byop"), **schemas()}
    ids = {
        "iris-old": uploaded(box.upload(metadata(flowers, name="iris"), b"an older iris", "iris.onnx")),
        "iris": uploaded(box.upload(metadata(flowers, name="iris"), IRIS, "iris.onnx")),
        "byop": uploaded(box.upload(byop, zipped({"main.py": "x = ("}), "byop.zip", "upload_and_convert")),
        "iris-prod": uploaded(box.upload(metadata(prod, name="iris"), b"prod", "iris.onnx")),
    }
    (project / "dist").mkdir(parents=True)
    manifest = {
        "generator": {"name": "hatch-wallaroo"},
        "format": 1,
        "model": "iris",
        "file": {"name": "iris-1.0.0.onnx", "sha256": hashlib.sha256(IRIS).hexdigest()},
        "upload": {"name": "iris"},
    }
    (project / "dist" / "iris-1.0.0.wallaroo.json").write_text(json.dumps(manifest), encoding="utf-8")
    (project / "dist" / "broken.wallaroo.json").write_text("{", encoding="utf-8")
    return Bench(box, project, ids)


@pytest.fixture(scope="module", params=RELEASES)
def bench(request, tmp_path_factory) -> Iterator[Bench]:
    home = tmp_path_factory.mktemp("models")
    with running(home / "state", request.param) as box:
        yield stocked(box, home / "project")


def rows(said: Said) -> list[dict[str, str]]:
    assert (said.code, said.err) == (0, "")
    headers, *lines = [line.split("\t") for line in said.out.splitlines()]
    return [dict(zip(headers, line, strict=True)) for line in lines]


def facts(said: Said) -> dict[str, str]:
    return dict(line.split("\t") for line in said.out.partition("\n\n")[0].splitlines()[1:])


def is_new(bench: Bench) -> bool:
    return bench.box.api("models/list", workspace_id=1)["models"][0].keys() >= {"model_versions"}


# What is there


def test_the_list(bench: Bench) -> None:
    found = rows(bench("list"))
    assert [(each["workspace"], each["model"], each["version"], each["versions"]) for each in found] == [
        ("flowers", "byop", str(bench.ids["byop"]), "1"),
        ("flowers", "iris", str(bench.ids["iris"]), "2"),
        ("prod", "iris", str(bench.ids["iris-prod"]), "1"),
    ]
    assert [each["framework"] for each in found] == ["custom", "onnx", "onnx"]
    assert [each["status"] for each in found][1:] == ["ready", "ready"]
    assert [each["dist"] for each in found] == ["-", "iris-1.0.0.onnx", "-"]
    assert all(each["created"].startswith("20") == is_new(bench) for each in found)


def test_the_list_of_one_workspace(bench: Bench) -> None:
    by_name, by_id = rows(bench("list", "--workspace", "prod")), rows(bench("list", "-w", "2"))
    assert [each["model"] for each in by_name] == ["iris"]
    assert by_id == by_name
    assert len(rows(bench("list", WALLAROO_WORKSPACE="prod"))) == 1
    assert len(rows(bench("list", "--all", WALLAROO_WORKSPACE="prod"))) == 3


def test_the_versions(bench: Bench) -> None:
    found = rows(bench("versions", "iris"))
    assert [int(each["version"]) for each in found] == [
        bench.ids["iris-prod"], bench.ids["iris"], bench.ids["iris-old"]
    ]  # fmt: skip
    assert [each["workspace"] for each in found] == ["prod", "flowers", "flowers"]
    assert {each["file"] for each in found} == {"iris.onnx"}
    assert {(each["framework"], each["runtime"]) for each in found} == {("onnx", "onnx")}
    assert found[1]["sha256"] == hashlib.sha256(IRIS).hexdigest()[:16]
    assert [each["dist"] for each in found] == ["-", "iris-1.0.0.onnx", "-"]
    assert found[1]["size"] == ("15 B" if is_new(bench) else "-")
    assert len(rows(bench("versions", "iris", "--workspace", "flowers"))) == 2


def test_the_documents_for_programs(bench: Bench) -> None:
    listed = json.loads(bench("list", "--json", "-w", "flowers").out)
    assert set(listed) == {"format", "url", *DOCUMENTS["models list"]}
    assert (listed["format"], listed["url"]) == (1, bench.box.url)
    byop, iris = listed["models"]
    assert set(iris) == {"model", "model_id", "workspace", "versions", "newest"}
    assert (iris["model"], iris["versions"], iris["workspace"]["name"]) == ("iris", 2, "flowers")
    versions = json.loads(bench("versions", "--json", "iris", "-w", "flowers").out)
    assert set(versions) == {"format", "url", *DOCUMENTS["models versions"]}
    assert versions["versions"][0] == iris["newest"]
    status = json.loads(bench("status", "--json", str(bench.ids["iris"])).out)
    assert set(status) == {"format", "url", *VERSION_KEYS}
    assert {key: status[key] for key in VERSION_KEYS} == iris["newest"]
    assert (status["sha256"], status["dist"]) == (hashlib.sha256(IRIS).hexdigest(), "iris-1.0.0.onnx")
    assert byop["newest"]["dist"] is None
    logs = json.loads(bench("logs", "--json", "byop").out)
    assert set(logs) == {"format", "url", *DOCUMENTS["models logs"]}


def test_the_status_by_name_and_by_id(bench: Bench) -> None:
    said = bench("status", "iris", "-w", "flowers")
    told = facts(said)
    assert (said.code, told["version"], told["status"]) == (0, str(bench.ids["iris"]), "ready")
    assert told["workspace"] == "flowers (1)"
    assert told["sha256"] == hashlib.sha256(IRIS).hexdigest()
    assert told["dist"] == "iris-1.0.0.onnx"
    assert facts(bench("status", str(bench.ids["iris"]), "-w", "prod")) == told


def test_a_status_of_an_error_says_why(bench: Bench) -> None:
    said = bench("status", "byop")
    told = facts(said)
    if not is_new(bench):
        assert (said.code, told["status"]) in {(0, "ready"), (5, "error")}
        return
    assert (said.code, told["status"], said.err) == (5, "error", "")
    summary = said.out.partition("\n\n")[2]
    assert "requirements.txt not found" in summary
    log = bench("logs", "byop")
    assert log.code == 0
    assert "requirements.txt not found" in log.out.splitlines()[-1]
    assert bench("logs", "byop", "--lines", "1").out == log.out.splitlines(keepends=True)[-1]


def test_a_log_that_is_not_there_is_no_error(bench: Bench) -> None:
    said = bench("logs", "iris", "-w", "flowers")
    assert (said.code, said.out) == (0, "")
    assert "has no log of it" in said.err
    assert "2025.2" in said.err


# What is not there


@pytest.mark.parametrize(
    ("arguments", "message", "fix"),
    [
        (["versions", "irs"], "there is no model irs in this user's workspaces", "did you mean iris?"),
        (["versions", "byop", "-w", "prod"], "there is no model byop in the workspace prod", "models list --all"),
        (["list", "-w", "flwers"], "there is no workspace flwers; this user's are flowers (1), prod (2)", "flowers?"),
        (["list", "-w", "77"], "there is no workspace 77", "name another one: --workspace NAME"),
        (["status", "iris"], "models called iris stand in several workspaces: prod (2), flowers (1)", "--workspace"),
        (["status", "999"], "there is no model version 999", "models versions NAME"),
        (["logs", "999"], "there is no model version 999", "models versions NAME"),
        (["status", "iris", "--target", "prod"], "target", "targets.prod"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(arguments, message: str, fix: str, bench: Bench) -> None:
    said = bench(*arguments, *(["--json"] if is_new(bench) else []))
    assert (said.code, said.out) == (2, "")
    assert message in said.err
    assert fix in said.err.partition("fix: ")[2]


def test_logins_that_do_not_work_have_their_exit_code(bench: Bench) -> None:
    wrong = bench("list", WALLAROO_PASSWORD="wrong")
    assert (wrong.code, wrong.out) == (3, "")
    assert "Invalid user credentials" in wrong.err
    nobody = bench("list", WALLAROO_PASSWORD="")
    assert (nobody.code, nobody.out) == (3, "")
    assert "Nobody is signed in" in nobody.err
    assert "open http" not in nobody.err  # no browser where nobody looks on


def test_a_remembered_login_is_found(bench: Bench) -> None:
    login = output("login", "--password-stdin", cwd=bench.project, **{**bench.settings, "WALLAROO_PASSWORD": ""})
    assert login.code == 2  # nothing on standard input
    done = subprocess.run(
        program("login", "--password-stdin"), cwd=bench.project, env=environment(**{**bench.settings, "WALLAROO_PASSWORD": ""}),
        input=bench.box.password, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(rows(bench("list", WALLAROO_PASSWORD=""))) == 3
    assert output("logout", cwd=bench.project, **bench.settings).code == 0
    assert bench("list", WALLAROO_PASSWORD="").code == 3


def test_the_project_above_counts(bench: Bench) -> None:
    below = bench.project / "src" / "deep"
    below.mkdir(parents=True, exist_ok=True)
    pyproject = bench.project / "pyproject.toml"
    pyproject.write_text('[tool.hatch.publish.wallaroo]\nworkspace = "flowers"\n', encoding="utf-8")
    try:
        found = rows(output("models", "list", cwd=below, **bench.settings))
        assert [(each["model"], each["dist"]) for each in found] == [("byop", "-"), ("iris", "iris-1.0.0.onnx")]
        pyproject.write_text("[tool", encoding="utf-8")
        broken = bench("list")
        assert (broken.code, broken.out) == (2, "")
        assert "pyproject.toml cannot be read" in broken.err
    finally:
        pyproject.unlink()


def test_at_a_terminal_columns_are_aligned(bench: Bench) -> None:
    here, there = pty.openpty()
    made = {**environment(**bench.settings), "TERM": "xterm"}
    process = subprocess.Popen(
        program("models", "list"), cwd=bench.project, env=made, stdout=there, stderr=subprocess.PIPE
    )
    os.close(there)
    said = b""
    while True:
        try:
            said += os.read(here, 4096)
        except OSError:
            break
    os.close(here)
    process.stderr.close()
    assert process.wait(timeout=60) == 0
    head, *lines = said.decode().split("\r\n")
    assert head.startswith("\x1b[1mworkspace  model  version  status")
    assert "\t" not in said.decode()
    assert lines[0].split() == ["flowers", "byop", str(bench.ids["byop"]), *lines[0].split()[3:]]
    assert lines[0].index("byop") == lines[1].index("iris") == head.index("model") - len("\x1b[1m")


# Waiting


@pytest.fixture(scope="module")
def slow(tmp_path_factory) -> Iterator[Bench]:
    """A platform on which each status lasts a while, and whose conversions can get stuck."""
    home = tmp_path_factory.mktemp("slow")
    with running(home / "state", "2026.1", pace=0.6) as box:
        (home / "project").mkdir()
        yield Bench(box, home / "project", {})


def converted(slow: Bench, name: str) -> int:
    made = {**metadata(slow.box.workspace("w"), "sklearn", name=name), **schemas()}
    return uploaded(slow.box.upload(made, b"x", "m.pkl", "upload_and_convert"))


def test_waiting_until_it_is_ready(slow: Bench) -> None:
    number = converted(slow, "waited-for")
    said = slow("status", str(number), "--wait")
    assert (said.code, facts(said)["status"]) == (0, "ready")


def test_waiting_for_what_never_comes(slow: Bench) -> None:
    slow.box.fault("stuck")
    number = converted(slow, "stuck")
    now = slow("status", "stuck")
    assert now.code == 0
    assert facts(now)["status"].partition(" ")[0] not in {"ready", "error"}
    said = slow("status", "stuck", "--at-most", "0.2")
    assert (said.code, said.out) == (6, "")
    assert f"stuck: version {number} is still" in said.err
    assert f"hatch-wallaroo models status {number} --wait" in said.err


def test_ctrl_c_while_waiting(slow: Bench) -> None:
    slow.box.fault("stuck")
    number = converted(slow, "interrupted")
    process = subprocess.Popen(
        program("models", "status", str(number), "--wait"), cwd=slow.project, env=environment(**slow.settings),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    first = process.stderr.readline()
    assert f"version {number}" in first
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err.strip().splitlines()[-1] == "error: interrupted"


# A hostile platform


HOSTILE = "mo\x1b[2Jdel\u202e\tx\ny\ud800"
WIDE = "モデル"


def hostile(asked: Asked):
    if asked.path.endswith("/token"):
        return answer({"access_token": jwt(preferred_username="jane"), "expires_in": 300})
    if asked.path.endswith("/workspaces/list"):
        return answer({"workspaces": [{"id": 1, "name": WIDE}, {"id": "2", "name": HOSTILE}, {"id": None}, 7]})
    if asked.path.endswith("/models/list"):
        version = {
            "model_version": {
                "id": 3, "name": HOSTILE, "status": HOSTILE, "conversion": {"framework": HOSTILE, "arch": WIDE},
                "file_info": {"sha": HOSTILE, "file_name": HOSTILE, "size": -5}, "created_at": HOSTILE,
                "error_summary": HOSTILE * 9999,
            }
        }  # fmt: skip
        models = [{"model": {"id": 1, "name": HOSTILE}, "model_versions": [version, 9, {}]}, {"model": {"id": "x"}}]
        return answer({"models": [*models, {"model": {"id": 2, "name": WIDE}, "model_versions": []}]})
    if asked.path.endswith("/get_upload_logs"):
        return answer({"logs": [HOSTILE, {"line": HOSTILE}, None, 5]})
    if asked.path.endswith("/get_version_by_id"):
        return answer({"model_version": {"id": 3, "name": HOSTILE, "status": "error", "error_summary": "a\x1b[2Jb\nc"}})
    return answer({}, 404)


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_what_a_platform_says_steers_no_terminal(encoding: str, tmp_path: Path) -> None:
    commands = (["list"], ["versions", "3"], ["status", "3"], ["logs", "3"])
    with serving(hostile) as server:
        made = {
            "WALLAROO_URL": server.url,
            "WALLAROO_USER": "jane",
            "WALLAROO_PASSWORD": "x",
            "PYTHONIOENCODING": encoding,
        }
        said = {each[0]: output("models", *each, cwd=tmp_path, **made) for each in commands}
        documents = [
            output("models", *each, "--json", cwd=tmp_path, **made) for each in commands if each[0] != "versions"
        ]
    for each in (*said.values(), *documents):
        assert not set(each.out + each.err).intersection("\x1b\u202e\r")
        assert "Traceback" not in each.err
    listed = said["list"].out.splitlines()
    assert {len(line.split("\t")) for line in listed} == {9}
    assert (len(listed), said["list"].code) == (5, 0)
    assert said["versions"].code == 2
    assert said["status"].code == 5
    assert said["status"].out.endswith("a [2Jb\nc\n")
    for document in documents:
        assert json.loads(document.out)["format"] == 1
    assert (WIDE in said["list"].out) == (encoding == "utf-8")


def test_only_the_last_lines_of_a_log(tmp_path: Path) -> None:
    with serving(hostile) as server:
        made = {"WALLAROO_URL": server.url, "WALLAROO_USER": "jane", "WALLAROO_PASSWORD": "x"}
        whole, last = (output("models", "logs", "3", *each, cwd=tmp_path, **made) for each in ([], ["-n", "2"]))
    lines = whole.out.splitlines()
    assert len(lines) == 4
    assert last.out.splitlines() == lines[-2:]


@pytest.mark.slow
@pytest.mark.parametrize("made", [[], {}, "x", {"models": 5}, {"workspaces": {"id": 1}}, None])
def test_answers_of_another_form(made, tmp_path: Path) -> None:
    def other(asked: Asked):
        if asked.path.endswith("/token"):
            return hostile(asked)
        return answer(made)

    with serving(other) as server:
        settings = {"WALLAROO_URL": server.url, "WALLAROO_USER": "jane", "WALLAROO_PASSWORD": "x"}
        for arguments in (["list"], ["versions", "a"], ["status", "1"], ["logs", "1"]):
            said = output("models", *arguments, cwd=tmp_path, **settings)
            assert "Traceback" not in said.err
            assert said.code in {0, 2, 4, 7}


def test_nothing_is_asked_where_the_options_are_wrong(run: Run) -> None:
    said = run("models", "list", "--url", "http://w.example")
    assert (said.code, said.out) == (2, "")
    assert "is not encrypted" in said.err
