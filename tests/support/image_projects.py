"""Projects whose model is a container image, the commands run in them, and what those leave in an engine."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from support.containers import Engine

PROJECT = """
[build-system]
requires = ["hatchling", "hatch-wallaroo"]
build-backend = "hatchling.build"

[project]
name = "flowers"
version = "1.0"

[tool.wallaroo]
framework = "mlflow"
model = "model"
sample = "sample.json"
requirements = {requirements}
input-schema = {{ x = "float64" }}
output-schema = {{ y = "float64" }}

[tool.wallaroo.image]
{image}
"""
MLMODEL = """\
flavors:
  python_function:
    loader_module: mlflow.sklearn
mlflow_version: 1.30.0
"""


@dataclass(frozen=True)
class State:
    """What an engine holds: every container, and every image with its names."""

    containers: frozenset[str]
    images: frozenset[tuple[str, tuple[str, ...]]]

    @property
    def nameless(self) -> set[str]:
        return {image for image, names in self.images if not names}


def state_of(engine: Engine) -> State:
    return State(
        frozenset(each["Id"] for each in engine.client.api.containers(all=True)),
        frozenset((each["Id"], tuple(sorted(_names(each)))) for each in engine.client.api.images()),
    )


def _names(image: dict[str, list[str]]) -> list[str]:
    return [each for each in image.get("RepoTags") or [] if each != "<none>:<none>"]


@dataclass(frozen=True)
class ImageProject:
    """A project's folder, and the environment of the commands that run in it."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)

    def write(
        self, *, requirements: tuple[str, ...] = ("libraries==1",), payload: bytes = b"x", **image: object
    ) -> None:
        (self.root / "model").mkdir(parents=True, exist_ok=True)
        (self.root / "model" / "MLmodel").write_text(MLMODEL)
        (self.root / "model" / "model.bin").write_bytes(payload)
        (self.root / "sample.json").write_text(json.dumps({"inputs": [{"x": 1.0}, {"x": 2.0}]}))
        # JSON's texts, lists and truth values are TOML's.
        table = "\n".join(f"{key.rstrip('_')} = {json.dumps(value)}" for key, value in image.items())
        text = PROJECT.format(requirements=json.dumps(list(requirements)), image=table)
        (self.root / "pyproject.toml").write_text(text)

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*command, **environment)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def start(self, *command: str, **environment: str) -> subprocess.Popen[str]:
        given = {**os.environ, "NO_COLOR": "1", **self.environment, **environment}
        return subprocess.Popen(
            [sys.executable, "-m", *command], cwd=self.root, env=given, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def interrupted(self, when: Callable[[], object], *command: str, **environment: str) -> tuple[int, str]:
        """Run a command, press Ctrl-C once something is so; its exit code and all that it said."""
        process = self.start(*command, **environment)
        try:
            until = time.monotonic() + 60
            while not when():
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < until, "what was waited for did not come"
                time.sleep(0.02)
            os.killpg(process.pid, signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        return process.returncode, out + err

    def build(self, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run("hatchling", "build", "-t", "wallaroo", **environment)

    def built(self, **environment: str) -> None:
        done = self.build(**environment)
        assert done.returncode == 0, done.stderr

    def publish(self, sandbox, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run(*PUBLISH, **sandbox.environment, **environment)

    def output(self) -> dict[str, str]:
        """The digest of each file in the output folder."""
        files = [each for each in (self.root / "dist").rglob("*") if each.is_file()]
        return {str(each.relative_to(self.root)): hashlib.sha256(each.read_bytes()).hexdigest() for each in files}

    def manifest(self) -> dict[str, object]:
        (path,) = (self.root / "dist").glob("*.wallaroo.json")
        return json.loads(path.read_bytes())


PUBLISH = (
    "hatch", "publish", "-p", "wallaroo", "-o", "workspace=w", "-o", "create-workspace", "-o", "poll=0.1",
    "-o", "json=result.json",
)  # fmt: skip


def spoken(*texts: str) -> str:
    """What a command said; no traceback, whatever happened."""
    text = "".join(texts)
    assert "Traceback" not in text, text
    return text
