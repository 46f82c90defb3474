"""Build contexts of MLflow models: what goes in, what is said of folders and signatures, and hostile names."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hatch_wallaroo.bundle.check import Checked, check
from hatch_wallaroo.bundle.pack import pack
from hatch_wallaroo.bundle.plan import plan
from hatch_wallaroo.config.spec import ByopSpec, ImageSpec, ModelSpec, Project, Reference, RequirementsFrom
from hatch_wallaroo.findings import errors
from hatch_wallaroo.frameworks.mlflow import folder as address
from hatch_wallaroo.frameworks.mlflow.family import effective_schemas
from hatch_wallaroo.frameworks.mlflow.folder import image_reference
from hatch_wallaroo.platform.errors import ConfigurationError
from hatch_wallaroo.platform.packages import read
from hatch_wallaroo.schema.types import Field, ListOf, Scalar, Schema
from support.factory import make_spec

MLMODEL = """\
flavors:
  python_function:
    loader_module: mlflow.sklearn
    model_path: model.pkl
  sklearn:
    pickled_model: model.pkl
mlflow_version: 1.30.0
"""
SIGNED = """\
signature:
  inputs: '{inputs}'
  outputs: '{outputs}'
"""
COLUMNS = [{"name": "a", "type": "double"}, {"name": "b", "type": "long"}]


def tensor(dtype: str, *shape: int, name: str | None = None) -> dict[str, Any]:
    told = {"type": "tensor", "tensor-spec": {"dtype": dtype, "shape": list(shape)}}
    return {"name": name, **told} if name else told


def signed(inputs: Any, outputs: Any = ({"type": "long"},)) -> str:
    return MLMODEL + SIGNED.format(inputs=json.dumps(list(inputs)), outputs=json.dumps(list(outputs)))


def folder(root: Path, text: str = MLMODEL, requirements: str | None = "mlflow\nscikit-learn==1.2.2\n") -> Path:
    made = root / "m"
    made.mkdir(parents=True, exist_ok=True)
    (made / "MLmodel").write_text(text)
    (made / "model.pkl").write_bytes(b"model")
    if requirements is not None:
        (made / "requirements.txt").write_text(requirements)
    return made


def spec(root: Path, image: ImageSpec | None = None, **options: Any) -> ModelSpec:
    release = options.pop("release", "2023.2.1")
    given = {"model": "m", "image": image or ImageSpec("python:3.8-slim"), **options}
    return make_spec(root, "mlflow", release=release, **given)


def texts(checked: Checked) -> dict[str, str]:
    made = {}
    for entry in checked.plan.layout.entries:
        with entry.source.open() as stream:
            made[entry.path] = stream.read().decode()
    return made


def said(checked: Checked) -> list[tuple[str, str, str]]:
    return [(each.code, each.level.value, each.message) for each in checked.findings]


# What is in a context


def test_a_context(tmp_path: Path) -> None:
    folder(tmp_path)
    image = ImageSpec("reg.example:5000/python:3.8@sha256:" + "0" * 64, packages=("libgomp1", "g++"))
    made = check(spec(tmp_path, image))
    assert made.passed
    files = texts(made)
    assert set(files) == {".dockerignore", "Dockerfile", "requirements.txt", "model/MLmodel", "model/model.pkl",
                          "model/requirements.txt"}  # fmt: skip
    lines = files["Dockerfile"].splitlines()
    assert f"FROM {image.base}" in lines
    assert sum(line.startswith("FROM ") for line in lines) == 1
    assert "apt-get install -y --no-install-recommends libgomp1 g++" in files["Dockerfile"]
    assert [line for line in lines if line.startswith("USER")] == ["USER 0:0", "USER 10001:10001"]
    assert lines[-1] == 'ENTRYPOINT ["gunicorn", "mlflow.pyfunc.scoring_server.wsgi:app"]'
    assert files["requirements.txt"] == "mlflow==1.30.0\nscikit-learn==1.2.2\n"
    assert files[".dockerignore"] == "*\n!model\n!requirements.txt\n"


def test_a_platform_is_another_context(tmp_path: Path) -> None:
    """Else an image for one platform would pass for the other's, which has the same files."""
    folder(tmp_path)
    first, second = (
        texts(check(spec(tmp_path, ImageSpec("b", platform=each))))["Dockerfile"] for each in (None, "linux/arm64")
    )
    assert first != second
    assert "--platform linux/arm64" in second


HOSTILE = {
    "plain": "a b",
    'quote"d "key': "a \"b\" 'c'",
    "dollar": "$HOME ${PATH} \\$x",
    "slash\\": "ends in a backslash \\",
    "tick": "`id` $(id)",
    "line": "# no comment; USER root && RUN",
    "größe": "日本 é",
    "empty": "",
}


def test_hostile_labels_are_one_line_and_nothing_else(tmp_path: Path) -> None:
    """The Dockerfile's words are read here as the builder reads them; tests/image builds some for real."""
    folder(tmp_path)
    text = texts(check(spec(tmp_path, ImageSpec("b", labels=HOSTILE))))["Dockerfile"]
    (line,) = (each for each in text.splitlines() if each.startswith("LABEL "))
    word = r'"((?:[^"\\$]|\\.)*)"'
    pairs = re.findall(f" {word}={word}", line)
    assert "".join(f' "{key}"="{value}"' for key, value in pairs) == line.removeprefix("LABEL")
    read = {re.sub(r"\\(.)", r"\1", key): re.sub(r"\\(.)", r"\1", value) for key, value in pairs}
    assert {key: read[key] for key in HOSTILE} == HOSTILE


@pytest.mark.parametrize(
    ("version", "image", "name"),
    [
        ("1.0", ImageSpec("b"), "a-model:1.0"),
        ("1.0+abc.1", ImageSpec("b"), "a-model:1.0-abc.1"),
        ("1!2.0.dev3", ImageSpec("b"), "a-model:1-2.0.dev3"),
        ("1.0", ImageSpec("b", tag="v2"), "a-model:v2"),
        ("1.0", ImageSpec("b", registry="host:5000"), "host:5000/a-model:1.0"),
        ("1.0", ImageSpec("b", registry="Host.Example:5000/team"), "Host.Example:5000/team/a-model:1.0"),
    ],
)
def test_what_an_image_is_called(tmp_path: Path, version: str, image: ImageSpec, name: str) -> None:
    folder(tmp_path)
    made = replace(spec(tmp_path, image), version=version)
    assert image_reference(made) == name
    assert check(made).passed


def test_names_are_in_lower_case(tmp_path: Path) -> None:
    assert image_reference(replace(spec(tmp_path), name="My-Model")) == "my-model:1.0"


@pytest.mark.parametrize(
    ("version", "image"),
    [("1.0+" + "a" * 140, ImageSpec("b")), ("1.0", ImageSpec("b", registry="h/" + "/".join(["team"] * 60)))],
)
def test_a_name_that_no_engine_takes(tmp_path: Path, version: str, image: ImageSpec) -> None:
    folder(tmp_path)
    made = check(replace(spec(tmp_path, image), version=version))
    assert [each[0] for each in said(made) if each[1] == "error"] == ["WLR468"]


# Folders


BROKEN = {
    "no file": (None, "has no file MLmodel"),
    "empty": ("", "there are no flavors in it"),
    "a list": ("- a\n", "there are no flavors in it"),
    "no yaml": ("flavors: [\n", "this is no YAML"),
    "binary": ("\x00\x01", "this is no YAML"),
    "no flavors": ("mlflow_version: 1.30.0\n", "there are no flavors in it"),
    "flavors are a text": ("flavors: sklearn\n", "no flavor python_function"),
    "no python function": ("flavors:\n  sklearn:\n    a: b\n", "no flavor python_function"),
    "no loader": ("flavors:\n  python_function:\n    env: x\n", "no flavor python_function"),
    "signature is no json": (MLMODEL + "signature:\n  inputs: '[{'\n", "are no JSON"),
    "signature is no list": (MLMODEL + "signature:\n  inputs: '{}'\n", "no list of columns"),
    "signature without a type": (MLMODEL + 'signature:\n  inputs: \'[{"name": "a"}]\'\n', "has no type"),
    "a file that is not there": (MLMODEL.replace("model.pkl", "other.pkl"), "model_path: other.pkl, which is not in"),
    "too deep": ("flavors: " + "[" * 5000, "this is no YAML"),
    "too large": ("flavors:\n" + "# x\n" * (1 << 20) * 2, "too many"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_folder_that_is_broken(tmp_path: Path, case: str) -> None:
    text, message = BROKEN[case]
    made = folder(tmp_path, text or "")
    if text is None:
        (made / "MLmodel").unlink()
    checked = check(spec(tmp_path))
    found = [each for each in said(checked) if each[0] == "WLR462"]
    assert len(found) == 1, said(checked)
    assert message in found[0][2]
    assert not checked.passed


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert [each[0] for each in said(check(spec(tmp_path))) if each[1] == "error"] == ["WLR201"]
    assert [each[0] for each in said(check(spec(tmp_path, model=None))) if each[1] == "error"] == ["WLR200"]


def test_a_folder_of_a_later_mlflow(tmp_path: Path) -> None:
    folder(tmp_path, MLMODEL.replace("1.30.0", "2.14.3"))
    found = [each for each in said(check(spec(tmp_path))) if each[0] == "WLR463"]
    assert [each[1] for each in found] == ["warning"]


# Requirements


@pytest.mark.parametrize(
    ("own", "text", "codes"),
    [
        ("mlflow\nscikit-learn==1.2.2\n", "mlflow==1.30.0\nscikit-learn==1.2.2\n", set()),
        ("mlflow<2,>=1.30\nMLflow_Skinny==1.0\nnumpy==1.22.3\n", "mlflow==1.30.0\nnumpy==1.22.3\n", set()),
        ("# nothing\n\nnumpy==1.22.3 # pinned\n", "mlflow==1.30.0\nnumpy==1.22.3\n", set()),
        ("--extra-index-url https://index.example/simple\nnumpy==1.22.3\n",
         "--extra-index-url https://index.example/simple\nmlflow==1.30.0\nnumpy==1.22.3\n", None),
        ("numpy==1.22.3 --hash=sha256:" + "0" * 64 + "\n", None, {"WLR308"}),
        ("mlflow==1.30.0 \\\n  --hash=sha256:" + "1" * 64 + "\nnumpy==1.22.3 \\\n  --hash=sha256:" + "0" * 64 + "\n",
         "mlflow==1.30.0 --hash=sha256:" + "1" * 64 + "\nnumpy==1.22.3 --hash=sha256:" + "0" * 64 + "\n", set()),
        ("", "mlflow==1.30.0\n", set()),
        ("mlflow-model-tools==1.0\n", "mlflow==1.30.0\nmlflow-model-tools==1.0\n", set()),
    ],
)  # fmt: skip
def test_requirements_of_a_folder(tmp_path: Path, own: str, text: str | None, codes: set[str] | None) -> None:
    folder(tmp_path, signed(COLUMNS), own)
    made = check(spec(tmp_path))
    if text is not None:
        assert texts(made)["requirements.txt"] == text
    found = {each.code for each in errors(made.findings)}
    if codes is not None:
        assert bool(found) == bool(codes), said(made)


def test_constraints_beside_a_folder(tmp_path: Path) -> None:
    """MLflow writes `-c constraints.txt` where a model has some."""
    made = folder(tmp_path, signed(COLUMNS), "mlflow\n-c constraints.txt\nnumpy\n")
    (made / "constraints.txt").write_text("numpy==1.22.3\n")
    assert texts(check(spec(tmp_path)))["requirements.txt"] == "mlflow==1.30.0\nnumpy==1.22.3\n"


def test_a_folder_without_requirements(tmp_path: Path) -> None:
    folder(tmp_path, requirements=None)
    made = check(spec(tmp_path))
    assert "WLR464" in {each.code for each in errors(made.findings)}
    listed = RequirementsFrom("list", lines=("scikit-learn==1.2.2", "mlflow==2.9"))
    made = check(spec(tmp_path, requirements=listed))
    assert made.passed
    assert texts(made)["requirements.txt"] == "mlflow==1.30.0\nscikit-learn==1.2.2\n"


@pytest.mark.parametrize(("platform", "kept"), [(None, False), ("linux/amd64", False), ("linux/arm64", True)])
def test_requirements_are_for_the_images_platform(tmp_path: Path, platform: str | None, kept: bool) -> None:
    folder(tmp_path, signed(COLUMNS), "numpy==1.22.3\nneon==1.0; platform_machine == 'aarch64'\n")
    made = check(spec(tmp_path, ImageSpec("b", platform=platform)))
    assert ("neon==1.0" in texts(made)["requirements.txt"]) == kept


# Signatures


def schema(**fields: str) -> Schema:
    from hatch_wallaroo.schema.tables import read_schema

    made, problems = read_schema(fields)
    assert not problems
    return made


@pytest.mark.parametrize(
    ("inputs", "declared", "form", "taken", "codes"),
    [
        (COLUMNS, None, "records", {"a": "float64", "b": "int64"}, []),
        (COLUMNS, {"b": "int64", "a": "float64"}, "records", {"b": "int64", "a": "float64"}, []),
        (COLUMNS, {"a": "float32", "b": "int64"}, "records", None, ["WLR465"]),
        (COLUMNS, {"a": "float64"}, "records", None, ["WLR465"]),
        (COLUMNS, {"a": "float64", "c": "int64"}, "records", None, ["WLR465"]),
        ([{"type": "double"}], {"anything": "float64"}, "records", {"anything": "float64"}, []),
        ([tensor("float64", -1, 3)], None, "records", {"0": "float64", "1": "float64", "2": "float64"}, []),
        ([tensor("float64", -1, 2)], {"x": "float64", "y": "float64"}, "records", {"x": "float64", "y": "float64"}, []),
        ([tensor("float64", -1, 2)], {"x": "float64", "y": "float32"}, "records", None, ["WLR465"]),
        ([tensor("float64", -1, 2)], {"x": "float64[2]"}, "values", {"x": "float64[2]"}, ["WLR467"]),
        ([tensor("float64", -1, 2)], {"x": "float64[3]"}, "values", None, ["WLR465", "WLR467"]),
        ([tensor("float32", -1, 2, 2)], None, "values", {"inputs": "float32[2, 2]"}, ["WLR467"]),
        ([tensor("float32", -1)], None, "values", {"inputs": "float32"}, ["WLR467"]),
        ([tensor("float32", -1, 2, name="x")], None, "instances", {"x": "float32[2]"}, ["WLR467"]),
        ([tensor("float32", -1, 2, name="x"), tensor("int64", -1, name="y")], None, "instances",
         {"x": "float32[2]", "y": "int64"}, ["WLR467"]),
        ([tensor("complex64", -1, 2)], None, "values", None, ["WLR466", "WLR467"]),
        ([{"name": "a", "type": "any"}], None, "records", None, ["WLR466"]),
    ],
)  # fmt: skip
def test_a_signature_and_the_table(
    tmp_path: Path, inputs: Any, declared: dict[str, str] | None, form: str, taken: Any, codes: list[str]
) -> None:
    folder(tmp_path, signed(inputs))
    given = {"input_schema": schema(**declared)} if declared else {}
    made = check(spec(tmp_path, **given))
    assert made.facts["rows"] == form
    assert sorted({each.code for each in made.findings if each.code.startswith("WLR46")}) == codes
    if taken is not None:
        effective, outputs = effective_schemas(made.spec, made.plan.layout.entries)
        assert effective == schema(**taken)
        assert outputs == schema(predictions="int64")


def test_the_output_schema_is_only_compared(tmp_path: Path) -> None:
    folder(tmp_path, signed(COLUMNS))
    made = check(spec(tmp_path, output_schema=schema(cluster="float64")))
    assert [(each[0], each[1]) for each in said(made)] == [("WLR465", "warning")]
    assert made.passed


# Two functions


BYOP = ByopSpec(Reference("clusters", "load"), Reference("clusters", "predict"))
CODE = "def load(folder):\n    return 1\n\ndef predict(model, inputs):\n    return inputs\n"


def functions(root: Path, **more: Any) -> ModelSpec:
    (root / "clusters.py").write_text(CODE)
    fields = Schema((Field("x", ListOf(Scalar("float32"), 2)), Field("t", Scalar("string"))))
    listed = RequirementsFrom("list", lines=("numpy==1.22.3", "mlflow==2.9.2"))
    given = {"model": None, "byop": BYOP, "input_schema": fields, "output_schema": fields, "requirements": listed}
    made = spec(root, **{**given, **more})
    return replace(made, project=replace(made.project, packages=("clusters.py",)))


def test_a_folder_made_of_two_functions(tmp_path: Path) -> None:
    made = check(functions(tmp_path))
    assert made.passed, said(made)
    files = texts(made)
    assert set(files) == {".dockerignore", "Dockerfile", "requirements.txt", "model/MLmodel",
                          "model/artifacts/clusters.py", "model/code/hatch_wallaroo_model.py"}  # fmt: skip
    assert files["requirements.txt"] == "mlflow==1.30.0\nnumpy==1.22.3\n"
    compile(files["model/code/hatch_wallaroo_model.py"], "model.py", "exec")
    assert "'x': 'float32'" in files["model/code/hatch_wallaroo_model.py"].replace('"', "'")


@pytest.mark.parametrize(
    "more", [{"byop": ByopSpec(module="inference.py")}, {"byop": ByopSpec(load=Reference("a", "b"))}, {"model": "m"}]
)
def test_functions_that_are_not_two(tmp_path: Path, more: dict[str, Any]) -> None:
    made = plan(functions(tmp_path, **more))
    assert made[0] is None
    assert errors(made[1])


# Addresses


def test_a_server_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is down costs its retries once, however often the model is looked at."""
    asked: list[str] = []

    def download(**given: str) -> str:
        asked.append(given["artifact_uri"])
        raise OSError(
            "HTTPConnectionPool(host='ada:s3cret@server'): /x with s3cret and t0ken at http://ada:s3cret@server"
        )

    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setattr(mlflow.artifacts, "download_artifacts", download)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://ada:s3cret@server")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "t0ken")
    address._fetched.cache_clear()
    made = spec(tmp_path, model="models:/flowers/1")
    first, second = check(made), check(made)
    assert said(first) == said(second)
    assert len(asked) == 1
    (finding,) = (each for each in first.findings if each.code == "WLR461")
    assert "s3cret" not in finding.message + finding.fix
    assert "t0ken" not in finding.message + finding.fix
    assert "models:/flowers/1" in finding.message


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://ada:p@ss:w/rd@host/x", "https://***@host/x"),
        ("https://ada:other@host", "https://***@host"),
        ("https://host/a@b", "https://host/a@b"),
        ("p@ss:w/rd alone", "*** alone"),
    ],
)
def test_logins_in_what_a_client_says(text: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "p@ss:w/rd")
    monkeypatch.delenv("MLFLOW_TRACKING_TOKEN", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert address.without_secrets(text) == shown


def test_no_server_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    address._fetched.cache_clear()
    (finding,) = (each for each in check(spec(tmp_path, model="runs:/abc/model")).findings if each.code == "WLR461")
    assert "MLFLOW_TRACKING_URI" in finding.fix


# Manifests


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    folder(tmp_path, signed(COLUMNS))
    (bundle,) = pack([check(spec(tmp_path, ImageSpec("b", registry="r.example")))], tmp_path / "dist")
    return bundle.manifest


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"image": None}, "framework mlflow, go together"),
        ({"image": "name"}, "does not say what it is called"),
        ({"image.reference": "name with spaces"}, "does not say what it is called"),
        ({"image.reference": "--privileged"}, "does not say what it is called"),
        ({"image.reference": "other.example/a-model:1.0"}, "name different images"),
        ({"image.base": "b\nRUN true"}, "does not say what it is called"),
        ({"image.base": 3}, "does not say what it is called"),
        ({"image.platform": "--push"}, "no platform or builder"),
        ({"image.builder": "a b"}, "no platform or builder"),
        ({"config": ["input_schema"]}, "no table of schemas"),
        ({"config": {"runtime": "onnx"}}, "no table of schemas"),
        ({"config": {"input_schema": 3}}, "no table of schemas"),
        ({"upload.conversion.framework": "onnx"}, "framework mlflow, go together"),
        ({"file.name": "../other.tar"}, "does not name a file of its own folder"),
        ({"file.sha256": "short"}, "no SHA-256"),
        ({"file.size": 1}, "bytes, and its manifest says"),
    ],
)
def test_a_hostile_manifest(manifest: Path, change: dict[str, Any], says: str) -> None:
    assert read(manifest).is_image
    made = json.loads(manifest.read_bytes())
    for path, value in change.items():
        *above, last = path.split(".")
        place = made
        for key in above:
            place = place[key]
        place[last] = value
        if value is None:
            del place[last]
    manifest.write_text(json.dumps(made))
    with pytest.raises(ConfigurationError) as raised:
        read(manifest)
    assert says in str(raised.value)


def test_a_context_that_was_changed_or_is_gone(manifest: Path) -> None:
    package = read(manifest)
    with package.file.open("r+b") as stream:
        stream.write(b"other")
    with pytest.raises(ConfigurationError, match="is not the file that its manifest describes"):
        read(manifest).verify()
    package.file.unlink()
    with pytest.raises(ConfigurationError, match="is not there"):
        read(manifest)


def test_project_of_the_name(tmp_path: Path) -> None:
    folder(tmp_path)
    project = Project("a-model", "1.0", source='https://code.example/"x"')
    text = texts(check(replace(spec(tmp_path), project=project)))["Dockerfile"]
    assert '"org.opencontainers.image.source"="https://code.example/\\"x\\""' in text
