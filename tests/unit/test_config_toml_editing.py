"""Edits of a pyproject.toml: what was asked for is there afterwards, and every byte of the user's still stands."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from hatch_wallaroo.config.toml import splicing
from hatch_wallaroo.config.toml.documents import merged, same, value_at, with_value, without
from hatch_wallaroo.config.toml.editing import Edit, EditError, edit_pyproject

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def edit(tmp_path: Path, text: str) -> Edit:
    path = tmp_path / "pyproject.toml"
    path.write_bytes(text.encode())
    return Edit(path)


# Setting keys: before, key, value, after

HEADER = "[tool.wallaroo]\n"
SET = {
    "an empty file": ("", "tool.wallaroo.release", "2026.1", '[tool.wallaroo]\nrelease = "2026.1"\n'),
    "the end of a table": (
        '[tool.wallaroo]\nframework = "onnx"\n\n[tool.ruff]\nx = 1\n',
        "tool.wallaroo.model",
        "m.onnx",
        '[tool.wallaroo]\nframework = "onnx"\nmodel = "m.onnx"\n\n[tool.ruff]\nx = 1\n',
    ),
    "a header alone": (f"{HEADER}\n[b]\n", "tool.wallaroo.release", "1", f'{HEADER}release = "1"\n\n[b]\n'),
    "the comment of the next table stays with it": (
        "[a]\nx = 1\n# about b\n[b]\ny = 1\n",
        "a.z",
        2,
        "[a]\nx = 1\nz = 2\n# about b\n[b]\ny = 1\n",
    ),
    "a comment behind the last value": ("[a]\nx = 1 # one\n", "a.y", 2, "[a]\nx = 1 # one\ny = 2\n"),
    "an indented table": ("[a]\n  x = 1\n", "a.y", 2, "[a]\n  x = 1\n  y = 2\n"),
    "no end of line at the end": ("[a]\nx = 1", "a.y", 2, "[a]\nx = 1\ny = 2\n"),
    "CRLF": ("[a]\r\nx = 1\r\n", "a.y", 2, "[a]\r\nx = 1\r\ny = 2\r\n"),
    "mixed ends: as the line above": ("[a]\nx = 1\n[b]\r\ny = 1\r\n", "a.z", 2, "[a]\nx = 1\nz = 2\n[b]\r\ny = 1\r\n"),
    "another table of a kind": (
        "[tool.ruff]\nx = 1\n\n[tool.wallaroo]\ny = 1\n\n# last\n[z]\n",
        "tool.wallaroo.byop.load",
        "a:b",
        '[tool.ruff]\nx = 1\n\n[tool.wallaroo]\ny = 1\n\n[tool.wallaroo.byop]\nload = "a:b"\n\n# last\n[z]\n',
    ),
    "a table that its parts imply": (
        "# the model\n[tool.wallaroo.byop]\nload = 'a:b'\n",
        "tool.wallaroo.release",
        "1",
        "[tool.wallaroo]\nrelease = \"1\"\n\n# the model\n[tool.wallaroo.byop]\nload = 'a:b'\n",
    ),
    "out of order": (
        "[tool.wallaroo.byop]\nload = 'a:b'\n\n[project]\nname = 'x'\n\n[tool.wallaroo]\nrelease = '1'\n",
        "tool.wallaroo.framework",
        "custom",
        "[tool.wallaroo.byop]\nload = 'a:b'\n\n[project]\nname = 'x'\n\n[tool.wallaroo]\nrelease = '1'\nframework = \"custom\"\n",
    ),
    "dotted keys": (
        "[tool]\nwallaroo.framework = 'onnx'\nruff.x = 1\n",
        "tool.wallaroo.model",
        "m.onnx",
        "[tool]\nwallaroo.framework = 'onnx'\nwallaroo.model = \"m.onnx\"\nruff.x = 1\n",
    ),
    "dotted keys of the root": (
        "tool.wallaroo.framework = 'onnx'\n\n[project]\nname = 'x'\n",
        "tool.wallaroo.input-schema.inputs",
        "float64[4]",
        "tool.wallaroo.framework = 'onnx'\ntool.wallaroo.input-schema.inputs = \"float64[4]\"\n\n[project]\nname = 'x'\n",
    ),
    "an inline table": (
        "[tool]\nwallaroo = { framework = 'onnx' } # one line\n",
        "tool.wallaroo.model",
        "m.onnx",
        "[tool]\nwallaroo = { framework = 'onnx', model = \"m.onnx\" } # one line\n",
    ),
    "an empty inline table": ("[tool]\nwallaroo = {}\n", "tool.wallaroo.x", 1, "[tool]\nwallaroo = { x = 1 }\n"),
    "an inline table in an inline table": (
        "tool = { wallaroo = { byop = { load = 'a:b' }, x = 1 } }\n",
        "tool.wallaroo.byop.predict",
        "a:c",
        "tool = { wallaroo = { byop = { load = 'a:b', predict = \"a:c\"}, x = 1 } }\n",
    ),
    "dots in an inline table": (
        "tool = { wallaroo.byop.load = 'a:b' }\n",
        "tool.wallaroo.byop.predict",
        "a:c",
        "tool = { wallaroo.byop.load = 'a:b', wallaroo.byop.predict = \"a:c\" }\n",
    ),
    "another value": ("[a]\nx = 1 # one\ny = 2\n", "a.x", [1], "[a]\nx = [1] # one\ny = 2\n"),
    "another value inside braces": ("[a]\nx = { y = 1, z = 2 }\n", "a.x.y", "q", '[a]\nx = { y = "q", z = 2 }\n'),
    "a text of several lines": ('[a]\nx = """\na = 1\n[b]\n"""\n', "a.x", 1, "[a]\nx = 1\n"),
    "an array that grows": ('a = ["x"] # c\n', "a", ["x", "y"], 'a = ["x", "y"] # c\n'),
    "an array that was empty": ("a = [ ]\n", "a", ["y"], 'a = ["y" ]\n'),
    "an array of many lines": (
        'a = [\n  "x", # first\n  # more to come\n]\n',
        "a",
        ["x", "y"],
        'a = [\n  "x", # first\n  # more to come\n  "y"\n]\n',
    ),
    "an array of many lines without a last comma": (
        'a = [\n  "x",\n  "z" # last\n]\n',
        "a",
        ["x", "z", "y"],
        'a = [\n  "x",\n  "z", # last\n  "y"\n]\n',
    ),
    "an array that closes behind its last item": ('a = [\n  "x",\n  "z"]\nb = 1\n', "a", ["x", "z", "y"],
        'a = [\n  "x",\n  "z",\n  "y"]\nb = 1\n'),
    "an array with a comma on the next line": ('a = [\n  "x"\n  ,\n]\n', "a", ["x", "y"],
        'a = [\n  "x"\n  ,\n  "y"\n  ,\n]\n'),
    "an array that loses an item, and gets another": (
        'a = [\n  "x", # first\n  # about z\n  "z", # second\n  "w" # third\n]\n',
        "a",
        ["z", "v"],
        'a = [\n  # about z\n  "z", # second\n  "v" # third\n]\n',
    ),
    "an array with a comment below its last item": (
        'a = [\n  "x"\n  # more to come\n]\n',
        "a",
        ["x", "y"],
        'a = [\n  "x",\n  # more to come\n  "y"\n]\n',
    ),
    "an array that changes": ('a = ["x", "z"]\n', "a", ["y"], 'a = ["y"]\n'),
    "a long list": (
        "[a]\n",
        "a.x",
        ["a" * 60, "b" * 60],
        f'[a]\nx = [\n    "{"a" * 60}",\n    "{"b" * 60}",\n]\n',
    ),
    "a table gets other keys": (
        "[a]\nx = 1 # keep\ny = 2\n\n[b]\n",
        "a",
        {"x": 1, "z": 3},
        "[a]\nx = 1 # keep\nz = 3\n\n[b]\n",
    ),
    "a table gets another order": ("[a]\nx = 1\ny = 2\n", "a", {"y": 2, "x": 1}, "[a]\ny = 2\nx = 1\n"),
    "an inline table gets another order": ("a = { x = 1, y = 2 }\n", "a", {"y": 2, "x": 1}, "a = { y = 2, x = 1 }\n"),
    "a key that needs quotes": ("", 'a."b c"."d"', 'e"\n', '[a."b c"]\nd = "e\\"\\n"\n'),
    "a key of the root": ("# top\n[a]\nx = 1\n", "y", 2, "y = 2\n# top\n[a]\nx = 1\n"),
}  # fmt: skip


def parts(key: str) -> tuple[str, ...]:
    value = tomllib.loads(f"{key} = 0")
    found: list[str] = []
    while isinstance(value, dict):
        ((name, value),) = value.items()
        found.append(name)
    return tuple(found)


@pytest.mark.parametrize("case", SET)
def test_setting_a_key(tmp_path: Path, case: str) -> None:
    before, key, value, after = SET[case]
    changed = edit(tmp_path, before)
    changed.set(parts(key), value)
    assert changed.after == after
    assert value_at(tomllib.loads(after), parts(key)) == value
    again = edit(tmp_path, after)
    again.set(parts(key), value)
    assert not again.changed
    assert again.diff() == ""


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("a = [1, # one\n2]\n", "a", [1, 2]),
        ("a = {y = 1,  z = [2]}\n", "a", {"y": 1, "z": [2]}),
        ("[a]\nx = 0x10\ny.z = 'b'\n", "a", {"x": 16, "y": {"z": "b"}}),
        ('a = """\nb"""\n', "a", "b"),
    ],
)
def test_a_value_of_the_same_content_stays_as_it_is_written(tmp_path: Path, text: str, key: str, value: object) -> None:
    changed = edit(tmp_path, text)
    changed.set(parts(key), value)
    assert not changed.changed


def test_true_is_not_one(tmp_path: Path) -> None:
    changed = edit(tmp_path, "a = 1\n")
    changed.set(("a",), value=True)
    assert changed.after == "a = true\n"


@pytest.mark.parametrize(
    ("text", "key", "value", "said"),
    [
        ("tool = 1\n", "tool.wallaroo.x", 1, "tool is no table"),
        ("[tool]\nwallaroo = 'x'\n", "tool.wallaroo.x", 1, "tool.wallaroo is no table"),
        ("[[tool.wallaroo]]\nx = 1\n", "tool.wallaroo.y", 1, "tool.wallaroo is a list of tables"),
        ("[[a]]\nx = 1\n[a.b]\n", "a.b.y", 1, "a is a list of tables"),
        ("a = [{ x = 1 }]\n", "a.y", 1, "a is a list of tables"),
        ("a = { x = 1 }\n", "a.x.y", 1, r"a\.x is no table"),
        ("[a]\nx = 1\n", "a", 5, "a is a table"),
    ],
)
def test_what_is_in_the_way_is_said(tmp_path: Path, text: str, key: str, value: object, said: str) -> None:
    changed = edit(tmp_path, text)
    with pytest.raises(EditError, match=said) as raised:
        changed.set(parts(key), value)
    assert raised.value.fix
    assert changed.after == text


# Tables

ADDED = {
    "the end": ("[a]\nx = 1\n", "b", "y = 1\n", "[a]\nx = 1\n\n[b]\ny = 1\n"),
    "the end, with comments there": ("[a]\nx = 1\n\n# the end\n", "b", "y = 1\n",
        "[a]\nx = 1\n\n# the end\n\n[b]\ny = 1\n"),
    "no end of line at the end": ("[a]\nx = 1", "b", "y = 1", "[a]\nx = 1\n\n[b]\ny = 1\n"),
    "blank lines at the end": ("[a]\nx = 1\n\n\n", "b", "", "[a]\nx = 1\n\n\n[b]\n"),
    "CRLF": ("[a]\r\nx = 1\r\n", "b", "y = 1\n", "[a]\r\nx = 1\r\n\r\n[b]\r\ny = 1\r\n"),
    "tools are no kind": ("[tool.a]\nx = 1\n\n[z]\n", "tool.b", "y = 1\n", "[tool.a]\nx = 1\n\n[z]\n\n[tool.b]\ny = 1\n"),
    "beside its kind": ("[tool.a]\nx = 1\n[tool.a.b]\n# b's\n\n# c's\n[tool.c]\n", "tool.a.d", "y = 1\n",
        "[tool.a]\nx = 1\n[tool.a.b]\n# b's\n\n[tool.a.d]\ny = 1\n\n# c's\n[tool.c]\n"),
    "not before a comment that is the next table's": ("[tool.a]\nx = 1\n# c's\n[tool.c]\n", "tool.a.d", "y = 1\n",
        "[tool.a]\nx = 1\n\n[tool.a.d]\ny = 1\n\n# c's\n[tool.c]\n"),
    "a comment and a table inside": ("", "a", "# none yet\n\n[a.b]\nx = 1\n", "[a]\n# none yet\n\n[a.b]\nx = 1\n"),
    "into braces": ("tool = { x = 1 }\n", "tool.a", "y = 1\n", "tool = { x = 1, a = { y = 1 } }\n"),
    "beside dotted keys": ("[tool]\na.x = 1\n", "tool.a.b", "y = 1\n", "[tool]\na.x = 1\n\n[tool.a.b]\ny = 1\n"),
    "a table that is there": ("[a]\nx = 1\n\n[b]\n", "a", "y = 1\n", "[a]\nx = 1\ny = 1\n\n[b]\n"),
    "between items of an array of tables": ("[[tool.m.o]]\nx = 1\n[[tool.m.o]]\nx = 2\n[z]\n", "tool.m", "y = 1\n",
        "[tool.m]\ny = 1\n\n[[tool.m.o]]\nx = 1\n[[tool.m.o]]\nx = 2\n[z]\n"),
}  # fmt: skip


@pytest.mark.parametrize("case", ADDED)
def test_adding_a_table(tmp_path: Path, case: str) -> None:
    before, header, body, after = ADDED[case]
    changed = edit(tmp_path, before)
    changed.add_table(header, body)
    assert changed.after == after
    assert tomllib.loads(after) == merged(tomllib.loads(before), tomllib.loads(f"[{header}]\n{body}"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[a]\n", "[b]\n\n[a]\n"),
        ("# about the file\n\n# about a\n[a]\n", "# about the file\n\n[b]\n\n# about a\n[a]\n"),
        ("x = 1\n[a]\n", "x = 1\n\n[b]\n\n[a]\n"),
        ("x = 1\n", "x = 1\n\n[b]\n"),
        ("", "[b]\n"),
    ],
)
def test_adding_a_table_at_the_start(tmp_path: Path, before: str, after: str) -> None:
    changed = edit(tmp_path, before)
    changed.add_table("b", "", at_start=True)
    assert changed.after == after


def test_adding_what_is_there(tmp_path: Path) -> None:
    changed = edit(tmp_path, "[a]\nx = 1\n")
    with pytest.raises(EditError, match=r"a\.x is there already"):
        changed.add_table("a", "x = 2\n")
    with pytest.raises(EditError, match="what is to be added is not valid TOML"):
        changed.add_table("a b", "")
    assert not changed.changed


REMOVED = {
    "a line": ("[a]\nx = 1 # one\ny = 2\n", "a.x", "[a]\ny = 2\n"),
    "the only line": ("[a]\nx = 1\n\n[b]\n", "a.x", "[a]\n\n[b]\n"),
    "a value of many lines": ("[a]\nx = [\n1, # ]\n]\ny = 2\n", "a.x", "[a]\ny = 2\n"),
    "a table": ("[a]\nx = 1\n\n# b's\n[b]\ny = 1\n", "a", "# b's\n[b]\ny = 1\n"),
    "a table in the middle": ("[z]\n\n[a]\nx = 1\n\n# b's\n[b]\n", "a", "[z]\n\n# b's\n[b]\n"),
    "the last table": ("[z]\nx = 1\n\n[a]\nx = 1\n", "a", "[z]\nx = 1\n"),
    "the last table, CRLF": ("[z]\r\nx = 1\r\n\r\n[a]\r\nx = 1\r\n", "a", "[z]\r\nx = 1\r\n"),
    "a table and those inside": ("[a.b]\nx = 1\n[z]\n[a]\nc.d = 1\n", "a", "[z]\n"),
    "a table, a comment between stays": ("[a]\nx = 1\n\n# between\n\n[b]\n", "a", "# between\n\n[b]\n"),
    "dotted keys": ("[a]\nb.x = 1\nc = 1\nb.y = 2\n", "a.b", "[a]\nc = 1\n"),
    "the only dotted key": ("[a]\nb.x = 1\nc = 1\n", "a.b.x", "[a]\nc = 1\n"),
    "first in braces": ("a = { x = 1, y = 2 }\n", "a.x", "a = { y = 2 }\n"),
    "last in braces": ("a = { x = 1, y = 2 }\n", "a.y", "a = { x = 1 }\n"),
    "only one in braces": ("a = { x = 1 }\n", "a.x", "a = {}\n"),
    "dots in braces": ("a = { b.x = 1, c = 3, b.y = 2 }\n", "a.b", "a = { c = 3 }\n"),
    "an array of tables": ("[[a]]\nx = 1\n[a.b]\n[[a]]\n[b]\n", "a", "[b]\n"),
    "nothing": ("[a]\nx = 1\n", "b.c", "[a]\nx = 1\n"),
}


@pytest.mark.parametrize("case", REMOVED)
def test_removing(tmp_path: Path, case: str) -> None:
    before, key, after = REMOVED[case]
    changed = edit(tmp_path, before)
    changed.remove(parts(key))
    assert changed.after == after
    assert changed.get(parts(key)) is None


def test_removing_inside_a_list_of_tables_is_refused(tmp_path: Path) -> None:
    changed = edit(tmp_path, "[[a]]\nx = 1\n")
    changed.remove(("a", "x"))
    assert not changed.changed


def test_renaming_a_table_takes_those_inside_along(tmp_path: Path) -> None:
    changed = edit(tmp_path, "# one\n[ tool.wallaroo ] # two\nx = 1\n\n[tool . 'wallaroo' . byop]\ny = 1\n[tool.w]\n")
    changed.rename_table(("tool", "wallaroo"), ("tool", "wallaroo", "models", "a b"))
    assert changed.after == (
        '# one\n[ tool.wallaroo.models."a b" ] # two\nx = 1\n\n[tool.wallaroo.models."a b".byop]\ny = 1\n[tool.w]\n'
    )


@pytest.mark.parametrize("text", ["tool.wallaroo.x = 1\n", "tool = { wallaroo = { x = 1 } }\n", "[tool]\nx = 1\n"])
def test_renaming_what_has_no_header(tmp_path: Path, text: str) -> None:
    changed = edit(tmp_path, text)
    with pytest.raises(EditError):
        changed.rename_table(("tool", "wallaroo"), ("tool", "other"))
    assert not changed.changed


def test_a_change_that_would_change_more_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should a place ever be found wrongly, the document says so, and stays."""
    changed = edit(tmp_path, "[a]\nx = 1\n")
    for wrong in ("[a]\nx = 2\ny = 3\n", "[a]\nx = \n"):
        monkeypatch.setattr(splicing, "with_key", lambda *_, text=wrong: text)
        with pytest.raises(EditError, match="cannot be changed without touching other lines"):
            changed.set(("a", "y"), 3)
        assert (changed.after, changed.document) == ("[a]\nx = 1\n", {"a": {"x": 1}})


@pytest.mark.parametrize(
    ("before", "old", "new", "after"),
    [
        ("[a]\n# x's\nx = 1 # one\n", "a.x", "a.y", "[a]\n# x's\ny = 1 # one\n"),
        ("[a]\nx = 1\n", "a.x", "a.b.x", "[a]\nb.x = 1\n"),
        ("[a . bb]\nx = 1 # one\n", "a.bb", "a.b", "[a . b]\nx = 1 # one\n"),
        ("[a.bb]\n\n[a.bb.c]\nx = 1 # one\n", "a.bb", "a.b", "[a.b]\n\n[a.b.c]\nx = 1 # one\n"),
        ("a = { bb.x = 1, c = 2 }\n", "a.bb", "a.b", "a = { b.x = 1, c = 2 }\n"),
        ("[a]\nbb.x = 1\nbb.y = 2\n\n[c]\n", "a.bb.x", "a.bb.z", "[a]\nbb.z = 1\nbb.y = 2\n\n[c]\n"),
    ],
)
def test_renaming(tmp_path: Path, before: str, old: str, new: str, after: str) -> None:
    changed = edit(tmp_path, before)
    changed.rename(parts(old), parts(new))
    assert changed.after == after


def test_renaming_to_what_is_there(tmp_path: Path) -> None:
    changed = edit(tmp_path, "[a]\nx = 1\ny = 2\n")
    with pytest.raises(EditError, match=r"a\.x cannot become a\.y"):
        changed.rename(("a", "x"), ("a", "y"))
    assert not changed.changed


def test_of_changes_that_belong_together_all_are_made_or_none(tmp_path: Path) -> None:
    changed = edit(tmp_path, "a = 1\n")

    def two() -> None:
        with changed.whole():
            changed.set(("b",), 2)
            changed.set(("a", "x"), 2)

    with pytest.raises(EditError):
        two()
    assert (changed.after, changed.document) == ("a = 1\n", {"a": 1})


# Any document

NAMES = ("project", "tool", "wallaroo", "byop", "models", "a b", "x", "input-schema")
VALUES = (
    "1", "'a'", '"\\"#"', "[1, 2]", "[\n  1, # ]\n  2\n]", "{ x = 1, 'y.z' = { } }", "{}", "[[1], [{x = 2}]]", "true",
    "1979-05-27 07:32:00", '"""\n[a]\nx = "\\"""" ', "'''\n# no\n'''", "[ '''\n]''', \"}\" ]", "nan", "-1.5e3",
    "{ byop.load = 'a:b' , byop.predict='c' }",
)  # fmt: skip
keys = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(tuple)
ends = st.sampled_from(["\n", "\n", "\r\n"])
gaps = st.sampled_from(["", "", " ", "\t"])


@st.composite
def written_keys(draw: st.DrawFn) -> str:
    quote = draw(st.sampled_from(['"', "'"]))
    parts = (f"{quote}{each}{quote}" if " " in each or draw(st.booleans()) else each for each in draw(keys))
    return f"{draw(gaps)}.{draw(gaps)}".join(parts)


@st.composite
def statements(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(["pair", "pair", "pair", "header", "header", "comment", "blank", "array"]))
    comment = draw(st.sampled_from(["", "", "# [x]", " # y = 1 é"]))
    if kind == "pair":
        key, value = draw(written_keys()), draw(st.sampled_from(VALUES))
        return f"{draw(gaps)}{key}{draw(gaps)}={draw(gaps)}{value}{comment}"
    if kind == "header":
        return f"{draw(gaps)}[{draw(gaps)}{draw(written_keys())}{draw(gaps)}]{comment}"
    if kind == "array":
        return f"[[{draw(written_keys())}]]{comment}"
    return comment.strip() if kind == "comment" else draw(gaps)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Valid documents: statements one by one, those left out that would make it none."""
    text = ""
    for statement in draw(st.lists(statements(), max_size=12)):
        more = text + statement.replace("\n", draw(ends)) + draw(ends)
        try:
            tomllib.loads(more)
        except tomllib.TOMLDecodeError:
            continue
        text = more
    return text.removesuffix("\n").removesuffix("\r") if draw(st.booleans()) else text


def one_insertion(before: str, after: str) -> bool:
    """Whether a text is another with something put in at one place."""
    return len(after) >= len(before) and common(before, after) + common(before[::-1], after[::-1]) >= len(before)


def common(one: str, other: str) -> int:
    pairs = zip(one, other, strict=False)
    return next((index for index, pair in enumerate(pairs) if pair[0] != pair[1]), min(len(one), len(other)))


new_values = st.sampled_from([1, "x", 'q"\n\\', [1, "b"], {"a b": {"c": [1]}}, True, {}, 1.5])


@pytest.mark.slow
@settings(max_examples=200)
@given(documents(), st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map(tuple), new_values)
@example("tool.wallaroo.x = 1\n[tool.wallaroo.byop]\n", ("tool", "wallaroo", "y"), 1)
def test_setting_a_key_in_any_document(
    tmp_path_factory: pytest.TempPathFactory, text: str, key: tuple[str, ...], value: object
) -> None:
    document = tomllib.loads(text)
    old = value_at(document, key)
    for length in range(1, len(key)):
        above = value_at(document, key[:length])
        assume(above is None or isinstance(above, dict))
    changed = Edit(written(tmp_path_factory, text))
    if isinstance(old, (dict, list)) and not same(old, value):
        try:
            changed.set(key, value)
        except EditError:
            assert changed.after == text
            return
    else:
        changed.set(key, value)
    assert same(tomllib.loads(changed.after), with_value(document, key, value))
    assert old is not None or one_insertion(text, changed.after)
    if not isinstance(old, (dict, list, str)):  # of those, comments may be part
        assert all(line in changed.after for line in text.split("\n") if line.lstrip().startswith("#"))


@st.composite
def lists(draw: st.DrawFn) -> str:
    """A list over some lines, with comments wherever one writes them: before items, behind commas and at the end."""

    def gap() -> str:
        return draw(st.sampled_from(["", " ", "\n", "\n  ", " # one, two ]\n  ", "\n  # 'x',\n  "]))

    items = draw(st.lists(st.sampled_from(["1", "'x'", '"#"', "[2]", "{ y = 1 }"]), max_size=4))
    comma = "," if items and draw(st.booleans()) else ""
    return "[" + ",".join(f"{gap()}{each}{draw(gaps)}" for each in items) + comma + gap() + "]"


@pytest.mark.slow
@settings(max_examples=200)
@given(lists(), st.lists(st.sampled_from([1, "new", "#"]), min_size=1, max_size=3))
def test_a_list_that_grows_keeps_every_comment(
    tmp_path_factory: pytest.TempPathFactory, text: str, new: list[object]
) -> None:
    changed = Edit(written(tmp_path_factory, f"a = {text}\nb = 1\n"))
    value = list(changed.get(("a",)))
    value += new
    try:
        changed.set(("a",), value)
    except EditError:  # tomlkit cannot, as for an only item with a comment on the bracket's line
        assert not changed.changed
        return
    assert changed.get(("a",)) == value
    for comment in ("# one, two ]", "# 'x',"):
        assert changed.after.count(comment) == text.count(comment)


@pytest.mark.slow
@settings(max_examples=200)
@given(documents(), keys)
def test_adding_a_table_to_any_document(
    tmp_path_factory: pytest.TempPathFactory, text: str, path: tuple[str, ...]
) -> None:
    document = tomllib.loads(text)
    assume(value_at(document, path) is None)
    for length in range(1, len(path)):
        above = value_at(document, path[:length])
        assume(above is None or isinstance(above, dict))
    changed = Edit(written(tmp_path_factory, text))
    header = ".".join(f"'{each}'" for each in path)
    changed.add_table(header, "new = 1 # ours\n")
    assert same(tomllib.loads(changed.after), with_value(document, path, {"new": 1}))
    assert one_insertion(text, changed.after)


@pytest.mark.slow
@settings(max_examples=200)
@given(documents(), keys)
def test_removing_from_any_document(tmp_path_factory: pytest.TempPathFactory, text: str, key: tuple[str, ...]) -> None:
    changed = Edit(written(tmp_path_factory, text))
    changed.remove(key)
    assert changed.get(key) is None
    left = set(flat(tomllib.loads(changed.after)))
    assert left == {each for each in flat(tomllib.loads(text)) if each[0][: len(key)] != key}


def flat(document: object, at: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], str]]:
    """Every value that is no table, with its key."""
    if isinstance(document, dict):
        return [each for key, value in document.items() for each in flat(value, (*at, key))]
    return [(at, repr(document))]


def written(factory: pytest.TempPathFactory, text: str) -> Path:
    path = factory.getbasetemp() / "any.toml"
    path.write_bytes(text.encode())
    return path


# Files


def test_a_mark_and_bytes_stay(tmp_path: Path) -> None:
    changed = edit(tmp_path, "\ufeff# ü\r\n[a]\nx = 1\r\n")
    changed.set(("a", "y"), "é")
    changed.write()
    assert changed.path.read_bytes() == '\ufeff# ü\r\n[a]\nx = 1\r\ny = "é"\r\n'.encode()
    assert not changed.changed


def test_the_difference(tmp_path: Path) -> None:
    changed = edit(tmp_path, "[a]\r\nx = 'a\u2028b'")
    changed.set(("a", "y"), 2)
    assert changed.diff().split("\n") == [
        "--- a/pyproject.toml",
        "+++ b/pyproject.toml",
        "@@ -1,2 +1,3 @@",
        " [a]",
        "-x = 'a\u2028b'",
        "\\ No newline at end of file",
        "+x = 'a\u2028b'",
        "+y = 2",
    ]


def test_a_file_that_is_not_there_counts_as_empty(tmp_path: Path) -> None:
    made = edit_pyproject(tmp_path)
    assert (made.before, made.document, made.changed) == ("", {}, False)
    made.write()
    assert not made.path.exists()
    made.set(("a", "x"), 1)
    before = os.umask(0o027)
    try:
        made.write()
    finally:
        os.umask(before)
    assert made.path.read_text() == "[a]\nx = 1\n"
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o640
    assert [each.name for each in tmp_path.iterdir()] == ["pyproject.toml"]


def test_permissions_and_links_stay(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    target = tmp_path / "elsewhere" / "real.toml"
    target.write_text("[a]\n")
    target.chmod(0o604)
    link = tmp_path / "pyproject.toml"
    link.symlink_to(Path("elsewhere") / "real.toml")
    changed = Edit(link)
    changed.set(("a", "x"), 1)
    changed.write()
    assert link.is_symlink()
    assert target.read_text() == "[a]\nx = 1\n"
    assert stat.S_IMODE(target.stat().st_mode) == 0o604
    assert [each.name for each in (tmp_path / "elsewhere").iterdir()] == ["real.toml"]


@pytest.mark.parametrize("meanwhile", ["changed", "gone", "appeared"])
def test_what_another_has_changed_meanwhile_is_left_alone(tmp_path: Path, meanwhile: str) -> None:
    path = tmp_path / "pyproject.toml"
    if meanwhile != "appeared":
        path.write_text("[a]\n")
    changed = Edit(path)
    changed.set(("a", "x"), 1)
    if meanwhile == "gone":
        path.unlink()
    else:
        path.write_text("[b]\n")
    with pytest.raises(EditError, match="changed meanwhile"):
        changed.write()
    assert (path.read_text() if path.exists() else None) == (None if meanwhile == "gone" else "[b]\n")


def test_a_read_only_file_is_left_alone(tmp_path: Path) -> None:
    changed = edit(tmp_path, "[a]\n")
    changed.set(("a", "x"), 1)
    changed.path.chmod(0o444)
    with pytest.raises(EditError, match="read-only") as raised:
        changed.write()
    assert "chmod u+w pyproject.toml" in raised.value.fix
    assert changed.path.read_text() == "[a]\n"
    assert [each.name for each in tmp_path.iterdir()] == ["pyproject.toml"]


def test_a_disk_that_is_full_leaves_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = edit(tmp_path, "[a]\n")
    changed.set(("a", "x"), 1)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EditError, match="No space left"):
        changed.write()
    assert changed.path.read_text() == "[a]\n"
    assert [each.name for each in tmp_path.iterdir()] == ["pyproject.toml"]


def test_files_that_cannot_be_edited(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_bytes(b"a = '\xff'\n")
    with pytest.raises(EditError, match="not UTF-8"):
        Edit(path)
    path.write_text("a = [\n")
    with pytest.raises(EditError, match="not valid TOML"):
        Edit(path)
    path.write_text(f"a = {'[' * 100_000}{']' * 100_000}\n")
    with pytest.raises(EditError, match="nested too deeply"):
        Edit(path)
    with path.open("wb") as stream:
        stream.truncate((16 << 20) + 1)
    with pytest.raises(EditError, match="larger than 16 MiB"):
        Edit(path)
    path.unlink()
    path.symlink_to("pyproject.toml")
    with pytest.raises(EditError, match="cannot be read"):
        Edit(path)
    path.unlink()
    path.symlink_to("nowhere")
    with pytest.raises(EditError, match="does not exist"):
        Edit(path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(EditError, match="no regular file"):
        Edit(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(EditError, match="no regular file"):
        Edit(path)


def test_a_document_without_changes_is_not_written(tmp_path: Path) -> None:
    changed = edit(tmp_path, "[a]\n")
    before = changed.path.stat()
    changed.write()
    assert changed.path.stat() == before
    assert without({"a": {"b": 1}}, ("a", "b")) == {"a": {}}
