"""`hatch-wallaroo new --framework mlflow`, built without an engine, and published: the image is made on the way."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.containers import Engine
from support.sandboxes import running
from support.scaffolds import scaffold

pytestmark = pytest.mark.peer


def test_a_new_repository_is_published(
    tmp_path: Path, engine: Engine, registry: str, mlflow_base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = scaffold(tmp_path / "new", "mlflow", "2023.2.1", "my-flowers")
    text = (root / "pyproject.toml").read_text()
    image = f'[tool.wallaroo.image]\nbase = "{mlflow_base}"\nregistry = "{registry}"\n'
    (root / "pyproject.toml").write_text(text.replace("[tool.wallaroo.image]\n", image))

    def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *command], cwd=root, capture_output=True, text=True, timeout=300, check=True
        )

    run("hatchling", "build", "-t", "wallaroo")
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    tried = json.loads(run("hatch_wallaroo", "try", "--json").stdout)["trials"]
    assert [(each["rows"], each["passed"]) for each in tried] == [(3, True)]
    with running(tmp_path / "state", "2023.2.1", "--images", pace=0) as sandbox:
        for name, value in sandbox.environment.items():
            monkeypatch.setenv(name, value)
        options = ["workspace=w", "create-workspace", "poll=0.2", "json=result.json"]
        run("hatch", "publish", "-p", "wallaroo", *(part for option in options for part in ("-o", option)))
    (model,) = json.loads((root / "result.json").read_bytes())["models"]
    assert (model["outcome"], model["status"]) == ("ready", "ready")
    assert model["image"].startswith(f"{registry}/my-flowers@sha256:")
