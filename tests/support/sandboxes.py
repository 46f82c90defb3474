"""A running sandbox for tests: the real command in a process of its own, and a client that speaks plain HTTP."""

from __future__ import annotations

import http.client
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pyarrow as pa

from hatch_wallaroo.sandbox.faults import parse
from hatch_wallaroo.schema.arrow import encode, from_arrow
from support.fronts import REPOSITORY

TOKEN = "/auth/realms/master/protocol/openid-connect/token"
BOUNDARY = "0123456789abcdef"


class Sandbox:
    """What a test knows of a running sandbox, and short ways to ask it."""

    def __init__(self, told: Mapping[str, str], state: Path) -> None:
        self.url, self.state = told["url"], state
        self.user, self.password = told["username"], told["password"]
        self.client, self.secret = told["client_id"], told["client_secret"]
        self.pid = int(told["pid"])
        self.address = urlsplit(self.url).netloc

    @property
    def environment(self) -> dict[str, str]:
        """What tells the SDK and the publisher where the sandbox is, and who they are."""
        return {"WALLAROO_URL": self.url, "WALLAROO_USER": self.user, "WALLAROO_PASSWORD": self.password}

    def request(self, method, path, body=None, headers=None):
        """Status, headers and JSON (or text) of one answer."""
        connection = http.client.HTTPConnection(self.address, timeout=30)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        try:
            return answer.status, answer.headers, json.loads(data)
        except ValueError:
            return answer.status, answer.headers, data.decode()

    def form(self, path=TOKEN, headers=None, **fields):
        kind = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        status, _, answer = self.request("POST", path, urlencode(fields), kind)
        return status, answer

    def login(self) -> str:
        status, answer = self.form(
            client_id="sdk-client", grant_type="password", username=self.user, password=self.password
        )
        assert status == 200, answer
        return answer["access_token"]

    def post(self, path, body=None, token=None):
        headers = {"Authorization": f"Bearer {token or self.login()}", "Content-Type": "application/json"}
        status, _, answer = self.request("POST", path, json.dumps(body or {}), headers)
        return status, answer

    def api(self, path, **body):
        status, answer = self.post(f"/v1/api/{path}", body)
        assert status == 200, answer
        return answer

    def workspace(self, name="a-workspace") -> int:
        for each in self.api("workspaces/list")["workspaces"]:
            if each["name"] == name:
                return each["id"]
        return self.api("workspaces/create", workspace_name=name)["workspace_id"]

    def fault(self, written: str, **more) -> None:
        """Set a fault, written as on the command line: `NAME=VALUE*TIMES`."""
        fault = parse(written)
        told = {"name": fault.name, "value": fault.value, "times": fault.left, **more}
        status, answer = self.post("/sandbox/faults", told)
        assert status == 200, answer

    def no_faults(self) -> None:
        """Take away what is set; the expiry of a token may strike this very request."""
        for _ in range(5):
            headers = {"Authorization": f"Bearer {self.login()}"}
            status, _, answer = self.request("DELETE", "/sandbox/faults", headers=headers)
            if status == 200:
                return
        raise AssertionError(answer)

    def upload(self, metadata, content=b"", file_name="model.bin", route="upload", token=None):
        return self.upload_body(body(metadata, content, file_name), route, token)

    def upload_body(self, data: bytes, route="upload", token=None, boundary=BOUNDARY):
        headers = {
            "Authorization": f"Bearer {token or self.login()}",
            "Content-Type": f"multipart/form-data; boundary={boundary}",
        }
        return self.request("POST", f"/v1/api/models/{route}", data, headers)

    def versions(self, model: str) -> list[dict]:
        """The versions of a model: `id`, `sha`, `status` and what else the platform lists."""
        return self.api("models/list_versions", model_id=model)

    def version(self, version_id):
        return self.api("models/get_version_by_id", model_version_id=version_id)["model_version"]["model_version"]


def metadata(workspace: int, framework: str = "onnx", name: str = "a-model", **more):
    conversion = {"framework": framework, "python_version": "3.8", "requirements": []}
    return {"name": name, "visibility": "private", "workspace_id": workspace, "conversion": conversion, **more}


def schemas() -> dict[str, str]:
    made = pa.schema([pa.field("inputs", pa.list_(pa.float64(), 4))])
    text = encode(from_arrow(made))
    return {"input_schema": text, "output_schema": text}


def part(name: str, content: bytes, file_name: str | None = None) -> bytes:
    file = f'; filename="{file_name}"' if file_name is not None else ""
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + content + b"\r\n"


def body(metadata, content: bytes, file_name: str) -> bytes:
    parts = [part("metadata", json.dumps(metadata).encode()), part("file", content, file_name)]
    return b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])


def zipped(files: Mapping[str, str], top: str = "") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for path, text in files.items():
            archive.writestr(f"{top}/{path}" if top else path, text)
    return stream.getvalue()


@cache
def bomb() -> bytes:
    """1,280 MiB of zeros in a few megabytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("main.py", "w", force_zip64=True) as member:
            for _ in range(1280):
                member.write(bytes(1 << 20))
        archive.writestr("requirements.txt", "")
    return stream.getvalue()


@contextmanager
def running(state: Path, release: str, *options: str, pace: float = 0) -> Iterator[Sandbox]:
    """Start `hatch-wallaroo sandbox`, wait until it says where it is, and stop it by its own process id."""
    announcement = state / "sandbox.json"
    command = [sys.executable, "-m", "hatch_wallaroo", "sandbox", "--state", str(state), "--release", release]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    process = subprocess.Popen(
        [*command, "--pace", str(pace), *options],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        for _ in range(400):
            if announcement.exists() or process.poll() is not None:
                break
            time.sleep(0.05)
        if not announcement.exists():
            process.kill()
            raise AssertionError(process.communicate()[0])
        yield Sandbox(json.loads(announcement.read_text()), state)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            said, _ = process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
    assert "Traceback" not in said, said
    assert not announcement.exists()


def listening(pid: int) -> set[str]:
    """The addresses that a process listens on (Linux)."""
    inodes = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            inodes.add(str(link.readlink()))
        except OSError:
            continue
    found = set()
    for table in ("tcp", "tcp6"):
        path = Path(f"/proc/net/{table}")
        for line in path.read_text().splitlines()[1:] if path.exists() else ():
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                host = fields[1].partition(":")[0]
                found.add(socket.inet_ntoa(bytes.fromhex(host)[::-1]) if len(host) == 8 else host)
    return found


def descendants(pid: int) -> list[int]:
    """All processes below one (Linux)."""
    found: list[int] = []
    todo = [pid]
    while todo:
        for thread in Path(f"/proc/{todo.pop()}/task").glob("*/children"):
            try:
                children = [int(each) for each in thread.read_text().split()]
            except OSError:  # it has just ended
                continue
            found += children
            todo += children
    return found
