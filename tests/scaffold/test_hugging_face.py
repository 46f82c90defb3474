"""The starters of the Hugging Face tasks: the guide's schemas, and folders that give no finding in any release."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from math import isfinite

import pyarrow as pa
import pytest

from hatch_wallaroo.frameworks.pretrained.tasks import PREFIX, tasks
from hatch_wallaroo.project.checking import check_repository
from hatch_wallaroo.project.repository import read_repository
from hatch_wallaroo.scaffold import template_files
from hatch_wallaroo.scaffold.pretrained_starters import model_folder
from hatch_wallaroo.schema.arrow import to_arrow
from hatch_wallaroo.schema.types import Schema
from support.fronts import REPOSITORY
from support.guide_schemas import SCHEMAS
from support.starters import MODEL_NAMES, begin, digest, frameworks, lay, weights

GUIDE = {each.name: eval(each.code, {"pa": pa}) for each in SCHEMAS}
# The guide has only a link for the first; the second is the vendor's public tutorial for Whisper, of 2023.4.
GUIDE |= {f"sentiment-analysis, {side}": GUIDE[f"text-classification, {side}"] for side in ("input", "output")}
GUIDE["automatic-speech-recognition, input"] = pa.schema(
    {"inputs": pa.list_(pa.float32()), "return_timestamps": pa.string()}
)
GUIDE["automatic-speech-recognition, output"] = pa.schema(
    {"text": pa.string(), "chunks": pa.list_(pa.struct({"text": pa.string(), "timestamp": pa.list_(pa.float32())}))}
)
LARGEST = 200_000


def newest(task: str):
    return begin("2026.1", PREFIX + task)[2]


@pytest.mark.parametrize(("version", "framework"), frameworks("hugging-face"))
def test_no_finding_in_any_release(tmp_path, version, framework) -> None:
    lay(tmp_path, version, framework)
    report = check_repository(read_repository(tmp_path))
    assert [f"{each.code} {each.message}" for each in report.findings] == []
    (model,) = report.models
    assert model.facts["task"] == framework.removeprefix(PREFIX)
    assert model.requirements == ()


def test_every_task_is_offered_somewhere() -> None:
    assert {name.removeprefix(PREFIX) for _, name in frameworks("hugging-face")} == set(tasks())


@pytest.mark.parametrize("task", tasks())
def test_the_schemas_are_the_guides(task) -> None:
    starter = newest(task)
    for side, schema in (("input", starter.inputs), ("output", starter.outputs)):
        assert to_arrow(schema).equals(GUIDE[f"{task}, {side}"]), side


@pytest.mark.parametrize("task", tasks())
def test_a_row_may_leave_out_what_the_task_does_not_need(task) -> None:
    rules = {**tasks()[task].input, **tasks()[task].output}
    starter = newest(task)
    for field in (*starter.inputs.fields, *starter.outputs.fields):
        assert field.optional == (rules[field.name].need == "optional"), field.name


@pytest.mark.slow
@pytest.mark.parametrize("task", tasks())
def test_the_sample_is_rows_of_the_schema(task) -> None:
    starter = newest(task)
    assert list(starter.sample) == ["inputs"]  # what random weights answer is worth nothing
    for row in starter.sample["inputs"]:
        fits(row, starter.inputs)
    assert starter.sample == json.loads(json.dumps(starter.sample))


def fits(row: dict, schema: Schema) -> None:
    """Nothing is missing, nothing is too much, and Arrow takes every value for what it is."""
    assert set(row) <= set(schema.names)
    assert {field.name for field in schema.fields if not field.optional} <= set(row)
    given = Schema(tuple(field for field in schema.fields if field.name in row))
    (read,) = pa.Table.from_pylist([row], schema=to_arrow(given)).to_pylist()
    for name, value in row.items():
        sound = isinstance(value, list) and isinstance(value[0], float)
        assert read[name] == (pytest.approx(value) if sound else value), name


@pytest.mark.parametrize("task", tasks())
def test_the_sample_is_a_file_that_can_be_read(task) -> None:
    sample = newest(task).sample
    text = template_files.sample_text(sample)
    assert json.loads(text) == sample
    assert len(text) < 3_000_000
    assert text.count("\n") < 30  # a picture stands on one line


def test_the_bytes_are_the_same_in_every_process() -> None:
    code = "from support.starters import digest; print(digest('2023.2.1'), digest('2026.1'))"
    seeded = {
        **os.environ,
        "PYTHONHASHSEED": "1",
        "PYTHONPATH": os.pathsep.join(map(str, (REPOSITORY, REPOSITORY / "tests"))),
    }
    done = subprocess.run([sys.executable, "-c", code], env=seeded, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [digest("2023.2.1"), digest("2026.1")]


@pytest.mark.parametrize("pickled", [False, True], ids=["safetensors", "bin"])
@pytest.mark.parametrize("name", MODEL_NAMES)
def test_a_folder_is_small_and_its_weights_are_no_zeros(name, pickled) -> None:
    folder = model_folder(name, pickled=pickled)
    assert sum(map(len, folder.values())) < LARGEST
    for path, tensors in weights(folder).items():
        numbers = [number for tensor in tensors.values() for number in tensor.numbers]
        assert len(set(numbers)) > len(numbers) / 5, path
        assert all(map(isfinite, numbers)), path


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_both_forms_hold_the_same_tensors(name) -> None:
    safe, pickled = (list(weights(model_folder(name, pickled=each)).values()) for each in (False, True))
    assert safe == pickled


def test_the_numbers_of_the_tokens_are_the_vocabularys() -> None:
    meant = {"pad_token_id": "<pad>", "bos_token_id": "<s>", "eos_token_id": "</s>"}
    for name in MODEL_NAMES:
        folder = model_folder(name)
        tokenizer = next((data for path, data in folder.items() if path.endswith("tokenizer.json")), None)
        if tokenizer is None:
            continue
        numbers = json.loads(tokenizer)["model"]["vocab"]
        assert sorted(numbers.values()) == list(range(len(numbers)))
        for file in (path for path in folder if path.endswith("config.json")):
            for path, key, value in settings(json.loads(folder[file])):
                if key == "vocab_size":
                    assert value == len(numbers), (name, file, path)
                elif key in meant:
                    assert value == numbers[meant[key]], (name, file, path, key)


def settings(value: dict, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str, object]]:
    for key, inner in value.items():
        if isinstance(inner, dict):
            yield from settings(inner, (*path, key))
        else:
            yield path, key, inner


@pytest.mark.parametrize("task", tasks())
def test_the_script_is_python_of_the_platform(task) -> None:
    text = newest(task).files["make_model.py"].decode()
    ast.parse(text, feature_version=(3, 8))
    assert max(map(len, text.splitlines())) <= 120


def test_the_script_installs_what_the_platform_runs() -> None:
    _, _, starter = begin("2023.2.1", PREFIX + "image-segmentation")
    text = starter.files["make_model.py"].decode()
    assert 'torch==1.13.1 transformers==4.27.0 pillow scipy "numpy<2" "huggingface-hub<0.26"' in text
    assert "safe_serialization=False" in text
    assert "transformers==4.27.0" in starter.replace
    later = newest("image-segmentation")
    assert 'pip install torch "transformers<5" pillow scipy\n' in later.files["make_model.py"].decode()
    assert "safe_serialization=True" in later.files["make_model.py"].decode()
    assert "4.27" not in later.replace


@pytest.mark.parametrize("task", tasks())
def test_the_readme_says_what_it_is_and_how_to_replace_it(task) -> None:
    starter = newest(task)
    assert f"`models/{task}` is a" in starter.about
    assert "python make_model.py " in starter.replace
    assert "{" not in starter.about + starter.replace
