"""How an engine is found: DOCKER_HOST, TLS, and docker's contexts, each as the command docker finds it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import certifi
import pytest

from hatch_wallaroo.image.engine import NoEngineError
from hatch_wallaroo.image.engine import engine as reached
from support import containers
from support.containers import Engine
from support.peers import missing

pytestmark = pytest.mark.peer

NOWHERE = "unix:///nowhere/d.sock"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """docker's configuration, empty."""
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    # As on machines of companies: it must not take the place of the engine's own CA.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    return tmp_path / "docker"


@pytest.fixture
def secured(engine: Engine) -> Engine:
    if engine.certificates is None:
        missing("the engine was not started here with TLS")
    return engine


def identity(engine: Engine) -> str:
    return engine.client.info()["ID"]


def found() -> str:
    """The identity of the engine that is reached."""
    with reached() as made:
        return made.client.info()["ID"]


def docker(*arguments: str) -> str:
    if shutil.which("docker") is None:
        missing("the command docker is not installed")
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True, timeout=60).stdout


def test_an_engine_behind_tls(home: Path, secured: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", secured.by_tls)
    with pytest.raises(NoEngineError, match="no container engine answers at tcp://127"):
        found()
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(secured.certificates))
    assert found() == identity(secured)
    others = containers.make_certificates(tmp_path / "others")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(others))
    with pytest.raises(NoEngineError, match="certificate verify failed"):
        found()
    (others / "ca.pem").write_bytes((secured.certificates / "ca.pem").read_bytes())
    with pytest.raises(NoEngineError, match="no container engine answers"):
        found()


def test_contexts(home: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The context of `docker context use`; DOCKER_CONTEXT comes before it, and DOCKER_HOST before both."""
    docker("context", "create", "away", "--docker", f"host={NOWHERE}")
    docker("context", "create", "here", "--docker", f"host={engine.host}")
    monkeypatch.setenv("DOCKER_CONTEXT", "here")  # there is no config.json yet
    assert found() == identity(engine)
    monkeypatch.delenv("DOCKER_CONTEXT")
    docker("context", "use", "here")
    assert found() == identity(engine)
    docker("context", "use", "away")
    with pytest.raises(NoEngineError, match=r"answers at unix:///nowhere/d\.sock \(docker context away\)"):
        found()
    monkeypatch.setenv("DOCKER_CONTEXT", "here")
    assert docker("info", "--format", "{{.ID}}").strip() == identity(engine)
    assert found() == identity(engine)
    monkeypatch.setenv("DOCKER_CONTEXT", "never-made")
    with pytest.raises(NoEngineError, match="there is no docker context called never-made"):
        found()
    monkeypatch.setenv("DOCKER_CONTEXT", "away")
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    assert docker("info", "--format", "{{.ID}}").strip() == identity(engine)
    assert found() == identity(engine)


def test_a_context_with_tls(home: Path, secured: Engine) -> None:
    files = {"ca": "ca", "cert": "cert", "key": "key"}
    parts = ",".join(f"{option}={secured.certificates}/{file}.pem" for option, file in files.items())
    docker("context", "create", "secured", "--docker", f"host={secured.by_tls},{parts}")
    docker("context", "use", "secured")
    assert found() == identity(secured)
