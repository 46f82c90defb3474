"""The JSON document and the text: their shape, which never loses a key, and which models they are about."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from hatch_wallaroo.cli.reports.json_report import document
from hatch_wallaroo.cli.reports.text import text
from hatch_wallaroo.findings import Level
from hatch_wallaroo.project.checking import UnknownModelError
from support.broken_models import FOLDER, make_case
from support.fronts import REPOSITORY
from support.mending import HEAD, checked

MODELS = sorted(folder.name for folder in FOLDER.iterdir() if (folder / "pyproject.toml").is_file())
KEYS = ["format", "generator", "project", "passed", "counts", "models", "findings"]
MODEL_KEYS = [
    *("name", "key", "passed", "version", "framework", "release", "runtime", "python", "bundle", "facts"),
    *("requirements", "left_out", "findings"),
]
FINDING_KEYS = ["code", "level", "message", "fix", "key", "file", "line", "column"]
STEP = "def wallaroo_json(data):\n    return [{'x': 1}]\n"
SEVERAL = """[tool.wallaroo]
framework = "python"
colour = 1

[tool.wallaroo.models.good]
model = "step.py"

[tool.wallaroo.models.bad]
name = "bad-one"
model = "none.py"

[tool.wallaroo.models.unread]
framework = "python"
model = 3
"""


def several(root):
    (root / "pyproject.toml").write_text(HEAD + SEVERAL)
    (root / "step.py").write_text(STEP)
    return root


def read(found):
    made = json.loads(json.dumps(document(found), allow_nan=False))
    assert list(made) == KEYS
    assert all(list(model) == MODEL_KEYS for model in made["models"])
    every = [*made["findings"], *(each for model in made["models"] for each in model["findings"])]
    assert all(list(each) == FINDING_KEYS for each in every)
    assert made["counts"] == {
        level.value: sum(each["level"] == level.value for each in made["findings"]) for level in Level
    }
    return made


@pytest.mark.parametrize("name", MODELS)
def test_every_broken_model(name, tmp_path):
    found = checked(make_case(name, tmp_path))
    made = read(found)
    assert made["passed"] == (made["counts"]["error"] == 0)
    assert len(made["findings"]) == len(found.findings)
    assert str(tmp_path) not in json.dumps(made)


def test_an_example_in_full(tmp_path):
    shutil.copytree(
        REPOSITORY / "example-projects" / "onnx", tmp_path / "p", ignore=shutil.ignore_patterns("dist", "__pycache__")
    )
    made = read(checked(tmp_path / "p"))
    (model,) = made["models"]
    assert made["passed"]
    assert model["passed"]
    assert model["framework"] == "onnx"
    assert model["runtime"] == "native"
    assert model["bundle"] == f"{model['name']}-{model['version']}.onnx"
    assert model["facts"]["inputs"]
    assert model["release"]["asked"] == model["release"]["rules"]
    assert made["project"] == {"name": made["project"]["name"], "version": model["version"]}


def test_models_that_cannot_be_read_are_there(tmp_path):
    made = read(checked(several(tmp_path)))
    models = {model["name"]: model for model in made["models"]}
    assert list(models) == ["good", "bad-one", "unread"]
    assert [model["passed"] for model in models.values()] == [True, False, False]
    unread = models["unread"]
    assert unread["key"] == "tool.wallaroo.models.unread"
    assert [unread[key] for key in ("version", "framework", "release", "bundle")] == [None] * 4
    assert [each["code"] for each in unread["findings"]] == ["WLR010"]
    assert [each["code"] for each in models["bad-one"]["findings"]] == ["WLR201"]
    # What they share is nobody's alone.
    shared = [each for each in made["findings"] if each["key"] == "tool.wallaroo.colour"]
    assert len(shared) == 1


@pytest.mark.parametrize(
    ("wanted", "names", "codes"),
    [
        (["good"], ["good"], {"WLR011"}),
        (["bad-one"], ["bad-one"], {"WLR011", "WLR201"}),
        (["bad"], ["bad-one"], {"WLR011", "WLR201"}),
        (["unread"], ["unread"], {"WLR011", "WLR010"}),
        (["unread", "good"], ["good", "unread"], {"WLR011", "WLR010"}),
        ([], ["good", "bad-one", "unread"], {"WLR011", "WLR010", "WLR201"}),
    ],
)
def test_models_by_name(wanted, names, codes, tmp_path):
    found = checked(several(tmp_path), *wanted)
    assert [model.name for model in found.models] == names
    assert {each.code for each in found.findings} == codes


def test_a_model_that_is_not_there(tmp_path):
    with pytest.raises(UnknownModelError) as caught:
        checked(several(tmp_path), "goood")
    assert caught.value.known == ("good", "bad-one", "unread")


def test_the_only_model_has_the_project_s_name(tmp_path):
    (tmp_path / "pyproject.toml").write_text(f'{HEAD}[tool.wallaroo]\nframework = "python"\nmodel = "step.py"\n')
    (tmp_path / "step.py").write_text(STEP)
    assert [model.name for model in checked(tmp_path, "prices").models] == ["prices"]
    (tmp_path / "pyproject.toml").write_text(f"{HEAD}[tool.wallaroo]\nframework = 1\n")
    assert [model.name for model in checked(tmp_path, "prices").models] == ["prices"]


def test_the_last_line_of_the_text(tmp_path):
    root = several(tmp_path)
    last = text(checked(root), color=False).split("\n")[-1]
    assert re.fullmatch(
        r"checked good \(python, release 2023\.2\.1\), bad-one \(python, release 2023\.2\.1\) and unread in 0\.00 s",
        last,
    )
    one = text(checked(root, "good"), color=False).split("\n")
    assert one[-1].startswith("checked good (python, release 2023.2.1) in")
    assert one[-2] == "1 error"
    (tmp_path / "pyproject.toml").write_text(f'{HEAD}[tool.wallaroo]\nframework = "python"\nmodel = "step.py"\n')
    assert text(checked(root), color=False).endswith("in 0.00 s: no findings")
    (tmp_path / "pyproject.toml").write_text(HEAD)
    assert text(checked(root), color=False).split("\n")[-1] == (
        "checked pyproject.toml in 0.00 s: it describes no model that could be read"
    )


def test_colours_only_when_asked(tmp_path):
    found = checked(several(tmp_path))
    assert "\x1b[31merror[WLR201]\x1b[0m" in text(found, color=True).replace(
        "error\x1b[0m[WLR201]", "error[WLR201]\x1b[0m"
    )
    assert "\x1b" not in text(found, color=False)
