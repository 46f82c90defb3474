"""A sandbox in a process of its own, for what talks to a platform over a real connection."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.fronts import REPOSITORY


@dataclass(frozen=True)
class LocalPlatform:
    """Where the sandbox is, and who may use it."""

    url: str
    user: str
    password: str
    state: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"WALLAROO_URL": self.url, "WALLAROO_USER": self.user, "WALLAROO_PASSWORD": self.password}

    def ask(self, path: str, asked: dict[str, Any]) -> Any:
        """A question as any client would put it, past the code under test."""
        form = f"client_id=sdk-client&username={self.user}&password={self.password}&grant_type=password"
        token = _post(f"{self.url}/auth/realms/master/protocol/openid-connect/token", form.encode(), {})["access_token"]
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return _post(f"{self.url}/v1/api/{path}", json.dumps(asked).encode(), headers)


def _post(url: str, body: bytes, headers: dict[str, str]) -> Any:
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as answer:
        return json.load(answer)


@contextmanager
def local_platform(state: Path, *options: str, release: str = "2023.2.1") -> Iterator[LocalPlatform]:
    """Run a sandbox; it is stopped when the block ends."""
    code = "from hatch_wallaroo.cli import main; main()"
    command = [sys.executable, "-c", code, "sandbox", "--state", str(state), "--release", release, "--pace", "0.1"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    state.mkdir(parents=True, exist_ok=True)
    log = state.parent / "sandbox.log"
    with log.open("wb") as stream:
        process = subprocess.Popen([*command, *options], env=environment, stdout=stream, stderr=stream)
    try:
        told = _announced(state / "sandbox.json", process, log)
        yield LocalPlatform(told["url"], told["username"], told["password"], state)
    finally:
        process.terminate()
        process.wait(timeout=20)


def _announced(path: Path, process: subprocess.Popen[bytes], log: Path) -> dict[str, Any]:
    for _ in range(600):
        if path.is_file():
            return json.loads(path.read_text())
        assert process.poll() is None, log.read_text()
        time.sleep(0.05)
    raise TimeoutError(log.read_text())
