"""What a project's file lacks besides the table, for each way in which projects are built."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hatch_wallaroo.config.toml.editing import edit_pyproject
from hatch_wallaroo.discover.project import Completion
from support.trees import grow

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SYSTEM = '[build-system]\nrequires = ["hatchling", "hatch-wallaroo"]\nbuild-backend = "hatchling.build"\n'
PROJECT = '[project]\nname = "x"\nversion = "1"\n'
HOOK = "[tool.hatch.build.hooks.wallaroo]\n"
INDEX = "[tool.hatch.publish.index]\ndisable = true\n"
WHOLE = f"{SYSTEM}\n{PROJECT}\n{HOOK}\n{INDEX}"
ENVIRONMENT = {
    "detached": True,
    "dependencies": ["hatch-wallaroo"],
    "scripts": {"build": "hatchling build -t wallaroo {args}"},
}
SETUPTOOLS = '[build-system]\nrequires = ["setuptools>=64"]\nbuild-backend = "setuptools.build_meta"\n'
POETRY = '[build-system]\nrequires = ["poetry-core"]\nbuild-backend = "poetry.core.masonry.api"\n'


def completed(root: Path, text: str) -> Completion:
    grow(root, {"pyproject.toml": text} if text else {})
    completion = Completion(root, edit_pyproject(root))
    completion.complete()
    return completion


def told(completion: Completion) -> list[str]:
    return [each.code for each in completion.findings]


HATCHLING = {
    "nothing": ("", WHOLE.replace('"x"', '"{name}"').replace('"1"', '"0.1.0"')),
    "whole": (WHOLE, WHOLE),
    "settings alone": ("[tool.ruff]\nx = 1\n",
        f'{SYSTEM}\n[project]\nname = "{{name}}"\nversion = "0.1.0"\n\n[tool.ruff]\nx = 1\n\n{HOOK}\n{INDEX}'),
    "no build system": (f"# mine\n\n{PROJECT}", f"# mine\n\n{SYSTEM}\n{PROJECT}\n{HOOK}\n{INDEX}"),
    "not among the requirements": (WHOLE.replace(', "hatch-wallaroo"', ""), WHOLE),
    "written otherwise": (WHOLE.replace("hatch-wallaroo", "Hatch_Wallaroo[lock]>=0.1"),
        WHOLE.replace("hatch-wallaroo", "Hatch_Wallaroo[lock]>=0.1")),
    "a hook for the wheel alone": (WHOLE.replace(HOOK, "[tool.hatch.build.targets.wheel.hooks.wallaroo]\n"),
        WHOLE.replace(HOOK, "[tool.hatch.build.targets.wheel.hooks.wallaroo]\n")),
    "the target alone": (WHOLE.replace(HOOK, "[tool.hatch.build.targets.wallaroo]\n"),
        WHOLE.replace(HOOK, "[tool.hatch.build.targets.wallaroo]\n")),
    "the index is used": (WHOLE.replace("disable = true", "repos = {}"), WHOLE.replace("disable = true", "repos = {}")),
}  # fmt: skip


@pytest.mark.parametrize("case", HATCHLING)
def test_hatchling(case: str, tmp_path: Path) -> None:
    before, after = HATCHLING[case]
    completion = completed(tmp_path / "a_b", before)
    assert completion.edit.after == after.replace("{name}", "a-b")
    assert told(completion) == []
    completion.complete()
    assert completion.edit.after == after.replace("{name}", "a-b")


@pytest.mark.parametrize("folder", ["Ümläut & Söhne", "…", "-x-", "a" * 100])
def test_a_folder_s_name_becomes_the_project_s(folder: str, tmp_path: Path) -> None:
    from packaging.utils import canonicalize_name

    name = completed(tmp_path / folder, "").edit.document["project"]["name"]
    assert canonicalize_name(name, validate=True) == name


@pytest.mark.parametrize(("lock", "text"), [(True, PROJECT), (False, f"{PROJECT}[tool.uv]\ndev-dependencies = []\n")])
def test_what_uv_manages_stays_as_it_is(lock: bool, text: str, tmp_path: Path) -> None:
    if lock:
        grow(tmp_path, {"uv.lock": "version = 1\n"})
    completion = completed(tmp_path, text)
    assert completion.edit.document["tool"]["uv"]["package"] is False
    assert "package = false" in completion.notes[0]
    assert "build-system" in completion.edit.document


def test_what_uv_builds_already_is_left_alone(tmp_path: Path) -> None:
    completion = completed(tmp_path, f"{WHOLE}[tool.uv]\npackage = true\n")
    assert not completion.edit.changed


# Another backend

ELSEWHERE = {
    "static": (f"{SETUPTOOLS}{PROJECT}", {}, None, ["WLR677"]),
    "attr": (
        (f'{SETUPTOOLS}[project]\nname = "x"\ndynamic = ["version"]\n[tool.setuptools.dynamic]\n'
         'version = { attr = "pkg.about.__version__" }\n'),
        {"src/pkg/about.py": '__version__: str = "1.2"\n'},
        None,
        ["WLR676", "WLR677"],
    ),
    "tags": (
        ('[build-system]\nrequires = ["setuptools>=64", "setuptools_scm[toml]>=8"]\n'
         'build-backend = "setuptools.build_meta"\n[project]\nname = "x"\ndynamic = ["version"]\n'),
        {},
        {"source": "vcs"},
        ["WLR677"],
    ),
    "flit": (
        ('[build-system]\nrequires = ["flit_core"]\nbuild-backend = "flit_core.buildapi"\n'
         '[project]\nname = "my-pkg"\ndynamic = ["version", "description"]\n'),
        {"my_pkg/__init__.py": '"""Mine."""\n__version__ = "3.1"\n'},
        None,
        ["WLR676", "WLR677"],
    ),
    "setup.py": ("", {"setup.py": "from setuptools import setup\nsetup(name='x', version='1')\n"}, None, ["WLR676", "WLR677"]),
    "setup.cfg": ("[tool.black]\n", {"setup.cfg": "[metadata]\nname = x\n"}, None, ["WLR676", "WLR677"]),
    "maturin": ('[build-system]\nrequires = ["maturin"]\nbuild-backend = "maturin"\n', {}, None, ["WLR676", "WLR677"]),
}  # fmt: skip


@pytest.mark.parametrize("case", ELSEWHERE)
def test_another_backend_goes_on_building(case: str, tmp_path: Path) -> None:
    text, files, version, codes = ELSEWHERE[case]
    grow(tmp_path, files)
    completion = completed(tmp_path, text)
    document, before = completion.edit.document, tomllib.loads(text)
    hatch = document["tool"]["hatch"]
    wanted = ENVIRONMENT["dependencies"] + (["hatch-vcs"] if version == {"source": "vcs"} else [])
    assert hatch["envs"]["wallaroo"] == {**ENVIRONMENT, "dependencies": wanted}
    assert hatch.get("version") == version
    assert hatch["publish"]["index"] == {"disable": True}
    assert document.get("build-system") == before.get("build-system")
    assert document.get("project") == before.get("project")
    assert told(completion) == codes
    assert all(each.fix for each in completion.findings if each.code == "WLR676")
    after = completion.edit.after
    completion.complete()
    assert completion.edit.after == after


def test_poetry_keeps_its_fields(tmp_path: Path) -> None:
    text = (
        f'{POETRY}[tool.poetry]\nname = "x"\nversion = "1.2"\ndescription = "d"\nauthors = ["A <a@b.c>"]\n'
        'homepage = "https://example.com"\nrepository = "https://example.com/r"\n'
        '[tool.poetry.dependencies]\npython = "^3.10"\nnumpy = "*"\n[tool.poetry.plugins."a.b"]\nc = "d:e"\n'
    )
    completion = completed(tmp_path, text)
    assert completion.edit.document["project"] == {
        "name": "x",
        "version": "1.2",
        "dynamic": ["description", "authors", "urls", "entry-points", "dependencies", "requires-python"],
    }
    assert "change both" in completion.notes[0]


def test_poetry_s_version_from_tags(tmp_path: Path) -> None:
    text = f'{POETRY}[tool.poetry]\nname = "x"\nversion = "0.0.0"\n[tool.poetry-dynamic-versioning]\nenable = true\n'
    document = completed(tmp_path, text).edit.document
    assert document["project"] == {"name": "x", "dynamic": ["version"]}
    assert document["tool"]["hatch"]["version"] == {"source": "vcs"}


def test_poetry_that_packages_nothing(tmp_path: Path) -> None:
    document = completed(tmp_path / "my_app", f"{POETRY}[tool.poetry]\npackage-mode = false\n").edit.document
    assert document["project"] == {"name": "my-app", "version": "0.1.0"}


def test_a_project_table_beside_poetry_s_is_left_alone(tmp_path: Path) -> None:
    completion = completed(tmp_path, f'{POETRY}{PROJECT}[tool.poetry]\npackages = [{{ include = "x" }}]\n')
    assert completion.edit.document["project"] == {"name": "x", "version": "1"}


# The index


@pytest.mark.parametrize(
    ("files", "text", "said"),
    [
        ({".github/workflows/ci.yml": "- run: uv publish\n"}, "", ".github/workflows/ci.yml publishes the project"),
        ({"Makefile": "release:\n\ttwine upload dist/*\n"}, "", "Makefile publishes the project"),
        ({".github/workflows/ci.yml": "- run: pytest\n"}, "", None),
        ({}, 'classifiers = ["Topic :: Software Development"]\n', "the project's classifiers are made for an index"),
        ({}, 'classifiers = ["Private :: Do Not Upload"]\n', None),
    ],
)
def test_what_is_published_is_left_alone(files: dict[str, str], text: str, said: str | None, tmp_path: Path) -> None:
    grow(tmp_path, files)
    completion = completed(tmp_path, f"{SYSTEM}{PROJECT}{text}")
    assert ("publish" in completion.edit.document["tool"]["hatch"]) == (said is None)
    assert [each for each in completion.notes if said and said in each] == completion.notes


# hatch.toml


def test_hatch_toml_takes_the_place_of_tables(tmp_path: Path) -> None:
    grow(tmp_path, {"hatch.toml": "[build.targets.wheel]\n[envs.x]\n[publish.index]\n"})
    completion = completed(tmp_path, f"{SYSTEM}{PROJECT}")
    assert not completion.edit.changed
    (finding,) = completion.findings
    assert (finding.code, finding.place.file) == ("WLR679", "hatch.toml")
    assert "[build.hooks.wallaroo]" in finding.fix


def test_hatch_toml_of_a_project_that_another_builds(tmp_path: Path) -> None:
    grow(tmp_path, {"hatch.toml": "[envs.x]\n"})
    completion = completed(tmp_path, f"{SETUPTOOLS}{PROJECT}")
    assert "envs" not in completion.edit.document["tool"]["hatch"]
    assert told(completion) == ["WLR679"]
    assert "hatchling build -t wallaroo" in completion.findings[0].fix


# Requirements


@pytest.mark.parametrize(
    ("text", "files", "wanted"),
    [
        (f"{SYSTEM}{PROJECT}dependencies = ['numpy']\n", {"requirements.txt": "x"}, None),
        (f"{SYSTEM}{PROJECT}dependencies = []\n", {"requirements.txt": "x"}, None),
        (f"{SYSTEM}{PROJECT}", {"requirements.txt": "x"}, "requirements.txt"),
        ("", {"requirements.txt": "x"}, "requirements.txt"),
        (f"{SYSTEM}{PROJECT}", {}, None),
        (f'{POETRY}[tool.poetry.dependencies]\npython = "^3.10"\nnumpy = "^1.26"\n', {}, ["numpy>=1.26,<2"]),
    ],
)
def test_where_requirements_come_from(text: str, files: dict[str, str], wanted: object, tmp_path: Path) -> None:
    grow(tmp_path, {**files, **({"pyproject.toml": text} if text else {})})
    assert Completion(tmp_path, edit_pyproject(tmp_path)).requirements() == (wanted, [])
