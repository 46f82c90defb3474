"""The JSON Schema and the reference: made from the model, committed, and never behind it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import jsonschema
import pytest

from hatch_wallaroo.config import json_schema
from hatch_wallaroo.config.reader import read_models
from hatch_wallaroo.config.settings import ACCELERATORS, FRAMEWORKS
from hatch_wallaroo.config.spec import Project
from hatch_wallaroo.config.toml.reading import read_document
from hatch_wallaroo.findings import errors
from hatch_wallaroo.releases.load import known, resolve
from support.guide_schemas import SCHEMAS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
TABLES = sorted((ROOT / "tests" / "broken" / "tables").glob("*.toml"))

BYOP = """
framework = "custom"
release = "2026.1"
artifacts = ["models/*"]
byop = { load = "a.b:load", predict = "a.b:predict", model-types = ["a.B"] }
accel = { qaic = { num_cores = 4 } }
framework-config = { model_path = "./model/", anything = { goes = [1] } }
requirements = ["numpy"]
input-schema = { a = "float64[*, 4]", b = { type = "struct", fields = { x = "int64" } }, c = "timestamp[us, tz=UTC][2]" }
output-schema = { y = "decimal128(10, 2)" }
"""
SEVERAL = """
release = "2024.1"
models.a = { framework = "onnx", model = "a.onnx", exclude = ["*.tmp"], lock = true, compression = "fast" }
models.b = { framework = "mlflow", model = "b", image = { tag = "1", labels = { a = "b" } } }
"""
GOOD = ['framework = "onnx"\nmodel = "m.onnx"', 'framework = "onnx"\nmodel = "m"\nrelease = "2025.2.7"', BYOP, SEVERAL]
BAD = [
    "",
    'framework = "onx"',
    'framework = "onnx"\nmodle = "m"',
    'framework = "onnx"\nmodel = 3',
    'framework = "onnx"\nmodel = ""',
    'framework = "onnx"\nrelease = 2023.2',
    'framework = "onnx"\nrelease = "latest"',
    'framework = "onnx"\nvisibility = "all"',
    'framework = "onnx"\nname = "a_b"',
    'framework = "onnx"\nlock = "true"',
    'framework = "onnx"\nexclude = "*"',
    'framework = "onnx"\nexclude = [1]',
    'framework = "custom"\nbyop.laod = "a:b"',
    'framework = "custom"\nbyop.load = "a.b"',
    'framework = "keras"\ninput-schema.x = "flaot64"',
    'framework = "keras"\ninput-schema.x = "float64[a]"',
    'framework = "keras"\ninput-schema = {}',
    'framework = "keras"\naccel = "gpu"',
    'framework = "keras"\naccel = { cuda = {} }',
    'framework = "keras"\naccel.qaic.cores = 1',
    "models = {}",
    "models.a.modle = 1",
    'framework = "vllm"\nframework-config.model_path = 3',
]


@pytest.fixture(scope="module")
def schema():
    return json_schema.tool_schema("wallaroo")


@pytest.fixture(scope="module")
def pyproject(schema):
    """validate-pyproject itself, with this package's plugin."""
    from validate_pyproject.api import Validator
    from validate_pyproject.plugins import PluginWrapper

    validator = Validator(plugins=[PluginWrapper("wallaroo", json_schema.tool_schema)])
    project = {"name": "a", "version": "1"}
    return lambda table: validator({"project": project, "tool": {"wallaroo": table}})


def test_the_committed_schema_is_the_models():
    """Else run `python -m hatch_wallaroo.config.json_schema`."""
    assert json_schema.FILE.read_text(encoding="utf-8") == json_schema.dump(json_schema.generate())


def test_it_is_a_schema_of_draft_7(schema):
    assert schema["$schema"].startswith("http://json-schema.org/draft-07/")
    jsonschema.Draft7Validator.check_schema(schema)
    json.dumps(schema, allow_nan=False)


def test_there_is_no_schema_of_other_tools():
    with pytest.raises(ValueError, match="hatch"):
        json_schema.tool_schema("hatch")


@pytest.mark.parametrize("text", GOOD)
def test_good_tables_pass(text, schema, pyproject):
    table = tomllib.loads(text)
    jsonschema.validate(table, schema, cls=jsonschema.Draft7Validator)
    pyproject(table)


@pytest.mark.parametrize("text", BAD)
def test_bad_tables_do_not_pass(text, schema, pyproject):
    from validate_pyproject.errors import ValidationError

    table = tomllib.loads(text)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(table, schema, cls=jsonschema.Draft7Validator)
    with pytest.raises(ValidationError):
        pyproject(table)


def test_every_framework_and_schema_of_the_guide_passes(schema):
    validator = jsonschema.Draft7Validator(schema)
    for release in known():
        for name in resolve(release).frameworks:
            assert validator.is_valid({"framework": name, "release": release}), name
    for guide in SCHEMAS:
        assert validator.is_valid({"framework": "custom", "input-schema": guide.table}), guide.name


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.stem)
def test_the_schema_refuses_nothing_that_the_reader_takes(table, schema, tmp_path):
    """The reader looks closer than a JSON Schema can; never the other way round."""
    (tmp_path / "pyproject.toml").write_bytes(table.read_bytes())
    document = read_document(tmp_path).table
    wallaroo = document.get("tool", {}).get("wallaroo") if document else None
    if wallaroo is not None and not jsonschema.Draft7Validator(schema).is_valid(wallaroo):
        assert errors(read_models(document, project=Project("a", "1"), root=tmp_path).findings)


def test_the_settings_are_those_of_the_releases_data():
    """Each key that a release has in its data is described, and each described one is in a release."""
    rows = [
        row for release in known() for row in resolve(release).frameworks.values() if row.default_config is not None
    ]
    for name, settings in FRAMEWORKS.items():
        keys = {key for row in rows if row.name == name for key in (*row.default_config, *(row.config_keys or ()))}
        assert keys == set(settings), name
        for row in rows:
            if row.name == name:
                assert all(settings[key].takes(value) for key, value in row.default_config.items())
    for release in known():
        for name, defaults in resolve(release).accelerator_configs.items():
            assert set(defaults) == set(ACCELERATORS[name])
            assert all(ACCELERATORS[name][key].takes(value) for key, value in defaults.items())
