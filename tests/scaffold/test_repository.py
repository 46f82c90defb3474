"""What is in a new repository, for every framework of every release, without building it."""

from __future__ import annotations

import ast
import json
import re
import sys
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement

from hatch_wallaroo.__about__ import __version__
from hatch_wallaroo.bundle.plan import FAMILIES
from hatch_wallaroo.config.json_schema import tool_schema
from hatch_wallaroo.project.checking import check_repository
from hatch_wallaroo.project.repository import read_repository
from hatch_wallaroo.releases.load import known, resolve
from hatch_wallaroo.scaffold import template_files
from hatch_wallaroo.scaffold.answers import identify
from hatch_wallaroo.scaffold.repository import bare_pyproject, repository, starter
from hatch_wallaroo.scaffold.requested import Requested
from hatch_wallaroo.scaffold.write import write
from hatch_wallaroo.schema.notation import format_type
from support.scaffolds import EVERY, answers, files, frameworks

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FIRST, LAST = known()[0], known()[-1]
OURS = ("onnx", "tensorflow", "keras", "pytorch", "sklearn", "xgboost", "python", "custom", "mlflow")
ALWAYS = {"pyproject.toml", "README.md", ".gitignore", ".github/workflows/wallaroo.yml", "tests/test_bundle.py"}


def test_no_framework_is_forgotten() -> None:
    used = {resolve(release).frameworks[name].family for release, name in EVERY}
    assert used == set(FAMILIES)
    assert set(OURS) < {name for _, name in EVERY}


@pytest.mark.parametrize(("release", "framework"), EVERY)
def test_the_checks_have_nothing_to_say(release: str, framework: str, tmp_path: Path) -> None:
    write(cached(framework, release), tmp_path / "new")
    report = check_repository(read_repository(tmp_path / "new"))
    assert [f"{each.code} {each.message}" for each in report.findings] == []
    (model,) = report.models
    assert (model.spec.name, model.spec.framework.name, model.spec.release.asked) == ("my-model", framework, release)
    assert model.plan is not None


def by_path(framework: str, release: str, **more: str) -> dict[str, bytes]:
    return {
        file.path: file.data for file in (files(framework, release, **more) if more else cached(framework, release))
    }


cached = cache(files)


@pytest.mark.parametrize("release", [FIRST, LAST])
@pytest.mark.parametrize("framework", OURS)
def test_what_a_reader_finds(framework: str, release: str) -> None:
    made = by_path(framework, release, name="red-roses", description='Tells "roses" apart.')
    assert set(made) >= {*ALWAYS, "sample.json"}
    document = tomllib.loads(made["pyproject.toml"].decode())
    table = document["tool"]["wallaroo"]
    readme = made["README.md"].decode()
    assert readme.startswith('# red-roses\n\nTells "roses" apart.\n')
    declared = [table[key] for key in ("model",) if key in table] + table.get("artifacts", [])
    for word in ("hatch build", "hatch test", "hatch publish -p wallaroo", f"`{framework}`", release, *declared):
        assert word in readme
    assert declared
    assert all(any(path == each or path.startswith(f"{each}/") for path in made) for each in declared)
    assert ("make_model.py" in made) == (framework != "python")
    assert sum(map(len, made.values())) < 40_000


@pytest.mark.parametrize(("release", "framework"), EVERY)
def test_the_table_is_what_its_json_schema_says(release: str, framework: str) -> None:
    import jsonschema

    document = tomllib.loads(by_path(framework, release)["pyproject.toml"].decode())
    jsonschema.validate(document["tool"]["wallaroo"], tool_schema("wallaroo"))
    assert document["tool"]["hatch"]["publish"]["index"] == {"disable": True}
    assert document["tool"]["hatch"]["build"]["hooks"]["wallaroo"] == {}
    requires = {Requirement(each).name: Requirement(each) for each in document["build-system"]["requires"]}
    assert set(requires) == {"hatchling", "hatch-wallaroo"}
    assert requires["hatch-wallaroo"].specifier.contains(__version__, prereleases=True)


@pytest.mark.parametrize(("release", "framework"), EVERY)
def test_python_is_python_and_nothing_of_the_templates_is_left(release: str, framework: str) -> None:
    python = tuple(map(int, resolve(release).python.split(".")))
    for path, data in by_path(framework, release).items():
        if not path.endswith((".py", ".toml", ".md", ".gitignore")):
            continue
        text = data.decode()
        if path.endswith(".py"):
            # What the platform runs is of its Python; the rest of any that is still there.
            on_platform = path.startswith("src/") or path == "step.py"
            ast.parse(text, path, feature_version=python if on_platform else (3, 8))
        else:
            assert not re.search(r"\{\{|\{%|%\}|(?<!\[)\bNone\b", text), path
        assert not text or re.search(r"[^\n]\n\Z", text), path
        assert not re.search(r"\n{4}|[ \t]\n", text), path


# The upload guide, sections SKLearn, XGBoost, PyTorch and Keras: names and types of the fields.
GUIDE = {
    "sklearn": ({"inputs": "float64[4]"}, {"predictions": "int32"}),
    "xgboost": ({"inputs": "float64[4]"}, {"output": "int32"}),
    "pytorch": ({"input": "float32[4]"}, {"output": "float32[3]"}),
    "keras": ({"inputs": "float32[4]"}, {"scores": "float32[3]"}),
    "custom": ({"inputs": "float64[4]"}, {"kind": "int64", "distance": "float64"}),
    "mlflow": ({"inputs": "float64[4]"}, {"kind": "int64", "distance": "float64"}),
}


@pytest.mark.parametrize("framework", GUIDE)
def test_the_schemas(framework: str) -> None:
    begun = starter(answers(framework, LAST))
    assert begun.inputs
    assert begun.outputs
    shown = tuple(
        {each.name: format_type(each.type) for each in schema.fields} for schema in (begun.inputs, begun.outputs)
    )
    assert shown == GUIDE[framework]


@pytest.mark.parametrize("framework", ["onnx", "tensorflow", "python"])
def test_native_models_declare_no_schemas(framework: str) -> None:
    begun = starter(answers(framework, FIRST))
    assert (begun.inputs, begun.outputs) == (None, None)


VERSIONS = {
    ("sklearn", "2023.2.1"): "1.2.2",
    ("sklearn", "2023.4"): "1.2.2",
    ("sklearn", "2024.1"): "1.3.0",
    ("sklearn", LAST): "1.3.0",
    ("xgboost", "2023.2.1"): "1.7.4",
    ("xgboost", "2024.2"): "1.7.4",
    ("xgboost", "2024.4"): "2.1.0",
    ("xgboost", LAST): "2.1.0",
    ("pytorch", "2023.2.1"): "1.13.1",
    ("pytorch", LAST): "1.13.1",
    ("tensorflow", "2023.2.1"): "2.9.1",
    ("tensorflow", LAST): "2.9.1",
    ("keras", LAST): "2.8.0",
}
"""By what the model of a release was saved."""


@pytest.mark.parametrize(("framework", "release"), VERSIONS)
def test_a_model_is_saved_by_what_the_release_runs(framework: str, release: str) -> None:
    made, version = by_path(framework, release), VERSIONS[framework, release]
    begun = starter(answers(framework, release))
    home = template_files.path(f"{framework}/{version}")
    shipped = {path.relative_to(home).as_posix(): path.read_bytes() for path in home.rglob("*") if path.is_file()}
    assert begun.model
    assert {
        path.removeprefix("models/"): data for path, data in made.items() if path.startswith(begun.model)
    } == shipped
    assert f"=={version}" in made["make_model.py"].decode()


def test_the_form_of_a_python_step_is_the_releases() -> None:
    for release in known():
        text = by_path("python", release)["step.py"].decode()
        form = resolve(release).python_step
        assert f"def {form}(" in text
        assert {"wallaroo_json", "process_data"} & set(re.findall(r"def (\w+)", text)) == {form}


@pytest.mark.parametrize("framework", OURS)
def test_samples_are_what_make_model_writes_again(framework: str) -> None:
    text = by_path(framework, LAST)["sample.json"].decode()
    sample = json.loads(text)
    assert text == json.dumps(sample, indent=2) + "\n"
    assert len(sample["inputs"]) == len(sample["outputs"]) > 1


ODD = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=60)


@given(description=ODD, author=ODD)
@settings(max_examples=60)
def test_texts_of_users_stay_what_they_are(description: str, author: str) -> None:
    """Quotes, braces, anything: pyproject.toml says what was said."""
    made = by_path("onnx", LAST, description=description, author=author)
    document = tomllib.loads(made["pyproject.toml"].decode())
    assert document["project"].get("description", "") == description.strip()
    assert document["project"].get("authors", [{"name": ""}]) == [{"name": author.strip()}]


def test_an_author_a_license_and_neither() -> None:
    said = {"author": "Ada", "email": "ada@example.com", "license": "Apache-2.0"}
    project = tomllib.loads(by_path("onnx", LAST, **said)["pyproject.toml"].decode())["project"]
    assert project["authors"] == [{"name": "Ada", "email": "ada@example.com"}]
    assert project["license"] == "Apache-2.0"
    project = tomllib.loads(by_path("onnx", LAST)["pyproject.toml"].decode())["project"]
    assert project.keys() & {"authors", "license", "description"} == set()


def test_a_starter_cannot_hide_a_file_of_the_repository() -> None:
    from dataclasses import replace

    made = answers("onnx", LAST)
    begun = starter(made)
    with pytest.raises(ValueError, match=r"README\.md"):
        repository(made, replace(begun, files={**begun.files, "README.md": b""}))


def test_the_pyproject_of_a_project_that_is_there() -> None:
    document = tomllib.loads(bare_pyproject(identify("my-model", Requested(author='A "B"', license="MIT"))))
    assert document["project"]["name"] == "my-model"
    assert document["project"]["authors"] == [{"name": 'A "B"'}]
    assert set(document["tool"]) == {"hatch"}
    assert document["tool"]["hatch"] == {"publish": {"index": {"disable": True}}}


def test_the_same_answers_make_the_same_bytes() -> None:
    assert files("custom", LAST) == files("custom", LAST)
    assert [file.path for file in files("custom", LAST)] == sorted(file.path for file in files("custom", LAST))


def test_the_templates_stay_small_in_the_wheel() -> None:
    sizes = [path.stat().st_size for path in template_files.path(".").rglob("*") if path.is_file()]
    assert sum(sizes) < 700_000  # most of it are the weights of the Hugging Face starters


def test_every_framework_of_the_last_release_can_be_asked_for() -> None:
    assert len(frameworks(LAST)) == len(resolve(LAST).frameworks)
