"""The form that asks a model for one row: made from its schema, and read back."""

from __future__ import annotations

import pytest

from hatch_wallaroo.preflight.rows import to_batch
from hatch_wallaroo.sandbox.form import controls, typed
from hatch_wallaroo.schema.tables import read_schema
from hatch_wallaroo.schema.types import Dictionary, Field, ListOf, Scalar, Schema


def schema_of(**fields) -> Schema:
    made, problems = read_schema(fields)
    assert not problems
    return made


@pytest.mark.parametrize(
    ("type_", "kind", "example"),
    [
        ("int64", "number", "0"),
        ("uint8", "number", "0"),
        ("float32", "number", "0.0"),
        ("bool", "choice", "false"),
        ("string", "text", "text"),
        ("timestamp[us]", "text", ""),
        ("float64[3]", "json", "[0.0, 0.0, 0.0]"),
        ("int64[2,2]", "json", "[[0, 0], [0, 0]]"),
        ("string[*]", "json", '["text", "text"]'),
        ({"type": "struct", "fields": {"a": "int64", "b": "string"}}, "json", '{"a": 0, "b": "text"}'),
        ({"type": "map", "key": "string", "value": "int64"}, "json", "{}"),
    ],
)
def test_an_example_stands_in_the_form_and_can_be_sent(type_, kind, example) -> None:
    schema = schema_of(x=type_)
    (control,) = controls(schema)
    assert (control.name, control.kind, control.value) == ("x", kind, example)
    again, row = typed(schema, {control.key: control.value})
    assert [each.problem for each in again] == [""]
    assert to_batch([row], schema, "the form").num_rows == 1


@pytest.mark.parametrize("type_", ["float32[224,224,3]", "float32[100000,100000,100000]", "string[2000]"])
def test_no_example_that_is_too_long_to_be_typed(type_) -> None:
    (control,) = controls(schema_of(x=type_))
    assert control.value == ""


def test_an_example_of_many_parts_is_too_long_as_well() -> None:
    inner = ListOf(ListOf(Scalar("int64"), 40), 40)
    assert controls(Schema((Field("x", inner),)))[0].value == ""


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("int64", " -7 ", -7),
        ("int64", "", None),
        ("float64", "1e3", 1000.0),
        ("float64", "2", 2.0),
        ("bool", "true", True),
        ("bool", "", None),
        ("string", "", ""),
        ("string", " two\nlines ", " two\nlines "),
        ("string", '"quoted"', '"quoted"'),
        ("date32", "2026-01-31", "2026-01-31"),
        ("float64[3]", "[1, 2.5, 3]", [1, 2.5, 3]),
        ("float64[3]", "1, 2.5, 3", [1, 2.5, 3]),
        ("float64[1]", "4", [4]),
        ("int64[2,2]", "[1, 2], [3, 4]", [[1, 2], [3, 4]]),
        ("float64[3]", "", None),
        ({"type": "struct", "fields": {"a": "int64"}}, '{"a": 1}', {"a": 1}),
        ({"type": "map", "key": "string", "value": "int64"}, '{"a": 1}', [("a", 1)]),
    ],
)
def test_what_is_typed_is_a_value(type_, text, value) -> None:
    schema = schema_of(x=type_)
    made, row = typed(schema, {"field0": text})
    assert (made[0].problem, row) == ("", {"x": value})
    assert made[0].value == text
    assert to_batch([row], schema, "the form").num_rows == 1


@pytest.mark.parametrize(
    ("type_", "text", "problem"),
    [
        ("int64", "1.5", "a whole number is expected"),
        ("int64", "one", "a whole number is expected"),
        ("float64", "one", "a number is expected"),
        ("bool", "yes", "true or false"),
        ("float64[3]", "[1, 2", "JSON"),
        ("float64[3]", "one, two", "JSON"),
        ("float64[3]", "[" * 5000, ""),
        ({"type": "struct", "fields": {"a": "int64"}}, "[1]", "an object"),
        ({"type": "map", "key": "string", "value": "int64"}, "7", "an object"),
    ],
)
def test_what_cannot_be_sent_is_told_beside_its_field(type_, text, problem) -> None:
    schema = schema_of(first="int64", x=type_)
    made, row = typed(schema, {"field0": "1", "field1": text})
    assert made[0].problem == ""
    assert made[1].problem
    assert problem in made[1].problem
    assert made[1].value == text
    assert row == {"first": 1}


def test_a_number_of_endless_digits() -> None:
    made, _ = typed(schema_of(x="int64"), {"field0": "9" * 100_000})
    assert made[0].problem == "a whole number is expected"


def test_values_that_are_sent_as_indices() -> None:
    schema = Schema((Field("x", Dictionary(Scalar("int8"), Scalar("string"))),))
    assert controls(schema)[0].kind == "text"
    assert typed(schema, {"field0": "red"})[1] == {"x": "red"}


def test_a_name_of_the_schema_is_no_name_of_the_form() -> None:
    schema = Schema((Field("token", Scalar("string")), Field('"><b>', Scalar("int64"))))
    assert [each.key for each in controls(schema)] == ["field0", "field1"]
