"""What is made of the words of engines, registries and servers. The streams here are fakes, shaped as real ones are."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hatch_wallaroo.image import building, engine, registry
from hatch_wallaroo.image.building import Order, is_current
from hatch_wallaroo.image.engine import Engine, Image, ImageError, NoEngineError, RegistryError
from hatch_wallaroo.image.trial import misfits
from hatch_wallaroo.schema.types import Field, ListOf, Scalar, Schema, Struct

BASE = "python:3.8-slim"
PIP = "RUN PIP_ROOT_USER_ACTION=ignore pip install -r /opt/ml/requirements.txt"


@pytest.mark.parametrize(
    ("step", "words", "log", "message", "fix"),
    [
        ("", "pull access denied for nope, repository does not exist or may require 'docker login'", (),
         f"the base image {BASE} is not there", f"docker pull {BASE}"),
        ("FROM x", 'Get "https://registry.example/v2/": dial tcp: lookup registry.example: no such host', (),
         "is not there", "image.base"),
        ("FROM x", "manifest for x:1 not found: manifest unknown: manifest unknown", (), "is not there", "image.base"),
        ("FROM x", "no matching manifest for linux/arm64/v8 in the manifest list entries", (),
         "is not there for linux/arm64", "docker pull --platform linux/arm64"),
        (PIP, "non-zero code: 1", ("ERROR: No matching distribution found for nope",),
         "could not be built in the step `RUN", "mend them in pyproject.toml"),
        (PIP, "non-zero code: 1", ("Failed to establish a new connection: [Errno -3] Temporary failure in name resolution",),
         "could not be built", "check the network of the engine"),
        ("RUN apt-get update", "non-zero code: 100", ("Temporary failure resolving 'deb.debian.org'",),
         "could not be built", "check the network of the engine"),
        ("RUN apt-get update", "non-zero code: 100", ("E: Unable to locate package nope",), "could not be built",
         "image.packages"),
        (PIP, "returned a non-zero code: 137", (), "could not be built", "want of memory"),
        (PIP, "non-zero code: 1", ("OSError: [Errno 28] No space left on device",), "the engine's disk is full", "prune"),
        ("COPY model /opt/ml/model", "write /data: no space left on device", (), "the engine's disk is full", "prune"),
        (PIP, "exec /bin/sh: exec format error", (), "cannot run programs for linux/arm64", "image.builder"),
        (PIP, "('Connection aborted.', RemoteDisconnected('Remote end closed connection'))", (), "could not be built",
         "see whether the engine still runs"),
        ("COPY model /opt/ml/model", "something new", (), "could not be built", "the last lines say"),
    ],
)  # fmt: skip
def test_why_a_build_failed(step: str, words: str, log: tuple[str, ...], message: str, fix: str) -> None:
    made = building.failure(words, step, log, base=BASE, platform="linux/arm64")
    assert message in made.message
    assert fix in made.fix


HOST = "127.0.0.1:507"


@pytest.mark.parametrize(
    ("words", "message", "fix", "login"),
    [
        ("unauthorized: authentication required", "from this login", f"docker login {HOST}", True),
        ("denied: requested access to the resource is denied", "from this login", f"docker login {HOST}", True),
        ("no basic auth credentials", "from this login", f"docker login {HOST}", True),
        ("received unexpected HTTP status: 403 Forbidden", "from this login", f"docker login {HOST}", True),
        ("Credentials store error: StoreError('docker-credential-x not installed or not available in PATH')",
         "credential helper gives no login", "credHelpers", True),
        (f'Get "http://{HOST}/v2/": dial tcp {HOST}: connect: connection refused', "was not reached", "image.registry", False),
        ("dial tcp: lookup registry on 10.0.0.1:53: no such host", "was not reached", "image.registry", False),
        ("net/http: request canceled (Client.Timeout exceeded while awaiting headers)", "was not reached", "network", False),
        ("http: server gave HTTP response to HTTPS client", "is not reached", "insecure-registries", False),
        ("x509: certificate signed by unknown authority", "is not reached", "/etc/docker/certs.d", False),
        ("received unexpected HTTP status: 507 Insufficient Storage", "has no room", "who runs", False),
        ("unknown: write /var/lib/registry: no space left on device", "has no room", "who runs", False),
        ("something new", "was not pushed: something new", "what the registry says", False),
    ],
)  # fmt: skip
def test_why_a_push_failed(words: str, message: str, fix: str, login: bool) -> None:
    """A registry's port may have the digits of an answer's number in it: this one is 507."""
    raised = pushed([{"status": "The push refers to repository"}, {"errorDetail": {"message": words}, "error": words}])
    assert isinstance(raised, RegistryError)
    assert message in raised.message
    assert fix in raised.fix
    assert raised.login == login


def pushed(events: list[Any], held: str = "", digest: str = "") -> Any:
    """What pushing gives or raises with a fake of the SDK that sends these events and holds this digest."""
    api = SimpleNamespace(push=lambda *_, **__: iter(events))
    images = SimpleNamespace(get_registry_data=lambda _: SimpleNamespace(id=held))
    told: list[tuple[int, int]] = []
    fake = Engine(SimpleNamespace(api=api, images=images))
    try:
        return registry.push(fake, f"{HOST}/team/flowers:1", lambda *each: told.append(each)), told
    except ImageError as error:
        return error


DIGEST = "sha256:" + "a" * 64
DONE = {"aux": {"Tag": "1", "Digest": DIGEST, "Size": 528}}


def test_a_push_that_ends_well() -> None:
    """Shaped as dockerd 20.10 sends it: progress a layer, of which one is there already, and the digest last."""
    events = [
        {"status": "Preparing", "progressDetail": {}, "id": "aaa"},
        {"status": "Layer already exists", "progressDetail": {}, "id": "bbb"},
        {"status": "Pushing", "progressDetail": {"current": 512, "total": 2048}, "progress": "[=>  ]", "id": "aaa"},
        {"status": "Pushing", "progressDetail": {"current": 4096, "total": 2048}, "id": "aaa"},
        {"status": "Pushing", "progressDetail": {"current": 10}, "id": "ccc"},
        {"status": "Pushed", "progressDetail": {}, "id": "aaa"},
        {"status": f"1: digest: {DIGEST} size: 528"},
        {"progressDetail": {}, **DONE},
        "no table", {"id": 3, "progressDetail": {"current": 1}}, {"id": "x", "progressDetail": "odd"},
        {"aux": "odd"}, {"aux": {"Digest": "sha256:short"}}, {"aux": {"Digest": 3}},
    ]  # fmt: skip
    digest, told = pushed(events, held=DIGEST)
    assert digest == DIGEST
    assert told == [(512, 2048), (4096, 4096), (4106, 4106)]


@pytest.mark.parametrize(
    ("events", "held", "says"),
    [
        ([{"status": "Pushed"}], DIGEST, "said no digest"),
        ([], DIGEST, "said no digest"),
        ([DONE], "sha256:" + "b" * 64, "somebody else pushed the same name"),
        ([DONE, {"error": "unauthorized"}], DIGEST, "docker login"),
        ([{"errorDetail": {}, "error": None}], DIGEST, "was not pushed"),
        ([{"errorDetail": "odd", "error": "denied"}], DIGEST, "docker login"),
    ],
)
def test_a_push_whose_end_is_no_end(events: list[Any], held: str, says: str) -> None:
    raised = pushed(events, held=held)
    assert isinstance(raised, RegistryError)
    assert says in raised.message + raised.fix


@pytest.mark.parametrize("there", [True, False])
def test_a_push_by_podmans_service(there: bool) -> None:
    """Shaped as podman 4.3.1 sends it. It cannot ask a registry for a name: the digest is pulled."""
    from docker.errors import APIError, NotFound

    def absent(*_: Any) -> Any:
        raise NotFound("404 Client Error: Not Found for url: http+docker://localhost/v1.41/distribution/x/json")

    def pull(repository: str, tag: str) -> None:
        assert (repository, tag) == (f"{HOST}/team/flowers", DIGEST)
        if not there:
            raise APIError("manifest unknown")

    events = [
        {"status": "The push refers to repository [x]"},
        {"status": f"1.0: digest: {DIGEST} size: 343"},
    ]
    api = SimpleNamespace(push=lambda *_, **__: iter(events))
    images = SimpleNamespace(get_registry_data=absent, pull=pull)
    fake = Engine(SimpleNamespace(api=api, images=images))
    if there:
        assert registry.push(fake, f"{HOST}/team/flowers:1.0", lambda *_: None) == DIGEST
    else:
        with pytest.raises(RegistryError, match="does not have it"):
            registry.push(fake, f"{HOST}/team/flowers:1.0", lambda *_: None)


def test_a_connection_that_breaks_while_it_is_pushed() -> None:
    from urllib3.exceptions import ProtocolError

    def broken():
        yield {"status": "Pushing", "id": "a", "progressDetail": {"current": 1, "total": 2}}
        raise ProtocolError("Connection broken: IncompleteRead")

    raised = pushed(broken())
    assert isinstance(raised, RegistryError)
    assert "IncompleteRead" in raised.message


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("flowers", ("flowers", "latest")),
        ("flowers:1.0", ("flowers", "1.0")),
        ("host:5000/a/b", ("host:5000/a/b", "latest")),
        ("host:5000/a/b:1", ("host:5000/a/b", "1")),
        ("[::1]:5000/a:1-2", ("[::1]:5000/a", "1-2")),
    ],
)
def test_an_images_name_in_parts(name: str, parts: tuple[str, str]) -> None:
    assert engine.split(name) == parts


def order(tmp_path: Path, **more: Any) -> Order:
    context = tmp_path / "context.tar"
    context.write_bytes(b"context")
    return Order(context, "c" * 64, "flowers:1", BASE, **more)


def test_an_engine_that_goes_away_in_a_build(tmp_path: Path) -> None:
    from urllib3.exceptions import ProtocolError

    removed: list[str] = []

    def events(**_: Any) -> Any:
        yield {"stream": "Step 1/2 : FROM base\n"}
        yield {"stream": " ---> 0123456789ab\n"}
        yield {"stream": f"Step 2/2 : {PIP}\n"}
        yield {"stream": " ---> Running in fedcba987654\n"}
        yield {"stream": "Collecting x\rCollecting y\n"}
        yield {"stream": "\x1b[91mERROR: one\nERROR: two\n\x1b[0m"}
        yield {"stream": "\x1b[91mERROR: three\n\x1b[0m"}
        yield "odd"
        raise ProtocolError("Connection broken: IncompleteRead(0 bytes read)")

    api = SimpleNamespace(build=events)
    fake = Engine(SimpleNamespace(api=api))
    fake.remove_container = fake.remove_untagged = removed.append  # type: ignore[method-assign]
    told: list[str] = []
    with pytest.raises(ImageError) as raised:
        building.build(fake, order(tmp_path), told.append)
    assert "see whether the engine still runs" in raised.value.fix
    assert raised.value.log == ("Collecting x", "Collecting y", "ERROR: one", "ERROR: two", "ERROR: three")
    assert removed == ["fedcba987654", "0123456789ab"]
    assert told == ["step 1 of 2: FROM base", f"step 2 of 2: {PIP}"]


def test_a_long_step_says_something_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(building.time, "monotonic", lambda: now)
    told: list[str] = []
    progress = building.Progress(told.append)
    progress.begin("RUN pip install", "step 1 of 2")
    for number in range(10):
        now += 0.5
        progress.line(f"line {number}\x1b[2K")
    assert told == ["step 1 of 2: RUN pip install", "  line 3\\x1b[2K", "  line 7\\x1b[2K"]
    assert list(progress.lines)[-1] == "line 9\\x1b[2K"


def test_which_image_is_current(tmp_path: Path) -> None:
    wanted = order(tmp_path)
    label = {engine.CONTENTS_LABEL: f"sha256:{'c' * 64}"}
    assert is_current(Image("id", 1, "linux/amd64", label), wanted)
    assert not is_current(Image("id", 1, "linux/amd64", {**label, engine.CONTENTS_LABEL: "sha256:old"}), wanted)
    assert not is_current(Image("id", 1, "linux/amd64", {}), wanted)
    assert not is_current(None, wanted)


BUILDX = {
    "good": (0, "#1 [internal] load build definition\n#7 [3/6] RUN pip install x\n#7 1.2 Collecting x\n", ""),
    "pip": (1, "#7 [3/6] RUN pip install x\n#7 1.2 ERROR: No matching distribution\n", "mend them in pyproject.toml"),
    "no plugin": (
        1,
        "docker: unknown command: docker buildx\n\nRun 'docker --help' for more information\n",
        "install docker-buildx",
    ),
    "no builder": (1, 'ERROR: no builder "far" found\n', "docker buildx create --name far ssh://"),
    "silent": (3, "", ""),
}


@pytest.mark.parametrize("case", BUILDX)
def test_a_builder_of_buildx(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command docker is a stand-in here, which keeps its arguments and its standard input."""
    code, text, fix = BUILDX[case]
    (tmp_path / "said").write_text(text)
    script = tmp_path / "docker"
    script.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/arguments\ncat > {tmp_path}/stdin\ncat {tmp_path}/said >&2\nexit {code}\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    wanted = order(tmp_path, builder="far", platform="linux/arm64")
    told: list[str] = []
    if code == 0:
        building.build_elsewhere(wanted, told.append)
        assert told == ["internal: load build definition", "3/6: RUN pip install x"]
    else:
        with pytest.raises(ImageError) as raised:
            building.build_elsewhere(wanted, told.append)
        assert fix in raised.value.fix
        assert isinstance(raised.value, NoEngineError) == (case == "no plugin")
    assert (tmp_path / "stdin").read_bytes() == b"context"
    assert (tmp_path / "arguments").read_text().splitlines() == [
        "buildx", "build", "--builder", "far", "--load", "--progress", "plain", "--platform", "linux/arm64",
        "--label", f"{engine.CONTENTS_LABEL}=sha256:{'c' * 64}", "--tag", "flowers:1", "-",
    ]  # fmt: skip


def test_no_command_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoEngineError, match="not installed"):
        building.build_elsewhere(order(tmp_path, builder="far"), print)


def test_the_command_by_hand_is_one_for_a_shell(tmp_path: Path) -> None:
    wanted = order(tmp_path, builder="far", platform="linux/arm64")
    said = wanted.by_hand("out put/flowers-1!1.0.tar").replace("docker", "echo", 1).replace(" < ", "; cat < ")
    folder = tmp_path / "out put"
    folder.mkdir()
    (folder / "flowers-1!1.0.tar").write_text("the context")
    done = subprocess.run(["sh", "-c", said], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("buildx build --builder far --load --platform linux/arm64 --label ")
    assert done.stdout.endswith("the context")


SCHEMA = Schema(
    (
        Field("x", ListOf(Scalar("float64"), 2)),
        Field("n", Scalar("int64")),
        Field("t", Scalar("string"), optional=True),
    )
)
ONE = Schema((Field("y", Scalar("int64")),))


@pytest.mark.parametrize(
    ("answer", "rows", "schema", "found"),
    [
        ([{"x": [1, 2.5], "n": 3, "t": "a"}], 1, SCHEMA, []),
        ([{"x": [1, 2], "n": 3.0}], 1, SCHEMA, []),
        ([{"x": [1, 2], "n": None}], 1, SCHEMA, []),
        ([{"x": [1, 2, 3], "n": 3}], 1, SCHEMA, ["row 0, x: 3 items instead of 2"]),
        ([{"x": 1, "n": 3}], 1, SCHEMA, ["row 0, x: a number instead of a list"]),
        ([{"x": [1, "b"], "n": 3}], 1, SCHEMA, ["row 0, x: a text instead of float64"]),
        ([{"x": [1, 2], "n": 3.5}], 1, SCHEMA, ["row 0, n: 3.5 is cut to a whole number by int64"]),
        ([{"x": [1, 2], "n": True}], 1, SCHEMA, ["row 0, n: a truth value instead of int64"]),
        ([{"x": [1, 2], "n": 1, "t": 2}], 1, SCHEMA, ["row 0, t: a number instead of string"]),
        ([{"x": [1, 2]}], 1, SCHEMA, ["row 0 lacks 'n'"]),
        ([{"x": [1, 2], "n": 1, "more": 1}], 1, SCHEMA, ["row 0 has 'more', which is not in the output schema"]),
        ([7], 1, SCHEMA, ["row 0 is a number, and the schema has 3 fields"]),
        ([7, 8], 2, ONE, []),
        ([7, "b"], 2, ONE, ["row 1, y: a text instead of int64"]),
        ([7], 2, ONE, ["2 rows were sent, and 1 came back"]),
        ({"y": 7}, 1, ONE, ["the answer is no list of rows but a table"]),
        (None, 1, ONE, ["the answer is no list of rows but nothing"]),
        ([{}] * 20, 20, ONE, [f"row {row} lacks 'y'" for row in range(10)] + ["and more"]),
        (["anything"], 1, None, []),
        ([{"s": {"a": 1}}], 1, Schema((Field("s", Struct((Field("a", Scalar("int64")),))),)), []),
        ([{"s": 1}], 1, Schema((Field("s", Struct(())),)), ["row 0, s: a number instead of a table"]),
    ],
)  # fmt: skip
def test_rows_against_a_schema(answer: Any, rows: int, schema: Schema | None, found: list[str]) -> None:
    assert list(misfits(answer, rows, schema)) == found


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"DOCKER_HOST": "unix:///nowhere/d.sock"}, "no container engine answers at unix:///nowhere/d.sock"),
        ({"DOCKER_HOST": "tcp://ada:secret@127.0.0.1:1"}, "no container engine answers at tcp://ada:***@127.0.0.1:1"),
        ({"DOCKER_HOST": "nonsense://x"}, "no container engine answers at nonsense://x"),
        ({"DOCKER_HOST": "tcp://127.0.0.1:1", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/nowhere"}, "by TLS"),
        ({"DOCKER_CONTEXT": "nowhere"}, "there is no docker context called nowhere"),
    ],
)
def test_no_engine(
    environment: dict[str, str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd
) -> None:
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(NoEngineError) as raised, engine.engine():
        pass
    assert says in raised.value.message
    assert "secret" not in raised.value.message + raised.value.fix
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("by", ["host", "context"])
def test_an_engine_by_ssh_is_reached_by_the_users_own_ssh(
    by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command ssh stands in: what it is asked for is docker's own way to an engine, and it answers nothing."""
    script = tmp_path / "ssh"
    script.write_text(f'#!/bin/sh\nprintf "%s " "$@" > {tmp_path}/asked\nexit 255\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)
    if by == "host":
        monkeypatch.setenv("DOCKER_HOST", "ssh://ada@build.example")
    else:
        folder = tmp_path / "contexts" / "meta" / hashlib.sha256(b"far").hexdigest()
        folder.mkdir(parents=True)
        host = {"Host": "ssh://ada@build.example", "SkipTLSVerify": False}
        (folder / "meta.json").write_text(json.dumps({"Name": "far", "Metadata": {}, "Endpoints": {"docker": host}}))
        monkeypatch.setenv("DOCKER_CONTEXT", "far")
    # In a process of its own: the SDK leaves its connections by ssh open where they fail.
    code = """
from hatch_wallaroo.image.engine import engine
from hatch_wallaroo.image.engine import NoEngineError
try:
    with engine():
        pass
except NoEngineError as error:
    print(error.message, error.fix)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert "no container engine answers at ssh://ada@build.example" in done.stdout
    if find_spec("paramiko") is None:
        assert "docker[ssh]" in done.stdout
        return
    asked = (tmp_path / "asked").read_text()
    assert "ada" in asked
    assert "build.example" in asked
    assert "docker system dial-stdio" in asked


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ('{"currentContext": "gone"}', "there is no docker context called gone, which docker context use chose"),
        ("{", "docker's config.json cannot be read"),
        ("[" * 100_000, "docker's config.json cannot be read"),
        ("[]", ""),
        ('{"currentContext": 3}', ""),
        ('{"currentContext": "default"}', ""),
        ("{}", ""),
    ],
)
def test_dockers_own_configuration(config: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "config.json").write_text(config)
    if not says:
        assert engine.chosen_context() is None
        return
    with pytest.raises(NoEngineError) as raised:
        engine.chosen_context()
    assert says in raised.value.message


def test_the_tar_of_rows_is_a_tar() -> None:
    import tarfile

    from hatch_wallaroo.image.trial import _packed

    with tarfile.open(fileobj=io.BytesIO(_packed(b"[]"))) as tar:
        (member,) = tar.getmembers()
        assert tar.extractfile(member).read() == b"[]"
