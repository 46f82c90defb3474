"""What the platform lets pass, told: each with what it must find and what it must leave alone."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest

from hatch_wallaroo.findings import Place
from hatch_wallaroo.preflight.compare import TOLERANCE, against_expected, against_schema, alike, differing
from hatch_wallaroo.schema.arrow import to_arrow
from hatch_wallaroo.schema.tables import read_schema


def found(fields, values, *, asked=2, own=None, cast=True):
    schema, problems = read_schema(fields)
    assert not problems
    arrow = to_arrow(schema)
    types = {each.name: each.type for each in arrow}
    arrays = {name: pa.array(value, type=types.get(name) if cast else None) for name, value in values.items()}
    batch = pa.RecordBatch.from_arrays(list(arrays.values()), names=list(arrays))
    call = {"fields": own} if own else None
    return [each.code for each in against_schema(batch, asked, call, schema, Place())]


@pytest.mark.parametrize(
    ("fields", "values", "own", "codes"),
    [
        ({"y": "float64"}, {"y": [1.0, 2.0]}, None, []),
        ({"y": "float64"}, {"y": [1.0, 2.0]}, {"y": {"dtype": "float64", "fractions": 2, "largest": 2.5}}, []),
        ({"y": "float64"}, {"y": [1.0]}, None, ["WLR720"]),
        ({"y": "float64", "z": "int64"}, {"y": [1.0, 2.0]}, None, ["WLR721"]),
        ({"y": "float64"}, {"y": [1.0, 2.0], "z": [1, 2]}, None, ["WLR722"]),
        ({"y": "int64[2]"}, {"y": [[1, 2], [3, 4]]}, {"y": {"dtype": "float64", "fractions": 2}}, ["WLR723"]),
        ({"y": "int64[2]"}, {"y": [[1, 2], [3, 4]]}, {"y": {"dtype": "float64", "fractions": 0}}, []),
        ({"y": "float32"}, {"y": [math.inf, 1.0]}, {"y": {"dtype": "float64", "largest": 1e300}}, ["WLR724"]),
        ({"y": "float32"}, {"y": [3e38, 1.0]}, {"y": {"dtype": "float64", "largest": 3e38}}, []),
        ({"y": "string"}, {"y": ["1.5", "2"]}, {"y": {"dtype": "float64", "largest": 2.0}}, ["WLR725"]),
        ({"y": "string"}, {"y": ["a", "b"]}, {"y": {"dtype": "<U1"}}, []),
        ({"y": "float64"}, {"y": [1.5, 2.0]}, {"y": {"dtype": "<U3"}}, ["WLR725"]),
        ({"y": "float64"}, {"y": [1.5, 2.0]}, {"y": {"dtype": "object", "items": ["str"]}}, ["WLR725"]),
        ({"y": "float64"}, {"y": [1.5, None]}, None, ["WLR726"]),
        ({"y": "float64"}, {"y": [1.0, 2.0]}, {"y": "anything", "z": {}}, []),
    ],
)
def test_an_answer_against_its_schema(fields, values, own, codes):
    assert found(fields, values, own=own) == codes


@pytest.mark.parametrize(
    ("fields", "values", "codes"),
    [
        ({"y": "float64"}, {"y": [[1.0], [2.0]]}, ["WLR727"]),
        ({"y": "float64[3]"}, {"y": [[1.0, 2.0], [3.0, 4.0]]}, ["WLR727"]),
        ({"y": "float64[2]"}, {"y": [[1.0, 2.0], [3.0, 4.0]]}, []),
        ({"y": "float64[2, 2]"}, {"y": [[[1.0, 2.0], [3.0, 4.0]]] * 2}, []),
        ({"y": "float64[2, 2]"}, {"y": [[[1.0, 2.0, 3.0]]] * 2}, ["WLR727"]),
        ({"y": "float64[*]"}, {"y": [[1.0], [3.0, 4.0]]}, []),
    ],
)
def test_shapes_are_compared_where_nothing_was_cast(fields, values, codes):
    assert found(fields, values, cast=False) == codes


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        (1.0, 1.0 + 1e-7, True),
        (1.0, 1.001, False),
        (1, 1.0, True),
        (True, 1, True),
        (math.nan, math.nan, True),
        (math.nan, 1.0, False),
        (math.inf, math.inf, True),
        ([1.0, [2.0]], [1.0, [2.0000001]], True),
        ([1.0], [1.0, 2.0], False),
        ({"a": 1.0}, {"a": 1.0000001}, True),
        ({"a": 1.0}, {"b": 1.0}, False),
        ("a", "a", True),
        (None, 0, False),
        (0.0, 1e-12, True),
    ],
)
def test_numbers_are_alike_within_the_tolerance(one, two, same):
    assert alike(one, two, TOLERANCE) is same


def test_what_a_sample_expects():
    batch = pa.RecordBatch.from_pylist([{"y": 1.0, "z": "a"}, {"y": 2.0, "z": "b"}])
    assert not list(against_expected(batch, [{"y": 1.0}, {"y": 2.0}], TOLERANCE, Place()))
    wrong = list(against_expected(batch, [{"y": 1.0, "z": "a"}, {"y": 3.0, "z": "c"}], TOLERANCE, Place()))
    assert [each.message for each in wrong] == ["row 2, 'y': 2.0 instead of 3.0", "row 2, 'z': 'b' instead of 'c'"]
    (missing,) = against_expected(batch, [{"w": 1}, {}], TOLERANCE, Place())
    assert missing.message == "row 1 has no 'w'"
    (fewer,) = against_expected(batch, [{"y": 1.0}], TOLERANCE, Place())
    assert fewer.message == "1 rows are expected, 2 were answered"


def test_two_answers_to_one_question():
    first = pa.RecordBatch.from_pylist([{"y": 1.0}, {"y": 2.0}])
    assert differing(first, pa.RecordBatch.from_pylist([{"y": 1.0}, {"y": 2.0}])) is None
    assert differing(first, pa.RecordBatch.from_pylist([{"y": 1.0}, {"y": 2.5}])) == "row 2, 'y': 2.0, then 2.5"
    assert differing(first, first.slice(0, 1)) == "2 rows, then 1"
    assert differing(first, pa.RecordBatch.from_pylist([{"z": 1.0}])) == "the fields y, then z"


@pytest.mark.parametrize(
    ("answered", "written", "same"),
    [
        (8.486139, 8.486, True),
        (8.4866, 8.486, False),
        (4.4698e-05, 4.5e-05, True),
        (1.645e-06, 2e-06, True),
        (2.6e-06, 2e-06, False),
        (0.46, 0.5, False),
        (0.0, -0.0, True),
        (2.4, 2, False),
        ([0.99995, 0.1234], [0.99995, 0.12], True),
        ({"a": 0.1234}, {"a": 0.12}, True),
        (math.nan, 0.12, False),
        (1.0, math.inf, False),
    ],
)
def test_numbers_that_were_written_rounded_are_met_by_what_rounds_to_them(answered, written, same):
    assert alike(answered, written, TOLERANCE, written=True) is same
