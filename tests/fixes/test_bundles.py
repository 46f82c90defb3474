"""Schemas carried over from pandas and the SDK, and files that are to stay out of a bundle."""

from __future__ import annotations

import base64
from pathlib import Path

import pyarrow as pa
import pytest

from hatch_wallaroo.schema.arrow import encode
from support.mending import HEAD, checked, codes, mend, planned

TABLE = """[tool.wallaroo]
framework = "custom"
byop = { load = "prices:load", predict = "prices:predict" }
output-schema = { x = "float64" }
"""
PANDAS = b'{"index_columns": ["__index_level_0__"], "columns": []}'


def made(root: Path, table: str) -> Path:
    (root / "pyproject.toml").write_text(HEAD + table)
    (root / "prices.py").write_text("def load(folder) -> object: ...\n\n\ndef predict(model, inputs): ...\n")
    return root


def from_pandas() -> pa.Schema:
    fields = [
        pa.field("inputs", pa.list_(pa.float64(), list_size=4)),
        pa.field("label of it", pa.string()),
        pa.field("__index_level_0__", pa.int64()),
    ]
    return pa.schema(fields, metadata={b"pandas": PANDAS})


def encoded(schema: pa.Schema) -> str:
    return base64.b64encode(schema.serialize()).decode()


WITHOUT_PANDAS = (
    "tool.wallaroo.input-schema as fields and types; left out __index_level_0__, which is pandas' index and no column; "
    "left out the metadata (pandas): the platform refuses schemas that carry some"
)
IN_NOTATION = '[tool.wallaroo.input-schema]\ninputs = "float64[4]"\n"label of it" = "string"\n'


def test_the_base64_of_a_schema_from_pandas(tmp_path):
    root = made(tmp_path, f'{TABLE}input-schema = "{encoded(from_pandas())}"\n')
    assert "WLR010" in codes(root)
    done = mend(root)
    assert done.said == (WITHOUT_PANDAS,)
    assert "WLR010" not in done.left
    assert (root / "pyproject.toml").read_text() == f"{HEAD}{TABLE}\n{IN_NOTATION}"
    (model,) = checked(root).models
    plain = pa.schema([each for each in from_pandas() if not each.name.startswith("__")])
    assert encode(model.checked.spec.input_schema) == encoded(plain)


def test_a_schema_without_anything_of_pandas(tmp_path):
    plain = pa.schema([("x", pa.int64())])
    root = made(tmp_path, f"{TABLE}input-schema = '''\n{encoded(plain)}\n'''\n")
    assert mend(root).said == ("tool.wallaroo.input-schema as fields and types",)
    assert (root / "pyproject.toml").read_text().endswith('\n[tool.wallaroo.input-schema]\nx = "int64"\n')


def test_a_file_of_arrow(tmp_path):
    root = made(tmp_path, f'{TABLE}input-schema = "schemas/input.arrow"\n')
    (root / "schemas").mkdir()
    with pa.OSFile(str(root / "schemas" / "input.arrow"), "wb") as sink, pa.ipc.new_stream(sink, from_pandas()):
        pass
    assert mend(root).said == (WITHOUT_PANDAS,)
    assert (root / "pyproject.toml").read_text() == f"{HEAD}{TABLE}\n{IN_NOTATION}"


def test_types_that_the_notation_writes_as_tables(tmp_path):
    box = pa.struct([("x", pa.int64()), ("y", pa.int64())])
    schema = pa.schema([pa.field("boxes", pa.list_(box)), pa.field("id", pa.string(), nullable=False)])
    root = made(tmp_path, f'{TABLE}input-schema = "{encoded(schema)}"\n')
    mend(root)
    (model,) = checked(root).models
    assert encode(model.checked.spec.input_schema) == encoded(schema)


@pytest.mark.parametrize(
    "value",
    [
        "float64[4]",
        "aGVsbG8=",
        encoded(pa.schema([("__index_level_0__", pa.int64())])),
        encoded(pa.schema([("x", pa.int64()), ("x", pa.int64())])),
        "../outside.arrow",
        "schemas/none.arrow",
        "prices.py",
        "x" * 100_000,
    ],
    ids=["a type", "other base64", "nothing but an index", "one name twice", "outside", "no file", "no Arrow", "long"],
)
def test_what_is_no_schema(value, tmp_path):
    (tmp_path / "project").mkdir()
    root = made(tmp_path / "project", f'{TABLE}input-schema = "{value}"\n')
    (tmp_path / "outside.arrow").write_bytes(from_pandas().serialize())
    assert "WLR010" in codes(root)
    assert planned(root).fixes == ()


def test_a_link_to_a_schema_outside_the_project(tmp_path):
    (tmp_path / "project").mkdir()
    root = made(tmp_path / "project", f'{TABLE}input-schema = "input.arrow"\n')
    (tmp_path / "outside.arrow").write_bytes(from_pandas().serialize())
    (root / "input.arrow").symlink_to(tmp_path / "outside.arrow")
    assert planned(root).fixes == ()


def test_the_index_in_both_schemas(tmp_path):
    fields = "__index_level_0__ = 'int64' # index\nx = 'float64' # x\n__index_level_12__ = 'string'\nindex = 'int64'\n"
    table = TABLE.replace('output-schema = { x = "float64" }\n', "")
    root = made(
        tmp_path, f"{table}[tool.wallaroo.input-schema]\n{fields}[tool.wallaroo.output-schema]\nx = 'float64'\n"
    )
    assert codes(root).count("WLR667") == 2
    done = mend(root)
    assert "WLR667" not in done.left
    after = (root / "pyproject.toml").read_text()
    assert "[tool.wallaroo.input-schema]\nx = 'float64' # x\nindex = 'int64'\n[tool.wallaroo.output-schema]" in after


# What is to stay out

SETUP = "from setuptools import setup\n\nsetup(name='prices')\n"
STEP = """from mac.types import InferenceData


def process_data(input_data: InferenceData) -> InferenceData:
    return input_data
"""


def step(root: Path, exclude: str = "") -> Path:
    (root / "pyproject.toml").write_text(
        f'{HEAD}[tool.wallaroo]\nframework = "python"\nrelease = "2024.1"\nmodel = "steps"\n{exclude}'
        'input-schema = { x = "float64" }\noutput-schema = { x = "float64" }\n'
    )
    (root / "steps").mkdir()
    (root / "steps" / "step.py").write_text(STEP)
    (root / "steps" / "setup.py").write_text(SETUP)
    return root


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", 'exclude = ["steps/setup.py"]'),
        ('exclude = ["*.csv"] # data\n', 'exclude = ["*.csv", "steps/setup.py"] # data\n'),
    ],
)
def test_a_setup_py_stays_out(before, after, tmp_path):
    root = step(tmp_path, before)
    assert "WLR450" in codes(root)
    done = mend(root)
    assert done.done == (("WLR450",),)
    assert done.left == ()
    assert after in (root / "pyproject.toml").read_text()


def test_a_call_in_another_file_is_the_user_s_to_move(tmp_path):
    root = step(tmp_path)
    (root / "steps" / "setup.py").unlink()
    (root / "steps" / "step.py").write_text(f"import sys\n{STEP}\nsys.exit(0)\n")
    assert "WLR450" in codes(root)
    assert planned(root).fixes == ()


def test_a_folder_that_a_pattern_cannot_name(tmp_path):
    root = step(tmp_path)
    (root / "steps").rename(root / "st[e]ps")
    text = (root / "pyproject.toml").read_text().replace('"steps"', '"st[e]ps"')
    (root / "pyproject.toml").write_text(text)
    assert "WLR450" in codes(root)
    assert planned(root).fixes == ()


def test_a_setup_py_that_is_the_model_is_no_leftover(tmp_path):
    root = step(tmp_path)
    text = (root / "pyproject.toml").read_text().replace('"steps"', '"steps/setup.py"')
    (root / "pyproject.toml").write_text(text)
    assert planned(root).fixes == ()
