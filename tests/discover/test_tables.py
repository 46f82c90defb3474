"""The tables that are proposed: names, keys, samples, schemas; and new models beside those that are declared."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_wallaroo.config.model_name import is_name
from hatch_wallaroo.config.reader import read_models
from hatch_wallaroo.config.spec import Project
from hatch_wallaroo.discover.adoption import names_for, platform_name
from hatch_wallaroo.discover.candidates import Candidate
from support.command_line import Run
from support.trees import EXAMPLES, FIXTURES, grow

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ONNX = EXAMPLES / "onnx" / "models" / "pump_failure.onnx"
WINE = EXAMPLES / "sklearn" / "wine.pkl"
HEAD = '[build-system]\nrequires = ["hatchling", "hatch-wallaroo"]\nbuild-backend = "hatchling.build"\n\n'
PROJECT = '[project]\nname = "{}"\nversion = "1"\n\n'
TAIL = "\n[tool.hatch.build.hooks.wallaroo]\n\n[tool.hatch.publish.index]\ndisable = true\n"


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["models/churn.pkl"], ["churn"]),
        (["models/Churn Model v2.pkl"], ["churn-model-v2"]),
        (["fraud/model.onnx", "churn/model.onnx"], ["fraud", "churn"]),
        (["a/x.onnx", "b/x.onnx", "c/x.pkl"], ["x", "x-2", "x-3"]),
        (["model.pkl"], ["model"]),
        (["models/best/model_final.pt"], ["model"]),
        (["models/price/1"], ["price"]),
        (["out/reviews/checkpoint-500"], ["reviews"]),
        (["models/2024-01-05.pkl"], ["model"]),
        (["models/resnet.v1.5.onnx"], ["resnet-v1-5"]),
        (["7b/x-.gguf"], ["x"]),
        (["100k.onnx"], ["model-100k"]),
        (["模型.onnx"], ["model"]),
        (["a" * 80 + ".onnx", "a" * 80 + ".pkl"], ["a" * 63, "a" * 59 + "-2"]),
        (["src/pkg/serve.py"], ["serve"]),
        (["src/pkg/model.py"], ["pkg"]),
    ],
)
def test_names(paths: list[str], names: list[str]) -> None:
    assert names_for([Candidate(each, "") for each in paths]) == names


def test_names_that_are_taken() -> None:
    assert names_for([Candidate("x.onnx", "")], ["x", "x-2"]) == ["x-3"]


@given(st.lists(st.text(min_size=1, max_size=80), min_size=1, max_size=5))
def test_any_names(paths: list[str]) -> None:
    names = names_for([Candidate(each, "") for each in paths])
    assert len(set(names)) == len(names)
    assert all(map(is_name, names))
    assert all(platform_name(each) == "" or is_name(platform_name(each)) for each in paths)


def initialised(run: Run, root: Path, *arguments: str, code: int = 0) -> dict[str, object]:
    """The table after `init --yes`; a second run must change nothing."""
    said = run("init", "--project", str(root), "--yes", *arguments)
    assert said.code == code, said.err
    text = (root / "pyproject.toml").read_text()
    again = run("init", "--project", str(root), "--yes", *arguments)
    assert (root / "pyproject.toml").read_text() == text
    assert again.out == ""
    return tomllib.loads(text)["tool"]["wallaroo"]


@pytest.mark.parametrize(
    ("project", "arguments", "name"),
    [
        ("wine", (), None),
        ("Wine_Cultivars", (), None),
        ("7wines", (), "model-7wines"),
        ("wine", ("--name", "cellar"), "cellar"),
        ("wine", ("--name", "wine"), None),
        ("x" * 70, (), "x" * 63),
    ],
)
def test_a_name_is_written_where_the_project_s_will_not_do(
    project: str, arguments: tuple[str, ...], name: str | None, run: Run, tmp_path: Path
) -> None:
    grow(tmp_path, {"wine.pkl": WINE, "pyproject.toml": HEAD + PROJECT.format(project)})
    assert initialised(run, tmp_path, *arguments).get("name") == name


def test_samples(run: Run, tmp_path: Path) -> None:
    rows = '{"inputs": [{"x": [1.5, 2.5]}]}'
    grow(tmp_path, {"models/a.onnx": ONNX, "models/b.onnx": ONNX, "samples/a.json": rows, "models/b.json": "{broken",
                    "sample.json": rows})  # fmt: skip
    models = initialised(run, tmp_path)["models"]
    assert {name: each.get("sample") for name, each in models.items()} == {"a": "samples/a.json", "b": None}


def test_a_sample_tells_what_a_file_does_not(run: Run, tmp_path: Path) -> None:
    grow(tmp_path, {"net.pt": FIXTURES / "torch" / "script.pt"})
    said = run("init", "--project", str(tmp_path), "--dry-run")
    assert '+# [tool.wallaroo.input-schema]\n+# input = "float32[4]"' in said.out
    assert "# Nothing tells what the model takes and gives: fill in the fields" in said.out
    grow(tmp_path, {"sample.json": '{"inputs": [{"input": [1.0, 2.5]}], "outputs": [{"output": [1.5]}]}'})
    table = initialised(run, tmp_path)
    assert (table["input-schema"], table["output-schema"]) == ({"input": "float32[2]"}, {"output": "float32[1]"})


def test_the_comment_that_is_to_be_filled_in_is_toml(run: Run, tmp_path: Path) -> None:
    grow(tmp_path, {"net.pt": FIXTURES / "torch" / "script.pt", "wine.pkl": WINE})
    run("init", "--project", str(tmp_path), "--yes")
    text = (tmp_path / "pyproject.toml").read_text()
    head, first, rest = text.partition("# [tool.wallaroo.models.net.input-schema]")
    filled = head + (first + rest).replace("# ", "", 1).replace("\n# ", "\n").replace("\n#\n", "\n")
    reading = read_models(tomllib.loads(filled), project=Project("x", "1"), root=tmp_path)
    assert [each.code for each in reading.findings] == []
    assert len(reading.specs) == 2


# Where there is a table


def test_several_models_are_added_to_several(run: Run, tmp_path: Path) -> None:
    text = (
        f"{HEAD}{PROJECT.format('x')}# shared\n[tool.wallaroo]\nrelease = '2025.2'\n\n"
        f"[tool.wallaroo.models.wine]\nframework = 'sklearn'\nmodel = 'wine.pkl'  # good\n"
        f"input-schema = {{ inputs = 'float64[13]' }}\noutput-schema = {{ predictions = 'int64' }}\n{TAIL}"
    )
    grow(tmp_path, {"wine.pkl": WINE, "wine.onnx": ONNX, "pyproject.toml": text})
    table = initialised(run, tmp_path)
    assert list(table["models"]) == ["wine", "wine-2"]
    assert table["models"]["wine-2"] == {"framework": "onnx", "model": "wine.onnx"}
    after = (tmp_path / "pyproject.toml").read_text()
    assert after == text.replace(
        TAIL, f'\n[tool.wallaroo.models.wine-2]\nframework = "onnx"\nmodel = "wine.onnx"\n{TAIL}'
    )


def test_a_release_that_is_asked_for_stands_with_the_new_model(run: Run, tmp_path: Path) -> None:
    text = f"{HEAD}{PROJECT.format('x')}[tool.wallaroo]\n[tool.wallaroo.models.a]\nframework = 'onnx'\nmodel = 'a.onnx'\n{TAIL}"
    grow(tmp_path, {"a.onnx": ONNX, "b.onnx": ONNX, "pyproject.toml": text})
    table = initialised(run, tmp_path, "--release", "2024.4")
    assert table["models"]["b"] == {"framework": "onnx", "release": "2024.4", "model": "b.onnx"}


@pytest.mark.parametrize(
    ("own", "name"),
    [("", "my-project"), ("name = 'alpha'\n", "alpha")],
)
def test_the_only_model_becomes_one_of_several(own: str, name: str, run: Run, tmp_path: Path) -> None:
    text = (
        f"{HEAD}{PROJECT.format('My_Project')}[tool.wallaroo]\n{own}framework = 'sklearn'\nmodel = 'wine.pkl'\n"
        f"[tool.wallaroo.input-schema]\ninputs = 'float64[13]'\n[tool.wallaroo.output-schema]\npredictions = 'int64'\n{TAIL}"
    )
    grow(tmp_path, {"wine.pkl": WINE, "b.onnx": ONNX, "pyproject.toml": text})
    before = read_models(tomllib.loads(text), project=Project("My_Project", "1"), root=tmp_path).specs[0]
    table = initialised(run, tmp_path)
    assert list(table["models"]) == [name, "b"]
    assert "release" not in table["models"]["b"], "the default of the table that was there"
    document = tomllib.loads((tmp_path / "pyproject.toml").read_text())
    reading = read_models(document, project=Project("My_Project", "1"), root=tmp_path)
    assert [each.code for each in reading.findings if each.is_error] == []
    after = reading.specs[0]
    assert (after.name, after.release, after.input_schema) == (before.name, before.release, before.input_schema)


@pytest.mark.parametrize(
    "table",
    [
        "[tool]\nwallaroo = { framework = 'sklearn', model = 'wine.pkl' }\n",
        "[tool]\nwallaroo.framework = 'sklearn'\nwallaroo.model = 'wine.pkl'\n",
    ],
)
def test_a_table_that_cannot_be_moved_is_left_alone(table: str, run: Run, tmp_path: Path) -> None:
    text = f"{HEAD}{PROJECT.format('x')}{table}{TAIL}"
    grow(tmp_path, {"wine.pkl": WINE, "b.onnx": ONNX, "pyproject.toml": text})
    said = run("init", "--project", str(tmp_path), "--yes")
    assert said.code == 2
    assert "nothing was changed: tool.wallaroo has no header of its own" in said.err
    assert (tmp_path / "pyproject.toml").read_text() == text


def test_an_empty_table_is_filled(run: Run, tmp_path: Path) -> None:
    grow(tmp_path, {"b.onnx": ONNX, "pyproject.toml": f"{HEAD}{PROJECT.format('x')}[tool.wallaroo] # soon\n{TAIL}"})
    assert initialised(run, tmp_path) == {"framework": "onnx", "release": "2026.1", "model": "b.onnx"}
    assert "[tool.wallaroo] # soon\nframework" in (tmp_path / "pyproject.toml").read_text()


def test_a_shared_table_alone_gets_models(run: Run, tmp_path: Path) -> None:
    text = f"{HEAD}{PROJECT.format('x')}[tool.wallaroo]\nrelease = '2025.1'\n{TAIL}"
    grow(tmp_path, {"b.onnx": ONNX, "pyproject.toml": text})
    table = initialised(run, tmp_path)
    assert table == {"release": "2025.1", "models": {"b": {"framework": "onnx", "model": "b.onnx"}}}


@pytest.mark.parametrize(
    "table",
    [
        "framework = 'custom'\nartifacts = ['models/*.pkl']\n",
        "framework = 'custom'\nartifacts = ['models']\n",
        "framework = 'custom'\nartifacts = ['models/']\n",
        "framework = 'sklearn'\nmodel = 'models/wine.pkl'\n",
        "[tool.wallaroo.models.a]\nframework = 'sklearn'\nmodel = 'models/wine.pkl'\n",
    ],
)
def test_what_the_table_names_is_not_added(table: str, run: Run, tmp_path: Path) -> None:
    text = f"{HEAD}{PROJECT.format('x')}[tool.wallaroo]\n{table}{TAIL}"
    grow(tmp_path, {"models/wine.pkl": WINE, "pyproject.toml": text})
    said = run("init", "--project", str(tmp_path), "--yes")
    assert (said.code, said.out) == (0, "")
    assert "in the table already" in said.err
    assert (tmp_path / "pyproject.toml").read_text() == text


def test_what_a_table_lacks_besides_is_added(run: Run, tmp_path: Path) -> None:
    text = f"{PROJECT.format('x')}[tool.wallaroo]\nframework = 'onnx'\nmodel = 'b.onnx'\n"
    grow(tmp_path, {"b.onnx": ONNX, "pyproject.toml": text})
    run("init", "--project", str(tmp_path), "--yes")
    assert (tmp_path / "pyproject.toml").read_text() == HEAD + text + TAIL


def test_a_model_inside_of_a_folder_that_is_found(run: Run, tmp_path: Path) -> None:
    schemas = "input-schema = { inputs = 'float64[13]' }\noutput-schema = { predictions = 'int64' }\n"
    text = f"{HEAD}{PROJECT.format('x')}[tool.wallaroo]\nframework = 'sklearn'\nmodel = 'run/wine.pkl'\n{schemas}{TAIL}"
    grow(tmp_path, {"run/wine.pkl": WINE, "run/MLmodel": "flavors:\n  sklearn:\n", "pyproject.toml": text})
    said = run("init", "--project", str(tmp_path), "--yes")
    assert (said.code, said.out) == (0, "")
    assert "run: an MLflow model (sklearn), in the table already" in said.err
