from __future__ import annotations

import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from support import peers
from support.fronts import REPOSITORY, FrontEnds
from support.progress import Progress

# How long an example takes says more about the machine than about the code.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")

# A shell lets what it runs in the background ignore Ctrl-C, and so would every program that a test sends one.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

SHARED = REPOSITORY.parent / "shared"


def pytest_configure(config: pytest.Config) -> None:
    """Say which file a run is in, unless each test is named or nothing is to be said; xdist's workers say nothing."""
    if config.option.verbose == 0 and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Progress(config))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    peers.running = item
    try:
        return (yield)
    finally:
        peers.running = None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """All tests of images in one process: each process would start an engine, and install MLflow, of its own.

    xdist's own groups, `--dist=loadgroup`, mark tests by a name that pytest 9.2 no longer looks at.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "tests/image" if nodeid.startswith("tests/image/") else nodeid

    return Scheduling(config, log)


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
def beside_hatch(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plugin's wheel, unpacked where Hatch's Python looks: as installed beside Hatch."""
    folder = tmp_path_factory.mktemp("beside-hatch")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="session")
def fronts(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> FrontEnds:
    home = tmp_path_factory.mktemp("front-ends")
    (home / "config.toml").touch()
    return FrontEnds(home, wheel.parent)
