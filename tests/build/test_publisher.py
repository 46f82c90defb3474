"""`hatch build` and `hatch publish -p wallaroo` as a user runs them, against a sandbox."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.packages import write_package
from support.sandboxes import Sandbox, running
from support.users import Done, User

pytestmark = pytest.mark.slow

Run = Callable[..., Done]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox"), "2023.2.1") as sandbox:
        sandbox.workspace("my-ws")
        yield sandbox


@pytest.fixture
def project(user: User) -> Path:
    return user.project


@pytest.fixture
def run(user: User, platform: Sandbox) -> Run:
    """Run `hatch publish -p wallaroo …` in the project; gives exit code and all that was printed."""

    def publish(*arguments: str, **environment: str) -> Done:
        done = user.publish(*arguments, **{**platform.environment, **environment})
        assert platform.password not in done.output
        return done

    return publish


def unique(tmp_path: Path) -> bytes:
    """A model that no other test has sent."""
    return os.fsencode(tmp_path)


def test_a_model_is_published_and_never_twice(run: Run, project: Path, platform: Sandbox, tmp_path: Path) -> None:
    manifest = write_package(project / "dist", data=unique(tmp_path))
    code, output = run("-o", "json=result.json")
    assert code == 0, output
    made = json.loads((project / "result.json").read_text())
    (model,) = made["models"]
    assert (model["outcome"], model["status"], model["sent"]) == ("ready", "ready", True)
    assert platform.version(model["model_version_id"])["file_info"]["sha"] == model["sha256"]

    for named in ((), (str(manifest),), ("dist/clusters-1.0.onnx",), ("dist",)):
        code, output = run(*named, "-o", "json=again.json")
        (again,) = json.loads((project / "again.json").read_text())["models"]
        assert code == 0, output
        assert (again["outcome"], again["model_version_id"]) == ("present", model["model_version_id"])


def test_files_of_other_publishers_are_left_alone(run: Run, project: Path, tmp_path: Path) -> None:
    write_package(project / "dist", data=unique(tmp_path))
    for other in ("clusters-1.0.tar.gz", "clusters-1.0-py3-none-any.whl"):
        (project / "dist" / other).touch()
    names = [f"dist/{path.name}" for path in sorted((project / "dist").iterdir())]
    code, output = run(*names)
    assert code == 0, output
    assert output.count("ready, version") == 1


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "told"),
    [
        (["-o", "wrokspace=x"], {}, 2, "did you mean workspace?"),
        (["-o", "workspace=nowhere"], {}, 2, "there is no workspace nowhere"),
        (["dist/nothing.onnx"], {}, 2, "dist/nothing.onnx does not exist"),
        ([], {"WALLAROO_PASSWORD": "not-this-one"}, 3, ""),
        ([], {"WALLAROO_URL": ""}, 2, "url"),
        ([], {"WALLAROO_URL": "http://127.0.0.1:1"}, 7, ""),
    ],
    ids=["option", "workspace", "file", "password", "no url", "nobody there"],
)
def test_each_mistake_has_its_exit_code(
    arguments: list[str], environment: dict[str, str], code: int, told: str, run: Run, project: Path, tmp_path: Path
) -> None:
    write_package(project / "dist", data=unique(tmp_path))
    got, output = run(*arguments, "-o", "retries=0", **environment)
    assert (got, told in output) == (code, True), output


def test_a_project_without_bundles_says_how_to_make_one(run: Run) -> None:
    code, output = run()
    assert code == 2
    assert "hatch build" in output


def test_a_token_for_a_package_index_never_reaches_wallaroo(run: Run, project: Path, tmp_path: Path) -> None:
    write_package(project / "dist", data=unique(tmp_path))
    token = "pypi-AgEIcHlwaS5vcmcCJDAw"
    index = {
        "HATCH_INDEX_AUTH": token,
        "HATCH_INDEX_USER": "__token__",
        "HATCH_INDEX_REPO": "https://index.example/legacy/",
    }
    code, output = run(WALLAROO_USER="", WALLAROO_PASSWORD="", **index)
    assert code == 3
    assert "HATCH_INDEX_AUTH is for a package index and is not sent to Wallaroo" in output
    assert token not in output
    code, output = run(**index)
    assert code == 0, output


def test_hatchs_own_flags_are_taken_from_the_command_line(
    run: Run, project: Path, platform: Sandbox, tmp_path: Path
) -> None:
    write_package(project / "dist", data=unique(tmp_path))
    code, output = run(
        "-r", platform.url, "-u", platform.user, "-a", platform.password, "--client-cert", "x.pem",
        WALLAROO_USER="", WALLAROO_PASSWORD="", WALLAROO_URL="",
    )  # fmt: skip
    assert code == 0, output
    assert "--client-cert is not used for Wallaroo" in output
    assert "stands on the command line" in output


def test_quiet_says_only_what_is_wrong(run: Run, project: Path, tmp_path: Path) -> None:
    write_package(project / "dist", data=unique(tmp_path))
    code, output = run(HATCH_QUIET="1")
    assert (code, output) == (0, "")


def test_a_dry_run_sends_nothing(run: Run, project: Path, platform: Sandbox, tmp_path: Path) -> None:
    write_package(project / "dist", "dry", data=unique(tmp_path))
    code, output = run("-o", "dry-run")
    assert code == 0, output
    assert f"request: POST {platform.url}/v1/api/models/upload" in output
    assert "Authorization: Bearer ***" in output
    assert platform.versions("dry") == []
