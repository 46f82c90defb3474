"""A model is checked as a whole: what can be told without its file is told without it, and once."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import pytest

from hatch_wallaroo.bundle.check import check
from hatch_wallaroo.config.reader import read_models
from hatch_wallaroo.config.spec import Project
from hatch_wallaroo.findings import Level
from hatch_wallaroo.releases import load
from hatch_wallaroo.releases.load import known
from support.factory import make_spec
from support.inspecting import fields

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

STEP = """from mac.types import InferenceData


def process_data(input_data: InferenceData) -> InferenceData:
    return input_data
"""
TWO = fields(petal="float64", sepal="float64")


def codes(checked):
    return sorted(each.code for each in checked.findings)


@pytest.mark.parametrize(
    ("framework", "model", "missing", "schema"),
    [
        ("sklearn", "m.pkl", "WLR201", "WLR360"),
        ("xgboost", "m.pkl", "WLR201", "WLR360"),
        ("pytorch", "m.pt", "WLR201", "WLR387"),
        ("hugging-face-text-classification", "m", "WLR201", "WLR420"),
    ],
)
def test_schemas_are_judged_without_the_file(tmp_path, framework, model, missing, schema):
    checked = check(make_spec(tmp_path, framework, model=model, input_schema=TWO))
    assert checked.plan is None
    assert missing in codes(checked)
    assert codes(checked).count(schema) == 1


@pytest.mark.parametrize("content", [b"", b"version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 1\n"])
def test_schemas_are_judged_beside_a_file_that_says_nothing(tmp_path, content):
    (tmp_path / "m.pkl").write_bytes(content)
    assert codes(check(make_spec(tmp_path, "sklearn", model="m.pkl", input_schema=TWO))).count("WLR360") == 1


@pytest.mark.parametrize("framework", ["sklearn", "xgboost"])
def test_schemas_are_judged_once_beside_a_file(tmp_path, framework):
    (tmp_path / "m.pkl").write_bytes(pickle.dumps({"model": 1}))
    checked = check(make_spec(tmp_path, framework, model="m.pkl", input_schema=TWO))
    assert codes(checked).count("WLR360") == 1


@pytest.mark.parametrize(
    ("release", "requirements", "told", "installed"),
    [
        ("2026.1", "", ["WLR259"], ("hatch-wallaroo==1.0", "numpy==1.26.0")),
        ("2026.1", 'requirements = ["numpy==1.26.0"]', [], ("numpy==1.26.0",)),
        ("2023.4", "", [], ()),
        ("2023.4", 'requirements = ["numpy==1.26.0"]', ["WLR016"], ()),
    ],
)
def test_the_requirements_of_a_python_step(tmp_path, release, requirements, told, installed):
    (tmp_path / "step.py").write_text("def wallaroo_json(data):\n    return data\n\n\n" + STEP)
    text = f'[tool.wallaroo]\nframework = "python"\nmodel = "step.py"\nrelease = "{release}"\n{requirements}\n'
    if release > "2024":
        text += 'input-schema = { x = "float64" }\noutput-schema = { x = "float64" }\n'
    project = Project("a-model", "1.0", dependencies=("hatch-wallaroo==1.0", "numpy==1.26.0"))
    reading = read_models(tomllib.loads(text), project=project, root=tmp_path)
    (spec,) = reading.specs
    checked = check(spec)
    assert [each.code for each in (*reading.findings, *checked.findings) if each.level is Level.WARNING] == told
    assert checked.requirements == installed


# Built from parts, so that nothing that scans this file takes it for one.
TOKEN = "ghp_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6"


@pytest.mark.parametrize(
    ("config", "key"),
    [
        ({"api_token": TOKEN}, ("api_token",)),
        ({"deep": {"list": ["fine", TOKEN]}}, ("deep", "list", 1)),
        ({"password": "hunter2-Zebra!"}, ("password",)),
        ({"text": "see https://someone:hunter2Zebra@example.com/x"}, ("text",)),
        ({TOKEN: 1}, ()),
    ],
)
def test_secrets_of_a_framework_config_are_refused(tmp_path, config, key):
    checked = check(make_spec(tmp_path, "custom", release="2026.1", framework_config=config))
    (finding,) = [each for each in checked.findings if each.code == "WLR245"]
    assert finding.is_error
    assert finding.place.key == ("tool", "wallaroo", "framework-config", *key)
    for secret in (TOKEN, "hunter2"):
        assert secret not in f"{finding.message} {finding.fix} {finding.place}"


@pytest.mark.parametrize(
    "config",
    [
        {"model_path": "./model/"},
        {"token": "<your token>"},
        {"quantization": "none", "max_model_len": 4096, "tool_call_parser": "hermes"},
        {"max_new_tokens": 12345678901234567, "tokenizer": "meta-llama/Llama-3.1-8B-Instruct"},
        {"password": "${PASSWORD}"},
        {"eos_token": "<|endoftext|>", "pad_token": "[PAD]"},
    ],
)
def test_settings_that_are_no_secrets(tmp_path, config):
    checked = check(make_spec(tmp_path, "custom", release="2026.1", framework_config=config))
    assert "WLR245" not in codes(checked)


def with_forms(tmp_path, monkeypatch, forms):
    """A release of its own, which differs from the last one in the forms of Keras models only."""
    (tmp_path / "releases" / "data").mkdir(parents=True)
    for version in known():
        text = (Path(load.__file__).parent / "data" / f"{version}.toml").read_text(encoding="utf-8")
        (tmp_path / "releases" / "data" / f"{version}.toml").write_text(text, encoding="utf-8")
    new = f'base = "2026.1"\n[families.keras]\nfile-forms = {forms}\n'
    (tmp_path / "releases" / "data" / "2027.1.toml").write_text(new, encoding="utf-8")
    monkeypatch.setattr(load, "_DATA", tmp_path / "releases" / "data")
    load._file.cache_clear()


@pytest.fixture(autouse=True)
def _no_release_of_another_test():
    yield
    load._file.cache_clear()


@pytest.mark.parametrize(
    ("forms", "model", "takes", "refuses"),
    [
        (["saved-model", "h5", "keras"], "m.keras", ".keras", ""),
        (["saved-model", "h5"], "m.keras", "", "own .keras format; the platform takes a SavedModel or .h5"),
        (["keras"], "m.keras", ".keras", ""),
        (["keras"], "m.h5", "", "a Keras HDF5 file; the platform takes .keras"),
        (["keras"], "m", "", "a SavedModel; the platform takes .keras"),
        (["h5"], "m.h5", ".h5", ""),
    ],
)
def test_the_forms_of_keras_models_are_data(tmp_path, monkeypatch, forms, model, takes, refuses):
    with_forms(tmp_path, monkeypatch, forms)
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "saved_model.pb").write_bytes(b"")
    (tmp_path / "m.keras").write_bytes(b"PK\x05\x06" + bytes(18))
    (tmp_path / "m.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    checked = check(make_spec(tmp_path, "keras", release="2027.1", model=model))
    said = [each for each in checked.findings if each.code == "WLR330"]
    if takes:
        assert said == []
        assert checked.plan.filename == f"a-model-1.0{takes}"
        assert [each.path for each in checked.plan.layout.entries] == [model]
    else:
        assert refuses in said[0].message
        assert said[0].fix
        assert "takes it as it is" not in said[0].fix
        assert checked.plan is None
