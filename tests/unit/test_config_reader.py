"""`[tool.wallaroo]`, read against its release: what comes of good tables, and which rule speaks about bad ones."""

from __future__ import annotations

import re
import sys
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_wallaroo.config.declared import OPTIONS
from hatch_wallaroo.config.reader import Reading, read_models
from hatch_wallaroo.config.spec import ImageSpec, Project, Reference, RequirementsFrom
from hatch_wallaroo.findings import Level, Place
from hatch_wallaroo.releases.load import known, resolve
from hatch_wallaroo.schema.types import Field, ListOf, Scalar

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path("/project")
SCHEMAS = """
input-schema = { inputs = "float64[4]" }
output-schema = { predictions = "int64" }
"""


def read(text, name="My_Model") -> Reading:
    return read_models(tomllib.loads(text), project=Project(name, "1.0"), root=ROOT)


def table(text, **names) -> Reading:
    return read(f"[tool.wallaroo]\n{text}", **names)


def one(text, **names):
    reading = table(text, **names)
    assert reading.findings == ()
    (spec,) = reading.specs
    return spec


def codes(reading, *levels):
    return [finding.code for finding in reading.findings if finding.level in (levels or tuple(Level))]


# Good tables


def test_two_lines_are_enough():
    spec = one('framework = "onnx"\nmodel = "models/ccfraud.onnx"')
    assert (spec.name, spec.version, spec.root, spec.key) == ("my-model", "1.0", ROOT, ("tool", "wallaroo"))
    assert (spec.release.asked, spec.framework.name, spec.model) == ("2023.2.1", "onnx", "models/ccfraud.onnx")
    assert (spec.visibility, spec.arch, spec.accel, spec.python_version) == ("private", None, None, "3.8")
    assert (spec.artifacts, spec.exclude, spec.include_sensitive, spec.lock) == ((), (), (), False)
    assert (spec.requirements, spec.compression, spec.sample) == (RequirementsFrom("project"), "auto", None)
    assert (spec.input_schema, spec.output_schema, spec.byop, spec.image) == (None, None, None, None)
    assert spec.framework_config is None


def test_all_that_a_byop_model_can_say():
    spec = one(
        """
        framework = "custom"
        release = "2025.1"
        name = "kmeans"
        artifacts = ["models/", "./data/*.json"]
        exclude = ["/scratch/", "!x"]
        include-sensitive = ["models/token.json"]
        requirements = ["numpy", "scikit-learn==1.3.0"]
        lock = true
        python-version = "3.9"
        visibility = "public"
        arch = "arm"
        accel = "cuda"
        framework-config = { model_path = "./model/x", threads = [1, 2], nested = { a = 1.5 } }
        compression = "fast"
        sample = "sample.json"
        byop = { load = "pkg.io:load", predict = "pkg.io:ask", model-types = ["a.B", "c:D"], packages = ["src/pkg/"] }
        input-schema = { b = "float64[4]", a = "string" }
        output-schema = { predictions = "int64" }
        """
    )
    assert (spec.name, spec.artifacts, spec.exclude) == ("kmeans", ("models", "data/*.json"), ("/scratch/", "!x"))
    assert spec.include_sensitive == ("models/token.json",)
    assert spec.requirements == RequirementsFrom("list", lines=("numpy", "scikit-learn==1.3.0"))
    assert (spec.lock, spec.python_version, spec.visibility, spec.arch, spec.accel) == (
        True,
        "3.9",
        "public",
        "arm",
        "cuda",
    )
    assert spec.framework_config == {"model_path": "./model/x", "nested": {"a": 1.5}, "threads": [1, 2]}
    assert (spec.compression, spec.sample) == ("fast", "sample.json")
    assert spec.byop.load == Reference("pkg.io", "load")
    assert spec.byop.predict == Reference("pkg.io", "ask")
    assert (spec.byop.model_types, spec.byop.packages, spec.byop.module) == (("a.B", "c.D"), ("src/pkg",), None)
    assert spec.input_schema.names == ("b", "a")
    assert spec.input_schema.fields[0] == Field("b", ListOf(Scalar("float64"), 4))
    assert spec.output_schema.fields == (Field("predictions", Scalar("int64")),)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('"project"', RequirementsFrom("project")),
        ('"requirements.txt"', RequirementsFrom("file", file="requirements.txt")),
        ('"./reqs/project"', RequirementsFrom("file", file="reqs/project")),
        ("[]", RequirementsFrom("list", lines=())),
    ],
)
def test_where_requirements_come_from(written, meant):
    spec = one(f'framework = "custom"\nbyop.module = "inference.py"\nrequirements = {written}{SCHEMAS}')
    assert spec.requirements == meant
    assert spec.byop.module == "inference.py"
    assert spec.byop.packages is None


def test_an_mlflow_image():
    spec = one('framework = "mlflow"\nmodel = "mlruns/model"\nimage = { tag = "3", labels = { team = "fraud" } }')
    assert spec.image == ImageSpec("python:3.8-slim", tag="3", labels={"team": "fraud"})
    assert one('framework = "mlflow"\nmodel = "mlruns/model"').image == ImageSpec("python:3.8-slim")
    later = one('framework = "mlflow"\nrelease = "2026.1"\nmodel = "mlruns/model"')
    assert later.image == ImageSpec("python:3.10-slim")


@pytest.mark.parametrize(
    "image",
    [
        'base = "python:3.8 --privileged"',
        'base = "python:3.8\\nRUN true"',
        'base = "https://registry.example/python:3.8"',
        'base = "Python:3.8"',
        'base = "-python"',
        'registry = "https://registry.example"',
        'registry = "user:secret@registry.example/team"',
        'registry = "registry.example/Team"',
        'registry = "registry.example/"',
        'tag = "1.0+local"',
        f'tag = "{"x" * 129}"',
        'tag = ".hidden"',
        'packages = ["libgomp1; rm -rf /"]',
        'packages = ["-oDebug=1"]',
        'packages = ["libgomp1=1 2"]',
        'platform = "windows/amd64"',
        'builder = "a b"',
        'builder = "--push"',
        "labels = { team = 1 }",
        'labels = { team = "a\\nb" }',
        'labels = { team = "a\\u0000b" }',
        'labels = { "" = "a" }',
        'labels = { "a\\nb" = "a" }',
        'build = "no"',
        "try = 1",
    ],
)
def test_what_an_image_cannot_have(image):
    reading = table(f'framework = "mlflow"\nmodel = "m"\nimage = {{ {image} }}')
    assert [each.level.value for each in reading.findings] == ["error"], reading.findings
    assert image.partition(" ")[0].split(".")[0] in str(reading.findings[0].place.key)


@pytest.mark.parametrize(
    "image",
    [
        'base = "registry.example:5000/team/python:3.8-slim@sha256:' + "0" * 64 + '"',
        'registry = "registry.example:5000/team/models"',
        'registry = "[::1]:5000"',
        'registry = "localhost"',
        'registry = "someone"',
        'packages = ["libgomp1", "g++", "libssl3=3.0.11-1~deb12u2"]',
        'builder = "my_builder-1.2"',
        "labels = { \"org.example.a b\" = 'quoted \" and $dollar and \\ and `tick` and #' , empty = '' }",
    ],
)
def test_what_an_image_can_have(image):
    reading = table(f'framework = "mlflow"\nmodel = "m"\nimage = {{ {image} }}')
    assert reading.findings == ()


@pytest.mark.parametrize("release", known())
def test_every_framework_of_every_release_can_be_declared(release):
    for name, row in resolve(release).frameworks.items():
        needed = 'byop.module = "inference.py"' if row.family == "custom" else 'model = "models/model"'
        schemas = SCHEMAS if row.schemas == "required" else ""
        spec = one(f'framework = "{name}"\nrelease = "{release}"\n{needed}{schemas}')
        assert (spec.framework.name, spec.release.version) == (name, release)
        assert (spec.framework_config is None) == (row.default_config is None)
        keys = row.conversion_keys or spec.release.conversion_keys
        assert spec.arch == (spec.release.default_arch if "arch" in keys else None)
        assert spec.accel == (spec.release.default_accel if "accel" in keys else None)


def test_configurations_are_laid_over_the_releases_defaults():
    text = 'release = "2026.1"\nmodel = "m"' + SCHEMAS
    vllm = one(f'framework = "vllm"\n{text}\nframework-config = {{ max_model_len = 128 }}')
    assert vllm.framework_config["max_model_len"] == 128
    assert vllm.framework_config["gpu_memory_utilization"] == 0.9
    assert list(vllm.framework_config) == sorted(vllm.framework_config)
    assert one(f'framework = "sglang"\n{text}').framework_config["page_size"] == 16
    defaults = one(f'framework = "pytorch"\n{text}\naccel = "qaic"').accel
    assert list(defaults) == ["qaic"]
    assert (defaults["qaic"]["num_cores"], defaults["qaic"]["num_devices"]) == (16, 1)
    more = one(f'framework = "pytorch"\n{text}\naccel = {{ qaic = {{ num_devices = 4 }} }}').accel
    assert more == {"qaic": {**defaults["qaic"], "num_devices": 4}}


@pytest.mark.parametrize(
    ("project", "name"),
    [("My_Model", "my-model"), ("a.b--c", "a-b-c"), ("X", "x"), ("ccfraud2", "ccfraud2"), ("A" * 63, "a" * 63)],
)
def test_the_default_name_is_put_into_the_platforms_form(project, name):
    assert one('framework = "onnx"\nmodel = "m.onnx"', name=project).name == name


# Several models


def test_models_share_what_stands_above_them():
    reading = read(
        """
        [tool.wallaroo]
        release = "2024.1"
        visibility = "public"
        byop = { packages = ["src/shared"], model-types = ["a.B"] }
        requirements = "requirements.txt"
        model = "models/default.onnx"
        input-schema = { x = "float64" }

        [tool.wallaroo.models.House_Price]
        framework = "onnx"

        [tool.wallaroo.models.scorer]
        framework = "custom"
        release = "2024.2"
        visibility = "private"
        byop = { module = "scorer.py", model-types = ["c.D"] }
        output-schema = { y = "float64" }
        """
    )
    assert reading.findings == ()
    price, scorer = reading.specs
    models = ("tool", "wallaroo", "models")
    assert (price.name, price.key, price.model) == ("house-price", (*models, "House_Price"), "models/default.onnx")
    assert (price.release.version, price.visibility, price.byop, price.input_schema) == ("2024.1", "public", None, None)
    assert (scorer.name, scorer.release.version, scorer.visibility, scorer.model) == (
        "scorer",
        "2024.2",
        "private",
        None,
    )
    assert scorer.byop.packages == ("src/shared",)
    assert (scorer.byop.module, scorer.byop.model_types) == ("scorer.py", ("c.D",))
    assert scorer.requirements.file == "requirements.txt"
    # Each finding of a later step points to where the option really stands.
    assert scorer.at("visibility") == Place(key=(*models, "scorer", "visibility"))
    assert scorer.at("requirements") == Place(key=("tool", "wallaroo", "requirements"))
    assert scorer.at("byop", "packages", 0) == Place(key=("tool", "wallaroo", "byop", "packages", 0))
    assert scorer.at("byop", "module") == Place(key=(*models, "scorer", "byop", "module"))
    assert scorer.at("input-schema", "x", "shape", 0).key == ("tool", "wallaroo", "input-schema", "x", "shape", 0)
    assert scorer.at("sample") == Place(key=(*models, "scorer"))
    assert price.at("byop") == Place(key=(*models, "House_Price"))


def test_a_broken_model_does_not_take_the_others_along():
    reading = read(
        """
        [tool.wallaroo.models]
        a = { framework = "onnx", model = "a.onnx" }
        b = { framework = "onnx" }
        c = { framework = "onnx", model = "c.onnx", visibility = "all" }
        d = 4
        """
    )
    # b says too little; what is wrong with c does not change its bundle.
    assert [spec.name for spec in reading.specs] == ["a", "c"]
    assert reading.specs[1].visibility == "private"
    assert set(codes(reading)) == {"WLR010", "WLR013", "WLR014"}


def test_a_misfit_is_only_forgiven_where_it_is_shared():
    text = """
        [tool.wallaroo]
        artifacts = ["shared/*"]
        [tool.wallaroo.models.byop]
        framework = "custom"
        byop.module = "inference.py"
        input-schema.x = "float64"
        output-schema.y = "float64"
        [tool.wallaroo.models.plain]
        framework = "onnx"
        model = "m.onnx"
    """
    assert codes(read(text)) == []
    own = read(text + 'artifacts = ["own/*"]')
    assert [(finding.code, finding.place.key[2:]) for finding in own.findings] == [
        ("WLR015", ("models", "plain", "artifacts"))
    ]


@pytest.mark.parametrize(
    "broken",
    ['byop.load = "a.b"', 'byop = { module = "/abs.py" }', 'byop.model-types = ["a b"]', 'byop.packages = [".."]'],
)
def test_no_bundle_is_planned_from_broken_inference_code(broken):
    functions = "" if "load" in broken or "module" in broken else 'byop.module = "inference.py"\n'
    reading = table(f'framework = "custom"\n{functions}{broken}{SCHEMAS}')
    assert reading.specs == ()
    assert len(reading.findings) == 1


def test_an_error_in_a_shared_key_is_told_once():
    models = "".join(f'[tool.wallaroo.models.m{index}]\nmodel = "{index}.onnx"\n' for index in range(5))
    reading = read(f'[tool.wallaroo]\nframework = "onx"\nrelease = "2022.4"\nlock = 1\n{models}')
    assert sorted(codes(reading)) == ["WLR010", "WLR020", "WLR022"]


# Bad tables: a rule for each


CUSTOM = f'framework = "custom"\nbyop.module = "inference.py"{SCHEMAS}'
ONNX = 'framework = "onnx"\nmodel = "m.onnx"\n'
STEP = 'framework = "python"\nmodel = "step.py"\n'
LATEST = f'framework = "pytorch"\nmodel = "m.pt"\nrelease = "2026.1"{SCHEMAS}'
VLLM = f'framework = "vllm"\nmodel = "m"\nrelease = "2026.1"{SCHEMAS}'


@pytest.mark.parametrize(
    ("text", "code", "key"),
    [
        (ONNX + "modle = 1", "WLR011", "modle"),
        (ONNX + 'input_schema = { x = "float64" }', "WLR011", "input_schema"),
        (ONNX + "models.a.models = {}", "WLR011", "models.a.models"),
        (CUSTOM + "byop.laod = 'a.b:c'", "WLR011", "byop.laod"),
        (ONNX + "release = 2023.2", "WLR010", "release"),
        (ONNX + "visibility = 1979-05-27", "WLR010", "visibility"),
        (ONNX + "exclude = '*.tmp'", "WLR010", "exclude"),
        (ONNX + "exclude = ['a', {}]", "WLR010", "exclude.1"),
        (ONNX + "lock = 'yes'", "WLR010", "lock"),
        (CUSTOM + "requirements = 1", "WLR010", "requirements"),
        (CUSTOM + "requirements = ['a', 1]", "WLR010", "requirements.1"),
        (CUSTOM + "requirements = 'projects'", "WLR014", "requirements"),
        (CUSTOM + "requirements = '../requirements.txt'", "WLR040", "requirements"),
        (CUSTOM + "input-schema = 'float64'", "TOML", ""),
        (LATEST + "accel = 3", "WLR010", "accel"),
        (LATEST + "accel.qaic = 3", "WLR010", "accel.qaic"),
        (LATEST + "accel = {}", "WLR012", "accel"),
        (LATEST + "accel = { qaic = {}, cuda = {} }", "WLR012", "accel"),
        (LATEST + "framework-config = 3", "WLR015", "framework-config"),
        (VLLM + "framework-config = 3", "WLR010", "framework-config"),
        ('framework = "mlflow"\nmodel = "m"\nimage.labels = 3', "WLR010", "image.labels"),
        ('framework = "mlflow"\nmodel = "m"\nimage.labels.a = 3', "WLR010", "image.labels.a"),
        ('framework = "mlflow"\nmodel = "m"\nimage = 3', "WLR010", "image"),
        (ONNX + "sample = ''", "WLR012", "sample"),
        (ONNX + 'sample = "a\\u0000"', "WLR012", "sample"),
        (ONNX + "sample = '/etc/passwd'", "WLR040", "sample"),
        (ONNX + "sample = 'a/../../b'", "WLR040", "sample"),
        (ONNX + "sample = 'c:a'", "WLR040", "sample"),
        (ONNX + "sample = '\\\\host\\share'", "WLR040", "sample"),
        (ONNX + "sample = 'a\\b'", "WLR041", "sample"),
        (ONNX + f"sample = '{'a/' * 3000}'", "WLR041", "sample"),
        (ONNX + "sample = 'hf://a/b'", "WLR040", "sample"),
        ('model = "m.onnx"', "WLR013", "framework"),
        ('framework = "onnx"', "WLR013", "model"),
        ('framework = "keras"\nmodel = "m.h5"\ninput-schema.x = "float32"', "WLR046", "output-schema"),
        ('framework = "keras"\nmodel = "m.h5"\noutput-schema.x = "float32"', "WLR046", "input-schema"),
        (f'framework = "custom"{SCHEMAS}', "WLR013", "byop"),
        (ONNX + 'visibility = "group"', "WLR014", "visibility"),
        (ONNX + 'compression = "zip"', "WLR014", "compression"),
        (ONNX + 'python-version = "3.10"', "WLR014", "python-version"),
        (ONNX + 'artifacts = ["a"]', "WLR015", "artifacts"),
        (ONNX + 'byop.load = "a:b"', "WLR015", "byop"),
        (ONNX + "image = {}", "WLR015", "image"),
        (CUSTOM + 'model = "m.pkl"', "WLR015", "model"),
        (CUSTOM + "image = {}", "WLR015", "image"),
        (ONNX + 'input-schema.x = "float64"', "WLR015", "input-schema"),
        (LATEST + "framework-config = {}", "WLR015", "framework-config"),
        ('framework = "mlflow"\nmodel = "m"\nrelease = "2026.1"\narch = "x86"', "WLR015", "arch"),
        (ONNX + "requirements = []", "WLR016", "requirements"),
        (ONNX + "lock = true", "WLR016", "lock"),
        (STEP + "requirements = []", "WLR016", "requirements"),
        (STEP + "lock = true", "WLR016", "lock"),
        (STEP + "release = '2023.4'\nrequirements = []", "WLR016", "requirements"),
        (STEP + f"release = '2024.1'\nlock = true\nrequirements = ['pandas==2.2.0']{SCHEMAS}", "", ""),
        (STEP + f"release = '2026.1'\nrequirements = 'requirements.txt'{SCHEMAS}", "", ""),
        (ONNX + 'release = "2022.4"', "WLR020", "release"),
        (ONNX + 'release = "latest"', "WLR020", "release"),
        (ONNX + 'release = "2025.2.4"', "WLR021", "release"),
        ('model = "m"\nframework = "scikit"', "WLR022", "framework"),
        ('model = "m"\nframework = "vllm"', "WLR023", "framework"),
        ('model = "m"\nframework = "hugging-face-automatic-speech-recognition"', "WLR023", "framework"),
        (ONNX + 'arch = "x86"', "WLR024", "arch"),
        (ONNX + 'accel = "cuda"', "WLR024", "accel"),
        (ONNX + 'release = "2023.4"\narch = "power10"', "WLR024", "arch"),
        (LATEST + 'accel = "aio"', "WLR024", "accel"),
        (LATEST + 'accel = "gpu"', "WLR014", "accel"),
        (LATEST + 'arch = "x64"', "WLR014", "arch"),
        (LATEST + 'accel = "jetson"', "WLR025", "accel"),
        (LATEST + 'arch = "arm"\naccel.qaic = {}', "WLR025", "accel"),
        (ONNX + 'name = "a_b"', "WLR030", "name"),
        (ONNX + 'name = "a-"', "WLR030", "name"),
        (ONNX + 'name = "a\u00e9"', "WLR030", "name"),
        (ONNX + f'name = "{"a" * 64}"', "WLR030", "name"),
        (ONNX + 'name = "AbC"', "WLR032", "name"),
        (CUSTOM.replace("float64[4]", "float46[4]"), "WLR045", "input-schema.inputs"),
        (CUSTOM.replace('inputs = "float64[4]"', ""), "WLR045", "input-schema"),
        (CUSTOM.replace("byop.module", "byop.load") , "WLR050", "byop.load"),
        (CUSTOM + 'byop.load = "a:b"', "WLR051", "byop.module"),
        (f'framework = "custom"\nbyop.predict = "a:b"{SCHEMAS}', "WLR051", "byop.predict"),
        (f'framework = "custom"\nbyop = {{ load = "a:class", predict = "a:b" }}{SCHEMAS}', "WLR050", "byop.load"),
        (CUSTOM + 'byop.model-types = ["a b"]', "WLR050", "byop.model-types.0"),
        (LATEST + "accel.qaic.cores = 4", "WLR060", "accel.qaic.cores"),
        (LATEST + "accel.cuda = {}", "WLR060", "accel.cuda"),
        (LATEST + "accel.qaic.num_cores = 0", "WLR061", "accel.qaic.num_cores"),
        (LATEST + "accel.qaic.num_cores = true", "WLR061", "accel.qaic.num_cores"),
        (VLLM + "framework-config.swap = 4", "WLR060", "framework-config.swap"),
        (VLLM + "framework-config.max_num_seqs = 1e3", "WLR061", "framework-config.max_num_seqs"),
        (VLLM + "framework-config.gpu_memory_utilization = 1.1", "WLR061", "framework-config.gpu_memory_utilization"),
        (VLLM + "framework-config.gpu_memory_utilization = nan", "WLR061", "framework-config.gpu_memory_utilization"),
        (VLLM + "framework-config.device_group = ['a']", "WLR061", "framework-config.device_group"),
        (VLLM + "framework-config.device_group = [0]", "WLR062", "framework-config.device_group"),
        (VLLM + "framework-config.kv_cache_dtype = 'mxint8'", "WLR062", "framework-config.kv_cache_dtype"),
        (VLLM + "framework-config.max_seq_len_to_capture = 4096", "WLR062", "framework-config.max_seq_len_to_capture"),
        (VLLM.replace("2026.1", "2025.2") + "framework-config.max_seq_len_to_capture = 4096", "", ""),
        (VLLM + "accel = 'qaic'\nframework-config.max_seq_len_to_capture = 4096", "", ""),
        (VLLM + "framework-config.max_num_seqs = 0", "WLR061", "framework-config.max_num_seqs"),
        (VLLM + "framework-config.max_num_seqs = true", "WLR061", "framework-config.max_num_seqs"),
        (VLLM + "framework-config.quantization = 'int4'", "WLR061", "framework-config.quantization"),
        (VLLM.replace("vllm", "sglang") + "framework-config.mem_fraction_static = 0", "WLR061", "framework-config.mem_fraction_static"),
        (VLLM.replace("vllm", "sglang") + "framework-config.kv_cache_dtype = 'fp8'", "WLR061", "framework-config.kv_cache_dtype"),
        (VLLM.replace("vllm", "sglang") + "framework-config.chunked_prefill_size = -1", "", ""),
        (VLLM + "framework-config.tool_call_parser = ''", "WLR061", "framework-config.tool_call_parser"),
        (CUSTOM + "release = '2026.1'\nframework-config.at = 1979-05-27", "WLR061", "framework-config.at"),
        (CUSTOM + "release = '2026.1'\nframework-config.at.b = [inf]", "WLR061", "framework-config.at"),
        (CUSTOM + "release = '2026.1'\nframework-config.model_path = 4", "WLR061", "framework-config.model_path"),
        (CUSTOM + "framework-config.at = 1", "WLR024", "framework-config"),
        (VLLM.replace("2026.1", "2025.1") + "framework-config.tool_call_parser = 'hermes'", "WLR060", "framework-config.tool_call_parser"),
        ("models = {}", "WLR003", "models"),
        ("models = 3", "WLR010", "models"),
        ("models = ['a']", "WLR010", "models"),
        ("models.a = 'a.onnx'", "WLR010", "models.a"),
        ("models.3d = { framework = 'onnx', model = 'm' }", "WLR030", "models.3d.name"),
        ("models.'' = { framework = 'onnx', model = 'm' }", "WLR030", "models..name"),
        ("name = 'a'\nmodels.b = { framework = 'onnx', model = 'm' }", "WLR033", "name"),
        ("image = {}\nmodels.b = { framework = 'onnx', model = 'm' }", "WLR015", "image"),
        ("lock = true\nmodels.b = { framework = 'onnx', model = 'm' }", "WLR016", "lock"),
        ("models.a_b = { framework = 'onnx', model = 'm' }\nmodels.a-b = { framework = 'onnx', model = 'm' }", "WLR031", "models.a-b.name"),
        ("models.a = { framework = 'onnx', model = 'm' }\nmodels.b = { name = 'a', framework = 'onnx', model = 'm' }", "WLR031", "models.b.name"),
    ],
)  # fmt: skip
def test_one_thing_is_wrong(text, code, key):
    """Exactly one finding, of this rule, at this key, with a fix; and no second one that follows from it."""
    if code == "TOML":
        with pytest.raises(tomllib.TOMLDecodeError):
            table(text)
        return
    reading = table(text)
    assert [(finding.code, ".".join(map(str, finding.place.key[2:]))) for finding in reading.findings] == (
        [(code, key)] if code else []
    )
    for finding in reading.findings:
        assert finding.fix or finding.level is Level.NOTE
        assert finding.message == finding.message.strip()


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({}, "WLR001"),
        ({"tool": {}}, "WLR001"),
        ({"tool": {"walaroo": {}}}, "WLR001"),
        ({"tool": 3}, "WLR001"),
        ({"tool": {"wallaroo": []}}, "WLR010"),
        ({"tool": {"wallaroo": [{"framework": "onnx"}]}}, "WLR010"),
    ],
)
def test_no_table_at_all(document, code):
    reading = read_models(document, project=Project("a", "1"), root=ROOT)
    assert (codes(reading), reading.specs) == ([code], ())


@pytest.mark.parametrize("name", ["3d-model", "7", "Ünit", "", "a" * 64])
def test_a_projects_name_that_the_platform_cannot_have(name):
    reading = table('framework = "onnx"\nmodel = "m.onnx"', name=name)
    assert codes(reading) == ["WLR030"]
    assert "name" in reading.findings[0].fix


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("scikit-learn", "sklearn"),
        ("SKLearn", "sklearn"),
        ("torch", "pytorch"),
        ("byop", "custom"),
        ("lightgbm", "custom"),
        ("hugging_face_summarization", "hugging-face-summarization"),
        ("tensorflow ", "tensorflow"),
        ("xgbost", "xgboost"),
    ],
)
def test_the_nearest_framework_is_named(written, meant):
    (finding,) = table(f'framework = "{written}"\nmodel = "m"').findings
    assert finding.fix == f'framework = "{meant}"'


def test_a_framework_is_judged_where_the_release_is_unknown():
    assert sorted(codes(table('framework = "onx"\nrelease = "1.0"\nmodel = "m"'))) == ["WLR020", "WLR022"]
    assert codes(table('framework = "sglang"\nrelease = "1.0"\nmodel = "m"')) == ["WLR020"]


def test_everything_at_once():
    reading = table(
        """
        framework = "keras"
        release = "2024.1"
        model = "/abs/m.h5"
        visibility = "all"
        arch = "mips"
        colour = 1
        byop.load = "x"
        exclude = [1]
        input-schema.x = "flaot64"
        """
    )
    assert sorted(codes(reading)) == [
        "WLR010", "WLR011", "WLR014", "WLR014", "WLR015", "WLR040", "WLR045", "WLR046",
    ]  # fmt: skip
    assert reading.specs == ()


def test_a_misspelt_required_key_is_not_missing_as_well():
    reading = table('framework = "keras"\nmodle = "m.h5"\ninptu-schema.x = "float64"\noutput-schema.y = "float64"')
    assert codes(reading) == ["WLR011", "WLR011"]
    assert codes(table('framwork = "keras"\nmodel = "m.h5"')) == ["WLR011"]


def test_the_first_of_a_line_is_no_earlier_release():
    (finding,) = table(ONNX + 'release = "2023.2"').findings
    assert finding.message == "2023.2 is checked with the rules of 2023.2.1, the first release of its line known here"


def test_a_note_leaves_the_model_alone():
    reading = table(ONNX + 'release = "2024.3"')
    assert [spec.release.version for spec in reading.specs] == ["2024.2"]
    assert codes(reading, Level.NOTE) == ["WLR021"]


def test_a_model_with_a_schema_error_can_still_be_planned():
    (spec,) = table('framework = "keras"\nmodel = "m.h5"\ninput-schema.x = "f"\noutput-schema.y = "float64"').specs
    assert spec.input_schema is None
    assert spec.output_schema is not None


def test_every_option_is_read_into_the_spec():
    """A key of the model that nobody takes over would be silently ignored."""
    from hatch_wallaroo.config.spec import ModelSpec

    assert {option.name for option in OPTIONS.values()} <= set(ModelSpec.__dataclass_fields__)


# Whatever a document holds


keys = st.sampled_from(
    [*OPTIONS, "models", "load", "predict", "module", "packages", "labels", "qaic", "x", ""]
) | st.text(max_size=5)
words = st.sampled_from(
    [
        *resolve("2026.1").frameworks,
        *known(),
        "2025.2.9",
        "project",
        "m.onnx",
        "a.b:c",
        "cuda",
        "arm",
        "float64[4]",
        "auto",
    ]
)
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | words
    | st.just(date(2024, 1, 1))
    | st.just(10**4000)
    | st.just("x" * 10_000),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=6),
    max_leaves=25,
)
likely = st.fixed_dictionaries(
    {"framework": st.sampled_from([*resolve("2026.1").frameworks]) | anything},
    optional=dict.fromkeys(["release", *list(OPTIONS)[2:], "models"], words | anything),
)


@pytest.mark.slow
@given(
    anything
    | likely
    | st.builds(lambda shared, models: {**shared, "models": models}, likely, st.dictionaries(keys, likely, max_size=3))
)
def test_no_document_makes_the_reader_fail(wallaroo):
    reading = read_models({"tool": {"wallaroo": wallaroo}}, project=Project("a", "1"), root=ROOT)
    assert reading.specs or reading.findings
    for finding in reading.findings:
        assert len(finding.message) < 2000
        assert finding.place.key[:1] == ("tool",) or finding.code == "WLR001"
    for spec in reading.specs:
        assert spec.framework.name in spec.release.frameworks
        assert re.fullmatch("[a-zA-Z]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?", spec.name)


def test_deep_nesting_and_long_strings_are_answered_in_few_words():
    deep: object = 1
    for _ in range(100_000):
        deep = [deep]
    for option in OPTIONS:
        for value in (deep, "x" * 1_000_000, {"a": deep}, ["x" * 1_000_000], 10**5000):
            table_ = {"framework": "custom", "release": "2026.1", option: value}
            reading = read_models({"tool": {"wallaroo": table_}}, project=Project("a", "1"), root=ROOT)
            assert reading.findings
            assert all(len(finding.message) + len(finding.fix) < 4000 for finding in reading.findings)


def test_without_a_model_the_shared_table_is_judged_all_the_same():
    reading = table('framework = "onnx"\nrelease = "2023.2.9.9"\nlock = "yes"\ncolour = 1\nmodels = {}')
    assert sorted(codes(reading)) == ["WLR003", "WLR010", "WLR011", "WLR020"]
    assert reading.specs == ()


def test_without_a_model_nothing_is_said_to_be_missing():
    assert codes(table("models = {}")) == ["WLR003"]
    assert codes(table('models = 5\naccel = "cuda"')) == ["WLR010"]


@pytest.mark.parametrize("release", ['"2099.9"', '"nonsense"', "5"])
def test_a_release_that_nobody_knows_leaves_the_files_to_be_checked(release):
    reading = table(f'{SCHEMAS}framework = "vllm"\nmodel = "models/m"\naccel = "cuda"\nrelease = {release}')
    (spec,) = reading.specs
    assert spec.files_only
    assert spec.model == "models/m"
    assert len(codes(reading, Level.ERROR)) == 1


def test_an_accelerator_that_was_not_understood_is_none_at_all():
    text = f'{SCHEMAS}framework = "vllm"\nmodel = "m"\nrelease = "2026.1"\n'
    of_qaic = 'accel = "qiac"\nframework-config = { quantization = "mxfp6" }'
    for accel in ('accel = "cudda"', "accel = 5", 'acel = "cuda"', of_qaic):
        reading = table(text + accel)
        assert len(codes(reading)) == 1
        assert reading.specs[0].accel is None
