from __future__ import annotations

import json
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hatch_wallaroo.schema.notation import MAX_DEPTH, format_type
from hatch_wallaroo.schema.tables import Problem, format_schema, read_schema, write_schema
from hatch_wallaroo.schema.types import Dictionary, Field, ListOf, MapOf, Scalar, Schema, Struct
from support.schemas import fields, plain_types, schemas

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

INT8, TEXT, REAL = Scalar("int8"), Scalar("string"), Scalar("float64")


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ("float64[4]", Field("x", ListOf(REAL, 4))),
        ({"type": "float64[4]", "optional": True}, Field("x", ListOf(REAL, 4), optional=True)),
        ({"type": "string", "nullable": False}, Field("x", TEXT, nullable=False)),
        (
            {"type": "struct", "fields": {"a": "int8", "b": {"type": "string", "optional": True}}},
            Field("x", Struct((Field("a", INT8), Field("b", TEXT, optional=True)))),
        ),
        (
            {"type": "struct", "fields": {"a": "int8"}, "shape": ["*", 4], "nullable": False},
            Field("x", ListOf(ListOf(Struct((Field("a", INT8),)), 4)), nullable=False),
        ),
        ({"type": "map", "key": "string", "value": "int8[2]"}, Field("x", MapOf(TEXT, ListOf(INT8, 2)))),
        (
            {"type": "map", "key": "string", "value": {"type": "int8", "nullable": False}, "keys-sorted": True},
            Field("x", MapOf(TEXT, INT8, keys_sorted=True, value_nullable=False)),
        ),
        ({"type": "dictionary", "index": "int8", "value": "string"}, Field("x", Dictionary(INT8, TEXT))),
        (
            {"type": "dictionary", "index": "uint32", "value": "string", "ordered": True},
            Field("x", Dictionary(Scalar("uint32"), TEXT, ordered=True)),
        ),
        ({"type": "list", "items": {"type": "int8", "nullable": False}}, Field("x", ListOf(INT8, item_nullable=False))),
        (
            {"type": "list", "items": "int8", "size": 3, "item-name": "element"},
            Field("x", ListOf(INT8, 3, item_name="element")),
        ),
        ({"type": "large_list", "items": "int8[2]"}, Field("x", ListOf(ListOf(INT8, 2), large=True))),
    ],
)
def test_reads_and_writes(written, field):
    schema, problems = read_schema({"x": written})
    assert problems == []
    assert schema == Schema((field,))
    assert write_schema(schema) == {"x": written}


@pytest.mark.parametrize(
    ("loose", "shortest"),
    [
        ({"type": "float64"}, "float64"),
        ({"type": "float64", "shape": [2, "*"]}, "float64[2, *]"),
        ({"type": "float64", "shape": []}, "float64"),
        ({"type": "double[ 3 ]", "nullable": True, "optional": False}, "float64[3]"),
        ({"type": "list", "items": "int8", "size": 3}, "int8[3]"),
        ({"type": "list", "items": {"type": "int8"}, "size": "*", "item-name": "item"}, "int8[*]"),
        ({"type": "list", "items": "int8[2]", "shape": [4]}, "int8[4, *, 2]"),
        (
            {"type": "map", "key": {"type": "string", "nullable": False}, "value": "int8", "keys-sorted": False},
            {"type": "map", "key": "string", "value": "int8"},
        ),
    ],
)
def test_writes_the_shortest_form(loose, shortest):
    schema, problems = read_schema({"x": loose})
    assert problems == []
    assert write_schema(schema) == {"x": shortest}
    assert read_schema({"x": shortest}) == (schema, [])


@pytest.mark.parametrize(
    ("written", "path", "message", "fix"),
    [
        (3, (), "3 is no type", '"float64[4]"'),
        (None, (), "None is no type", '"float64[4]"'),
        (True, (), "true is no type", '"float64[4]"'),
        ([], (), "an array is no type", '"float64[4]"'),
        ({}, (), "a type is missing", 'type = "float64"'),
        ({"optional": True}, (), "a type is missing", 'type = "float64"'),
        ({"type": 3}, ("type",), "3 is no type", 'type = "float64"'),
        ({"type": {"type": "int8"}}, ("type",), "a table is no type", 'type = "float64"'),
        ({"type": "null"}, ("type",), "null is not allowed", "optional = true"),
        ({"type": "int8", "optinal": True}, ("optinal",), "'optinal' does not belong to int8", "write optional"),
        ({"type": "int8", "fields": {}}, ("fields",), "'fields' does not belong to int8", "known here: type"),
        ({"type": "int8", "optional": "yes"}, ("optional",), "'yes' is neither true nor false", "true or false"),
        ({"type": "int8", "nullable": 0}, ("nullable",), "0 is neither true nor false", "true or false"),
        ({"type": "int8", "shape": 4}, ("shape",), "4 is no shape", "[4]"),
        ({"type": "int8", "shape": "4"}, ("shape",), "'4' is no shape", "[4]"),
        ({"type": "int8", "shape": [0]}, ("shape", 0), "0 is no size", "2147483647"),
        ({"type": "int8", "shape": [2, -1]}, ("shape", 1), "-1 is no size", '"*"'),
        ({"type": "int8", "shape": [True]}, ("shape", 0), "true is no size", '"*"'),
        ({"type": "int8", "shape": [1.0]}, ("shape", 0), "1.0 is no size", '"*"'),
        ({"type": "int8", "shape": [10**50]}, ("shape", 0), "so great a number is no size", "2147483647"),
        ({"type": "int8", "shape": [1] * 33}, ("shape",), "more than 32 dimensions", "32 at most"),
        ({"type": "int8[4]", "shape": [4]}, ("shape",), "int8[4] has a shape already", "one of the two"),
        ({"type": "struct"}, (), "a struct needs fields", "fields = {"),
        ({"type": "struct", "fields": {}}, ("fields",), "a struct needs fields", "fields = {"),
        ({"type": "struct", "fields": []}, ("fields",), "a struct needs fields", "fields = {"),
        ({"type": "struct", "fields": {"a": 1}}, ("fields", "a"), "1 is no type", '"float64[4]"'),
        ({"type": "map", "value": "int8"}, (), "key is missing", 'key = "float64"'),
        ({"type": "map", "key": "string"}, (), "value is missing", 'value = "float64"'),
        (
            {"type": "map", "key": {"type": "string", "nullable": True}, "value": "int8"},
            ("key", "nullable"),
            "never null",
            "take it away",
        ),
        (
            {"type": "map", "key": "string", "value": {"type": "int8", "optional": True}},
            ("value", "optional"),
            "only a field can be optional",
            "take it away",
        ),
        ({"type": "dictionary", "value": "string"}, (), "index is missing", "index ="),
        ({"type": "dictionary", "index": "string", "value": "int8"}, ("index",), "string is no index", "int32"),
        ({"type": "dictionary", "index": "int8[2]", "value": "int8"}, ("index",), "int8[2] is no index", "int32"),
        (
            {"type": "dictionary", "index": "int8", "value": {"type": "dictionary", "index": "int8", "value": "bool"}},
            ("value",),
            "a dictionary of dictionaries",
            "its values' type",
        ),
        ({"type": "list"}, (), "items is missing", "items ="),
        ({"type": "list", "items": "int8", "size": "4"}, ("size",), "'4' is no size", '"*"'),
        ({"type": "large_list", "items": "int8", "size": 4}, ("size",), "'size' does not belong", "known here"),
        ({"type": "list", "items": "int8", "item-name": 4}, ("item-name",), "4 is no name", "ordinary"),
        ({"type": "list", "items": "int8", "item-name": "\ud800"}, ("item-name",), "is no name", "ordinary"),
    ],
)
def test_refuses_with_a_path_and_a_fix(written, path, message, fix):
    _, problems = read_schema({"x": written, "good": "int8"})
    assert [each.path for each in problems] == [("x", *path)]
    assert message in problems[0].message
    assert fix in problems[0].fix
    json.dumps(problems[0].message).encode()
    assert len(problems[0].message) < 150


def test_a_text_is_refused_at_its_column():
    _, problems = read_schema({"x": "float64[4, x3]", "y": {"type": "flaot64"}})
    assert problems == [
        Problem(("x",), "'x3' is no size", "write a whole number, or * where it varies", 12),
        Problem(("y", "type"), "'flaot64' is no dtype of Arrow's", "write float64", 1),
    ]


def test_all_problems_are_collected_and_good_fields_are_read():
    schema, problems = read_schema(
        {
            "a": "flaot64",
            "b": {"type": "int8", "optinal": True, "shape": [0, "x"], "nullable": "no"},
            "c": "int8",
            "d": {"type": "struct", "fields": {"e": "int", "f": {"type": "map"}}},
            "\ud800": "int8",
        }
    )
    assert schema == Schema((Field("c", INT8),))
    assert [each.path for each in problems] == [
        ("a",),
        ("b", "optinal"),
        ("b", "shape", 0),
        ("b", "shape", 1),
        ("b", "nullable"),
        ("d", "fields", "e"),
        ("d", "fields", "f"),
        ("d", "fields", "f"),
        ("\ud800",),
    ]


@pytest.mark.parametrize("table", [{}, [], None, 3, "float64[4]", True])
def test_no_table_and_an_empty_one_are_one_problem(table):
    schema, problems = read_schema(table)
    assert schema == Schema(())
    assert [each.path for each in problems] == [()]


def nested(depth, kind):
    inner = "int8"
    for _ in range(depth):
        inner = {"type": kind, "fields": {"a": inner}} if kind == "struct" else {"type": kind, "items": inner}
    return {"x": inner}


@pytest.mark.parametrize("kind", ["struct", "list", "large_list"])
def test_nesting_is_bounded(kind):
    assert read_schema(nested(MAX_DEPTH, kind))[1] == []
    for depth in (MAX_DEPTH + 1, 400):
        _, problems = read_schema(nested(depth, kind))
        assert ["nested more than 32 deep" in each.message for each in problems] == [True]


def test_nesting_counts_shapes_and_texts():
    full = {"type": "struct", "fields": {"a": f"int8[{'1, ' * 15}1]"}, "shape": [1] * 15}
    assert read_schema({"x": full})[1] == []
    assert len(read_schema({"x": {**full, "shape": [1] * 16}})[1]) == 1
    assert len(read_schema({"x": {"type": "list", "items": f"int8[{'1, ' * 31}1]"}})[1]) == 1


def test_a_table_that_holds_itself_ends():
    table = {"type": "list"}
    table["items"] = table
    assert len(read_schema({"x": table})[1]) == 1


def test_fields_of_one_name_have_no_table():
    with pytest.raises(ValueError, match="same name"):
        write_schema(Schema((Field("a", INT8), Field("a", TEXT))))


@given(schemas())
def test_schemas_and_tables_are_two_forms_of_one_thing(schema):
    table = write_schema(schema)
    read, problems = read_schema(table)
    assert problems == []
    assert read == schema
    assert write_schema(read) == table


@settings(max_examples=50)
@given(schemas())
def test_toml_keeps_names_and_order(schema):
    text = format_schema(schema)
    assert read_schema(tomllib.loads(text)) == (schema, [])
    assert text.count("\n") == len(schema.fields)


@pytest.mark.parametrize("name", ["\x7f", "\0", "a\nb", '"', "\\", "", "a.b", "\U0001f600", "=", "#"])
def test_toml_takes_any_name(name):
    schema = Schema((Field(name, INT8), Field("x", ListOf(INT8, item_name=name))))
    assert read_schema(tomllib.loads(format_schema(schema))) == (schema, [])


def test_toml_is_what_a_person_would_write():
    box = Struct((Field("x", INT8), Field("y", INT8, nullable=False)))
    schema = Schema((Field("box", ListOf(box)), Field("top k", INT8, optional=True), Field("inputs", ListOf(REAL, 4))))
    assert format_schema(schema).splitlines() == [
        'box = { type = "struct", fields = { x = "int8", y = { type = "int8", nullable = false } }, shape = ["*"] }',
        '"top k" = { type = "int8", optional = true }',
        'inputs = "float64[4]"',
    ]


@given(fields(plain_types(), optional=False).map(Schema))
def test_plain_fields_are_written_as_texts(schema):
    for field, written in zip(schema.fields, write_schema(schema).values(), strict=True):
        assert written == (
            format_type(field.type) if field.nullable else {"type": format_type(field.type), "nullable": False}
        )


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(),
        st.sampled_from(
            ["float64[4]", "struct", "map", "list", "dictionary", "large_list", "*", "int8", "null", "\ud800"]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(
                st.text(max_size=4),
                st.sampled_from(["type", "fields", "shape", "key", "value", "items", "size", "item-name", "index"]),
                st.sampled_from(["optional", "nullable", "ordered", "keys-sorted", "\ud800"]),
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=20,
)


@settings(max_examples=300)
@given(JSON)
@example({"a": {"b": None, "type": "\ud800"}})
def test_anything_like_json_is_read(document):
    schema, problems = read_schema(document)
    for each in problems:
        assert each.message
        assert each.fix
        f"{each.message} {each.fix}".encode()
        value = document
        for key in each.path:
            value = value[key]
    if not problems:
        assert read_schema(write_schema(schema)) == (schema, [])
