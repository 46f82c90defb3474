"""This project's own wheel holds what it needs at run time and nothing else, from the sdist too."""

from __future__ import annotations

import configparser
import email
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from support.fronts import REPOSITORY

pytestmark = pytest.mark.slow

PACKAGE = "hatch_wallaroo"
JUNK = {"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".DS_Store"}


def files_below(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not JUNK & set(path.parts) and path.suffix != ".pyc"
    }


def members(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def contents(wheel: Path) -> dict[str, bytes]:
    return members(wheel)


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hatch-wallaroo-sdist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(folder)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    (made,) = folder.glob("*.tar.gz")
    return made


def test_the_package_and_its_templates_and_nothing_else(contents: dict[str, bytes]) -> None:
    expected = {f"{PACKAGE}/{path}": data for path, data in files_below(REPOSITORY / PACKAGE).items()}
    expected |= {f"{PACKAGE}/templates/{path}": data for path, data in files_below(REPOSITORY / "templates").items()}
    shipped = {path: data for path, data in contents.items() if ".dist-info/" not in path}
    assert sorted(shipped) == sorted(expected)
    assert shipped == expected


@pytest.mark.parametrize(
    "path",
    [
        "py.typed",
        "bundle/manifest.schema.json",
        "config/wallaroo.schema.json",
        "frameworks/pretrained/tasks.toml",
        "releases/data/2023.2.1.toml",
        "releases/data/2026.1.toml",
        "templates/byop/inference.py.jinja",
        "templates/sandbox/page.html.jinja",
        "templates/sandbox/style.css",
    ],
)
def test_what_the_code_reads_at_run_time(path: str, contents: dict[str, bytes]) -> None:
    assert f"{PACKAGE}/{path}" in contents


def test_what_the_wheel_says_of_itself(contents: dict[str, bytes]) -> None:
    def told(name: str) -> str:
        (path,) = [each for each in contents if each.endswith(f".dist-info/{name}")]
        return contents[path].decode()

    points = configparser.ConfigParser()
    points.read_string(told("entry_points.txt"))
    assert points["hatch"]["wallaroo"] == f"{PACKAGE}.hooks"
    assert points["validate_pyproject.tool_schema"]["wallaroo"] == f"{PACKAGE}.config.json_schema:tool_schema"
    metadata = email.message_from_string(told("METADATA"))
    assert metadata["Requires-Python"] == ">=3.10"
    assert "Framework :: Hatch" in metadata.get_all("Classifier", [])
    assert "Tag: py3-none-any" in told("WHEEL")
    assert told("licenses/LICENSE.txt")
    # What every build environment installs: small, and nothing that trains models.
    requirements = map(Requirement, metadata.get_all("Requires-Dist", []))
    needed = {each.name for each in requirements if "extra" not in str(each.marker)}
    assert needed == {
        "click",
        "hatchling",
        "jinja2",
        "packaging",
        "pathspec",
        "pyarrow",
        "pyflakes",
        "tomli",
        "tomlkit",
        "zlib-ng",
    }


def test_entry_points_name_what_is_there(contents: dict[str, bytes]) -> None:
    import importlib

    for group in ("hatch", "validate_pyproject.tool_schema"):
        points = configparser.ConfigParser()
        (path,) = [each for each in contents if each.endswith(".dist-info/entry_points.txt")]
        points.read_string(contents[path].decode())
        for target in points[group].values():
            module, _, attribute = target.partition(":")
            assert f"{module.replace('.', '/')}.py" in contents
            assert not attribute or callable(getattr(importlib.import_module(module), attribute))


def test_the_sdist_builds_the_same_wheel(sdist: Path, contents: dict[str, bytes], tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = archive.getnames()
        archive.extractall(tmp_path, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    assert not [name for name in names if JUNK & set(name.split("/")) or "/dist/" in name]
    (root,) = tmp_path.iterdir()
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "out")]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    (wheel,) = (tmp_path / "out").glob("*.whl")
    assert members(wheel) == contents
    assert {"README.md", "CHANGELOG.md", "LICENSE.txt", "pyproject.toml", "tests", "docs"} <= {
        path.name for path in root.iterdir()
    }
