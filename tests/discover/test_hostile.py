"""Repositories that want to cost time or memory, to raise, or to write what was not meant."""

from __future__ import annotations

import io
import json
import random
import struct
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatch_wallaroo.config.toml.values import written
from hatch_wallaroo.discover.walk import SUFFIXES
from support.command_line import Run
from support.pickle_bombs import BOMBS
from support.trees import EXAMPLES, FIXTURES, by_path, found, grow

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ONNX = EXAMPLES / "onnx" / "models" / "pump_failure.onnx"
WINE = EXAMPLES / "sklearn" / "wine.pkl"


def table(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["wallaroo"]


# Names

ODD = {
    'quote".onnx': 'quote".onnx',
    "apostrophe'.onnx": "apostrophe'.onnx",
    "both'\".onnx": "both'\".onnx",
    "🦘 rent — größe.onnx": "🦘 rent — größe.onnx",
    "a]b[c=#.onnx": "a]b[c=#.onnx",
    "star*.onnx": "star*.onnx",
    "x = { y.onnx": "x = { y.onnx",
    "\u202exnno.onnx": "\u202exnno.onnx",
    "'''.onnx": "'''.onnx",
    "\"\"\"'''.onnx": "\"\"\"'''.onnx",
    " .onnx": " .onnx",
    "-rf.onnx": "-rf.onnx",
    "a" * 240 + ".onnx": "a" * 240 + ".onnx",
}


@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_written_as_they_are(name: str, run: Run) -> None:
    here = Path.cwd()
    grow(here, {f"models/{name}": ONNX})
    said = run("init", "--yes")
    assert said.code == 0, said.err
    assert table(here)["model"] == f"models/{name}"
    assert "\u202e" not in said.out + said.err, "nothing that steers a terminal is printed"
    again = run("init", "--yes")
    assert (again.code, again.out) == (0, "")


@pytest.mark.parametrize(
    "name", ["new\nline.onnx", "\x1b[31mred.onnx", "back\\slash.onnx", b"bytes\xff.onnx", "del\x7f.onnx"]
)
def test_names_that_no_bundle_holds_are_told(name: str | bytes, run: Run) -> None:
    here = Path.cwd()
    path = here / (name if isinstance(name, str) else name.decode(errors="surrogateescape"))
    path.write_bytes(ONNX.read_bytes())
    said = run("init", "--yes")
    assert said.code == 1
    assert "not looked at: " in said.err
    assert "in its name" in said.err or "not UTF-8" in said.err
    assert "\x1b[31m" not in said.err
    assert not (here / "pyproject.toml").exists()


def test_folders_with_odd_names(run: Run) -> None:
    here = Path.cwd()
    grow(here, {"a\nb/m.onnx": ONNX, "ok [x] *?/m.onnx": ONNX})
    assert run("init", "--yes").code == 0
    assert table(here)["model"] == "ok [x] *?/m.onnx"


def test_artifacts_with_the_letters_of_patterns(run: Run) -> None:
    here = Path.cwd()
    code = "def load(folder):\n    return open(folder / 'w[1]*.pt')\n\n\ndef predict(model, inputs):\n    return {'y': inputs['x']}\n"
    grow(
        here, {"serve.py": code, "w[1]*.pt": FIXTURES / "torch" / "state.pt", "w1x.pt": FIXTURES / "torch" / "state.pt"}
    )
    assert run("init", "--yes").code == 0
    assert table(here)["artifacts"] == ["w[1]*.pt"]


# Sizes


@pytest.mark.slow
def test_ten_thousand_files(tmp_path: Path) -> None:
    for number in range(100):
        folder = tmp_path / "data" / str(number)
        folder.mkdir(parents=True)
        for each in range(100):
            (folder / f"{each}.bin").write_bytes(b"nothing of a model")
    grow(tmp_path, {"models/m.onnx": ONNX})
    begin = time.process_time()
    told = found(tmp_path)
    assert time.process_time() - begin < 10
    assert [each.path for each in told.candidates] == ["models/m.onnx"]
    assert told.findings == ()


def test_two_thousand_models(tmp_path: Path, run: Run) -> None:
    grow(tmp_path, {f"runs/{number}/model.onnx": b"\x08\x07\x12" + bytes(30) for number in range(2_000)})
    begin = time.process_time()
    told = found(tmp_path)
    assert time.process_time() - begin < 15
    assert len(told.candidates) == 100
    assert {each.code for each in told.findings} == {"WLR678"}
    said = run("init", "--project", str(tmp_path), "--yes")
    assert said.code == 1
    assert "and 60 more" in said.err


@pytest.mark.parametrize(
    "name", ["model.onnx", "model.h5", "model.pkl", "model.pt", "model.safetensors", "model.zip", "data"]
)
def test_two_gigabytes_of_nothing(name: str, tmp_path: Path) -> None:
    with (tmp_path / name).open("wb") as stream:
        stream.truncate(2 << 30)
    begin = time.process_time()
    told = found(tmp_path).candidates
    assert time.process_time() - begin < 2
    assert [each for each in told if each.certain] == []


@pytest.mark.parametrize(
    "head", [b"\x08\x07\x12", b"\x89HDF\r\n\x1a\n", b"\x80\x04", b"PK\x03\x04", b"\x40" + bytes(7) + b'{"']
)
def test_two_gigabytes_that_begin_as_a_model(head: bytes, tmp_path: Path) -> None:
    for name in ("model.onnx", "model.h5", "model.pkl", "model.pt", "model"):
        with (tmp_path / name).open("wb") as stream:
            stream.write(head)
            stream.truncate(2 << 30)
    begin = time.process_time()
    told = found(tmp_path).candidates
    assert time.process_time() - begin < 10
    assert [each for each in told if each.certain] == []


@pytest.mark.slow
def test_pickle_bombs(tmp_path: Path) -> None:
    chosen = ("nested tuples", "doubling", "classes", "a long decimal")
    grow(tmp_path, {f"{name}.pkl": BOMBS[name] for name in chosen})
    begin = time.process_time()
    told = found(tmp_path).candidates
    assert time.process_time() - begin < 15
    assert [each for each in told if each.certain] == []


@pytest.mark.slow
def test_zip_bombs(tmp_path: Path) -> None:
    blown_up = io.BytesIO()
    with zipfile.ZipFile(blown_up, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m/saved_model.pb", bytes(16 << 20))
        archive.writestr("m/variables/variables.index", bytes(16 << 20))
        archive.writestr("step.py", bytes(16 << 20))
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w") as archive:
        for number in range(5_000):
            archive.writestr(f"{number}.py", b"")
    pickled = io.BytesIO()
    with zipfile.ZipFile(pickled, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m/data.pkl", BOMBS["nested lists"])
        archive.writestr("m/version", b"3")
    huge_directory = b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, 65535, 65535, 1 << 31, 0, 0)
    grow(tmp_path, {"a.zip": blown_up.getvalue(), "b.zip": many.getvalue(), "c.pt": pickled.getvalue(),
                    "d.zip": b"PK\x03\x04" + bytes(100) + huge_directory, "e.pt": b"PK\x03\x04" + bytes(100) + huge_directory})  # fmt: skip
    begin = time.process_time()
    told = found(tmp_path).candidates
    assert time.process_time() - begin < 20
    assert [each for each in told if each.certain] == []


def test_deep_folders(tmp_path: Path) -> None:
    grow(tmp_path, {"/".join(["d"] * 100) + "/m.onnx": ONNX})
    assert found(tmp_path).candidates == ()


# Content

SEEDS = [
    *sorted(each for each in (FIXTURES / "pickles").glob("*-1.2.2*")),
    *sorted((FIXTURES / "torch").glob("*.pt")),
    ONNX,
    FIXTURES / "tensorflow" / "functional.h5",
    FIXTURES / "tensorflow" / "module" / "saved_model.pb",
]


def test_damaged_models_never_raise(tmp_path: Path) -> None:
    """Bytes changed, cut and swapped, under the names of models."""
    chance = random.Random(11)
    for number in range(250):
        data = bytearray(chance.choice(SEEDS).read_bytes())
        for _ in range(chance.randrange(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.4:
            data = data[: chance.randrange(len(data))]
        folder = f"{number}/saved_model.pb" if chance.random() < 0.2 else f"{number}/m{chance.choice(SUFFIXES)}"
        grow(tmp_path, {folder: bytes(data)})
    for each in found(tmp_path).candidates:
        assert each.certain or each.advice or each.findings or each.kind == "data"


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(["architectures", "model_type", "label2id", "task_specific_params", "auto_map",
    "quantization_config", "transformers_version"]), JSONS | st.just(["T5ForConditionalGeneration"]), max_size=6))  # fmt: skip
def test_any_config_of_a_hugging_face_model(tmp_path_factory: pytest.TempPathFactory, config: dict[str, Any]) -> None:
    root = tmp_path_factory.mktemp("any")
    grow(root, {"m/config.json": json.dumps(config), "m/model.safetensors": b"x" * 40, "m/MLmodel.txt": "x"})
    by_path(root)


@pytest.mark.parametrize("text", [b"", b"\xff\xfe\x00", b"flavors: [", b"a: &a [*a]\n", b"  sklearn:\n" * 10_000])
def test_any_mlmodel(text: bytes, tmp_path: Path) -> None:
    grow(tmp_path, {"m/MLmodel": text})
    assert by_path(tmp_path)["m"].frameworks == ("mlflow",)


# Settings

VALUES = st.sampled_from(
    [1, "x", "", True, [], ["x"], [1], {}, {"x": 1}, {"name": 5}, "poetry.core.masonry.api", "hatchling.build", ["hatchling"],
     {"attr": "x.__version__"}, {"file": "../../etc/passwd"}, ["version"], {"version": {"attr": 3}}, [{}], "\n\"'", 1.5,
     {"dependencies": {"x": {"version": []}}}, {"wallaroo": {"scripts": {"build": 5}}}, {"index": 5}, [[["a"]]]]
)  # fmt: skip
KEYS = (
    "build-system", "build-system.requires", "build-system.build-backend", "project", "project.name", "project.version",
    "project.dynamic", "project.dependencies", "project.classifiers", "tool", "tool.hatch", "tool.hatch.envs",
    "tool.hatch.build", "tool.hatch.build.hooks", "tool.hatch.publish", "tool.hatch.version", "tool.poetry",
    "tool.poetry.name", "tool.poetry.dependencies", "tool.setuptools", "tool.setuptools.dynamic", "tool.wallaroo",
    "tool.wallaroo.models", "tool.wallaroo.model", "tool.wallaroo.artifacts", "tool.wallaroo.byop", "tool.wallaroo.release",
    "tool.wallaroo.name", "tool.uv", "tool.pdm.version",
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=150)
@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6))
def test_any_pyproject(tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]) -> None:
    """It ends with one of its exit codes, and where it wrote, with a document that holds what was there."""
    from click.testing import CliRunner

    from hatch_wallaroo.cli.init import init

    text = "".join(f"{key} = {written(value)}\n" for key, value in values.items())
    try:
        before = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    root = tmp_path_factory.mktemp("any")
    grow(root, {"wine.pkl": WINE, "pyproject.toml": text, "setup.py": ""})
    done = CliRunner().invoke(init, ["--project", str(root), "--yes"])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code in {0, 1, 2}
    after = (root / "pyproject.toml").read_text()
    assert done.exit_code == 0 or after == text
    assert holds(tomllib.loads(after), before)
    if done.exit_code == 0:
        again = CliRunner().invoke(init, ["--project", str(root), "--yes"])
        assert again.exit_code == 0, again.output
        assert (root / "pyproject.toml").read_text() == after


def holds(after: Any, before: Any) -> bool:
    """Whether everything is there that was, lists perhaps longer; the only model may have become one of several."""
    if isinstance(before, dict) and isinstance(after, dict):
        return all(key in after and holds(after[key], value) for key, value in before.items())
    if isinstance(before, list) and isinstance(after, list):
        return after[: len(before)] == before
    return bool(before == after)
