"""Two real `hatch publish -p wallaroo` for the same file at once: one version too many at most, and it is said."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import uuid
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from support.between import Between
from support.packages import write_package
from support.sandboxes import Sandbox, running
from support.tiny_server import Answer, Asked, serving
from support.users import PUBLISH, User, finish

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["2023.2.1", "2026.1"])
def sandbox(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Their lists of versions are asked for in other ways."""
    with running(tmp_path_factory.mktemp("sandbox"), request.param) as sandbox:
        sandbox.workspace("my-ws")
        yield sandbox


class Pair:
    """Two publishers of one model, which nobody else publishes, and what became of it."""

    def __init__(self, user: User, sandbox: Sandbox) -> None:
        self.user, self.sandbox, self.name = user, sandbox, f"model-{uuid.uuid4().hex}"
        write_package(user.project / "dist", self.name, data=os.fsencode(user.root))

    def start(self, who: str, url: str = "") -> subprocess.Popen[str]:
        environment = {**self.sandbox.environment, "WALLAROO_URL": url or self.sandbox.url}
        return self.user.start(*PUBLISH, "-o", f"json={who}.json", **environment)

    def result(self, who: str) -> dict[str, Any]:
        (model,) = json.loads((self.user.project / f"{who}.json").read_text())["models"]
        return model

    @property
    def versions(self) -> list[int]:
        return sorted(each["id"] for each in self.sandbox.versions(self.name))

    def assert_nothing_is_sent_any_more(self) -> None:
        before = self.versions
        code, output = finish(self.start("again"))
        assert (code, self.result("again")["outcome"]) == (0, "present"), output
        assert "nothing is sent" in output
        assert self.versions == before


@pytest.fixture
def pair(user: User, sandbox: Sandbox) -> Iterator[Pair]:
    yield Pair(user, sandbox)
    sandbox.no_faults()


class Together(Between):
    """Lets no upload begin before both publishers want to send: each has asked, and neither has found anything."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self.barrier = threading.Barrier(2)
        self.sent: dict[str, int] = {}
        self.asked_by = ""

    def __call__(self, asked: Asked) -> Answer:
        who = asked.header("Authorization") or ""
        if not asked.path.endswith("/upload"):
            if "/models/list" in asked.path:
                self.asked_by = who
            return super().__call__(asked)
        with suppress(threading.BrokenBarrierError):
            self.barrier.wait(30)
        self.barrier.abort()  # what is sent once more waits for nobody
        told = super().__call__(asked)
        if not told.reset:
            self.sent[who] = json.loads(told.body)["insert_models"]["returning"][0]["models"][0]["id"]
        return told


def test_both_send_and_the_one_that_asks_last_names_the_other(pair: Pair) -> None:
    script = Together(pair.sandbox)
    with serving(script) as server:
        started = {who: pair.start(who, server.url) for who in ("one", "other")}
        done = {who: finish(each) for who, each in started.items()}
    assert [each.code for each in done.values()] == [0, 0], done
    assert pair.versions == sorted(script.sent.values())
    assert len(pair.versions) == 2
    last = next(who for who in done if pair.result(who)["model_version_id"] == script.sent[script.asked_by])
    (theirs,) = {*pair.versions} - {script.sent[script.asked_by]}
    assert f"somebody else sent the same file at the same time: version {theirs} holds it too" in done[last].output
    assert pair.result(last)["other_versions"] == [theirs]
    pair.assert_nothing_is_sent_any_more()


def test_one_whose_connection_breaks_takes_what_the_other_sent(pair: Pair) -> None:
    pair.sandbox.fault("reset=10")
    with serving(Together(pair.sandbox)) as server:
        started = [pair.start(who, server.url) for who in ("one", "other")]
        done = [finish(each) for each in started]
    assert [each.code for each in done] == [0, 0], done
    assert len(pair.versions) == 1
    assert {pair.result(who)["model_version_id"] for who in ("one", "other")} == {*pair.versions}
    pair.assert_nothing_is_sent_any_more()


@pytest.mark.parametrize("repetition", range(2))
def test_as_chance_has_it(repetition: int, pair: Pair) -> None:
    pair.sandbox.fault("slow=0.1")
    started = {who: pair.start(who) for who in ("one", "other")}
    done = {who: finish(each) for who, each in started.items()}
    pair.sandbox.no_faults()
    assert [each.code for each in done.values()] == [0, 0], done
    own = [pair.result(who)["model_version_id"] for who in done]
    assert {*own} == {*pair.versions}
    named = [other for who in done for other in pair.result(who)["other_versions"]]
    assert bool(named) is (len(pair.versions) == 2)
    pair.assert_nothing_is_sent_any_more()


class Converting(Between):
    """A conversion that ends when the second publisher has waited for it too."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self.waiting = threading.Event()
        self._asked: list[str] = []

    def __call__(self, asked: Asked) -> Answer:
        told = super().__call__(asked)
        if not asked.path.endswith("/get_version_by_id"):
            return told
        self._asked.append(asked.header("Authorization") or "")
        second = [each for each in self._asked if each != self._asked[0]]
        if len(second) < 2:
            made = json.loads(told.body)
            made["model_version"]["model_version"]["status"] = "attempting_load_native"
            told.body = json.dumps(made).encode()
        self.waiting.set()
        return told


def test_a_second_one_while_the_first_one_waits(pair: Pair) -> None:
    script = Converting(pair.sandbox)
    with serving(script) as server:
        first = pair.start("first", server.url)
        assert script.waiting.wait(60)
        second = pair.start("second", server.url)
        done = [finish(first), finish(second)]
    assert [each.code for each in done] == [0, 0], done
    assert [path for path in server.paths if path.endswith("/upload")] == ["/v1/api/models/upload"]
    (version,) = pair.versions
    assert f"version {version} (attempting_load_native) holds this very file already; nothing is sent" in done[1].output
    told = [[pair.result(who)[key] for key in ("outcome", "status", "sent")] for who in ("first", "second")]
    assert told == [["ready", "ready", True], ["present", "ready", False]]
