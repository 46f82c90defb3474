from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from support.fronts import REPOSITORY, FrontEnds

# How long an example takes says more about the machine than about the code.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")

SHARED = REPOSITORY.parent / "shared"


@pytest.fixture(scope="session")
def shared_models() -> Path:
    """Real public models that are not part of the project; tests on them run where the folder exists."""
    models = SHARED / "models"
    if not models.is_dir():
        pytest.skip("the folder of public models is not here")
    return models


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This project's own wheel, built by its own backend."""
    folder = tmp_path_factory.mktemp("hatch-wallaroo-wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="session")
def fronts(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> FrontEnds:
    home = tmp_path_factory.mktemp("front-ends")
    (home / "config.toml").touch()
    return FrontEnds(home, wheel.parent)
