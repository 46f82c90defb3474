"""From a table to a container that answers: built, tried, pushed, pulled back, asked, registered, `ready`.

A real engine, a real registry, MLflow 1.30.0 and its tracking server; only Wallaroo is a sandbox, which pulls and starts
what is registered.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.containers import Engine
from support.fronts import REPOSITORY
from support.manifests import SCHEMA
from support.mlflow_models import ROWS, log_model, save_model, tracking_server
from support.sandboxes import running

LABEL = "io.github.hatch-wallaroo.context"
EXAMPLE = REPOSITORY / "example-projects" / "byop-generated"
PROJECT = """
[build-system]
requires = ["hatchling", "hatch-wallaroo"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "1.0"
urls = {{ Repository = "https://code.example/flowers" }}

[tool.wallaroo]
framework = "mlflow"
{table}

[tool.wallaroo.image]
base = "{base}"
registry = "{registry}/team"
labels = {{ team = 'flowers "and" $trees' }}
try = true
"""


@dataclass(frozen=True)
class Workplace:
    """A project's folder, and the engine and registry that its builds reach."""

    root: Path
    engine: Engine
    registry: str

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        given = {**os.environ, **environment}
        return subprocess.run(
            [sys.executable, "-m", *command], cwd=self.root, env=given, capture_output=True, text=True, timeout=300
        )

    def build(self, **environment: str) -> dict[str, object]:
        done = self.run("hatchling", "build", "-t", "wallaroo", **environment)
        assert done.returncode == 0, done.stderr
        (path,) = (self.root / "dist").glob("*.wallaroo.json")
        return json.loads(path.read_bytes())

    def publish(self, sandbox, *options: str) -> tuple[str, dict[str, object]]:
        done = self.run(
            "hatch", "publish", "-p", "wallaroo", "-o", "workspace=w", "-o", "create-workspace", "-o", "poll=0.2",
            "-o", "json=result.json", *options, **sandbox.environment,
        )  # fmt: skip
        (model,) = json.loads((self.root / "result.json").read_bytes())["models"]
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stderr, model


@pytest.fixture
def workplace(tmp_path: Path, engine: Engine, registry: str, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    root = tmp_path / "project"
    root.mkdir()
    return Workplace(root, engine, registry)


def write(workplace: Workplace, base: str, name: str, table: str) -> None:
    text = PROJECT.format(name=name, table=table, base=base, registry=workplace.registry)
    (workplace.root / "pyproject.toml").write_text(text)


@contextmanager
def served(engine: Engine, image: str):
    """A container of an image; gives a function that asks it for rows."""
    container = engine.client.containers.run(image, detach=True, ports={"8080/tcp": ("127.0.0.1", None)})
    try:
        container.reload()
        port = container.attrs["NetworkSettings"]["Ports"]["8080/tcp"][0]["HostPort"]

        def ask(rows: list[dict[str, object]]) -> object:
            kind = {"Content-Type": "application/json; format=pandas-records"}
            request = urllib.request.Request(f"http://127.0.0.1:{port}/invocations", json.dumps(rows).encode(), kind)
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)

        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=2)
                break
            except OSError:
                container.reload()
                assert container.status == "running", container.logs().decode()
        yield ask
        assert container.attrs["Config"]["User"] == "10001:10001"
    finally:
        container.remove(force=True)


def pulled_back(workplace: Workplace, published: dict[str, object]) -> str:
    """Remove the image from the engine, and pull it by the digest under which it was registered."""
    client = workplace.engine.client
    reference = str(published["image"])
    repository, _, digest = reference.partition("@")
    for tag in client.images.get(f"{repository}:1.0").tags:
        client.images.remove(tag, force=True)
    client.images.pull(repository, tag=digest)
    return reference


def everything(workplace: Workplace, sandbox, state: Path) -> str:
    """Publish, again, and with the image gone from the engine; gives the name by which it can be run."""
    told, model = workplace.publish(sandbox)
    assert (model["outcome"], model["status"], model["sent"]) == ("ready", "ready", True)
    assert "pushed" in told
    version = sandbox.api("models/get_version_by_id", model_version_id=model["model_version_id"])["model_version"]
    assert version["model_version"]["image_path"] == model["image"]
    config = json.loads(next((workplace.root / "dist").glob("*.json")).read_bytes())["config"]
    assert {key: version["config"][key] for key in ("input_schema", "output_schema")} == config

    told, again = workplace.publish(sandbox)
    assert (again["outcome"], again["model_version_id"]) == ("present", model["model_version_id"])
    return pulled_back(workplace, model)


def test_two_functions(workplace: Workplace, mlflow_base: str, tmp_path: Path) -> None:
    table = """
artifacts = ["models/kmeans.pkl"]
sample = "sample.json"
requirements = ["scikit-learn==1.2.2"]
byop = { load = "flower_clusters.model:load", predict = "flower_clusters.model:predict" }
input-schema = { inputs = "float64[4]" }
output-schema = { cluster = "int64", distance = "float64" }
"""
    for name in ("src", "models", "sample.json"):
        source = EXAMPLE / name
        copy = shutil.copytree if source.is_dir() else shutil.copyfile
        copy(source, workplace.root / name)
    write(workplace, mlflow_base, "flower-clusters", table)
    manifest = workplace.build()
    assert manifest["image"]["reference"] == f"{workplace.registry}/team/flower-clusters:1.0"
    image = workplace.engine.client.images.get(manifest["image"]["reference"])
    assert image.labels == {
        LABEL: f"sha256:{manifest['file']['sha256']}",
        "org.opencontainers.image.title": "flower-clusters",
        "org.opencontainers.image.version": "1.0",
        "org.opencontainers.image.source": "https://code.example/flowers",
        "team": 'flowers "and" $trees',
    }
    sample = json.loads((workplace.root / "sample.json").read_bytes())
    with running(tmp_path / "state", "2023.2.1", "--images", pace=0.05) as sandbox:
        reference = everything(workplace, sandbox, tmp_path)
    with served(workplace.engine, reference) as ask:
        answers = ask(sample["inputs"])
    assert [row["cluster"] for row in answers] == [row["cluster"] for row in sample["outputs"]]
    assert [row["distance"] for row in answers] == pytest.approx([row["distance"] for row in sample["outputs"]])


def test_a_folder_of_mlflows_own(workplace: Workplace, mlflow_base: str, tmp_path: Path) -> None:
    answers = save_model(workplace.root / "model")
    (workplace.root / "sample.json").write_text(json.dumps({"inputs": [{"inputs": row} for row in ROWS]}))
    write(workplace, mlflow_base, "flowers", 'model = "model"')
    manifest = workplace.build()
    assert manifest["facts"]["flavors"] == ["sklearn"]
    assert set(manifest["config"]) == {"input_schema", "output_schema"}
    with running(tmp_path / "state", "2026.1", "--images", pace=0.05) as sandbox:
        reference = everything(workplace, sandbox, tmp_path)
    with served(workplace.engine, reference) as ask:
        assert ask([{str(at): value for at, value in enumerate(row)} for row in ROWS]) == answers


def test_a_model_of_a_tracking_server(workplace: Workplace, mlflow_base: str, tmp_path: Path) -> None:
    with tracking_server(tmp_path / "server") as server:
        run, answers = log_model(server, "flowers")
        write(workplace, mlflow_base, "flowers", 'model = "models:/flowers/1"')
        manifest = workplace.build(MLFLOW_TRACKING_URI=server)
        write(workplace, mlflow_base, "flowers", f'model = "runs:/{run}/model"')
        contents = {each["path"]: each["sha256"] for each in manifest["contents"]}
        by_run = {each["path"]: each["sha256"] for each in workplace.build(MLFLOW_TRACKING_URI=server)["contents"]}
        assert by_run["model/model.pkl"] == contents["model/model.pkl"]
    with running(tmp_path / "state", "2023.2.1", "--images", pace=0.05) as sandbox:
        reference = everything(workplace, sandbox, tmp_path)
    with served(workplace.engine, reference) as ask:
        assert ask([{str(at): value for at, value in enumerate(row)} for row in ROWS]) == answers


def test_the_command_by_hand_makes_the_same_image(workplace: Workplace, mlflow_base: str) -> None:
    """`docker build` on the context, as a build without an engine tells it: the same files, settings and labels."""
    docker = shutil.which("docker")
    if docker is None:
        from support.peers import missing

        missing("the command docker is not installed")
    save_model(workplace.root / "model")
    write(workplace, mlflow_base, "by-hand", 'model = "model"')
    told = workplace.run("hatchling", "build", "-t", "wallaroo", DOCKER_HOST="unix:///nowhere.sock").stderr
    command = told.partition("and run:\n")[2].splitlines()[0].strip()
    assert command.startswith("docker build --label")
    manifest = workplace.build()
    client = workplace.engine.client
    ours = client.api.inspect_image(manifest["image"]["reference"])
    client.images.remove(manifest["image"]["reference"], force=True)
    environment = {**os.environ, "DOCKER_BUILDKIT": "0"}
    subprocess.run(["sh", "-c", command], cwd=workplace.root, env=environment, check=True, capture_output=True)
    theirs = client.api.inspect_image(manifest["image"]["reference"])
    assert theirs["Config"]["Labels"] == ours["Config"]["Labels"]
    assert theirs["RootFS"] == ours["RootFS"]
    settings = ("User", "Env", "Entrypoint", "Healthcheck", "ExposedPorts", "WorkingDir")
    assert {key: theirs["Config"].get(key) for key in settings} == {key: ours["Config"].get(key) for key in settings}


def test_the_manifest_is_as_its_schema_says(workplace: Workplace, mlflow_base: str) -> None:
    import jsonschema

    save_model(workplace.root / "model")
    write(workplace, mlflow_base, "flowers", 'model = "model"')
    text = (workplace.root / "pyproject.toml").read_text().replace("try = true", "build = false")
    (workplace.root / "pyproject.toml").write_text(text)
    manifest = workplace.build(DOCKER_HOST="unix:///nowhere.sock")
    jsonschema.validate(manifest, SCHEMA)
