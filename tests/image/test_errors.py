"""Errors as a user meets them, from real engines and registries: what is said, what it costs, and what is left."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hatch_wallaroo.frameworks.mlflow.signature import RowForm
from hatch_wallaroo.image import trial
from hatch_wallaroo.image.engine import Engine as Reached
from hatch_wallaroo.image.engine import ImageError
from hatch_wallaroo.schema.types import Field, Scalar, Schema
from support import containers
from support.containers import Engine
from support.image_projects import PUBLISH, ImageProject, spoken, state_of
from support.sandboxes import Sandbox, running

pytestmark = pytest.mark.peer

PASSWORD = "correct horse & battery"
WRONG = "not-the-password-at-all"


@pytest.fixture(scope="module")
def sandbox(scratch: Path) -> Iterator[Sandbox]:
    with running(scratch / "platform", "2023.2.1", pace=0.01) as made:
        yield made


@pytest.fixture(scope="module")
def guarded(scratch: Path) -> Iterator[str]:
    """A registry that asks for a login."""
    with containers.registry(scratch, name="g", user="ada", password=PASSWORD) as address:
        yield address


@pytest.fixture(scope="module")
def narrow(scratch: Path) -> Iterator[Path]:
    """A file system with room for 24 MB."""
    folder = scratch / "narrow"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], capture_output=True)
    if done.returncode:
        containers.missing("a small file system cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


BUILDS = [
    pytest.param(
        {"requirements": ("nope==1.0",)},
        ["WLR626", "in the step `RUN PIP_ROOT_USER_ACTION", "| ERROR: No matching distribution found for nope==1.0",
         "the requirements cannot be installed in the image: mend them in pyproject.toml"],
        id="pip",
    ),
    pytest.param(
        {"requirements": ("far==1.0",)}, ["the build has no way to the package index"], id="pip without a network",
    ),
    pytest.param(
        {"packages": ["libgomp1"]}, ["in the step `RUN apt-get update", "check the names in image.packages"], id="apt",
    ),
    pytest.param(
        {"base": "127.0.0.1:1/none/such:1"},
        ["the base image 127.0.0.1:1/none/such:1 is not there, and could not be pulled",
         "docker pull 127.0.0.1:1/none/such:1", "image.base"],
        id="no base",
    ),
    pytest.param(
        {"platform": "linux/arm64"}, ["is not there for linux/arm64", "image.base"], id="a base of another platform",
    ),
    pytest.param(
        {"builder": "far-away"}, ["docker buildx create --name far-away", "docker-buildx"], id="no builder",
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def built(scratch: Path, engine: Engine, small_base: str) -> ImageProject:
    """A project whose bundle and image are there; what fails in it leaves both as they are."""
    made = ImageProject(scratch / "built", {"DOCKER_HOST": engine.host})
    made.write(base=small_base)
    made.built()
    return made


@pytest.mark.parametrize(("table", "says"), BUILDS)
def test_a_build_that_fails(built: ImageProject, engine: Engine, small_base: str, table, says) -> None:
    before, output = state_of(engine), built.output()
    built.write(**{"base": small_base, **table}, payload=b"another")
    done = built.build()
    said = spoken(done.stdout, done.stderr)
    assert done.returncode == 1
    assert "what was in the output folder is untouched" in said
    assert any(each in said for each in says) if "builder" in table else all(each in said for each in says), said
    assert state_of(engine) == before
    assert built.output() == output


@pytest.fixture(scope="module")
def tried(scratch: Path, engine: Engine, served_base: str) -> ImageProject:
    """A project whose image has passed its trial."""
    made = ImageProject(scratch / "tried", {"DOCKER_HOST": engine.host})
    made.write(base=served_base, try_=True)
    done = made.build()
    assert done.returncode == 0, done.stderr
    assert "2 rows answered" in done.stderr
    return made


@pytest.mark.parametrize(
    ("behaves", "says", "more"),
    [
        ("dies", "ended by itself (exit code 1) before it answered", "No module named 'sklearn'"),
        ("wrong", "row 0, y: a text instead of float64", "mend the model's code, or output-schema"),
    ],
)
def test_a_trial_that_ends_a_build(
    tried: ImageProject, engine: Engine, served_base: str, behaves: str, says: str, more: str
) -> None:
    """The image's name stands for the image of before, which the output folder describes."""
    before, output = state_of(engine), tried.output()
    tried.write(base=served_base, try_=True, requirements=(f"{behaves}==1",))
    done = tried.build()
    said = spoken(done.stdout, done.stderr)
    assert done.returncode == 1
    assert says in said
    assert more in said
    assert state_of(engine) == before
    assert tried.output() == output


ROWS = [{"x": 1.0}, {"x": 2.0}]
ANSWER = Schema((Field("y", Scalar("float64")),))


def behaving(engine: Engine, base: str, behaves: str) -> str:
    """An image whose server behaves in a way."""
    lines = f"FROM {base}\nRUN mkdir -p /opt/ml && echo {behaves} > /opt/ml/requirements.txt\nENTRYPOINT gunicorn\n"
    lines = lines.replace("ENTRYPOINT gunicorn", 'ENTRYPOINT ["gunicorn"]')
    image, _ = engine.client.images.build(fileobj=io.BytesIO(lines.encode()), rm=True, forcerm=True)
    return image.id


@pytest.mark.parametrize(
    ("behaves", "says", "log"),
    [
        ("refuses", "/invocations answers 400: ", "missing inputs [x]"),
        ("garbled", "something that is not JSON", ""),
        ("vanishes", "ended by itself (exit code 137) while it was asked", "MemoryError"),
        ("deaf", "does not end within 10 s after SIGTERM", ""),
    ],
)
def test_a_trial_that_fails(engine: Engine, served_base: str, behaves: str, says: str, log: str) -> None:
    image = behaving(engine, served_base, behaves)
    before = state_of(engine)
    with pytest.raises(ImageError) as raised:
        trial.run(Reached(engine.client), image, ROWS, ANSWER)
    assert says in raised.value.message
    assert log in raised.value.message + "".join(raised.value.log)
    assert state_of(engine) == before
    engine.client.images.remove(image)


@pytest.mark.parametrize("form", ["records", "instances", "values"])
def test_a_trial_in_every_form(engine: Engine, served_base: str, form: RowForm) -> None:
    image = behaving(engine, served_base, "good")
    shown = trial.run(Reached(engine.client), image, ROWS, ANSWER, form)
    assert (shown.rows, shown.misfits, shown.passed) == (2, (), True)
    assert shown.ended < 5
    engine.client.images.remove(image)


def test_an_image_that_cannot_be_asked(engine: Engine, small_base: str) -> None:
    lines = f'FROM {small_base}\nENTRYPOINT ["sleep", "60"]\n'
    image, _ = engine.client.images.build(fileobj=io.BytesIO(lines.encode()), rm=True, forcerm=True)
    before = state_of(engine)
    with pytest.raises(ImageError, match="the container cannot be asked"):
        trial.run(Reached(engine.client), image.id, (), None)
    assert state_of(engine) == before
    engine.client.images.remove(image.id)


def test_the_command_try(tried: ImageProject, engine: Engine, served_base: str, tmp_path: Path) -> None:
    """An image that is not there yet is built; answers that miss the schema are its exit code."""
    tried.write(base=served_base, build=False, requirements=("wrong==1",))
    tried.built()
    before = state_of(engine)
    done = tried.run("hatch_wallaroo", "try", "--json")
    (told,) = json.loads(done.stdout)["trials"]
    assert done.returncode == 1
    assert (told["model"], told["image"], told["rows"], told["passed"]) == ("flowers", "flowers:1.0", 2, False)
    assert told["misfits"] == [f"row {row}, y: a text instead of float64" for row in (0, 1)]
    assert "flowers: the answers are not what the output schema says" in spoken(done.stderr)
    assert state_of(engine).containers == before.containers
    assert state_of(engine).nameless == before.nameless

    sample = tmp_path / "one.json"
    sample.write_text(json.dumps({"inputs": [{"x": 1.0}]}))
    done = tried.run("hatch_wallaroo", "try", "dist/flowers-1.0.tar", "--sample", str(sample))
    assert done.returncode == 1
    assert "1 row answered" in done.stdout
    assert "step 1 of" not in done.stderr  # it was built a moment ago
    sample.write_text('{"rows": []}')
    done = tried.run("hatch_wallaroo", "try", "--sample", str(sample))
    assert done.returncode == 2
    assert "one.json is no sample" in spoken(done.stderr)
    with (tried.root / "dist" / "flowers-1.0.tar").open("r+b") as context:
        context.write(b"other")
    done = tried.run("hatch_wallaroo", "try")
    assert done.returncode == 2
    assert "is not the file that its manifest describes" in spoken(done.stderr)


def test_no_engine(project: ImageProject, small_base: str) -> None:
    project.write(base=small_base)
    where = f"unix://{project.root}/no.sock"
    done = project.build(DOCKER_HOST=where)
    said = spoken(done.stdout, done.stderr)
    assert done.returncode == 1
    assert f"no container engine answers at {where}" in said
    assert "image.build = false" in said
    assert "docker build --label io.github.hatch-wallaroo.context=sha256:" in said
    assert "-t flowers:1.0 - < dist/flowers-1.0.tar" in said
    assert project.output() == {}

    project.write(base=small_base, build=False)
    assert project.build(DOCKER_HOST=where).returncode == 0
    done = project.run("hatch_wallaroo", "try", DOCKER_HOST=where)
    assert done.returncode == 1
    assert f"no container engine answers at {where}" in spoken(done.stderr)


def test_the_output_folder_of_the_command_is_the_one_that_is_built_to(project: ImageProject, small_base: str) -> None:
    project.write(base=small_base)
    done = project.run("hatchling", "build", "-t", "wallaroo", "-d", "out put", DOCKER_HOST="unix:///no.sock")
    assert "- < 'out put/flowers-1.0.tar'" in spoken(done.stderr)


def published(project: ImageProject, sandbox: Sandbox, **environment: str) -> tuple[int, str, dict[str, object]]:
    done = project.publish(sandbox, **environment)
    (model,) = json.loads((project.root / "result.json").read_bytes())["models"]
    return done.returncode, spoken(done.stdout, done.stderr), model


def test_a_registry_that_is_away(project: ImageProject, engine: Engine, small_base: str, sandbox: Sandbox) -> None:
    project.write(base=small_base, registry="127.0.0.1:1/team")
    project.built()
    before = state_of(engine)
    code, said, model = published(project, sandbox)
    assert code == 7
    assert "127.0.0.1:1 was not reached by the engine" in said
    assert "image.registry" in said
    assert model["model_version_id"] is None
    assert state_of(engine) == before


def test_no_registry(project: ImageProject, small_base: str, sandbox: Sandbox) -> None:
    project.write(base=small_base)
    project.built()
    code, said, _ = published(project, sandbox)
    assert code == 2
    assert "nothing says to which registry flowers:1.0 is pushed" in said
    assert "set image.registry" in said
    done = project.run(*PUBLISH, "-o", "dry-run", **sandbox.environment)
    assert "would be refused: nothing says to which registry" in done.stdout


def signed_in(folder: Path, registry: str, password: str) -> None:
    """What `docker login` leaves."""
    secret = base64.b64encode(f"ada:{password}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {registry: {"auth": secret}}}))


def helper(folder: Path, registry: str, password: str) -> str:
    """A credential helper, and a PATH on which it is found."""
    programs = folder / "programs"
    programs.mkdir()
    answer = json.dumps({"ServerURL": registry, "Username": "ada", "Secret": password})
    script = programs / "docker-credential-tests"
    script.write_text(f"#!/bin/sh\n[ \"$1\" = get ] || exit 1\ncat >/dev/null\ncat <<'END'\n{answer}\nEND\n")
    script.chmod(0o755)
    (folder / "config.json").write_text(json.dumps({"credHelpers": {registry: "tests"}}))
    return f"{programs}{os.pathsep}{os.environ['PATH']}"


def test_logins(project: ImageProject, engine: Engine, small_base: str, guarded: str, sandbox: Sandbox) -> None:
    """None, a wrong one, a helper that is not there, a wrong one of a helper, and the right ones."""
    home = project.root / "home"
    project.write(base=small_base, registry=f"{guarded}/team", payload=os.urandom(64))
    project.built()
    before = state_of(engine)

    def refused(**environment: str) -> str:
        code, said, model = published(project, sandbox, **environment)
        assert code == 3, said
        assert model["model_version_id"] is None
        assert state_of(engine) == before
        assert WRONG not in said
        assert base64.b64encode(f"ada:{WRONG}".encode()).decode() not in said
        return said

    said = refused()
    assert f"{guarded} does not take" in said
    assert f"docker login {guarded}" in said
    signed_in(home, guarded, WRONG)
    assert f"docker login {guarded}" in refused()
    (home / "config.json").write_text(json.dumps({"credHelpers": {guarded: "that-is-not-there"}}))
    assert "credential helper gives no login" in refused()
    assert f"docker login {guarded}" in refused(PATH=helper(home, guarded, WRONG))
    (home / "programs" / "docker-credential-tests").unlink()
    (home / "programs").rmdir()

    path = helper(home, guarded, PASSWORD)
    code, said, model = published(project, sandbox, PATH=path)
    assert code == 0, said
    assert str(model["image"]).startswith(f"{guarded}/team/flowers@sha256:")
    signed_in(home, guarded, PASSWORD)
    code, said, again = published(project, sandbox)
    assert (code, again["outcome"], again["image"]) == (0, "present", model["image"])
    assert PASSWORD not in said
    assert state_of(engine) == before


def test_the_engines_disk_is_full_and_the_engine_goes_away(project: ImageProject, scratch: Path, narrow: Path) -> None:
    with containers.private_engine(scratch, name="n", data=narrow) as small:
        base = containers.small_base(small, scratch)
        here = ImageProject(project.root, {**project.environment, "DOCKER_HOST": small.host})
        here.write(base=base)
        here.built()
        before, output = state_of(small), here.output()
        here.write(base=base, payload=os.urandom(30 << 20))
        done = here.build()
        said = spoken(done.stdout, done.stderr)
        assert done.returncode == 1
        assert "the engine's disk is full" in said
        assert "docker system prune" in said
        assert state_of(small) == before
        assert here.output() == output

        here.write(base=base, requirements=("slow==1",))
        process = here.start("hatchling", "build", "-t", "wallaroo")
        until = time.monotonic() + 30
        while not small.client.api.containers() and time.monotonic() < until:
            time.sleep(0.05)
        os.kill(int((scratch / "n.pid").read_text()), signal.SIGTERM)
        out, err = process.communicate(timeout=60)
        said = spoken(out, err)
        assert process.returncode == 1
        assert "the step was killed" in said, said
        assert here.output() == output


def test_ctrl_c_while_pip_runs(project: ImageProject, engine: Engine, small_base: str) -> None:
    project.write(base=small_base)
    project.built()
    before, output = state_of(engine), project.output()
    project.write(base=small_base, requirements=("slow==1",))
    busy = lambda: state_of(engine).containers - before.containers  # noqa: E731
    code, _ = project.interrupted(busy, "hatchling", "build", "-t", "wallaroo")
    assert code != 0
    assert project.output() == output
    assert state_of(engine) == before
    assert not list((project.root / "dist").glob(".wallaroo-*"))


def test_ctrl_c_while_a_trial_runs(project: ImageProject, engine: Engine, served_base: str) -> None:
    project.write(base=served_base, try_=True, requirements=("deaf==1",))
    before = state_of(engine)

    def started() -> bool:
        tried = {"label": "io.github.hatch-wallaroo.trial=true"}
        return bool(engine.client.api.containers(filters=tried))

    code, said = project.interrupted(started, "hatchling", "build", "-t", "wallaroo")
    assert code != 0
    assert project.output() == {}
    assert state_of(engine) == before

    project.write(base=served_base, build=False, requirements=("deaf==1",))
    project.built()
    code, said = project.interrupted(started, "hatch_wallaroo", "try")
    assert code == 130, said
    spoken(said)
    assert state_of(engine).containers == before.containers
    assert state_of(engine).nameless == before.nameless
    engine.client.images.remove("flowers:1.0", force=True)


def test_ctrl_c_while_it_is_pushed(
    project: ImageProject, engine: Engine, small_base: str, registry: str, scratch: Path, sandbox: Sandbox
) -> None:
    project.write(base=small_base, registry=f"{registry}/interrupted", payload=os.urandom(40 << 20))
    project.built()
    before = state_of(engine)
    uploads = (
        scratch / "r-data" / "docker" / "registry" / "v2" / "repositories" / "interrupted" / "flowers" / "_uploads"
    )
    begun = lambda: uploads.is_dir() and any(uploads.iterdir())  # noqa: E731
    code, said = project.interrupted(begun, *PUBLISH, **sandbox.environment)
    assert code == 130, said
    assert "interrupted; publishing again sends nothing twice" in spoken(said)
    assert state_of(engine) == before
    code, said, model = published(project, sandbox)
    assert (code, model["outcome"]) == (0, "ready"), said
