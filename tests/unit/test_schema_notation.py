from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatch_wallaroo.schema.notation import MAX_DEPTH, NotationError, format_type, is_plain, parse_type
from hatch_wallaroo.schema.scalars import ALIASES, KNOWN, PLAIN, REFUSED, split
from hatch_wallaroo.schema.types import Dictionary, Field, ListOf, MapOf, Scalar, Struct, element, shape
from support.schemas import plain_types, types


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("float64", Scalar("float64")),
        ("string", Scalar("string")),
        ("float64[4]", ListOf(Scalar("float64"), 4)),
        ("float64[*]", ListOf(Scalar("float64"))),
        ("int64[*, 4]", ListOf(ListOf(Scalar("int64"), 4))),
        ("int64[100, 200, 3]", ListOf(ListOf(ListOf(Scalar("int64"), 3), 200), 100)),
        ("timestamp[us]", Scalar("timestamp[us]")),
        ("timestamp[us][4]", ListOf(Scalar("timestamp[us]"), 4)),
        ("timestamp[ns, tz=Europe/Berlin][*]", ListOf(Scalar("timestamp[ns, tz=Europe/Berlin]"))),
        ("timestamp[s, tz=+05:30]", Scalar("timestamp[s, tz=+05:30]")),
        ("duration[s]", Scalar("duration[s]")),
        ("time32[ms]", Scalar("time32[ms]")),
        ("time64[ns]", Scalar("time64[ns]")),
        ("date32", Scalar("date32")),
        ("date32[4]", ListOf(Scalar("date32"), 4)),
        ("date64[ms][4]", ListOf(Scalar("date64"), 4)),
        ("decimal128(10, 2)", Scalar("decimal128(10, 2)")),
        ("decimal128(38,-2)[3]", ListOf(Scalar("decimal128(38, -2)"), 3)),
        ("decimal256(76, 0)", Scalar("decimal256(76, 0)")),
        ("fixed_size_binary[16]", Scalar("fixed_size_binary[16]")),
        ("fixed_size_binary[16][2, 3]", ListOf(ListOf(Scalar("fixed_size_binary[16]"), 3), 2)),
        ("int8[2147483647]", ListOf(Scalar("int8"), 2147483647)),
    ],
)
def test_reads(text, expected):
    assert parse_type(text) == expected


@pytest.mark.parametrize(
    ("loose", "canonical"),
    [
        (" float64 [ 4 ,* ] ", "float64[4, *]"),
        ("\tint8\n", "int8"),
        ("float64[004]", "float64[4]"),
        ("timestamp [ us , tz = UTC ] [ 2 ]", "timestamp[us, tz=UTC][2]"),
        ("decimal128( 5 ,1 )", "decimal128(5, 1)"),
        ("date32[day]", "date32"),
        *((alias + "[3]", name + "[3]") for alias, name in ALIASES.items()),
    ],
)
def test_reads_other_spellings_and_writes_one(loose, canonical):
    assert format_type(parse_type(loose)) == canonical


@pytest.mark.parametrize(
    ("text", "column", "message", "fix"),
    [
        ("", 1, "missing", "float64[4]"),
        ("  ", 1, "missing", "float64[4]"),
        ("flaot64", 1, "'flaot64' is no dtype", "write float64"),
        ("  flaot64[3]", 3, "'flaot64' is no dtype", "write float64"),
        ("Float64", 1, "no dtype", "write float64"),
        ("Double", 1, "no dtype", "write float64"),
        ("INT64[2]", 1, "no dtype", "write int64"),
        ("float[3]", 1, "32 bits wide in Arrow and 64", "float64 or float32"),
        ("int", 1, "how wide", "int64 or int32"),
        ("null", 1, "null is not allowed", "optional = true"),
        ("null[3]", 1, "null is not allowed", "optional = true"),
        ("datetime64[ns]", 1, "NumPy", "timestamp[ns]"),
        ("np.float32", 1, "is code", "float32"),
        ("pa.bool_()", 1, "is code", "alone: bool"),
        ("[4]", 1, "no dtype", "float64[4]"),
        ("é", 1, "no dtype", "float64[4]"),
        ("list<double>", 1, "as a shape", "float64[*]"),
        ("struct<a: int8>", 1, "as text", 'type = "struct"'),
        ("float64(4)", 8, "square brackets", "float64[4]"),
        ("float64{4}", 8, "square brackets", "float64[4]"),
        ("float64[]", 9, "a size is missing", "[*]"),
        ("float64[ ]", 10, "a size is missing", "[*]"),
        ("float64[4,]", 11, "a size is missing", "[*]"),
        ("float64[,4]", 9, "a size is missing", "[*]"),
        ("float64[4", 8, "not closed", "write float64[4]"),
        ("float64[4, ", 8, "not closed", "write float64[4]"),
        ("float64[4][3]", 11, "a second shape", "float64[4, 3]"),
        ("float64[4] x", 12, "'x' is left over", "take it away"),
        ("float64[4]]", 11, "']' is left over", "take it away"),
        ("float64 float64", 9, "left over", "take it away"),
        ("float64[None, 4]", 9, "None is no size", "write *"),
        ("float64[4, -1]", 12, "-1 is no size", "write *"),
        ("float64[-2]", 9, "'-2' is no size", "whole number"),
        ("float64[4.0]", 9, "'4.0' is no size", "whole number"),
        ("int64[100x100x3]", 7, "no size", "100, 100, 3"),
        ("int64[٤]", 7, "no size", "whole number"),
        ("int64[1_000]", 7, "no size", "whole number"),
        ("int64[0]", 7, "holds nothing", "*"),
        ("int64[4, 00]", 10, "holds nothing", "*"),
        ("int64[2147483648]", 7, "more than Arrow's lists hold", "2147483647 at most"),
        ("int64[" + "9" * 900 + "]", 7, "more than Arrow's lists hold", "2147483647 at most"),
        ("timestamp", 1, "needs a unit", "timestamp[us, tz=UTC]"),
        ("timestamp[4]", 10, "takes a unit", "timestamp[us, tz=UTC]"),
        ("timestamp[us, UTC]", 10, "takes a unit", "timestamp[us, tz=UTC]"),
        ("time32[us]", 7, "takes a unit (s, ms)", "time32[ms]"),
        ("time64[s]", 7, "takes a unit (us, ns)", "time64[ns]"),
        ("decimal128", 1, "needs a precision", "decimal128(10, 2)"),
        ("decimal128(39, 2)", 11, "precision of 1 to 38", "decimal128(10, 2)"),
        ("decimal128(0, 0)", 11, "precision of 1 to 38", "decimal128(10, 2)"),
        ("decimal256(77, 0)", 11, "precision of 1 to 76", "decimal256(10, 2)"),
        ("fixed_size_binary", 1, "needs a width", "fixed_size_binary[16]"),
        ("fixed_size_binary[0]", 18, "takes a width", "fixed_size_binary[16]"),
        ("fixed_size_binary[268435456]", 18, "takes a width", "fixed_size_binary[16]"),
        ("string_view", 1, "does not know string_view", "write string"),
        ("int8[" + "1, " * MAX_DEPTH + "1]", 6 + 3 * MAX_DEPTH, "more than 32 dimensions", "32 at most"),
        ("float64[" + "1," * 10_000 + "1]", 1, "20,010 characters", "float64[4]"),
    ],
)
def test_refuses_with_the_column_and_a_fix(text, column, message, fix):
    with pytest.raises(NotationError) as caught:
        parse_type(text)
    error = caught.value
    assert message in error.message
    assert fix in error.fix
    assert error.column == column
    assert str(error) == error.message
    assert len(error.message) + len(error.fix) < 400


def test_a_fix_that_names_a_type_is_a_type():
    for name in (*KNOWN, *ALIASES):
        with pytest.raises(NotationError) as caught:
            parse_type(f"{name.upper()}[")
        assert "write" in caught.value.fix


def test_every_refused_name_is_refused_and_no_known_one_is():
    assert not set(REFUSED) & {*KNOWN, *ALIASES}
    for name in REFUSED:
        with pytest.raises(NotationError) as caught:
            parse_type(name)
        assert (caught.value.message, caught.value.fix) == REFUSED[name]


@given(plain_types())
def test_notation_and_types_are_two_forms_of_one_thing(type_):
    text = format_type(type_)
    assert is_plain(type_)
    assert parse_type(text) == type_
    assert format_type(parse_type(text)) == text
    sizes = ", ".join("*" if size is None else str(size) for size in shape(type_))
    assert text == element(type_).name + (f"[{sizes}]" if sizes else "")


@given(types())
def test_any_type_can_be_described(type_):
    text = format_type(type_)
    if is_plain(type_):
        assert parse_type(text) == type_
    else:
        with pytest.raises(NotationError):
            parse_type(text)


@settings(max_examples=300)
@given(st.one_of(st.text(), st.text("float64int[]()*, 0123456789.tz=us<>-")))
def test_any_text_is_read_or_refused_with_a_place_in_it(text):
    refused = None
    try:
        type_ = parse_type(text)
    except NotationError as error:
        refused = error
    else:
        assert parse_type(format_type(type_)) == type_
    if refused is not None:
        assert 1 <= refused.column <= len(text) + 1
        assert refused.fix


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        (
            Struct((Field("a", Scalar("int8")), Field("b", Scalar("string"), nullable=False))),
            "struct<a: int8, b: string not null>",
        ),
        (ListOf(Struct((Field("a", Scalar("int8")),)), 2), "struct<a: int8>[2]"),
        (ListOf(Scalar("int8"), 4, item_nullable=False), "list<item: int8 not null>[4]"),
        (ListOf(Scalar("int8"), large=True), "large_list<item: int8>"),
        (MapOf(Scalar("string"), Scalar("int8"), value_nullable=False), "map<string, int8 not null>"),
        (Dictionary(Scalar("int8"), Scalar("string"), ordered=True), "dictionary<int8, string, ordered>"),
    ],
)
def test_describes_what_the_notation_cannot_say(type_, text):
    assert format_type(type_) == text
    assert not is_plain(type_)


@pytest.mark.parametrize(
    "name", ["", "floot", "float64[4]", "timestamp", "timestamp[us,tz=UTC]", "decimal128(10,2)", "date32[day]"]
)
def test_only_canonical_dtypes_are_split(name):
    assert split(name) is None


def test_plain_dtypes_need_nothing():
    assert all(parse_type(name) == Scalar(name) for name in PLAIN)
