"""Our image of an MLflow model beside the one that `mlflow models build-docker` of MLflow 1.30.0 describes.

    python benchmarks/image.py                  # about 5 minutes; 3 GB in memory or a temporary folder

MLflow's recipe begins with ubuntu:18.04, Anaconda's installer, Maven and a JDK, none of which a package index has. What
is built here of it is the rest, on the same base as ours: its own pip and COPY steps, word by word, in their order. So
its figures are the least that they can be. What apt would add is asked of apt, for an empty system, and not installed.

Needs what tests/image needs: Linux, root, dockerd and docker-registry, a CPython 3.8.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support import containers
from support.containers import Engine
from support.mlflow_models import PEER, save_model
from support.peers import peer

REQUIREMENTS = "mlflow\ncloudpickle==2.2.1\nscikit-learn==1.2.2\n"
TABLE = """
[build-system]
requires = ["hatchling", "hatch-wallaroo[image]"]
build-backend = "hatchling.build"
[project]
name = "flowers"
version = "1.0"
[tool.wallaroo]
framework = "mlflow"
model = "model"
[tool.wallaroo.image]
base = "{base}"
registry = "{registry}"
"""
APT = re.compile(r"RUN apt-get install -y --no-install-recommends(.*?)&&", re.DOTALL)


@dataclass(frozen=True)
class Recipe:
    """A way to make the image: `build` makes it under its name, from nothing where `fresh`."""

    name: str
    image: str
    build: Callable[[bool], None]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=2)
    rounds = arguments.parse_args().rounds
    with (
        containers.scratch() as scratch,
        containers.private_engine(scratch) as engine,
        containers.registry(scratch) as registry,
    ):
        base = containers.base_image(engine, scratch)
        save_model(scratch / "model")
        (scratch / "model" / "requirements.txt").write_text(REQUIREMENTS)
        recipes = [ours(engine, scratch, base, registry), theirs(engine, scratch, base, registry)]
        size = engine.client.images.get(base).attrs["Size"]
        print(f"base: {base}, {size / 1e6:.0f} MB")
        times: dict[tuple[str, str], list[float]] = {}
        sent: dict[tuple[str, str], int] = {}
        for number in range(rounds):
            for recipe in recipes:
                measure(engine, scratch, recipe, number, times, sent)
        report(engine, recipes, times, sent, size)
    print_apt()


def measure(engine: Engine, scratch: Path, recipe: Recipe, number: int, times, sent) -> None:
    """Build without a cache, build again, build with another model, pushing after the first and the last."""
    for what, fresh in (("from nothing", True), ("nothing changed", False), ("another model", False)):
        if what == "another model":
            change(scratch / "model", f"{recipe.name} {number}")
        start = time.perf_counter()
        recipe.build(fresh)
        times.setdefault((recipe.name, what), []).append(time.perf_counter() - start)
        if what != "nothing changed":
            start = time.perf_counter()
            sent[recipe.name, what] = push(engine, recipe.image)
            times.setdefault((recipe.name, f"push, {what}"), []).append(time.perf_counter() - start)


def change(model: Path, mark: str) -> None:
    (model / "mark.txt").write_text(mark)


def push(engine: Engine, image: str) -> int:
    """Push, and give the bytes of the layers that the registry did not have."""
    repository, _, tag = image.rpartition(":")
    layers: dict[str, int] = {}
    for event in engine.client.api.push(repository, tag=tag, stream=True, decode=True):
        assert "error" not in event, event
        if event.get("status") == "Pushing" and event.get("progressDetail"):
            layers[event["id"]] = max(layers.get(event["id"], 0), event["progressDetail"].get("current", 0))
    return sum(layers.values())


def ours(engine: Engine, scratch: Path, base: str, registry: str) -> Recipe:
    project = scratch / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text(TABLE.format(base=base, registry=registry))
    image = f"{registry}/flowers:1.0"

    def build(fresh: bool) -> None:
        if fresh:
            forget(engine, image)
        subprocess.run(["cp", "-r", str(scratch / "model"), str(project)], check=True)
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wallaroo"]
        environment = {**os.environ, "DOCKER_HOST": engine.host}
        subprocess.run(command, cwd=project, env=environment, check=True, capture_output=True)

    return Recipe("hatch build", image, build)


def theirs(engine: Engine, scratch: Path, base: str, registry: str) -> Recipe:
    """The steps of MLflow's own Dockerfile that need nothing but pip, on our base."""
    image = f"{registry}/theirs:1.0"

    def build(fresh: bool) -> None:
        if fresh:
            forget(engine, image)
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            lines = dockerfile(scratch / "model", Path(folder) / "made", "local")
            runs = [
                line
                for line in lines
                if re.match(r"(ENV MLFLOW|WORKDIR|COPY|RUN pip install mlflow|RUN python -c)", line)
            ]
            text = "\n".join([f"FROM {base}", *runs, ""])
            context = io.BytesIO()
            with tarfile.open(fileobj=context, mode="w") as tar:
                tar.add(Path(folder) / "made" / "model_dir", "model_dir")
                info = tarfile.TarInfo("Dockerfile")
                info.size = len(text.encode())
                tar.addfile(info, io.BytesIO(text.encode()))
            context.seek(0)
            engine.client.images.build(fileobj=context, custom_context=True, tag=image, rm=True, forcerm=True)

    return Recipe("MLflow's pip and COPY steps", image, build)


def dockerfile(model: Path, folder: Path, manager: str) -> list[str]:
    """The instructions of what `mlflow models generate-dockerfile` writes, one a line."""
    program = peer(PEER).parent / "mlflow"
    command = [
        str(program),
        "models",
        "generate-dockerfile",
        "-m",
        str(model),
        "-d",
        str(folder),
        "--env-manager",
        manager,
    ]
    environment = {**os.environ, "GIT_PYTHON_REFRESH": "quiet", "PATH": f"{program.parent}:{os.environ['PATH']}"}
    subprocess.run(command, env=environment, check=True, capture_output=True)
    text = (folder / "Dockerfile").read_text()
    return [
        re.sub(r"\s+", " ", line).strip() for line in text.splitlines() if line.strip() and not line.startswith("#")
    ]


def forget(engine: Engine, image: str) -> None:
    """Remove an image and all steps that only it was built of."""
    import docker

    with contextlib.suppress(docker.errors.ImageNotFound):
        engine.client.images.remove(image, force=True)
    engine.client.images.prune(filters={"dangling": True})


def report(engine: Engine, recipes: list[Recipe], times, sent, base: int) -> None:
    print("\n| | " + " | ".join(recipe.name for recipe in recipes) + " |\n|---|" + "---|" * len(recipes))
    for what in ("from nothing", "nothing changed", "another model", "push, from nothing", "push, another model"):
        row = [f"{median(times[recipe.name, what]):.1f} s ({min(times[recipe.name, what]):.1f})" for recipe in recipes]
        print(f"| {what} | " + " | ".join(row) + " |")
    for what in ("from nothing", "another model"):
        print(
            f"| bytes pushed, {what} | "
            + " | ".join(f"{sent[each.name, what] / 1e6:.1f} MB" for each in recipes)
            + " |"
        )
    sizes = [engine.client.images.get(recipe.image).attrs["Size"] for recipe in recipes]
    print("| size over the base | " + " | ".join(f"{(size - base) / 1e6:.0f} MB" for size in sizes) + " |")
    for recipe in recipes:
        print(f"\n{recipe.name}, layers above 1 kB:")
        for each in reversed(engine.client.api.history(recipe.image)):
            if each["Size"] > 1000:
                print(f"  {each['Size'] / 1e6:8.1f} MB  {each['CreatedBy'][:100]}")


def print_apt() -> None:
    """What the packages of MLflow's recipe weigh, as apt says for a system that has none; nearest names of this Debian."""
    with tempfile.TemporaryDirectory() as folder:
        save_model(Path(folder) / "model")
        lines = "\n".join(dockerfile(Path(folder) / "model", Path(folder) / "made", "conda"))
    print("\nMLflow's own Dockerfile:")
    print("\n".join(f"  {line[:150]}" for line in lines.splitlines()))
    found = APT.search(lines)
    assert found is not None
    wanted = [{"openjdk-8-jdk": "default-jdk", "git-core": "git"}.get(each, each) for each in found[1].split()]
    command = [
        "apt-get", "-o", "Dir::State::status=/dev/null", "install", "--no-install-recommends", "--assume-no", *wanted,
    ]  # fmt: skip
    done = subprocess.run(command, env={**os.environ, "LC_ALL": "C"}, capture_output=True, text=True)
    print(f"\napt-get install {' '.join(wanted)}")
    print("\n".join(f"  {line}" for line in done.stdout.splitlines() if line.startswith(("Need", "After"))))


if __name__ == "__main__":
    main()
