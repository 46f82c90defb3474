"""The command itself ended in the middle of a run, and run by an ordinary user: nothing stays behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from preflight.test_failures import ISOLATIONS, LEFT_BEHIND, assert_nothing_left, byop, sleeping

from support import peers
from support.fronts import REPOSITORY
from support.left_running import processes, until

pytestmark = [pytest.mark.peer, pytest.mark.slow]

COMMAND = (sys.executable, "-m", "hatch_wallaroo", "preflight")


def written(files, folder):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder for what is temporary: short, for there are sockets in it."""
    with tempfile.TemporaryDirectory(prefix="t") as folder:
        yield Path(folder)


@pytest.fixture
def environment(temporary, isolation):
    return {
        **os.environ,
        "TMPDIR": str(temporary),
        "HATCH_WALLAROO_CACHE_DIR": str(peers.folder() / "preflight"),
        "HATCH_WALLAROO_ISOLATION": isolation,
    }


@pytest.fixture(params=ISOLATIONS)
def isolation(request):
    return request.param


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_command_that_is_ended_while_a_model_loads(tmp_path, temporary, environment, number, sleep):
    """SIGINT goes to all of the terminal's foreground, SIGTERM and SIGKILL to the command alone."""
    project = written(byop(create=LEFT_BEHIND.replace("SECONDS", sleep) + "\ntime.sleep(600)"), tmp_path / "project")
    command = subprocess.Popen(
        COMMAND,
        cwd=project,
        env=environment,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert until(lambda: len(sleeping(sleep)) >= 6 or command.poll() is not None, 120)
    assert command.poll() is None, command.communicate()
    assert list(temporary.iterdir())
    (os.killpg if number == signal.SIGINT else os.kill)(command.pid, number)
    out, err = command.communicate(timeout=60)
    assert "Traceback" not in out + err
    assert until(lambda: not processes(str(temporary)))
    assert until(lambda: not sleeping(sleep))
    if number == signal.SIGKILL:  # its folder is left: the next run removes it, or another one has by now
        assert command.returncode == -signal.SIGKILL
        done = subprocess.run(
            COMMAND,
            cwd=written(byop(), tmp_path / "next"),
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    else:
        assert command.returncode == (128 + number if number == signal.SIGTERM else 130), out + err
    assert_nothing_left(temporary, peers.folder() / "preflight")
    assert not (project / "dist").exists()


NOBODY = 65534


@pytest.fixture(scope="module")
def ordinary() -> Iterator[dict[str, str]]:
    """The environment of somebody who is not root, with a cache of their own, and a Python that they may run."""
    peers.needs_marker("the runtime of the SDK")
    if os.geteuid() != 0:
        peers.missing("the tests do not run as root: all of them ran as an ordinary user already")
    with tempfile.TemporaryDirectory(prefix="t") as folder:
        Path(folder).chmod(0o755)
        for name in ("home", "cache", "uv", "t", "project"):
            Path(folder, name).mkdir()
            os.chown(Path(folder, name), NOBODY, NOBODY)
        paths = [str(REPOSITORY), *(each for each in sys.path if each.endswith("site-packages"))]
        found = {
            **os.environ,
            "HOME": f"{folder}/home",
            "TMPDIR": f"{folder}/t",
            "UV_CACHE_DIR": f"{folder}/uv",
            "HATCH_WALLAROO_CACHE_DIR": f"{folder}/cache",
            "PYTHONPATH": os.pathsep.join(paths),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        for candidate in (sys.executable, f"/usr/bin/python{sys.version_info[0]}.{sys.version_info[1]}"):
            try:
                done = as_nobody([candidate, "-c", "import hatch_wallaroo, click, pyarrow"], found, folder)
            except OSError:
                continue
            if done.returncode == 0:
                yield {**found, "PYTHON": candidate}
                break
        else:
            # Not a part that can be installed: where the interpreter or this checkout lies closed to others.
            pytest.skip("no Python of this machine that an ordinary user may run")


def as_nobody(command, environment, folder, **options):
    return subprocess.run(
        command,
        env=environment,
        cwd=folder,
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        **options,
    )


@pytest.mark.parametrize("kind", ISOLATIONS)
def test_an_ordinary_user(ordinary, kind, sleep):
    """Their own Python runs it: whichever the machine has. What is left behind, a connection, a fault, its files."""
    folder = Path(ordinary["TMPDIR"]).parent
    environment = {**ordinary, "HATCH_WALLAROO_ISOLATION": kind}

    def verdict(**parts):
        project = folder / "project"
        shutil.rmtree(project)
        written(byop(**parts, release="2026.1"), project)
        for each in (project, *project.rglob("*")):
            os.chown(each, NOBODY, NOBODY)
        command = [ordinary["PYTHON"], "-m", "hatch_wallaroo", "preflight", "--python", "current", "--json"]
        done = as_nobody([*command, "--call-seconds", "5"], environment, project)
        assert done.returncode in {0, 1}, done.stdout + done.stderr
        (made,) = json.loads(done.stdout)["preflights"]
        errors = [each for each in made["findings"] if each["level"] == "error"]
        return made["verdict"], made["isolation"], errors

    made = verdict(create=LEFT_BEHIND.replace("SECONDS", sleep))
    assert made == ("passed", kind, []), made
    word, _, errors = verdict(predict="open('/proc/sys/kernel/hostname', 'w')  # here")
    assert (word, [each["code"] for each in errors]) == ("failed", ["WLR713"])
    assert errors[0]["file"] == "src/inference.py"
    word, _, errors = verdict(predict="while True: pass")
    assert (word, [each["code"] for each in errors]) == ("failed", ["WLR715"])
    assert until(lambda: not sleeping(sleep))
    assert_nothing_left(folder / "t", folder / "cache")
