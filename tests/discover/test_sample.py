"""Rows of a sample: read with their lines, and the types that all of them have in common."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatch_wallaroo.discover.sample import LARGEST, parse_sample, read_sample, schema_of
from hatch_wallaroo.schema.tables import read_schema, write_schema
from hatch_wallaroo.schema.types import ListOf, Scalar, Struct
from support.samples import rows_of


def inferred(rows):
    """The table that some rows are inferred to, with the errors and warnings on the way."""
    typed = schema_of(rows_of(rows), "inputs", "sample.json")
    table = None if typed.schema is None else write_schema(typed.schema)
    return table, [(each.level.value, each.place.line, each.message) for each in typed.findings]


class TestTypes:
    @pytest.mark.parametrize(
        ("rows", "table"),
        [
            ([{"x": 1}, {"x": -2}], {"x": "int64"}),
            ([{"x": 1}, {"x": 2.5}], {"x": "float64"}),
            ([{"x": 2.0}], {"x": "float64"}),
            ([{"x": math.nan}], {"x": "float64"}),
            ([{"x": True}], {"x": "bool"}),
            ([{"x": "a"}, {"x": ""}], {"x": "string"}),
            ([{"x": 2**63}, {"x": 0}], {"x": "uint64"}),
            ([{"x": 2**63 - 1}, {"x": -(2**63)}], {"x": "int64"}),
            ([{"x": [1, 2]}, {"x": [3, 4]}], {"x": "int64[2]"}),
            ([{"x": [1, 2]}, {"x": [3]}], {"x": "int64[*]"}),
            ([{"x": [1, 2.5]}], {"x": "float64[2]"}),
            ([{"x": [1, 2]}, {"x": [0.5, 1]}], {"x": "float64[2]"}),
            ([{"x": []}, {"x": ["a"]}], {"x": "string[*]"}),
            ([{"x": [[1, 2, 3], [4, 5, 6]]}], {"x": "int64[2, 3]"}),
            ([{"x": [[1, 2, 3], [4, 5]]}, {"x": [[1], [2]]}], {"x": "int64[2, *]"}),
            ([{"x": [[1, 2]]}, {"x": [[1, 2], [3, 4]]}], {"x": "int64[*, 2]"}),
            ([{"x": [[], [1]]}], {"x": "int64[2, *]"}),
            ([{"x": 1}, {"x": 2, "y": "a"}], {"x": "int64", "y": {"type": "string", "optional": True}}),
            ([{"y": "a"}, {"x": 2}], {k: {"type": t, "optional": True} for k, t in (("y", "string"), ("x", "int64"))}),
            ([{"x": {"a": 1, "b": [0.5]}}], {"x": {"type": "struct", "fields": {"a": "int64", "b": "float64[1]"}}}),
            (
                [{"x": [{"a": 1}, {"a": 2, "b": "c"}]}],
                {
                    "x": {
                        "type": "struct",
                        "fields": {"a": "int64", "b": {"type": "string", "optional": True}},
                        "shape": [2],
                    }
                },
            ),
            ([{"": 1, "a b": 2, "ä": 3}], {"": "int64", "a b": "int64", "ä": "int64"}),
        ],
    )
    def test_of_values(self, rows, table):
        assert inferred(rows) == (table, [])
        schema, problems = read_schema(table)
        assert problems == []
        assert schema == schema_of(rows_of(rows), "inputs", "sample.json").schema

    @pytest.mark.parametrize(
        ("rows", "line", "message"),
        [
            ([{"x": 1}, {"x": "a"}], 2, "inputs, x: holds whole numbers (line 1) and texts (line 2)"),
            ([{"x": 1}, {"x": True}], 2, "inputs, x: holds whole numbers (line 1) and true or false (line 2)"),
            ([{"x": 1}, {"x": [1]}], 2, "inputs, x: holds whole numbers (line 1) and lists (line 2)"),
            ([{"x": {"a": 1}}, {"x": [1]}], 2, "inputs, x: holds objects (line 1) and lists (line 2)"),
            ([{"x": [1, "a"]}], 1, "inputs, x[]: holds"),
            ([{"x": [True, 2]}], 1, "inputs, x[]: holds"),
            ([{"x": []}, {"x": []}], 1, "inputs, x: all lists are empty"),
            ([{"x": [[]]}], 1, "inputs, x[]: all lists are empty"),
            ([{"x": {}}], 1, "inputs, x: all objects are empty"),
            ([{"x": None}, {"x": None}], 1, "inputs, x: there are only nulls"),
            ([{"x": [1]}, {"x": [None]}], 2, "inputs, x[]: null inside of a list"),
            ([{"x": [None]}], 1, "inputs, x[]: there are only nulls"),
            ([{"x": 2**64}], 1, "inputs, x: holds a whole number that no 64 bits can"),
            ([{"x": 2**63}, {"x": -1}], 1, "inputs, x: holds a whole number that no 64 bits can"),
            ([{"x": {"a": {"b": [None]}}}], 1, "inputs, x.a.b[]: there are only nulls"),
            ([{"\ud800": 1}], 1, "inputs, '\\ud800': is no name of a field"),
            ([{}, {}], 1, "inputs: the rows have no fields"),
        ],
    )
    def test_what_cannot_be_known_is_placed(self, rows, line, message):
        table, ((level, at, said), *_) = inferred(rows)
        assert (table, level, at) == (None, "error", line)
        assert said.startswith(message)

    def test_null_is_a_field_left_out_and_said(self):
        assert inferred([{"x": 1}, {"x": None}]) == (
            {"x": {"type": "int64", "optional": True}},
            [("warning", 2, "inputs, x: null is taken as a field that a row may leave out")],
        )

    def test_everything_is_told_at_once(self):
        table, findings = inferred([{"a": [], "b": None, "c": 1, "d": 2}, {"a": [], "c": "x", "d": 3}])
        assert table is None
        assert [message.split(":")[0] for _, _, message in findings] == [
            "inputs, a",
            "inputs, b",
            "inputs, c",
        ]

    def test_guesses_are_said_for_what_values_do_not_tell(self):
        typed = schema_of(rows_of([{"a": 1, "b": [0.5], "c": "x", "d": True}]), "inputs", "s")
        assert [(each.field, each.about, each.text.partition(",")[0]) for each in typed.guesses] == [
            ("a", "width", "int64"),
            ("b", "width", "float64"),
            ("b", "size", "the size is that of the only row: write * where it can differ"),
        ]

    @pytest.mark.parametrize("depth", [32, 33])
    def test_as_deep_as_types_may_nest(self, depth):
        value = 1
        for _ in range(depth):
            value = [value]
        table, findings = inferred([{"x": value}])
        assert (table is None) == (depth == 33)
        assert ["nested more than 32 deep" in message for _, _, message in findings] == [True] * (depth - 32)

    @pytest.mark.slow
    def test_a_picture_takes_no_time(self):
        picture = [[[255] * 3 for _ in range(640)] for _ in range(480)]
        assert inferred([{"x": picture}] * 3)[0] == {"x": "int64[480, 640, 3]"}


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text("abé", max_size=2), inner, max_size=3)
    ),
    max_leaves=12,
)


def fits(value, type_):
    """Whether a value may stand in a column of a type."""
    if isinstance(type_, ListOf):
        sizes = type_.size is None or (isinstance(value, list) and len(value) == type_.size)
        return isinstance(value, list) and sizes and all(fits(each, type_.item) for each in value)
    if isinstance(type_, Struct):
        return isinstance(value, dict) and row_fits(value, type_.fields)
    assert isinstance(type_, Scalar)
    kinds = {"int64": int, "uint64": int, "float64": (int, float), "string": str, "bool": bool}
    return isinstance(value, kinds[type_.name]) and (type_.name == "bool") == isinstance(value, bool)


def row_fits(row, fields):
    known = {each.name: each for each in fields}
    present = all(row.get(each.name) is not None or each.optional for each in fields)
    return present and all(value is None or fits(value, known[name].type) for name, value in row.items())


class TestProperties:
    @pytest.mark.slow
    @settings(max_examples=300)
    @given(st.lists(st.dictionaries(st.sampled_from("xyz"), values, max_size=3), min_size=1, max_size=4))
    def test_a_schema_fits_all_rows_or_says_why_there_is_none(self, rows):
        typed = schema_of(rows_of(rows), "inputs", "s")
        errors = [each for each in typed.findings if each.is_error]
        assert (typed.schema is None) == bool(errors)
        if typed.schema is not None:
            assert all(row_fits(row, typed.schema.fields) for row in rows)
            assert read_schema(write_schema(typed.schema)) == (typed.schema, [])


def told(text):
    data = text if isinstance(text, bytes) else text.encode()
    sample, findings = parse_sample(data, "sample.json")
    assert (sample is None) == bool(findings)
    return [(each.place.line, each.place.column, each.message.removeprefix("sample.json ")) for each in findings]


class TestReading:
    def test_rows_have_their_lines(self):
        text = '\n{"inputs": [\n  {"x": 1},\n\n  {"x": 2}, {"x": 3}\n],\n"outputs": [{\n"y": 4}]}\n'
        sample, findings = parse_sample(text.encode(), "sample.json")
        assert findings == ()
        assert [(row.line, row.values) for row in sample.inputs] == [(3, {"x": 1}), (5, {"x": 2}), (5, {"x": 3})]
        assert [(row.line, row.values) for row in sample.outputs] == [(7, {"y": 4})]

    def test_a_list_is_the_inputs(self):
        sample, _ = parse_sample(b'\xef\xbb\xbf [{"x": [1, {"y": null}]}]', "sample.json")
        assert [row.values for row in sample.inputs] == [{"x": [1, {"y": None}]}]
        assert sample.outputs == ()

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", [(1, None, "must be an object with inputs, or a list of rows")]),
            ("3", [(1, None, "must be an object with inputs, or a list of rows")]),
            ("[]", [(1, None, "holds no input rows")]),
            ("{}", [(1, None, "holds no input rows")]),
            ('{"outputs": [{"y": 1}]}', [(1, None, "holds no input rows")]),
            ("{", [(1, 2, "is no JSON: a key in double quotes is expected")]),
            ("[", [(1, 2, "is no JSON: expecting value")]),
            ("[{]", [(1, 3, "is no JSON: expecting property name enclosed in double quotes")]),
            ('[{"x": 1}\n {"x": 2}]', [(2, 2, "is no JSON: , is expected")]),
            ('[{"x": 1},]', [(1, 11, "is no JSON: expecting value")]),
            ('[{"x": 1}]\n]', [(2, 1, "is no JSON: something follows after the end")]),
            ('{"inputs" [ ]}', [(1, 11, "is no JSON: : is expected")]),
            ('[{"x": tru}]', [(1, 8, "is no JSON: expecting value")]),
            (b'[{"x":\n"\xe4"}]', [(2, None, "is not UTF-8 from here on")]),
            (
                '[{"x": 1},\n 5,\n"a"]',
                [
                    (2, None, "inputs, row 2: a row is an object of fields"),
                    (3, None, "inputs, row 3: a row is an object of fields"),
                ],
            ),
            (
                '{"input": [1],\n"outputs": {},\n"inputs": [7]}',
                [
                    (1, None, "has the key 'input'"),
                    (2, None, "has outputs that are no list of rows"),
                    (3, None, "inputs, row 1: a row is an object of fields"),
                ],
            ),
            ('[{"x": ' + "[" * 100_000, [(None, None, "holds numbers of very many digits, or nests too deeply")]),
            ('[{"x": ' + "9" * 5000 + "}]", [(None, None, "holds numbers of very many digits, or nests too deeply")]),
        ],
        ids=lambda each: str(each)[:24],
    )
    def test_what_is_wrong_is_placed(self, text, expected):
        assert told(text) == expected

    def test_files_that_cannot_be_read(self, tmp_path):
        for path, message in [
            (tmp_path / "none.json", "s cannot be read: No such file or directory"),
            (tmp_path, "s cannot be read: Is a directory"),
            (tmp_path / "a\0b", "s cannot be read: embedded null byte"),
        ]:
            sample, (finding,) = read_sample(path, "s")
            assert sample is None
            assert finding.message == message

    def test_a_file_that_is_too_large(self, tmp_path):
        path = tmp_path / "sample.json"
        with path.open("wb") as stream:
            stream.truncate(LARGEST + 1)
        assert read_sample(path, "s")[1][0].message == "s is larger than 64 MiB"

    @settings(max_examples=200)
    @given(st.text('{}[]":, \n\tinputs1.eE-trulfasnN\\', max_size=60))
    def test_it_takes_just_what_json_takes(self, text):
        """Where the text is JSON of the right form, both agree; where it is none, it is refused."""
        sample, _ = parse_sample(text.encode(), "s")
        try:
            document = json.loads(text)
        except ValueError:
            assert sample is None
            return
        rows = (
            document if isinstance(document, list) else document.get("inputs") if isinstance(document, dict) else None
        )
        if sample is not None:
            assert [row.values for row in sample.inputs] == rows or "NaN" in text

    @given(st.lists(st.dictionaries(st.text(max_size=3), values, max_size=3), min_size=1, max_size=4))
    def test_rows_come_out_as_they_went_in(self, rows):
        for text in (json.dumps(rows), json.dumps({"outputs": rows, "inputs": rows}, indent=1)):
            sample, findings = parse_sample(text.encode(), "s")
            assert findings == ()
            assert json.dumps([row.values for row in sample.inputs]) == json.dumps(rows)
            assert [row.line for row in sample.inputs] == sorted(row.line for row in sample.inputs)
