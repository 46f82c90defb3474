"""A header and a sample put together: who counts, what is filled in, and what is said where they disagree."""

from __future__ import annotations

import pytest

from hatch_wallaroo.discover.infer import infer_from
from hatch_wallaroo.discover.sample import Sample
from hatch_wallaroo.schema.hints import Header, Hint, tensor
from hatch_wallaroo.schema.tables import write_schema
from hatch_wallaroo.schema.types import Scalar, Struct
from support.samples import rows_of


def inferred(hints, rows, *, outputs=False, open_end=False):
    """The table of one side, and everything that is said on the way."""
    sides = {"outputs" if outputs else "inputs": tuple(hints)} if hints is not None else {}
    sample = None
    if rows is not None:
        given = rows_of(rows)
        sample = Sample("s.json", () if outputs else given, given if outputs else ())
    told = infer_from(Header("the header", **sides), sample, open_end=open_end)
    schema = told.output_schema if outputs else told.input_schema
    return (None if schema is None else write_schema(schema)), told


FLOATS = tensor("x", "float32", [None, 4])
ROWS = [{"x": [1.0, 2.0, 3.0, 4.0]}, {"x": [1, 2, 3, 4]}]


class TestWhoCounts:
    def test_a_header_alone(self):
        table, told = inferred([FLOATS], None)
        assert table == {"x": "float32[4]"}
        assert (told.based_on, told.findings) == (("the header",), ())

    def test_a_sample_alone(self):
        table, told = inferred(None, ROWS)
        assert table == {"x": "float64[4]"}
        assert told.based_on == ("2 rows of s.json",)
        assert [each.partition(":")[0] for each in told.guesses] == ["input x"] * 2

    def test_neither(self):
        assert inferred(None, None)[0] is None

    def test_where_both_tell_the_header_counts_and_nothing_is_guessed(self):
        table, told = inferred([FLOATS], ROWS)
        assert table == {"x": "float32[4]"}
        assert (told.guesses, told.findings) == ((), ())
        assert told.based_on == ("the header", "2 rows of s.json")

    @pytest.mark.parametrize(
        ("hint", "rows", "table", "guesses"),
        [
            (Hint("x", "int32"), [{"x": [1, 2]}], "int32[2]", ["the size is that of the only row"]),
            (Hint("x", None, (4,)), ROWS, "float64[4]", ["float64, where float32 may be meant"]),
            (Hint("x", floats="float32"), ROWS, "float32[4]", ["the size is that of all rows"]),
            (Hint("x", floats="float32"), [{"x": [1, 2]}], "int64[2]", ["int64, where", "the size is that"]),
            (Hint("x", None, None), [{"x": "a"}], "string", []),
            (Hint("x", "float64", (4,), guess="the guide's choice"), ROWS, "float64[4]", ["the guide's choice"]),
            (Hint("x", whole=Struct(())), [{"x": {"a": 1}}], {"type": "struct", "fields": {}}, []),
            (tensor("x", "float32", [None, None, 2]), [{"x": [[1, 2]]}], "float32[*, 2]", ["* is what is told"]),
            (Hint("x", "float32", (None,), varies=True), [{"x": [1, 2]}], "float32[*]", []),
            (tensor("x", "float32", [None, None]), [{"x": [1]}, {"x": [1, 2]}], "float32[*]", []),
        ],
    )
    def test_rows_fill_in_what_is_not_told(self, hint, rows, table, guesses):
        made, told = inferred([hint], rows)
        assert (made, told.findings) == ({"x": table}, ())
        assert len(told.guesses) == len(guesses)
        for said, begun in zip(told.guesses, guesses, strict=True):
            assert said.startswith(f"input x: {begun}")

    @pytest.mark.parametrize(
        ("hint", "message"),
        [
            (Hint("x", "int8"), "nothing tells the shape of the input field x"),
            (Hint("x", None, ()), "nothing tells the type of the input field x"),
            (Hint("x"), "nothing tells the type and shape of the input field x"),
            (tensor("x", "bfloat16", [None]), "the input field x is bfloat16, which no column of a table can hold"),
            (Hint("x", untold="is a sequence"), "the input field x is a sequence"),
        ],
    )
    def test_what_nothing_tells_is_an_error(self, hint, message):
        table, told = inferred([hint, FLOATS], None)
        assert table is None
        assert [(each.code, each.message) for each in told.findings] == [("WLR672", message)]

    def test_a_sample_tells_what_the_header_cannot(self):
        table, told = inferred([tensor("x", "bfloat16", [None])], [{"x": 0.5}])
        assert (table, told.findings) == ({"x": "float64"}, ())


class TestNames:
    @pytest.mark.parametrize(
        ("hints", "rows", "table", "message"),
        [
            ([tensor("dense", "float32", [None], free=True)], [{"y": 1.5}], {"y": "float32"}, None),
            ([Hint("a", "int8", ()), Hint("b", "int16", ())], [{"b": 1, "a": 2}], {"a": "int8", "b": "int16"}, None),
            (
                [FLOATS],
                [{"y": [1, 2, 3, 4]}],
                {"x": "float32[4]"},
                "the input rows have y, and the model's field is called x",
            ),
            (
                [Hint("inputs", "float64", (2,))],
                [{"a": 1, "b": 2.5}],
                {"inputs": "float64[2]"},
                "the rows have the columns a, b, and the model takes one list, inputs",
            ),
            (
                [Hint("a", "int8", ()), Hint("b", "int8", ())],
                [{"c": 1, "d": 2, "e": 3}],
                {"a": "int8", "b": "int8"},
                "the input rows have c, d, e, and the model's fields are a, b",
            ),
            (
                [Hint("a", "int8", ()), Hint("b", "int8", ())],
                [{"a": 1}],
                {"a": "int8", "b": "int8"},
                "the input rows lack b, which the model takes",
            ),
            (
                [Hint("a", "int8", ())],
                [{"a": 1, "b": 2}],
                {"a": "int8"},
                "the input rows have b, and the model's fields are a",
            ),
            (
                [Hint("a", "int8", ())],
                [{"a": 1}, {"a": None}],
                {"a": "int8"},
                "some rows lack a, which the model takes",
            ),
        ],
    )
    def test_of_fields(self, hints, rows, table, message):
        made, told = inferred(hints, rows)
        assert made == table
        disagreements = [each for each in told.findings if each.code == "WLR674"]
        assert [(each.message, each.level.value, each.place.file) for each in disagreements] == (
            [(message, "warning", "s.json")] if message else []
        )

    def test_further_fields_are_taken_where_the_task_takes_them(self):
        made, told = inferred([Hint("inputs", "string", ())], [{"inputs": "a", "max_length": 5}], open_end=True)
        assert (made, told.findings) == ({"inputs": "string", "max_length": "int64"}, ())

    def test_outputs_may_be_named_in_part(self):
        hints = [Hint("a", "float32", (1,)), Hint("b", "float32", (1,))]
        made, told = inferred(hints, [{"b": [0.5]}], outputs=True)
        assert (made, told.findings) == ({"a": "float32[1]", "b": "float32[1]"}, ())


class TestDisagreements:
    @pytest.mark.parametrize(
        ("hint", "value", "message"),
        [
            (Hint("x", "int64", ()), 1.5, "int64 in the model, and numbers with a fraction in the rows"),
            (Hint("x", "int64", ()), "a", "int64 in the model, and texts in the rows"),
            (Hint("x", "float32", ()), "a", "float32 in the model, and texts in the rows"),
            (Hint("x", "float32", ()), True, "float32 in the model, and true and false in the rows"),
            (Hint("x", "string", ()), 1, "string in the model, and whole numbers in the rows"),
            (Hint("x", "bool", ()), 1, "bool in the model, and whole numbers in the rows"),
            (Hint("x", "int64", ()), {"a": 1}, "int64 in the model, and objects in the rows"),
            (Hint("x", whole=Struct(())), 1, "objects in the model, and whole numbers in the rows"),
            (Hint("x", "float32", (4,)), [1.5] * 3, "a row of the model is [4], and of the sample [3]"),
            (Hint("x", "float32", ()), [1.5], None),  # as many values: rows may be sent flat
            (Hint("x", "float32", ()), [1.5] * 2, "a row of the model is a single value, and of the sample [2]"),
            (Hint("x", "float32", (2, 2)), [[1.5] * 3] * 2, "a row of the model is [2, 2], and of the sample [2, 3]"),
            (Hint("x", "float32", (None, 2)), [[1.5] * 3], "a row of the model is [*, 2], and of the sample [1, 3]"),
            (Hint("x", "float32", (None, 2)), [[[1.5]]], "a row of the model is [*, 2], and of the sample [1, 1, 1]"),
            (Hint("x", "int8"), 1.5, "int8 in the model, and numbers with a fraction in the rows"),
            (Hint("x", None, (4,)), [1.5], "a row of the model is [4], and of the sample [1]"),
            (Hint("x", "float64", (28, 28)), [0.5] * 784, None),
            (Hint("x", "float64", (None, 2)), [0.5] * 8, None),
            (Hint("x", "float64", (2,)), [1, 2], None),
            (Hint("x", "timestamp[us]", ()), "2020-01-01", None),
            (Hint("x", "timestamp[us]", ()), 1577836800, None),
            (Hint("x", "decimal128(10, 2)", ()), "1.50", None),
            (Hint("x", "binary", ()), "aGk=", None),
            (Hint("x", "bool", ()), True, None),
            (Hint("x", "uint8", (2, 2, 3)), [[[0] * 3] * 2] * 2, None),
        ],
    )
    def test_of_values(self, hint, value, message):
        _, told = inferred([hint], [{"x": value}])
        assert [each.message for each in told.findings] == ([f"x: {message}"] if message else [])

    def test_rows_of_different_lengths_where_one_is_fixed(self):
        _, told = inferred([FLOATS], [{"x": [1, 2, 3, 4]}, {"x": [1]}])
        assert [each.message for each in told.findings] == ["x: a row of the model is [4], and of the sample [*]"]

    def test_a_sample_with_errors_is_told_and_the_header_stays(self):
        table, told = inferred([FLOATS], [{"x": []}])
        assert table == {"x": "float32[4]"}
        assert [(each.code, each.level.value) for each in told.findings] == [("WLR672", "warning")]


def test_dtypes_of_headers():
    assert [tensor("x", dtype, [None]).type for dtype in ("double", "bool", "str", "utf8")] == [
        Scalar("float64"),
        Scalar("bool"),
        Scalar("string"),
        Scalar("string"),
    ]
    assert tensor("x", "float8e5m2", [None]).untold == "is float8e5m2, which no column of a table can hold"
    assert tensor("x", None, [None]).untold == ""
    assert tensor("x", "int8", ["N", "length", 0, -1, 3]).sizes == (None, None, None, 3)
    assert tensor("x", "int8", None).sizes is None
