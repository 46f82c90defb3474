"""A real engine, registry and base image, each made once and only when a test asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support import containers
from support.image_projects import ImageProject


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    with containers.scratch() as folder:
        yield folder


@pytest.fixture(scope="session")
def engine(scratch: Path) -> Iterator[containers.Engine]:
    with containers.engine(scratch) as made:
        yield made


@pytest.fixture(scope="session")
def registry(scratch: Path) -> Iterator[str]:
    with containers.registry(scratch) as address:
        yield address


@pytest.fixture(scope="session")
def base(engine: containers.Engine, scratch: Path) -> str:
    return containers.base_image(engine, scratch)


@pytest.fixture(scope="session")
def mlflow_base(engine: containers.Engine, scratch: Path, base: str) -> str:
    return containers.mlflow_base(engine, scratch)


@pytest.fixture(scope="session")
def small_base(engine: containers.Engine, scratch: Path) -> str:
    return containers.small_base(engine, scratch)


@pytest.fixture(scope="session")
def served_base(engine: containers.Engine, scratch: Path, base: str) -> str:
    return containers.served_base(engine, scratch)


@pytest.fixture
def project(tmp_path: Path, engine: containers.Engine) -> ImageProject:
    root = tmp_path / "project"
    root.mkdir()
    (root / "home").mkdir()
    return ImageProject(root, {"DOCKER_HOST": engine.host, "DOCKER_CONFIG": str(root / "home")})
