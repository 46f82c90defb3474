"""Every key of a document is found where it really stands, however the document is written."""

from __future__ import annotations

import re
import sys
from itertools import pairwise

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from hatch_wallaroo.config.rules import UNKNOWN_KEY
from hatch_wallaroo.config.toml.reading import Positions, locate_all, parse_document, read_document
from hatch_wallaroo.findings import Place

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

KEY = re.compile(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'|[A-Za-z0-9_-]+')


def spot(text, *key, column=None):
    place = Positions(text).locate(Place(key=key, column=column))
    return place.line, place.column


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ("a = 1", ("a",), (1, 1)),
        ("\n\n  a = 1", ("a",), (3, 3)),
        ("\ufeffa = 1", ("a",), (1, 1)),
        ("x = 1\r\na = 1\r\n", ("a",), (2, 1)),
        ("[a.b]\nc = 1", ("a",), (1, 2)),
        ("[a.b]\nc = 1", ("a", "b"), (1, 4)),
        ("[a.b]\nc = 1", ("a", "b", "c"), (2, 1)),
        ("[a.b]\n[a]\nc = 1", ("a",), (2, 2)),
        ("[ a . 'b' ]\nc = 1", ("a", "b"), (1, 7)),
        ("a.b . c = 1", ("a", "b", "c"), (1, 7)),
        ('"a.b".c = 1', ("a.b", "c"), (1, 7)),
        ('"a\\u00e9\\n" = 1', ("aé\n",), (1, 1)),
        ("a = { b = { c = 1 }, d.e = 2 }", ("a", "b", "c"), (1, 13)),
        ("a = { b = { c = 1 }, d.e = 2 }", ("a", "d", "e"), (1, 24)),
        ("a = [1, [2, 3], { b = 4 }]", ("a", 1, 1), (1, 13)),
        ("a = [1, [2, 3], { b = 4 }]", ("a", 2, "b"), (1, 19)),
        ("a = [ # x = 1\n  1, # ]\n  2\n]\nb = 1", ("a", 1), (3, 3)),
        ("a = [ # x = 1\n  1, # ]\n  2\n]\nb = 1", ("b",), (5, 1)),
        ("a = [\n]\n[b]\n", ("b",), (3, 2)),
        ("[[a]]\nx = 1\n[[a]]\nx = 2", ("a", 1, "x"), (4, 1)),
        ("[[a]]\nx = 1\n[[a]]\nx = 2", ("a", 1), (3, 3)),
        ("[[a]]\n[a.b]\n[[a]]\n[a.b]\nx = 1", ("a", 1, "b", "x"), (5, 1)),
        ("[[a]]\n[[a.b]]\n[[a.b]]\nx = 1", ("a", 0, "b", 1, "x"), (4, 1)),
        ('a = """\nb = 1\n\\""" ""\n"""\nb = 2', ("b",), (5, 1)),
        ("a = '''\nb = 1\n\\'''\nb = 2", ("b",), (4, 1)),
        ('a = """x"""""\nb = 2', ("b",), (2, 1)),
        ('a = "\\""\nb = \'c # d\' # e\nc = 1', ("c",), (3, 1)),
        ("a = 1979-05-27 07:32:00Z\nb = 1", ("b",), (2, 1)),
        ("a = [1979-05-27 07:32:00, 07:32:00]\nb = 1", ("a", 1), (1, 27)),
        ("a = true\nb = -inf\nc = 0xAB", ("c",), (3, 1)),
        ("[a]\nb = 1", ("a", "missing", "deeper"), (1, 2)),
        ("[a]\nb = [1]", ("a", "b", 7), (2, 1)),
        ("[a]\nb = 1", ("b",), (None, None)),
    ],
)
def test_where_a_key_stands(text, key, expected):
    assert spot(text, *key) == expected


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ('a = "unit8[4]"', 1, (1, 6)),
        ('a = "unit8[4]"', 7, (1, 12)),
        ("a = 'x\\ny'", 3, (1, 8)),
        ('a = "x\\ny"', 3, (1, 9)),
        ('a = "\\u00e9y"', 2, (1, 12)),
        ('a = """\nfloat\n[4]"""', 7, (3, 1)),
        ('a = """flo\\\n   at"""', 4, (2, 4)),
        ("a = '''\r\nx\r\ny'''", 3, (3, 1)),
        ('a = "abc"', 99, (1, 9)),
        ("a = 4", 3, (1, 1)),
    ],
)
def test_a_character_of_a_string(text, column, expected):
    assert spot(text, "a", column=column) == expected


def test_only_places_in_pyproject_are_filled_in():
    positions = Positions("a = 1")
    for place in (Place(), Place(file="model.onnx"), Place(key=("a",), file="x.py"), Place(key=("a",), line=7)):
        assert positions.locate(place) == place
    assert positions.locate(Place(key=("a",))) == Place(("a",), "pyproject.toml", 1, 1)
    assert positions.locate(Place(key=("b",), column=3)) == Place(("b",), "pyproject.toml")


def test_findings_are_located_and_the_file_is_read_only_where_needed(tmp_path):
    elsewhere = UNKNOWN_KEY.finding("x", place=Place(file="x.py", line=3))
    here = UNKNOWN_KEY.finding("x", place=Place(key=("a",)))
    assert locate_all([elsewhere], tmp_path / "missing") == [elsewhere]
    assert locate_all([here], tmp_path)[0].place == Place(("a",), "pyproject.toml")
    (tmp_path / "pyproject.toml").write_bytes(b"\xef\xbb\xbf# \xff\r\na = 1\r\n")
    assert [each.place.line for each in locate_all([here, elsewhere], tmp_path)] == [2, 3]


# Any document


names = st.one_of(
    st.sampled_from(["a", "b", "tool", "wallaroo", "x-y", "1", "a.b", "", '"', "'", "é", "# no", "[t]", "a = 1"]),
    st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=4),
)
scalars = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.floats(allow_nan=False),
    st.dates(),
    st.datetimes(),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=8),
    st.sampled_from(['"""', "'''", "a = 1\n[b]\n", "# x", "\\", "]", "}", ",", '"']),
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=12
)
documents = st.dictionaries(names, values, max_size=5)


def leaves(value, path=()):
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    else:
        yield path, value


def begins_with(text, value):
    """Whether a value of TOML stands at the beginning of a text, followed by an item's end."""
    for end in re.finditer(r"[,\]}\s]|$", text):
        try:
            if tomllib.loads(f"x = {text[: end.start()]}")["x"] == value:
                return True
        except tomllib.TOMLDecodeError:
            continue
    return False


def assert_all_found(text):
    parsed = tomllib.loads(text)
    lines = text.split("\n")
    positions = Positions(text)
    seen = []
    for path, value in leaves(parsed):
        if not path:
            continue
        place = positions.locate(Place(key=path))
        rest = "\n".join([lines[place.line - 1][place.column - 1 :], *lines[place.line :]])
        if isinstance(path[-1], int):
            # An empty table among [[tables]] has no text of its own but its header's key.
            found = KEY.match(rest)
            assert begins_with(rest, value) or (value == {} and tomllib.loads(f"{found[0]} = 0") == {path[-2]: 0})
        else:
            assert tomllib.loads(f"{KEY.match(rest)[0]} = 0") == {path[-1]: 0}
        seen.append((place.line, place.column))
    assert len(set(seen)) == len(seen)


@given(documents)
def test_every_leaf_that_tomlkit_writes(document):
    text = tomlkit.dumps(document)
    # tomlkit may write what TOML does not read back; only what is TOML is of interest here.
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert_all_found(text)


@st.composite
def written(draw):
    """A document in any of TOML's ways to write it: headers, dotted keys, inline tables, comments, line ends."""

    def space():
        return draw(st.sampled_from(["", " ", "\t", "  "]))

    def line_end():
        return draw(st.sampled_from(["\n", "\r\n", " # a = 1 ]\n", "\n\n"]))

    def key(name):
        literal = "'" not in name and all(each.isprintable() for each in name)
        styles = ["basic", *(["literal"] if literal else [])]
        if re.fullmatch(r"[A-Za-z0-9_-]+", name):
            styles += ["bare", "bare"]
        style = draw(st.sampled_from(styles))
        if style == "bare":
            return name
        if style == "literal":
            return f"'{name}'"
        return tomlkit.string(name).as_string()

    def scalar(value):
        literal = isinstance(value, str) and "'''" not in value and "\r" not in value and not value.endswith("'")
        if literal and draw(st.booleans()) and all(each.isprintable() or each == "\n" for each in value):
            return f"'''\n{value}'''"
        return tomlkit.item(value).as_string()

    def inline(value):
        if isinstance(value, dict):
            pairs = [
                f"{space()}{key(name)}{space()}={space()}{inline(inner)}{space()}" for name, inner in value.items()
            ]
            return "{" + ",".join(pairs) + "}"
        if isinstance(value, list):
            gap = draw(st.sampled_from(["", " ", "\n", " # ],\n"]))
            return f"[{gap}" + f"{gap},{gap}".join(map(inline, value)) + f"{gap}]"
        return scalar(value)

    def body(table, path):
        tables = []
        for name, value in table.items():
            choice = draw(st.integers(0, 2))
            if (isinstance(value, dict) and choice == 0) or (
                isinstance(value, list) and value and choice == 0 and all(isinstance(each, dict) for each in value)
            ):
                tables.append((name, value))
            elif isinstance(value, dict) and value and choice == 1:
                # Dotted keys, one a line.
                for inner_name, inner in value.items():
                    text.append(f"{key(name)}{space()}.{space()}{key(inner_name)} = {inline(inner)}{line_end()}")
            else:
                text.append(f"{space()}{key(name)}{space()}={space()}{inline(value)}{space()}{line_end()}")
        for name, value in tables:
            header = [*path, name]
            dotted = lambda parts: f"{space()}.{space()}".join(map(key, parts))  # noqa: E731 - draws anew each time
            for each in value if isinstance(value, list) else [None]:
                opening, closing = ("[[", "]]") if each is not None else ("[", "]")
                text.append(f"{space()}{opening}{space()}{dotted(header)}{space()}{closing}{line_end()}")
                body(value if each is None else each, header)

    text = []
    document = draw(documents)
    body(document, [])
    return "".join(text), document


@given(written())
def test_every_leaf_in_any_notation(case):
    text, document = case
    assert tomllib.loads(text) == document
    assert_all_found(text)


@given(st.text(st.sampled_from("ab.=[]{}\"'#,\\\n 1"), max_size=60))
def test_nothing_makes_the_scanner_fail(text):
    positions = Positions(text)
    place = positions.locate(Place(key=("a", "b", 0)))
    assert place.line is None or 1 <= place.line <= text.count("\n") + 1


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 100_000,
        "a = " + "{a=" * 50_000,
        "a." * 50_000 + "a = 1",
        "[" + "a." * 50_000 + "a]",
        'a = "' + "\\" * 1_000_000,
        'a = """' + '"x' * 500_000,
        "a = [" + "1," * 200_000 + "]",
        "[[a]]\n" * 20_000,
        "=\n" * 100_000,
    ],
    ids=lambda text: text[:8],
)
def test_hostile_documents_take_bounded_time(text):
    assert Positions(text).locate(Place(key=("b",))).line is None


# What is no TOML


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a = \n", 1, 5),
        ("a = 1\nb = x\n", 2, 5),
        ("\ufeffa = 1\nb c = 1\n", 2, 3),
        ("a = 1\r\na = 2\r\n", 2, 1),
        ("[a]\n  [a]\n", 2, 3),
        ("a = [1,\n", 1, 8),
        ('a = "C:\\models"', 1, 8),
    ],
)
def test_a_syntax_error_has_a_line_and_a_column(text, line, column):
    document = parse_document(text)
    assert document.table is None
    (finding,) = document.findings
    assert (finding.code, finding.place) == ("WLR002", Place(file="pyproject.toml", line=line, column=column))
    assert finding.fix


def test_a_document_on_disk(tmp_path):
    def only(root=tmp_path):
        (finding,) = read_document(root).findings
        return finding

    assert "no pyproject.toml" in only().message
    file = tmp_path / "pyproject.toml"
    file.write_bytes(b'a = "\xc3\xa9"\nb = "\xe9"\n')
    assert (only().place.line, only().place.column) == (2, 6)
    assert "UTF-8" in only().message
    file.write_bytes(b"#" * (17 << 20))
    assert "larger" in only().message
    file.write_text("a = " + "[" * 5000)
    assert only().code == "WLR002"
    file.write_text("[tool.wallaroo]\n")
    assert read_document(tmp_path).table == {"tool": {"wallaroo": {}}}
    file.unlink()
    file.mkdir()
    assert "cannot be read" in only().message


def test_lines_and_columns_of_offsets():
    positions = Positions("ab\ncd\n")
    assert [positions.line_and_column(offset) for offset in range(6)] == [
        (1, 1),
        (1, 2),
        (1, 3),
        (2, 1),
        (2, 2),
        (2, 3),
    ]
    assert all(a < b for a, b in pairwise(positions.line_and_column(offset) for offset in range(6)))
