"""Models behind HTTP: who is answered, which questions, in which form; and how they are found by their owner."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from types import SimpleNamespace

import pyarrow as pa
import pytest

from hatch_wallaroo.preflight import asking, rules
from hatch_wallaroo.preflight.announcement import Announcement, announced, serving
from hatch_wallaroo.preflight.client import Answer
from hatch_wallaroo.preflight.endpoint import Asked, opened
from hatch_wallaroo.preflight.forms import ARROW, ROWS, as_arrow
from hatch_wallaroo.preflight.lineup import Lineup, UnknownNameError
from hatch_wallaroo.preflight.process import Limits
from hatch_wallaroo.preflight.running import ModelError
from hatch_wallaroo.releases.load import resolve
from hatch_wallaroo.schema.tables import read_schema


def schema(**fields):
    made, problems = read_schema(fields)
    assert not problems
    return made


@dataclasses.dataclass(eq=False)
class Model:
    """Stands for a model that is up: it answers in this process, and knows whether it was closed."""

    name: str
    work: Callable[[pa.RecordBatch], pa.RecordBatch]
    takes: object = None
    newer: bool = True
    closed: bool = False
    options: object = dataclasses.field(default_factory=lambda: SimpleNamespace(limits=Limits()))

    @property
    def subject(self):
        release = resolve("2026.1" if self.newer else "2023.2.1")
        return SimpleNamespace(name=self.name, input_schema=self.takes, release=release)

    def ask(self, batch):
        return Answer(self.work(batch), 0.01)

    def close(self):
        self.closed = True


def doubled(batch):
    return pa.RecordBatch.from_pydict({"y": [2 * each for each in batch.column("x").to_pylist()]})


def failing(batch):
    raise ModelError(rules.NOT_ANSWERED.finding("no nineteen", fix="do"), words="call failed.")


DOUBLE = {"takes": schema(x="float64")}


@contextlib.contextmanager
def served(*models, steps=(), heard=lambda _: None):
    with Lineup(models or [Model("double", doubled, **DOUBLE)], steps) as lineup, opened(lineup, heard=heard) as made:
        yield made


def asked(endpoint, body, path=None, method="POST", **headers):
    """Status, headers and body of what comes back; a header that is None is left out."""
    told = {"Authorization": f"Bearer {endpoint.token}", "Content-Type": ROWS, **headers}
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=20)
    name = endpoint.lineup.default or endpoint.lineup.names[0]
    sent = {name.replace("_", "-"): value for name, value in told.items() if value is not None}
    connection.request(method, path or f"/v1/api/pipelines/infer/{name}-1/{name}", body, sent)
    response = connection.getresponse()
    data = response.read()
    connection.close()
    return response, data


def test_rows_are_answered_as_the_platform_does():
    with served() as endpoint:
        path = "/v1/api/pipelines/infer/double-1/double?dataset%5B%5D=%2A&dataset.exclude%5B%5D=metadata"
        response, data = asked(endpoint, '[{"x": 1}, {"x": 2.5}]', path, Accept="*/*")
    assert (response.status, response.getheader("Content-Type")) == (200, ROWS)
    rows = json.loads(data)
    assert [list(row) for row in rows] == [["time", "in.x", "out.y", "anomaly.count"]] * 2
    assert [(row["in.x"], row["out.y"]) for row in rows] == [(1.0, 2.0), (2.5, 5.0)]


@pytest.mark.parametrize(("accept", "arrow"), [(ARROW, True), ("*/*", True), (None, True), ("application/json", False)])
def test_arrow_is_answered_with_arrow(accept, arrow):
    question = as_arrow(pa.table({"more": ["a", "b"], "x": [1, 2]}))
    with served() as endpoint:
        response, data = asked(endpoint, question, **{"Content-Type": ARROW, "Accept": accept})
    assert response.status == 200, data
    rows = pa.ipc.open_file(data).read_all().to_pylist() if arrow else json.loads(data)
    assert [(row["in.x"], row["out.y"]) for row in rows] == [(1.0, 2.0), (2.0, 4.0)]


def test_older_releases_answer_in_their_form():
    with served(Model("double", doubled, newer=False, **DOUBLE)) as endpoint:
        assert json.loads(asked(endpoint, '[{"x": 1}]')[1])[0]["check_failures"] == []
        assert list(json.loads(asked(endpoint, "[{}]")[1])[0]) == ["error_type", "error"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": None}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Basic {token}"}, 401),
        ({"Authorization": "Bearer {token}x"}, 401),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "pages.example"}, 403),
        ({"Host": "127.0.0.1.pages.example"}, 403),
        ({"Host": "localhost:1", "Authorization": "bearer {token}"}, 200),
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_only_who_has_the_token_is_answered(headers, status, method):
    heard: list[Asked] = []
    with served(heard=heard.append) as endpoint:
        told = {name: value and value.replace("{token}", endpoint.token) for name, value in headers.items()}
        body, path = ('[{"x": 1}]', None) if method == "POST" else (None, "/")
        response, data = asked(endpoint, body, path, method, **told)
    assert response.status == status
    if status != 200:
        assert not heard
        assert b"double" not in data
        assert endpoint.token.encode() not in data


@pytest.mark.parametrize(
    ("body", "headers", "status", "says"),
    [
        ("[{", {}, 400, "the question is broken in line 1"),
        ("", {}, 400, "the question is empty"),
        ("{}", {}, 400, "the question holds no rows"),
        ("[]", {}, 400, "the question holds no rows"),
        ("[1]", {}, 400, "the question holds no rows"),
        ("[" * 100_000, {}, 400, "nested too deeply"),
        (b"\xff", {}, 400, "is not UTF-8"),
        ('[{"z": 1}]', {}, 400, "row 1 has no field 'x'"),
        ('[{"x": "a"}]', {}, 400, "'x' does not fit double"),
        ("no arrow", {"Content-Type": ARROW}, 400, "the question is no Arrow file"),
        (as_arrow(pa.table({"z": [1]})), {"Content-Type": ARROW}, 400, "its input schema has 'x'"),
        (as_arrow(pa.table({"x": pa.array([], pa.float64())})), {"Content-Type": ARROW}, 400, "holds no rows"),
        ("x=1", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "the Content-Type is neither"),
        ('[{"x": 1}]', {"Content-Length": "-1"}, 400, ""),
        ('[{"x": 1}]', {"Content-Length": str(1 << 40)}, 413, "256 MiB at most"),
        ('[{"x": 1}]', {"Transfer-Encoding": "chunked"}, 411, "a question says its length"),
    ],
)
def test_bad_questions_are_refused(body, headers, status, says):
    with served() as endpoint:
        response, data = asked(endpoint, body, **headers)
        assert response.status == status
        made = json.loads(data)
        assert set(made) == {"code", "status", "error", "source"}
        assert made["code"] == status
        assert says in made["error"]
        assert asked(endpoint, '[{"x": 1}]')[0].status == 200


def test_a_model_that_fails_is_not_the_questions_fault():
    heard: list[Asked] = []
    with served(Model("fails", failing), heard=heard.append) as endpoint:
        response, data = asked(endpoint, '[{"x": 19}]')
    assert response.status == 500
    assert json.loads(data)["error"] == "fails: no nineteen (do)"
    assert [(each.name, each.rows, each.error) for each in heard] == [("fails", 1, "fails: no nineteen")]


@pytest.mark.parametrize(
    "path",
    ["/v1/api/pipelines/infer/double-2/double", "/v1/api/pipelines/infer/other-1/other", "/", "/double", "/%2e%2e/x"],
)
def test_other_addresses_are_not_there(path):
    with served() as endpoint:
        response, data = asked(endpoint, '[{"x": 1}]', path)
    assert response.status == 404
    assert "/v1/api/pipelines/infer/double-1/double" in json.loads(data)["error"]


def test_it_listens_on_the_loopback_interface_alone():
    with served() as endpoint:
        assert endpoint._server.server_address[0] == "127.0.0.1"
        with pytest.raises(OSError, match="in use"), opened(endpoint.lineup, endpoint.port):
            pass
    with pytest.raises(ConnectionRefusedError):
        asked(endpoint, '[{"x": 1}]')


def test_steps_and_each_model_by_itself():
    models = [Model("double", doubled, **DOUBLE), Model("again", lambda each: each, schema(y="int64"))]
    with served(*models, steps=["double", "again"]) as endpoint:
        assert endpoint.lineup.names == ("pipeline", "double", "again")
        server = asking.find(endpoint.url, endpoint.token)
        assert (server.default, server.names["pipeline"]) == ("pipeline", ["double", "again"])
        assert asking.ask(server, "pipeline", [{"x": 4}], "rows").column("out.y").type == pa.int64()
        assert asking.ask(server, "double", [{"x": 4}], "rows").column("out.y").type == pa.float64()
        with pytest.raises(asking.RefusedError, match=r"again: 'y' is double, not int64") as raised:
            asking.ask(server, "pipeline", [{"x": 0.25}], "rows")
        assert raised.value.status == 500
    assert all(each.closed for each in models)


def test_values_that_json_has_no_word_for_go_as_arrow():
    with served(Model("same", lambda each: each)) as endpoint:
        server = asking.find(endpoint.url, endpoint.token)
        answer = asking.ask(server, "same", [{"a": b"\x00\xff"}, {"a": None, "b": 1}], "rows")
    assert answer.column("in.a").to_pylist() == [b"\x00\xff", None]
    assert answer.column("out.b").to_pylist() == [None, 1]


def test_a_pipeline_does_not_take_a_models_name():
    lineup = Lineup([Model("pipeline", doubled), Model("b", doubled)], ["b", "pipeline"])
    assert lineup.names == ("pipeline-of-all", "pipeline", "b")
    assert lineup.members("pipeline-of-all") == ("b", "pipeline")
    assert Lineup([Model("a", doubled), Model("b", doubled)]).default is None
    with pytest.raises(UnknownNameError):
        lineup.members("c")


def test_an_exchanged_model_answers_what_it_was_asked():
    """The new one takes what comes from now on; the old one is closed when its last question is answered."""
    begun, release = threading.Event(), threading.Event()

    def slow(batch):
        begun.set()
        assert release.wait(20)
        assert not old.closed
        return doubled(batch)

    old = Model("double", slow, **DOUBLE)
    new = Model("double", lambda each: pa.RecordBatch.from_pydict({"y": [-1.0] * each.num_rows}), **DOUBLE)
    lineup = Lineup([old])
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(lineup.ask_rows("double", [{"x": 1}], "rows")))
    waiting.start()
    assert begun.wait(20)
    exchanging = threading.Thread(target=lineup.exchange, args=(new,))
    exchanging.start()
    while lineup.models["double"] is old:
        pass
    assert lineup.ask_rows("double", [{"x": 1}], "rows").answered.to_pylist() == [{"y": -1.0}]
    assert not old.closed
    release.set()
    waiting.join()
    exchanging.join()
    assert answers[0].answered.to_pylist() == [{"y": 2.0}]
    assert old.closed
    assert not new.closed


@pytest.mark.parametrize(
    "url",
    ["http://192.0.2.1:80", "https://127.0.0.1:80", "127.0.0.1:80", "http://127.0.0.1", "http://u:p@127.0.0.1:80", "x"],
)
def test_addresses_elsewhere_are_refused(url):
    """Nothing is sent there: neither the rows nor a token."""
    with pytest.raises(asking.AddressError):
        asking.find(url, "token")


def test_a_port_of_another_program_is_not_taken_for_ours():
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Other(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>hello</html>")

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        with pytest.raises(asking.NotReachedError, match="no hatch-wallaroo serve"):
            asking.find(f"http://127.0.0.1:{other.server_address[1]}", "token")
        other.shutdown()


MADE = Announcement("http://127.0.0.1:1", "secret", "/project", ("a", "b"), os.getpid())


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HATCH_WALLAROO_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_what_serves_is_found_as_long_as_it_does(cache):
    assert serving() == []
    with announced(MADE):
        (path,) = (cache / "serving").glob("*.json")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert serving() == [MADE]
        assert serving() == [MADE]
    assert serving() == []
    assert not list((cache / "serving").glob("*.json"))


def test_what_a_killed_one_left_is_removed(cache):
    code = (
        "import os, sys\n"
        "from hatch_wallaroo.preflight.announcement import Announcement, announced\n"
        "with announced(Announcement('http://127.0.0.1:1', 'secret', '/project', ('a',), 1)):\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert len(list((cache / "serving").glob("*.json"))) == 1
    assert serving() == []
    assert not list((cache / "serving").glob("*.json"))


def test_a_file_that_others_may_write_is_not_believed(cache):
    with announced(MADE):
        (path,) = (cache / "serving").glob("*.json")
        path.chmod(0o622)
        assert serving() == []
