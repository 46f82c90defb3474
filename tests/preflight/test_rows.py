"""Rows to ask for: from files of every ending, made from a schema, and as a batch of its types."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from pyarrow import csv, feather, parquet

from hatch_wallaroo.preflight.rows import LARGEST, SUFFIXES, RowsError, made_rows, read_rows, to_batch
from hatch_wallaroo.preflight.subject import fixed_rows, header_of
from hatch_wallaroo.schema.notation import format_type
from hatch_wallaroo.schema.tables import read_schema

ROWS = [{"x": 1.5, "name": "a"}, {"x": 2.5, "name": "b"}]
TABLE = pa.Table.from_pylist(ROWS)


def schema(**fields):
    made, problems = read_schema(fields)
    assert not problems
    return made


def write(path):
    writers = {
        ".json": lambda: path.write_text(json.dumps(ROWS)),
        ".jsonl": lambda: path.write_text("\n\n".join(map(json.dumps, ROWS))),
        ".ndjson": lambda: path.write_text("\n".join(map(json.dumps, ROWS))),
        ".csv": lambda: csv.write_csv(TABLE, path),
        ".parquet": lambda: parquet.write_table(TABLE, path),
        ".arrow": lambda: feather.write_feather(TABLE, path, compression="uncompressed"),
        ".feather": lambda: feather.write_feather(TABLE, path, compression="uncompressed"),
    }
    writers[path.suffix]()
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_ending_is_read(tmp_path, suffix):
    rows = read_rows(write(tmp_path / f"rows{suffix}"))
    assert [dict(each) for each in rows.inputs] == ROWS
    assert (rows.outputs, rows.source, rows.made) == ((), f"rows{suffix}", False)


def test_a_sample_brings_what_it_expects(tmp_path):
    path = tmp_path / "sample.json"
    path.write_text(json.dumps({"inputs": ROWS, "outputs": [{"y": 1}, {"y": 2}]}))
    assert [each["y"] for each in read_rows(path).outputs] == [1, 2]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("rows.txt", b"", "no ending that tells how it is read"),
        ("rows.json", b"[1, 2]", "holds no rows"),
        ("rows.json", b"[{", "is broken in line 1"),
        ("rows.json", b"", "is empty"),
        ("rows.json", b"[]", "holds no rows"),
        ("rows.csv", b"x,y\n", "holds no rows"),
        ("rows.jsonl", b'{"x": 1}\n\n{"x": \n', "is broken in line 3"),
        ("rows.json", b"\xff\xfe", "is not UTF-8"),
        ("rows.jsonl", b'{"x": 1}\n3\n', "holds no rows"),
        ("rows.parquet", b"nothing of the kind", "cannot be read"),
        ("rows.arrow", b"nothing of the kind", "cannot be read"),
        ("rows.csv", b"", "cannot be read"),
    ],
)
def test_what_holds_no_rows_is_told(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(RowsError, match=message):
        read_rows(path)


def test_rows_without_end_are_not_read(tmp_path):
    path = tmp_path / "rows.csv"
    with path.open("wb") as stream:
        stream.truncate(LARGEST + 1)
    with pytest.raises(RowsError, match="is larger than"):
        read_rows(path)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(RowsError, match=r"rows\.csv cannot be read"):
        read_rows(tmp_path / "rows.csv")


def test_rows_are_made_in_the_shapes_of_the_schema():
    wanted = schema(x="float64[2, 3]", n="int32", s="string", b="bool", free="float32[*]")
    made = made_rows(wanted)
    assert made.made
    assert dict(made.inputs[0]) == {"x": [[0.0] * 3] * 2, "n": 0, "s": "text", "b": False, "free": [0.0, 0.0]}
    batch = to_batch(made.inputs, wanted, made.source)
    assert batch.num_rows == len(made.inputs)
    assert str(batch.schema.field("x").type).startswith("fixed_size_list")


def test_a_batch_has_the_types_and_order_of_the_schema():
    batch = to_batch([{"b": 1, "a": "t"}], schema(a="string", b="float32"), "rows.json")
    assert [(each.name, str(each.type)) for each in batch.schema] == [("a", "string"), ("b", "float")]


@pytest.mark.parametrize(
    ("row", "fields", "message"),
    [
        ({"y": 1}, {"x": "int64"}, "row 1 has no field 'x'"),
        ({"x": [1.0]}, {"x": "float64[2]"}, "'x' does not fit"),
        ({"x": "one"}, {"x": "float64"}, "'x' does not fit"),
        ({"x": 2**70}, {"x": "int64"}, "'x' does not fit"),
        ({"x": 300}, {"x": "uint8"}, "'x' does not fit"),
    ],
)
def test_rows_that_do_not_fit_are_told(row, fields, message):
    with pytest.raises(RowsError, match=message):
        to_batch([row], schema(**fields), "rows.json")


def test_without_a_schema_arrow_decides():
    assert to_batch([{"x": 1}], None, "rows.json").schema.field("x").type == pa.int64()
    with pytest.raises(RowsError, match=r"rows\.json"):
        to_batch([{"x": 1}, {"x": "t"}], None, "rows.json")


def test_what_may_be_left_out_is_no_column_without_a_value():
    wanted = schema(x="float32", k={"type": "int64", "optional": True})
    made = made_rows(wanted)
    assert dict(made.inputs[0]) == {"x": 0.0}
    assert to_batch(made.inputs, wanted, made.source).schema.names == ["x"]
    given = to_batch([{"x": 1.0, "k": 3}, {"x": 2.0}], wanted, "rows.json")
    assert given.to_pylist() == [{"x": 1.0, "k": 3}, {"x": 2.0, "k": None}]


def test_rows_are_as_many_as_a_header_prescribes():
    made = made_rows(schema(x="float32"), "the model's own header", 3)
    assert (len(made.inputs), made.source) == (3, "made from the model's own header")


def onnx(*inputs):
    return {
        "inputs": [{"name": "x", "kind": "tensor", "dtype": "float32", "shape": ["n", 4], **each} for each in inputs]
    }


@pytest.mark.parametrize(
    ("facts", "types", "rows"),
    [
        (onnx({}), {"x": "float32[4]"}, None),
        (onnx({}, {"name": "y", "dtype": "int64", "shape": [None]}), {"x": "float32[4]", "y": "int64"}, None),
        (onnx({"shape": [2, 3, None]}), {"x": "float32[3, *]"}, 2),
        (onnx({"shape": None}), None, None),
        (onnx({"kind": "sequence"}), None, None),
        (onnx({"dtype": "bfloat16"}), None, None),
        ({"inputs": [{"name": "x"}]}, None, None),
        ({"inputs": "x"}, None, None),
        ({}, None, None),
        (
            {"signatures": {"serving_default": {"inputs": [{"name": "c", "dtype": "float64", "shape": [None, 2]}]}}},
            {"c": "float64[2]"},
            None,
        ),
    ],
)
def test_a_header_tells_the_columns_or_nothing(facts, types, rows):
    header = header_of(facts)
    assert (None if header is None else {each.name: format_type(each.type) for each in header.fields}) == types
    assert fixed_rows(facts) == rows
