"""Schemas from elsewhere: what Arrow, Feather, Parquet and base64 hold, told by their bytes alone."""

from __future__ import annotations

import base64
import io
import random

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatch_wallaroo.schema.arrow import from_arrow
from hatch_wallaroo.schema.reading import FORMS, choose, read
from hatch_wallaroo.schema.types import Field, Scalar, Schema

PLAIN = pa.schema([pa.field("inputs", pa.list_(pa.float64(), 4)), pa.field("top_k", pa.int64(), nullable=False)])
FRAME = PLAIN.append(pa.field("__index_level_0__", pa.string())).with_metadata({b"pandas": b'{"index_columns": []}'})


def as_file(schema):
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, schema):
        pass
    return sink.getvalue()


def as_stream(schema):
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_table(schema.empty_table())
    return sink.getvalue()


def as_feather(schema, **options):
    sink = io.BytesIO()
    pyarrow.feather.write_feather(schema.empty_table(), sink, **options)
    return sink.getvalue()


def as_parquet(schema):
    sink = io.BytesIO()
    pyarrow.parquet.write_table(schema.empty_table(), sink)
    return sink.getvalue()


def as_message(schema):
    return bytes(schema.serialize())


def as_text(schema):
    return base64.b64encode(as_message(schema))


def read_one(data, form=None):
    (found,) = read(io.BytesIO(data), "schema", form)
    return found


def told(data, form=None):
    return [(each.place.line, each.place.column, each.message) for each in read_one(data, form).findings]


class TestWhatTheBytesAre:
    @pytest.mark.parametrize("form", [as_message, as_stream, as_file, as_feather, as_parquet, as_text])
    def test_each_form_gives_the_schema(self, form):
        found = read_one(form(PLAIN))
        assert (found.schema, found.side, found.notes, found.findings) == (from_arrow(PLAIN), None, (), ())

    def test_parquets_own_name_for_items_is_not_kept(self):
        nested = pa.schema(
            [
                ("x", pa.list_(pa.list_(pa.int8()))),
                ("y", pa.struct([("z", pa.list_(pa.int8()))])),
                ("m", pa.map_(pa.string(), pa.list_(pa.int8()))),
            ]
        )
        stored = pyarrow.parquet.read_schema(io.BytesIO(as_parquet(nested)))
        assert stored.field("x").type.value_field.name == "element"
        assert read_one(as_parquet(nested)).schema == from_arrow(nested)

    @pytest.mark.parametrize("form", [as_message, as_stream, as_file, as_feather, as_parquet, as_text])
    def test_what_pandas_left_is_dropped_and_said(self, form):
        found = read_one(form(FRAME))
        assert found.schema == from_arrow(PLAIN)
        index, metadata = found.notes
        assert "left out __index_level_0__" in index
        assert "left out the metadata (pandas" in metadata

    def test_rows_are_never_read(self):
        """Of a file, the footer alone; of a stream, what comes first."""
        table = pa.table({"x": pa.array(range(1_000_000))})
        for new in (pa.ipc.new_file, pa.ipc.new_stream):
            sink = io.BytesIO()
            with new(sink, table.schema) as writer:
                writer.write_table(table)
            counting = Counting(sink.getvalue())
            (found,) = read(counting, "schema")
            assert found.schema == Schema((Field("x", Scalar("int64")),))
            assert counting.count < 50_000

    @pytest.mark.parametrize(
        "text",
        [
            as_text(PLAIN).decode(),
            f"  {as_text(PLAIN).decode()}\n",
            repr(as_text(PLAIN)),
            f'"{as_text(PLAIN).decode()}"\n',
            "\r\n".join(as_text(PLAIN).decode()[at : at + 60] for at in range(0, 600, 60)),
        ],
    )
    def test_base64_as_people_copy_it(self, text):
        assert read_one(text.encode()).schema == from_arrow(PLAIN)

    def test_python_may_hold_several(self):
        code = b"input_schema = pa.schema([('x', 'int8')])\noutput_schema = pa.schema([('y', 'int8')], metadata={'a': 'b'})"
        one, other = read(io.BytesIO(code), "code.py")
        assert (one.name, one.side, one.line, one.schema.names, one.notes) == ("input_schema", "input", 1, ("x",), ())
        assert (other.side, other.schema.names) == ("output", ("y",))
        assert other.notes == ("left out the metadata (a): the platform refuses schemas that carry some",)

    def test_pandas_index_in_python_too(self):
        (found,) = read(io.BytesIO(b"s = pa.schema([('x', 'int8'), ('__index_level_0__', 'int64')])"), "code.py")
        assert found.schema.names == ("x",)
        assert found.notes == ("left out __index_level_0__, which is pandas' index and no column",)

    def test_a_notebook_is_said_to_be_one(self):
        found = read_one(b'{"cells": [{"cell_type": "code", "source": ["input_schema = pa.schema([])"]}]}')
        assert found.findings[0].message == "this is a notebook, not Python source"

    def test_the_form_can_be_said(self):
        assert read_one(b"abcdefgh", "python").findings[0].code == "WLR670"
        assert "no pa.schema([...]) is in it" in read_one(b"abcdefgh", "python").findings[0].message
        assert read_one(as_message(PLAIN), "arrow").schema is not None


class Counting(io.BytesIO):
    count = 0

    def read(self, size=-1):
        data = super().read(size)
        self.count += len(data)
        return data


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("data", "form", "line", "column", "message"),
        [
            (b"", None, None, None, "no pa.schema([...]) is in it"),
            (b"", "base64", None, None, "the text is empty"),
            (b"''", "base64", None, None, "the text is empty"),
            (b"AAAA BBBB!", "base64", 1, 10, "'!' is no character of base64"),
            (b"AAAA\nBB\xc3\xa4B", "base64", 2, 3, "'ä' is no character of base64"),
            (b"b'AAAA-BBB'", "base64", 1, 7, "'-' is no character of base64"),
            (b"AAAA=BBB", "base64", 1, None, "this is no base64 text"),
            (b"AAAABBBBC", None, 1, None, "this is no base64 text"),
            (b"AAAABBBBCCCC", None, None, None, "this is no Arrow schema"),
            (b"FEA1" + bytes(40), None, None, None, "this is Feather, version 1"),
            (b"PARE" + bytes(40), None, None, None, "this is encrypted Parquet"),
            (b"PAR1" + bytes(40), None, None, None, "this is no Arrow schema"),
            (b"ARROW1\0\0" + bytes(40), None, None, None, "this is no Arrow schema"),
            (b"\xff\xff\xff\xff\xff\xff\xff\x7f" + bytes(40), None, None, None, "this is no Arrow schema"),
            (as_message(pa.schema([])), None, None, None, "the schema has no fields"),
            (as_message(pa.schema([("__index_level_0__", "int64")])), None, None, None, "the schema has no fields"),
        ],
    )
    def test_with_its_place(self, data, form, line, column, message):
        ((at, character, said),) = told(data, form)
        assert (at, character) == (line, column)
        assert message in said

    @pytest.mark.filterwarnings("ignore:Feather V1:DeprecationWarning")
    def test_version_1_of_feather_as_pyarrow_writes_it(self):
        data = as_feather(pa.schema([("x", "int64")]), version=1)
        assert [message for _, _, message in told(data)] == ["this is Feather, version 1"]

    def test_every_field_that_cannot_be_is_named(self):
        schema = pa.schema(
            [("a", pa.null()), ("b", "int8"), ("c", pa.list_view(pa.int8())), ("d", pa.list_(pa.null()))]
        )
        assert [message.partition(":")[0] for _, _, message in told(as_text(schema))] == ["a", "c", "d"]

    def test_two_fields_of_one_name(self):
        schema = pa.schema([pa.field("a", pa.int8()), pa.field("a", pa.int8())])
        assert [message for _, _, message in told(as_file(schema))] == ["two fields are called 'a'"]

    @pytest.mark.parametrize("form", [as_stream, as_file, as_parquet, as_text, as_message])
    def test_every_truncation(self, form):
        data = form(FRAME)
        for end in sorted(random.Random(1).sample(range(len(data)), 60)):
            found = read(io.BytesIO(data[:end]), "schema")
            # A stream that breaks off behind its schema has told it.
            assert all((each.schema is None) == bool(each.findings) for each in found)

    @settings(max_examples=300)
    @given(
        st.sampled_from([as_stream(FRAME), as_file(FRAME), as_parquet(FRAME), as_text(FRAME)]),
        st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), min_size=1, max_size=8),
        st.sampled_from((None, *FORMS)),
    )
    def test_changed_bytes_are_a_schema_or_refused(self, data, changes, form):
        data = bytearray(data)
        for at, value in changes:
            data[at % len(data)] = value
        for each in read(io.BytesIO(bytes(data)), "schema", form):
            assert (each.schema is None) == bool(each.findings)


def chosen(code, side=None, name=None):
    found = choose(read(io.BytesIO(code.encode()), "code.py"), "code.py", side, name)
    return [(each.side, each.schema.names if each.schema else each.findings[0].message) for each in found]


def line(name, field):
    return f"{name} = pa.schema([({field!r}, 'int8')])\n"


class TestTheChoice:
    @pytest.mark.parametrize(
        ("code", "side", "name", "expected"),
        [
            (
                line("input_schema", "x") + line("output_schema", "y"),
                None,
                None,
                [("input", ("x",)), ("output", ("y",))],
            ),
            (line("input_schema", "x") + line("output_schema", "y"), "output", None, [("output", ("y",))]),
            (line("input_schema", "x") + line("input_schema", "z"), None, None, [("input", ("z",))]),
            (line("schema", "x"), None, None, [(None, ("x",))]),
            (line("schema", "x"), "output", None, [("output", ("x",))]),
            (line("schema", "x") + line("input_schema", "z"), None, None, [("input", ("z",))]),
            (line("schema", "x") + line("input_schema", "z"), None, "schema", [(None, ("x",))]),
            (line("schema", "x") + line("input_schema", "z"), "output", "schema", [("output", ("x",))]),
            (line("a_input_schema", "x") + line("input_schema", "z"), None, None, [("input", ("z",))]),
            (line("s", "x") + "f(input_schema=s)", None, None, [("input", ("x",))]),
            (
                line("a_input_schema", "x") + line("b_input_schema", "z"),
                None,
                None,
                [("input", "there are several input schemas: a_input_schema (line 1), b_input_schema (line 2)")],
            ),
            (line("a_input_schema", "x") + line("b_input_schema", "z"), None, "b_input_schema", [("input", ("z",))]),
            (
                line("a", "x") + line("b", "z"),
                None,
                None,
                [(None, "there are several schemas: a (line 1), b (line 2)")],
            ),
            (
                line("a", "x").partition("= ")[2] * 2,
                None,
                None,
                [(None, "there are several schemas: one without a name (line 1), one without a name (line 2)")],
            ),
            (
                line("output_schema", "x"),
                "input",
                None,
                [(None, "no input schema is in it, only output_schema (line 1)")],
            ),
            (line("a", "x"), None, "b", [(None, "no schema is called b")]),
        ],
    )
    def test_of_several_schemas(self, code, side, name, expected):
        assert chosen(code, side, name) == expected

    def test_a_schema_that_is_made_twice_is_told(self):
        code = line("input_schema", "x") + "\n" + line("input_schema", "z")
        (found,) = choose(read(io.BytesIO(code.encode()), "code.py"), "code.py")
        assert found.notes == ("input_schema is made 2 times; the last, in line 3, is taken",)
