from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatch_wallaroo.schema.arrow import (
    MAX_TEXT,
    SchemaDecodeError,
    UnsupportedTypeError,
    decode,
    encode,
    from_arrow,
    metadata_keys,
    to_arrow,
)
from hatch_wallaroo.schema.notation import MAX_DEPTH, parse_type
from hatch_wallaroo.schema.tables import read_schema, write_schema
from hatch_wallaroo.schema.types import Dictionary, Field, ListOf, Scalar, Schema
from support.guide_schemas import GUIDE, SCHEMAS, extract
from support.peers import run_in
from support.schemas import SCALARS, schemas

ROOT = Path(__file__).parents[2]
WIRE = ROOT.parent / "shared" / "wire"


def encoded(schema):
    return base64.b64encode(bytes(schema.serialize())).decode()


def with_metadata_keys(text):
    """The schema in a text as ours, and the metadata that it carries."""
    schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(text)))
    return decode(text), metadata_keys(schema)


def of(type_, name="x"):
    return pa.schema([pa.field(name, type_)])


class TestTheGuide:
    @pytest.mark.parametrize("schema", SCHEMAS, ids=lambda each: each.name)
    def test_the_notation_gives_its_bytes_and_back(self, schema):
        ours, problems = read_schema(schema.table)
        assert problems == []
        assert encode(ours) == encoded(eval(schema.code))
        assert write_schema(decode(encode(ours))) == schema.table

    def test_these_are_the_schemas_of_its_text(self):
        if not GUIDE.exists():
            pytest.skip(f"{GUIDE.name} is not here")
        text = GUIDE.read_text(encoding="utf-8")
        code = extract(text)
        assert len(code) == text.count("pa.schema([")
        assert [encoded(eval(each)) for each in code] == [encode(read_schema(each.table)[0]) for each in SCHEMAS]

    @pytest.mark.peer
    @pytest.mark.parametrize(("name", "version"), [("mac-2023.2.1", "9.0.0"), ("mac-2026.1.3", "14.0.1")])
    def test_the_platforms_pyarrow_gives_the_same_bytes(self, name, version):
        """Ours come from the pyarrow that runs this test, theirs from what the platform runs."""
        script = (
            "import base64, json, sys, pyarrow as pa\n"
            "made = [base64.b64encode(bytes(eval(each).serialize())).decode() for each in json.load(sys.stdin)]\n"
            "json.dump([pa.__version__, made], sys.stdout)"
        )
        done = run_in(name, ["-c", script], input=json.dumps([each.code for each in SCHEMAS]))
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == [version, [encode(read_schema(each.table)[0]) for each in SCHEMAS]]


class TestTheWire:
    @pytest.mark.parametrize("name", ["sdk-2023.2.1.jsonl", "sdk-2026.1.3.jsonl"])
    def test_captured_schemas_come_out_as_they_went_in(self, name):
        if not (WIRE / name).exists():
            pytest.skip(f"{name} is not here")
        text = (WIRE / name).read_text(encoding="utf-8")
        captured = set(re.findall(r'\\"(?:in|out)put_schema\\": \\"([A-Za-z0-9+/=]+)\\"', text))
        assert captured
        for each in captured:
            assert encode(decode(each)) == each


class TestRoundTrips:
    @given(schemas(optional=False))
    def test_arrow(self, schema):
        assert from_arrow(to_arrow(schema)) == schema

    @given(schemas(optional=False))
    def test_ipc(self, schema):
        text = encode(schema)
        assert with_metadata_keys(text) == (schema, ())
        assert encode(decode(text)) == text

    @given(schemas())
    def test_optional_is_not_for_arrow(self, schema):
        assert [(each.name, each.nullable) for each in decode(encode(schema)).fields] == [
            (each.name, each.nullable) for each in schema.fields
        ]

    @pytest.mark.parametrize("dtype", SCALARS)
    def test_every_dtype_has_arrows_own(self, dtype):
        ours = Schema((Field("x", parse_type(dtype)),))
        arrow = to_arrow(ours).field("x").type
        # What Arrow prints is understood too, but for `float`, which is float32 in Arrow alone.
        assert str(arrow) == "float" or parse_type(str(arrow)) == ours.fields[0].type
        assert from_arrow(of(arrow)) == ours

    @pytest.mark.peer
    def test_the_lowest_pyarrow_that_we_support(self):
        """The platform's newest is the lowest of ours: run the modules with it."""
        script = f"""
import json, sys
sys.path.insert(0, {str(ROOT)!r})
import pyarrow as pa
from hatch_wallaroo.schema.arrow import SchemaDecodeError, decode, encode
from hatch_wallaroo.schema.tables import read_schema, write_schema
tables, bad = json.load(sys.stdin)
texts = [encode(read_schema(each)[0]) for each in tables]
for each in bad:
    try:
        decode(each)
    except SchemaDecodeError:
        continue
    raise SystemExit("not refused: " + each)
json.dump([texts, [write_schema(decode(each)) for each in texts]], sys.stdout)
"""
        tables = [
            {f"x{at}": dtype for at, dtype in enumerate(SCALARS)},
            {
                "a": {"type": "struct", "fields": {"b": "int8[2]", "c": {"type": "string", "nullable": False}}},
                "d": {"type": "map", "key": "string", "value": {"type": "int8", "nullable": False}},
                "e": {"type": "dictionary", "index": "int8", "value": "string", "ordered": True},
                "f": {"type": "large_list", "items": {"type": "int8", "nullable": False}, "item-name": "element"},
                "g": {"type": "list", "items": "int8", "size": 2, "item-name": "element"},
            },
        ]
        refused = [
            of(pa.null()),
            of(pa.list_(pa.int8(), 0)),
            of(pa.string_view()),
            of(pa.run_end_encoded(pa.int32(), pa.int8())),
        ]
        done = run_in("mac-2026.1.3", ["-c", script], input=json.dumps([tables, [encoded(each) for each in refused]]))
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == [[encode(read_schema(each)[0]) for each in tables], tables]


class TestMetadata:
    def test_pandas_metadata_never_leaves(self):
        plain = of(pa.list_(pa.float64(), 4), "inputs")
        dressed = plain.with_metadata({b"pandas": b'{"index_columns": []}'})
        assert encode(from_arrow(dressed)) == encoded(plain) != encoded(dressed)
        assert with_metadata_keys(encoded(dressed)) == (from_arrow(plain), ("pandas",))

    def test_metadata_of_fields_at_any_depth_is_told_and_left_behind(self):
        def dressed(name, type_):
            return pa.field(name, type_, metadata={f"in {name}": "1"})

        nested = pa.struct([dressed("a", pa.list_(dressed("item", pa.int8()))), dressed("b", pa.string())])
        mapped = pa.map_(pa.string(), dressed("value", pa.dictionary(pa.int8(), pa.list_(dressed("item", pa.int8())))))
        schema = pa.schema([dressed("x", nested), pa.field("y", mapped)], metadata={b"\xff": b"2"})
        read, keys = with_metadata_keys(encoded(schema))
        assert set(keys) == {r"\xff", "in x", "in a", "in b", "in item", "in value"}
        assert with_metadata_keys(encode(read)) == (read, ())

    def test_of_an_extension_type_the_storage_is_kept(self):
        read = with_metadata_keys(encoded(of(pa.fixed_shape_tensor(pa.int8(), [2, 3]))))
        assert read == (Schema((Field("x", ListOf(Scalar("int8"), 6)),)), ("ARROW:extension:name",))

    def test_an_extension_type_that_nobody_registered(self):
        field = pa.field("x", pa.int8(), metadata={"ARROW:extension:name": "mine", "ARROW:extension:metadata": ""})
        read, keys = with_metadata_keys(encoded(pa.schema([field])))
        assert keys == ("ARROW:extension:name", "ARROW:extension:metadata")
        assert read == Schema((Field("x", Scalar("int8")),))


def deep(depth):
    type_ = pa.int8()
    for _ in range(depth):
        type_ = pa.list_(type_)
    return of(type_)


UNSUPPORTED = [
    (of(pa.null()), "x: null is not allowed"),
    (of(pa.list_(pa.struct([pa.field("a", pa.null())]))), "x.a: null is not allowed"),
    (of(pa.list_(pa.int8(), 0)), "x: a list of size 0"),
    (of(pa.dense_union([pa.field("a", pa.int8())])), "x: Wallaroo cannot take dense_union"),
    (of(pa.string_view()), "x: the platform's Arrow does not know string_view"),
    (of(pa.list_view(pa.int8())), "x: Wallaroo cannot take list_view"),
    (of(pa.run_end_encoded(pa.int32(), pa.int8())), "x: Wallaroo cannot take run_end_encoded"),
    (of(pa.decimal32(5, 2)), "x: Wallaroo cannot take decimal32"),
    (of(pa.timestamp("us", tz="a]b")), "x: Wallaroo cannot take timestamp"),
    (pa.schema([pa.field("x", pa.int8()), pa.field("x", pa.int16())]), "two fields are called 'x'"),
    (of(pa.struct([pa.field("a", pa.int8()), pa.field("a", pa.int8())])), "two fields are called 'x.a'"),
    (deep(MAX_DEPTH + 1), "x: types are nested more than 32 deep"),
    (deep(120), "x: types are nested more than 32 deep"),
]


class TestRefusals:
    @pytest.mark.parametrize(("schema", "message"), UNSUPPORTED, ids=lambda each: str(each)[:30])
    def test_what_the_platform_cannot_take_is_named(self, schema, message):
        with pytest.raises(UnsupportedTypeError, match=re.escape(message)):
            from_arrow(schema)
        with pytest.raises(SchemaDecodeError, match=re.escape(message)):
            decode(encoded(schema))

    def test_a_dictionary_of_dictionaries(self):
        """Arrow's IPC message keeps only the inner one, so it has to be seen before."""
        with pytest.raises(UnsupportedTypeError, match="x: a dictionary of dictionaries"):
            from_arrow(of(pa.dictionary(pa.int8(), pa.dictionary(pa.int8(), pa.string()))))

    def test_the_deepest_that_goes(self):
        assert encode(decode(encoded(deep(MAX_DEPTH)))) == encoded(deep(MAX_DEPTH))
        assert read_schema(write_schema(decode(encoded(deep(MAX_DEPTH)))))[1] == []

    @pytest.mark.parametrize(
        "type_",
        [
            Scalar("floot"),
            Scalar("timestamp[us,tz=UTC]"),
            ListOf(Scalar("int8"), 4, large=True),
            Dictionary(Scalar("int8"), Dictionary(Scalar("int8"), Scalar("string"))),
        ],
    )
    def test_what_is_no_arrow_type(self, type_):
        with pytest.raises(UnsupportedTypeError):
            to_arrow(Schema((Field("x", type_),)))

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "the text is empty"),
            (" \n", "the text is empty"),
            ("====", "no base64"),
            ("ä" * 8, "no base64"),
            ("/////w", "no base64"),
            ("not base64!", "no base64"),
            ("AAAA", "no Arrow schema"),
            (base64.b64encode(b"ARROW1\0\0" + bytes(64)).decode(), "no Arrow schema"),
            (base64.b64encode(b"\xff\xff\xff\xff\xff\xff\xff\x7f" + bytes(64)).decode(), "no Arrow schema"),
            (base64.b64encode(b"\xff" * 4096).decode(), "no Arrow schema"),
            ("A" * (MAX_TEXT + 1), "characters are too many"),
        ],
        ids=lambda each: each[:20],
    )
    def test_hostile_texts(self, text, message):
        with pytest.raises(SchemaDecodeError, match=message) as caught:
            decode(text)
        assert len(str(caught.value)) < 200

    def test_every_truncation_is_refused(self):
        data = base64.b64decode(encode(read_schema(SCHEMAS[0].table)[0]))
        for end in range(len(data)):
            with pytest.raises(SchemaDecodeError):
                decode(base64.b64encode(data[:end]).decode())

    def test_line_breaks_in_base64_are_nothing(self):
        text = encode(read_schema(SCHEMAS[0].table)[0])
        assert decode("\n".join(text[at : at + 64] for at in range(0, len(text), 64))) == decode(text)

    @settings(max_examples=300)
    @given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=8))
    def test_changed_bytes_are_a_schema_or_refused(self, changes):
        data = bytearray(base64.b64decode(encode(read_schema(SCHEMAS[4].table)[0])))
        for at, value in changes:
            data[at % len(data)] = value
        try:
            schema = decode(base64.b64encode(data).decode())
        except SchemaDecodeError:
            return
        assert decode(encode(schema)) == schema


def test_importing_the_package_does_not_import_pyarrow():
    modules = ["arrow", "forms", "notation", "python_source", "reading", "scalars", "tables", "types"]
    code = f"import sys\nfor each in {modules}: __import__('hatch_wallaroo.schema.' + each)\nprint('pyarrow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
