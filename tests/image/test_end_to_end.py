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
import tarfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import pytest

from support.containers import Engine
from support.fronts import REPOSITORY
from support.manifests import SCHEMA
from support.mlflow_models import ROWS, log_model, save_model, tracking_server
from support.peers import missing
from support.sandboxes import running

pytestmark = pytest.mark.peer

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


def pings(port: str) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=2).close()
    except OSError:
        return False
    return True


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

        # docker's proxy takes connections from the start, and cuts those for which nobody listens yet.
        until = time.monotonic() + 120
        while not pings(port):
            container.reload()
            assert container.status == "running", container.logs().decode()
            assert time.monotonic() < until, container.logs().decode()
            time.sleep(0.1)
        yield ask
        assert container.attrs["Config"]["User"] == "10001:10001"
    finally:
        container.remove(force=True)


@dataclass(frozen=True)
class Tracked:
    """A tracking server with a run, whose model is registered as `flowers`, and the model's answers for ROWS."""

    server: str
    run: str
    answers: list[int]


@pytest.fixture(scope="module")
def tracked(scratch: Path) -> Iterator[Tracked]:
    with tracking_server(scratch / "mlflow") as server:
        run, answers = log_model(server, "flowers")
        yield Tracked(server, run, answers)


def everything(workplace: Workplace, sandbox) -> str:
    """Publish, and again; gives the name by which the image can be pulled and run."""
    told, model = workplace.publish(sandbox)
    assert (model["outcome"], model["status"], model["sent"]) == ("ready", "ready", True)
    assert "pushed" in told
    version = sandbox.api("models/get_version_by_id", model_version_id=model["model_version_id"])["model_version"]
    assert version["model_version"]["image_path"] == model["image"]
    config = json.loads(next((workplace.root / "dist").glob("*.json")).read_bytes())["config"]
    assert {key: version["config"][key] for key in ("input_schema", "output_schema")} == config

    told, again = workplace.publish(sandbox)
    assert (again["outcome"], again["model_version_id"]) == ("present", model["model_version_id"])
    return str(model["image"])


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
        reference = everything(workplace, sandbox)
        another_machine(workplace, sandbox, reference)
    assert pulled(workplace, reference).labels == image.labels
    with served(workplace.engine, reference) as ask:
        answers = ask(sample["inputs"])
    assert [row["cluster"] for row in answers] == [row["cluster"] for row in sample["outputs"]]
    assert [row["distance"] for row in answers] == pytest.approx([row["distance"] for row in sample["outputs"]])


def another_machine(workplace: Workplace, sandbox, reference: str) -> None:
    """Publish the same bundle where the engine has no such image: neither built nor pushed, nor registered again."""
    client = workplace.engine.client
    repository = reference.partition("@")[0]
    client.images.remove(f"{repository}:1.0", force=True)
    told, again = workplace.publish(sandbox)
    assert (again["outcome"], again["image"]) == ("present", reference)
    assert "the registry has the image of this build" in told
    assert "building" not in told
    assert "pushing" not in told
    assert not [each for each in client.images.list() if f"{repository}:1.0" in each.tags]


def pulled(workplace: Workplace, reference: str):
    repository, _, digest = reference.partition("@")
    return workplace.engine.client.images.pull(repository, tag=digest)


def test_a_folder_of_mlflows_own(workplace: Workplace, mlflow_base: str, tmp_path: Path) -> None:
    answers = save_model(workplace.root / "model")
    rows = [{str(at): value for at, value in enumerate(row)} for row in ROWS]
    (workplace.root / "sample.json").write_text(json.dumps({"inputs": rows}))
    write(workplace, mlflow_base, "flowers", 'model = "model"\nsample = "sample.json"')
    manifest = workplace.build()
    assert manifest["facts"]["flavors"] == ["sklearn"]
    assert list(manifest["facts"]["inputs"].values()) == ["float64"] * 4
    assert set(manifest["config"]) == {"input_schema", "output_schema"}
    tried = workplace.run("hatch_wallaroo", "try", "--json")
    assert tried.returncode == 0, tried.stderr
    (trial,) = json.loads(tried.stdout)["trials"]
    assert (trial["rows"], trial["misfits"], trial["passed"]) == (3, [], True)
    assert trial["ended_seconds"] < 10
    with served(workplace.engine, manifest["image"]["reference"]) as ask:
        assert ask(rows) == answers
    jsonschema.validate(manifest, SCHEMA)


def test_a_model_of_a_tracking_server(workplace: Workplace, tracked: Tracked, mlflow_base: str, tmp_path: Path) -> None:
    write(workplace, mlflow_base, "flowers", 'model = "models:/flowers/1"')
    manifest = workplace.build(MLFLOW_TRACKING_URI=tracked.server)
    write(workplace, mlflow_base, "flowers", f'model = "runs:/{tracked.run}/model"')
    contents = {each["path"]: each["sha256"] for each in manifest["contents"]}
    by_run = {each["path"]: each["sha256"] for each in workplace.build(MLFLOW_TRACKING_URI=tracked.server)["contents"]}
    assert by_run["model/model.pkl"] == contents["model/model.pkl"]
    with running(tmp_path / "state", "2026.1", "--images", pace=0.05) as sandbox:
        reference = everything(workplace, sandbox)
    with served(workplace.engine, reference) as ask:
        assert ask([{str(at): value for at, value in enumerate(row)} for row in ROWS]) == tracked.answers


def test_an_sdist_asks_the_tracking_server_again(workplace: Workplace, tracked: Tracked) -> None:
    """What came from the server does not go into the sdist: nothing of it lies in the project."""
    text = PROJECT.format(name="flowers", table='model = "models:/flowers/1"', base="base", registry="registry.example")
    hook = "[tool.hatch.build.hooks.wallaroo]\n[tool.hatch.build.targets.wheel]\nbypass-selection = true\n"
    (workplace.root / "pyproject.toml").write_text(text.replace("try = true", "build = false") + hook)
    done = workplace.run("hatchling", "build", MLFLOW_TRACKING_URI=tracked.server)
    assert done.returncode == 0, done.stderr
    with tarfile.open(workplace.root / "dist" / "flowers-1.0.tar.gz") as sdist:
        assert sorted(sdist.getnames()) == ["flowers-1.0/PKG-INFO", "flowers-1.0/pyproject.toml"]
    assert (workplace.root / "dist" / "flowers-1.0.tar").is_file()


def test_the_command_by_hand_makes_the_same_image(workplace: Workplace, mlflow_base: str) -> None:
    """`docker build` on the context, as a build without an engine tells it: the same files, settings and labels."""
    if shutil.which("docker") is None:
        missing("the command docker is not installed")
    save_model(workplace.root / "model")
    write(workplace, mlflow_base, "by-hand", 'model = "model"')
    told = workplace.run("hatchling", "build", "-t", "wallaroo", DOCKER_HOST="unix:///nowhere.sock").stderr
    command = told.partition("and run:\n")[2].splitlines()[0].strip()
    assert command.startswith("docker build --label")
    manifest = workplace.build()
    name = manifest["image"]["reference"]
    ours = described(workplace.engine, name)
    workplace.engine.client.images.remove(name, force=True)
    environment = {**os.environ, "DOCKER_BUILDKIT": "0"}
    subprocess.run(
        ["sh", "-c", command], cwd=workplace.root, env=environment, check=True, capture_output=True, timeout=120
    )
    assert described(workplace.engine, name) == ours
    # The next build of all finds every step in the engine's cache, and leaves nothing of it behind.
    assert set(ours["contents"]) >= {"/opt/ml/model/MLmodel", "/opt/ml/model/model.pkl", "/opt/ml/requirements.txt"}


def described(engine: Engine, name: str) -> dict[str, object]:
    """All of an image but its times: settings, what each layer was made by, libraries, and the files of the model."""
    config = dict(engine.client.api.inspect_image(name)["Config"])
    for key in ("Hostname", "Image", "OnBuild"):
        config.pop(key, None)
    looks = """
import hashlib, json, pathlib
from importlib import metadata
files = [each for each in sorted(pathlib.Path("/opt/ml").rglob("*")) if each.is_file()]
print(json.dumps({
    "contents": {str(each): [hashlib.sha256(each.read_bytes()).hexdigest(), oct(each.stat().st_mode)] for each in files},
    "libraries": sorted(f"{each.metadata['Name']}=={each.version}" for each in metadata.distributions()),
}))
"""
    told = engine.client.containers.run(name, ["-c", looks], entrypoint="python", remove=True)
    return {
        "config": config,
        "steps": [each["CreatedBy"] for each in engine.client.api.history(name)],
        **json.loads(told),
    }
