"""Schemas as Python: written for pyarrow, and read out of source that is never run. pyarrow itself is the judge."""

from __future__ import annotations

import time

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatch_wallaroo.schema.arrow import encode, from_arrow, to_arrow
from hatch_wallaroo.schema.forms import as_python
from hatch_wallaroo.schema.python_source import LONGEST, read_source, side_of
from hatch_wallaroo.schema.tables import read_schema
from hatch_wallaroo.schema.types import Field, ListOf, Scalar, Schema
from support.guide_schemas import GUIDE, SCHEMAS, extract
from support.schemas import schemas


def found_in(text):
    return read_source(text.encode(), "code.py")


def only(text):
    (found,) = found_in(text)
    assert found.findings == (), found.findings
    return found.schema


def told(text):
    """All findings of all schemas, as line, column and message."""
    findings = [each for found in read_source(text.encode(), "code.py") for each in found.findings]
    return [(each.place.line, each.place.column, each.message) for each in findings]


def by_pyarrow(code):
    return eval(code, {"pa": pa})


def plain(schema):
    """As Arrow has it, which knows no optional fields."""
    return from_arrow(to_arrow(schema))


class TestWriting:
    @given(schemas(optional=False))
    def test_pyarrow_makes_the_same_schema_of_it(self, schema):
        made = by_pyarrow(as_python(schema))
        assert made.equals(to_arrow(schema), check_metadata=True)
        assert from_arrow(made) == schema

    def test_it_is_the_guides_style(self):
        schema = Schema((Field("inputs", ListOf(Scalar("float64"), 4)), Field("top_k", Scalar("int64"), optional=True)))
        assert as_python(schema) == (
            "pa.schema([\n"
            "    pa.field('inputs', pa.list_(pa.float64(), list_size=4)),\n"
            "    pa.field('top_k', pa.int64()),  # optional\n"
            "])"
        )

    def test_a_dtype_that_is_none(self):
        with pytest.raises(ValueError, match="'float' is no dtype"):
            as_python(Schema((Field("x", Scalar("float")),)))


class TestReadingWhatIsWritten:
    @given(schemas(optional=False))
    def test_a_schema_reads_back(self, schema):
        assert only(as_python(schema)) == schema

    @given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=6))
    def test_so_do_optional_fields(self, flags):
        fields = tuple(
            Field(f"x{at}", Scalar("int8"), optional, nullable) for at, (optional, nullable) in enumerate(flags)
        )
        assert only(as_python(Schema(fields))) == Schema(fields)


class TestTheGuide:
    @pytest.mark.parametrize("schema", SCHEMAS, ids=lambda each: each.name)
    def test_the_table(self, schema):
        assert encode(only(schema.code)) == encode(read_schema(schema.table)[0])

    def test_its_own_text(self):
        if not GUIDE.exists():
            pytest.skip(f"{GUIDE.name} is not here")
        codes = extract(GUIDE.read_text(encoding="utf-8"))
        assert len(codes) == len(SCHEMAS)
        for code, schema in zip(codes, SCHEMAS, strict=True):
            read = only(code)
            assert encode(read) == encode(read_schema(schema.table)[0])
            assert to_arrow(read).equals(by_pyarrow(code))

    def test_its_comments_say_what_is_optional(self):
        if not GUIDE.exists():
            pytest.skip(f"{GUIDE.name} is not here")
        codes = dict(zip((each.name for each in SCHEMAS), extract(GUIDE.read_text(encoding="utf-8")), strict=True))
        named = {name: [field.name for field in only(code).fields if field.optional] for name, code in codes.items()}
        assert {name: fields for name, fields in named.items() if fields} == {
            "stable-diffusion-text-2-img, input": [
                *("num_inference_steps", "guidance_scale", "negative_prompt", "num_images_per_prompt", "eta")
            ],
            "text-classification, input": ["top_k", "function_to_apply"],
            "translation, input": [
                *("return_tensors", "return_text", "clean_up_tokenization_spaces", "src_lang", "tgt_lang")
            ],
            "zero-shot-classification, input": ["hypothesis_template", "multi_label"],
            "zero-shot-image-classification, input": ["hypothesis_template"],
            "text-generation, input": [
                *("return_tensors", "return_text", "return_full_text", "clean_up_tokenization_spaces"),
                *("prefix", "handle_long_generation"),
            ],
            "the upload example, input": ["hypothesis_template", "multi_label"],
        }

    def test_the_whole_upload_example(self):
        """Encoding, metadata and request stand around its schemas, and are no schemas."""
        if not GUIDE.exists():
            pytest.skip(f"{GUIDE.name} is not here")
        text = GUIDE.read_text(encoding="utf-8")
        start = text.index("input_schema = pa.schema([", text.index("Upload Converted Model Examples"))
        example = text[start : text.index("{'insert_models'", start)]
        assert [(each.name, each.side, each.findings) for each in found_in(example)] == [
            ("input_schema", "input", ()),
            ("output_schema", "output", ()),
        ]


AS_PYARROW = [
    "pa.schema([('x', 'int8')])",
    "pa.schema([('x', pa.int8(), False)])",
    "pa.schema((('x', pa.int8()),))",
    "pa.schema({'x': pa.int8(), 'y': 'float'})",
    "pa.schema(fields=[pa.field(name='x', type='string', nullable=False)])",
    "pa.schema([pa.field(b'x', pa.bool_())])",
    "pa.schema(pa.schema([('x', 'int8')]))",
    "pa.schema([pa.field('x', pa.list_(pa.int8(), 2))])",
    "pa.schema([pa.field('x', pa.list_(value_type=pa.int8(), list_size=-1))])",
    "pa.schema([pa.field('x', pa.list_(pa.field('e', pa.int8(), nullable=False), list_size=3))])",
    "pa.schema([pa.field('x', pa.large_list(pa.field('e', pa.int8())))])",
    "pa.schema([pa.field('x', pa.struct({'a': pa.int8(), 'b': pa.utf8()}))])",
    "pa.schema([pa.field('x', pa.struct([('a', 'int8'), pa.field('b', pa.large_utf8(), False)]))])",
    "pa.schema([pa.field('x', pa.struct(pa.schema([('a', 'int8')])))])",
    "pa.schema([pa.field('x', pa.map_('string', 'int8', True))])",
    "pa.schema([pa.field('x', pa.map_(pa.string(), pa.field('value', pa.int8(), nullable=False), keys_sorted=True))])",
    "pa.schema([pa.field('x', pa.dictionary('int8', pa.string(), True))])",
    "pa.schema([pa.field('x', pa.dictionary(index_type=pa.uint8(), value_type=pa.list_(pa.string())))])",
    "pa.schema([pa.field('x', pa.timestamp('us', 'UTC')), pa.field('y', pa.timestamp(unit='s', tz=None))])",
    "pa.schema([pa.field('x', pa.time32('ms')), ('y', pa.time64('ns')), ('z', pa.duration('s'))])",
    "pa.schema([('a', pa.decimal128(10)), ('b', pa.decimal128(38, -4)), ('c', pa.decimal256(precision=76, scale=2))])",
    "pa.schema([('a', pa.binary()), ('b', pa.binary(-1)), ('c', pa.binary(length=16)), ('d', pa.large_binary())])",
    "pa.schema([('a', pa.date32()), ('b', pa.date64()), ('c', pa.month_day_nano_interval()), ('d', pa.float16())])",
    "pa.schema([('a', pa.type_for_alias('float64'))])",
    "pa.schema([('x', 'int8')] + [('y', 'int8')])",
    "pa.schema([*[('x', 'int8')], ('y', 'int8')])",
    "pa.schema([('x', pa.list_(pa.int8(), 28 * 28 + 1 - 2 // 1))])",
    "pa.schema([('x' + '_1', 'int8'), ('y' * 2, 'int8')])",
    "pa.schema([pa.field('x', pa.list_(pa.int8(), 2.5), nullable=0)])",
    "pa.schema([pa.field('x', pa.map_('string', 'int8', keys_sorted=1))])",
    "pa.schema([pa.field(n, pa.int8()) for n in ['x', 'y']])",
    "pa.schema(pa.field(n, 'int8') for n in 'xy')",
    "pa.schema([pa.field(f'x_{i}', t) for i, t in enumerate([pa.int8(), pa.string()])])",
    "pa.schema([(f'{a}{b}', 'int8') for a in 'xy' for b in range(2)])",
    "pa.schema({n: pa.list_(pa.int8(), size) for n, size in {'x': 2, 'y': 3}.items()})",
    "pa.schema([pa.field(n, t) for n, t in zip(('x', 'y'), (pa.int8(), pa.utf8()))] + [pa.field('z', pa.bool_())])",
    "pa.schema([('x', 'int8')], metadata={b'pandas': b'{}'}).remove_metadata()",
    *(
        f"pa.schema([('x', {alias!r})])"
        for alias in [
            "bool",
            "boolean",
            "i1",
            "i2",
            "i4",
            "i8",
            "u1",
            "u2",
            "u4",
            "u8",
            "f2",
            "f4",
            "f8",
            "halffloat",
            "float",
            "double",
            "str",
            "utf8",
            "string",
            "large_string",
            "large_str",
            "large_utf8",
            "binary",
            "large_binary",
            "date32",
            "date32[day]",
            "date64",
            "date64[ms]",
            "time32[s]",
            "time64[us]",
            "timestamp[ns]",
            "duration[ms]",
            "month_day_nano_interval",
            "int8",
            "uint64",
            "float16",
            "float64",
        ]
    ),
]


class TestExpressions:
    @pytest.mark.parametrize("code", AS_PYARROW)
    def test_they_mean_what_they_mean_to_pyarrow(self, code):
        assert only(code) == from_arrow(by_pyarrow(code))

    @pytest.mark.parametrize(
        ("code", "column", "message"),
        [
            ("pa.schema([('x', 'int')])", 1, "No type alias for int"),
            ("pa.schema([('x', 'half')])", 1, "No type alias for half"),
            ("pa.schema([('x', 'timestamp[us, tz=UTC]')])", 1, "No type alias for timestamp[us, tz=utc]"),
            ("pa.schema([('x', 'decimal128(10, 2)')])", 1, "No type alias for decimal128(10, 2)"),
            ("pa.schema([('x', 'fixed_size_binary[4]')])", 1, "No type alias for fixed_size_binary[4]"),
            ("pa.schema([('x', pa.int8)])", 1, "pa.int8 is a function, not a type"),
            ("pa.schema([('x', None)])", 1, "pyarrow refuses pa.schema(...)"),
            ("pa.schema([pa.field('x')])", 12, "pyarrow refuses pa.field(...)"),
            ("pa.schema([pa.field(5, pa.int8())])", 12, "pyarrow refuses pa.field(...): expected bytes, int found"),
            ("pa.schema([pa.field('\\ud800', pa.int8())])", 12, "surrogates not allowed"),
            ("pa.schema([pa.field('x', pa.int8(), sizes=0)])", 12, "unexpected keyword argument 'sizes'"),
            ("pa.schema([pa.field('x', pa.int8(), type='int8')])", 12, "pyarrow refuses pa.field(...)"),
            ("pa.schema([pa.field('x', pa.list_(pa.int8(), 0))])", 26, "a list of size 0 holds nothing"),
            ("pa.schema([pa.field('x', pa.list_(pa.int8(), 2**4))])", 46, "2 and 4 cannot be joined here"),
            ("pa.schema([pa.field('x', pa.list_(pa.int8(), size=4))])", 26, "unexpected keyword argument 'size'"),
            ("pa.schema([pa.field('x', pa.list_('int8', 4, 5))])", 26, "pyarrow refuses pa.list_(...)"),
            ("pa.schema([pa.field('x', pa.struct([]))])", 26, "the struct has no fields"),
            ("pa.schema([])", 1, "the schema has no fields"),
            ("pa.schema('x')", 1, "pyarrow refuses pa.schema(...)"),
            ("pa.schema([['x', 'int8']])", 1, "Cannot convert list to pyarrow.lib.Field"),
            ("pa.schema([pa.int8()])", 1, "Cannot convert pyarrow.lib.DataType to pyarrow.lib.Field"),
            ("pa.schema([('x', 'int8'), ('x', 'int8')])", 1, "two fields are called 'x'"),
            ("pa.schema([('x', pa.null())])", 18, "null is not allowed"),
            ("pa.schema([('x', pa.string_view())])", 18, "the platform's Arrow does not know string_view"),
            ("pa.schema([('x', pa.list_view(pa.int8()))])", 18, "pa.list_view makes no type that Wallaroo takes"),
            ("pa.schema([('x', pa.decimal32(5, 2))])", 18, "pa.decimal32 makes no type that Wallaroo takes"),
            ("pa.schema([('x', pa.flaot64())])", 18, "pa.flaot64 makes no type"),
            ("pa.schema([('x', pa.timestamp('xs'))])", 18, "pyarrow refuses pa.timestamp(...)"),
            ("pa.schema([('x', pa.time32('ns'))])", 18, "pyarrow refuses pa.time32(...)"),
            ("pa.schema([('x', pa.decimal128(40, 2))])", 18, "pyarrow refuses pa.decimal128(...)"),
            ("pa.schema([('x', pa.decimal128('10'))])", 18, "pyarrow refuses pa.decimal128(...)"),
            ("pa.schema([('x', pa.binary(0))])", 18, "Wallaroo cannot take fixed_size_binary[0]"),
            ("pa.schema([('x', pa.dictionary(pa.float32(), pa.string()))])", 18, "pyarrow refuses pa.dictionary(...)"),
            ("pa.schema([('x', pa.dictionary('int8', pa.dictionary('int8', 'string')))])", 18, "a dictionary of"),
            ("pa.schema([pa.field(n, 'int8') for n in names])", 41, "nothing is assigned to names"),
            ("pa.schema([pa.field(n, 'int8') for n in ['x'] if n])", 11, "a comprehension with a condition"),
            ("pa.schema([pa.field(n, 'int8') for n in 5])", 41, "a comprehension over 5"),
            ("pa.schema([pa.field(n, 'int8') for n in range(10**9)])", 47, "10 and 9 cannot be joined here"),
            ("pa.schema([pa.field(n, 'int8') for n in range(1000000000)])", 41, "more than 20,000 items"),
            ("pa.schema([pa.field(f'x{1:99}', 'int8')])", 21, "what an f-string gives"),
            ("pa.schema([pa.field('x', pa.__init__)])", 26, "pa.__init__ makes no type"),
            ("pa.schema([pa.field('x', pa.int8().__class__)])", 26, "tells what pa.int8().__class__ is"),
            ("pa.schema([pa.field('x', pa.int8)])", 12, "pa.int8 is a function, not a type"),
            ("pa.schema([[[[]]]])", 1, "pa.schema is given a list inside of others"),
            ("pa.schema([pa])", 1, "pa.schema is given a module"),
            ("pa.schema([pa.field('x', T[0])])", 26, "what an item gives"),
            ("pa.schema([pa.field('x', a if b else c)])", 26, "what a condition gives"),
            ("pa.schema([pa.field('x', make())])", 26, "nothing is assigned to make before line 1"),
            ("pa.schema(**{'fields': []})", 13, "** in a call"),
            ("pa.schema([pa.field(*'x')])", 21, "* before 'x'"),
            ("pa.schema({**a})", 11, "** in a dict"),
            ("pa.schema({(1, 2): 'int8'})", 12, "a tuple as a key of a dict"),
            ("pa.schema([('x', pa.list_(pa.int8(), 99999999999999999999))])", 38, "so great a number"),
        ],
    )
    def test_what_is_refused_is_placed_and_named(self, code, column, message):
        ((line, at, said),) = told(code)
        assert (line, at) == (1, column)
        assert message in said

    def test_columns_count_characters(self):
        assert told("ä = 'äöü'; ö_schema = pa.schema([('ü', pa.null())])") == [
            (1, 40, "null is not allowed: the platform needs a value of the declared type in every field")
        ]

    def test_all_that_is_wrong_is_told_at_once(self):
        code = "x_schema = pa.schema([\n  ('a', pa.null()),\n  ('b', pa.list_(pa.int8(), 0)),\n  pa.field('c', d),\n])"
        assert [line for line, _, _ in told(code)] == [2, 3, 4]

    @pytest.mark.parametrize("depth", [32, 33])
    def test_as_deep_as_types_may_nest(self, depth):
        code = f"pa.schema([('x', {'pa.list_(' * depth}pa.int8(){')' * depth})])"
        if depth == 32:
            assert only(code) == from_arrow(by_pyarrow(code))
        else:
            assert [message for _, _, message in told(code)] == ["types are nested more than 32 deep"]


FIELDS = "pa.schema([pa.field('x', pa.int8()), pa.field('y', pa.int8())])"
XY = Schema((Field("x", Scalar("int8")), Field("y", Scalar("int8"))))


class TestStatements:
    @pytest.mark.parametrize(
        "code",
        [
            f"import pyarrow\ninput_schema = {FIELDS.replace('pa.', 'pyarrow.')}",
            f"import pyarrow as arrow\ninput_schema = {FIELDS.replace('pa.', 'arrow.')}",
            "from pyarrow import schema, field as F, int8\ninput_schema = schema([F('x', int8()), F('y', int8())])",
            "from pyarrow import *\ninput_schema = schema([field('x', int8()), field('y', int8())])",
            f"try:\n    import pyarrow as pa\nexcept ImportError:\n    pa = None\ninput_schema = {FIELDS}",
            f"input_schema: pa.Schema = {FIELDS}",
            f"if __name__ == '__main__':\n    input_schema = {FIELDS}",
            f"with open('x') as f:\n    input_schema = {FIELDS}",
            f"def upload():\n    input_schema = {FIELDS}\n    return 1",
            f"class Config:\n    input_schema = {FIELDS}",
            f"class Config:\n    def __init__(self):\n        self.input_schema = {FIELDS}",
            f"wl.upload_model('m', 'm.zip', input_schema={FIELDS})",
            f"s = {FIELDS}\nwl.upload_model('m', input_schema=s)",
            "t = pa.int8()\ninput_schema = pa.schema([('x', t), ('y', t)])",
            "fs = [('x', 'int8')]\nfs.append(('y', 'int8'))\ninput_schema = pa.schema(fs)",
            "fs = [('x', 'int8')]\nfs.extend([pa.field('y', pa.int8())])\ninput_schema = pa.schema(fs)",
            "fs = other = []\nfs += [('x', 'int8')]\nother += (('y', 'int8'),)\ninput_schema = pa.schema(fs)",
            "a, (b, c) = 'x', ('y', pa.int8())\ninput_schema = pa.schema([(a, c), (b, c)])",
            "fs = [('x', 'int8'), ('y', 'int8')]\ndef f():\n    fs.append(1)\ninput_schema = pa.schema(fs)",
            "fs = [('x', 'int8'), ('y', 'int8')]\nfor f in fs:\n    print(f)\ninput_schema = pa.schema(fs)",
            "n = 'x'\nt = pa.int8()\nn += ''\ninput_schema = pa.schema([(n, t), ('y', t)])",
            f"# coding: latin-1\ninput_schema = {FIELDS}  # \xe4",
        ],
    )
    def test_what_names_hold_is_followed(self, code):
        found = read_source(code.encode("latin-1"), "code.py")
        assert [each.schema for each in found if each.side == "input"] == [XY]
        assert [each.findings for each in found] == [()] * len(found)

    @pytest.mark.parametrize(
        ("code", "line", "message"),
        [
            (
                "fs = []\nfor n in 'xy':\n    fs.append((n, 'int8'))\ninput_schema = pa.schema(fs)",
                3,
                "fs is set by a loop",
            ),
            ("while x:\n    t = pa.int8()\ninput_schema = pa.schema([('x', t)])", 2, "t is set by a loop"),
            (
                "if big:\n    n = 4\ninput_schema = pa.schema([('x', pa.list_(pa.int8(), n))])",
                2,
                "n is set by a condition",
            ),
            ("t = pa.int8()\ndel t\ninput_schema = pa.schema([('x', t)])", 2, "t is set by del"),
            ("fs = [1]\nfs[0] = ('x', 'int8')\ninput_schema = pa.schema(fs)", 2, "only running the code tells"),
            ("fs = []\nfs.insert(0, ('x', 'int8'))\ninput_schema = pa.schema(fs)", 2, "only running the code tells"),
            ("if big:\n    input_schema = pa.schema([('x', 'int8')])", 2, "input_schema is set by a condition"),
            ("match x:\n    case 1:\n        input_schema = pa.schema([('x', 'int8')])", 3, "is set by a condition"),
            ("input_schema = pa.Schema.from_pandas(df)", 1, "pa.Schema makes no type"),
            ("input_schema = load()", 1, "nothing is assigned to load"),
            ("import numpy as np\ninput_schema = pa.schema([('x', np.int8)])", 2, "tells what np.int8 is"),
            ("import pyarrow.compute as pa\ninput_schema = pa.schema([('x', 'int8')])", 2, "tells what pa.schema is"),
            ("import torch as pa\ninput_schema = pa.schema([('x', 'int8')])", 2, "tells what pa.schema is"),
            ("from pyarrow import table\ninput_schema = pa.schema([('x', table)])", 1, "pa.table makes no type"),
            ("input_schema = 5", 1, "input_schema is no pa.schema(...)"),
            ("a, b = f()\ninput_schema = pa.schema([(a, b)])", 1, "only running the code tells"),
        ],
    )
    def test_what_only_running_tells_is_said_with_its_line(self, code, line, message):
        ((at, _, said), *_) = told(code)
        assert at == line
        assert message in said

    def test_what_no_schema_needs_is_not_complained_about(self):
        code = f"x = [n for n in f()]\nfor i in x: y = i\nz = pa.nonsense()\nschema = {FIELDS}\ndel x"
        assert only(code) == XY

    def test_where_a_comment_belongs(self):
        code = (
            "s = pa.schema([pa.field('a', 'int8'), pa.field('b', 'int8'),  # optional\n"
            "  ('c', 'int8'),  # Optional: why not\n"
            "  pa.field('d',  # optional\n"
            "           pa.struct([pa.field('e', 'int8')])),\n"
            "  pa.field('f', pa.struct([pa.field('g', 'int8'),  # optional\n"
            "                           pa.field('h', 'int8')])),  # required, not optional\n"
            "  # pa.field('i', 'int8'),  # optional\n"
            "])"
        )
        schema = only(code)
        assert [each.name for each in schema.fields if each.optional] == ["b", "c", "d"]
        assert [each.name for each in schema.fields[4].type.fields if each.optional] == ["g"]
        assert plain(schema) == from_arrow(by_pyarrow(code[4:]))

    def test_names_and_sides(self):
        code = f"in_ = {FIELDS}\nccfraud_input_schema = in_\nOutputSchema = {FIELDS}\n{FIELDS}\nx.input_schema = in_"
        assert [(each.name, each.side, each.line) for each in found_in(code)] == [
            ("in_", None, 1),
            ("ccfraud_input_schema", "input", 2),
            ("OutputSchema", "output", 3),
            ("", None, 4),
            ("input_schema", "input", 5),
        ]
        assert side_of("input_schema_and_output_schema") is None

    def test_a_schema_that_is_passed_on_is_found_once(self):
        code = f"input_schema = {FIELDS}\nf(input_schema=input_schema)\ng(input_schema=input_schema)"
        assert [(each.name, each.line) for each in found_in(code)] == [("input_schema", 1)]
        code = f"s = {FIELDS}\nf(input_schema=s)\ng(input_schema=s, output_schema=s)"
        assert [(each.name, each.line) for each in found_in(code)] == [
            ("s", 1),
            ("input_schema", 2),
            ("output_schema", 3),
        ]

    @pytest.mark.parametrize(
        ("code", "names"),
        [
            ("pa.schema([('x', 'int8')], metadata={'pandas': ''})", "pandas"),
            ("pa.schema([('x', 'int8')]).with_metadata(m)", "..."),
            ("pa.schema([pa.field('x', 'int8', metadata={'a': 'b'})])", "a"),
            ("pa.schema([pa.field('x', 'int8', metadata=None)])", None),
            ("pa.schema([('x', 'int8')])  # optional", None),
        ],
    )
    def test_metadata_is_noticed(self, code, names):
        (found,) = found_in(code)
        notes = (f"left out the metadata ({names}): the platform refuses schemas that carry some",) if names else ()
        assert found.notes == notes


TOO_MUCH = "the code makes more values than any schema"


class TestHostileSources:
    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (b"input_schema = pa.schema([", "this is no Python: '[' was never closed"),
            (b"def", "this is no Python: invalid syntax"),
            (b"\0", "this is no Python"),
            (b"\xff\xfe", "this is no Python"),
            (b"# coding: nonsense\nx = 1", "this is no Python: unknown encoding"),
            (b"x = " + b"(" * 10_000, "this is no Python: too many nested parentheses"),
            (b"x = " + b"-" * 200_000 + b"1", "nested too deeply"),
            (b"x = " + b"+".join([b"1"] * 200_000), "nested too deeply"),
            (b"x" + b".a" * 400_000, "nested too deeply"),
            (b"x" + b"()" * 400_000, "nested too deeply"),
            (b"x = (\n" + b"a + [b][0] +\n" * 100_000 + b"c)", "nested too deeply"),
            (b"x = {1: " + b"x[0]" * 100_000 + b"}", "nested too deeply"),
            (b"x = (a, b)\n" * 20_000 + b"x = " + b"1+" * 200_000 + b"1", "nested too deeply"),
            (b" " * (LONGEST + 1), "bytes are too many for source code"),
        ],
        ids=lambda each: str(each)[:20],
    )
    def test_what_is_no_python(self, data, message):
        (found,) = read_source(data, "code.py")
        assert found.schema is None
        assert message in found.findings[0].message

    def test_nothing_is_run(self, tmp_path):
        target = tmp_path / "run"
        found_in(f"open({str(target)!r}, 'w')\ninput_schema = pa.schema([('x', 'int8')])\n__import__('os').remove('x')")
        assert not target.exists()

    @pytest.mark.parametrize(
        ("code", "message"),
        [
            ("a = [('x', 'int8')]\n" + "a = a + a\n" * 100, "more than 20,000 items"),
            ("a = [1] * 9000\n" + "".join(f"a{n} = a + a\n" for n in range(20_000)), TOO_MUCH),
            ("a = [1] * 20000\n" + "".join(f"a{n} = [*a]\n" for n in range(5_000)), TOO_MUCH),
            ("a = [1] * 20000\n" + "".join(f"def f{n}(): pass\n" for n in range(5_000)), TOO_MUCH),
            ("a = 'x' * 20000\n" + "".join(f"b{n} = a * 1\n" for n in range(5_000)), TOO_MUCH),
            ("a = 9\n" + "a = a * a\n" * 64, "so great a number"),
            ("a = [x for x in range(9999) for y in range(9999)]\n", TOO_MUCH),
            ("a = [" + "-" * 900 + "x for x in range(19999)]\n", TOO_MUCH),
            ("a = [('x' * 9999, 'int8')] * 9999\n", "more than 50,000 types and fields"),
            ("a = [('x',) * 20000] * 20000\n", "more than 50,000 types and fields"),
            ("a = []\n" + "a = [a, a]\n" * 60, "is given a list inside of others"),
            (
                "t = pa.struct([('a', 'int8')])\n" + "t = pa.struct([('a', t), ('b', t)])\n" * 28 + "a = [('x', t)]\n",
                "more than 50,000 types and fields",
            ),
        ],
        ids=[
            "doubled list",
            "many lists",
            "many copies",
            "many functions",
            "many texts",
            "great number",
            "nested comprehension",
            "long comprehension",
            "long names",
            "shared tuples",
            "shared lists",
            "doubled type",
        ],
    )
    def test_small_sources_stay_small(self, code, message):
        start = time.perf_counter()
        assert message in told(f"{code}s_schema = pa.schema(a)")[0][2]
        assert time.perf_counter() - start < 60

    def test_a_wide_schema_is_no_long_chain(self):
        fields = ", ".join(f"('x{at}', pa.float64())" for at in range(12_000))
        assert len(only(f"pa.schema([{fields}])").fields) == 12_000

    @settings(max_examples=200)
    @given(st.text("pa.schemfildt_([']),:=\n #optinx0", max_size=80))
    def test_no_text_raises(self, text):
        read_source(text.encode(), "code.py")
