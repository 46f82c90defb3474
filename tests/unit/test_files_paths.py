"""The paths of a whole bundle."""

from __future__ import annotations

import unicodedata

import pytest

from hatch_wallaroo.files.paths import check_paths
from hatch_wallaroo.files.sources import Entry, TextSource
from hatch_wallaroo.findings import Level


def entries(*paths):
    return [Entry(path, TextSource("x"), f"src/{path}") for path in paths]


@pytest.mark.parametrize(
    "paths",
    [
        [],
        ["a"],
        ["a/b", "a/c", "ab", "b/a", "b/a.txt"],
        ["a.txt", "a.txt.txt", "a-b", "a_b"],
        ["straße", "strasse"],
        ["模型/é.bin", "模型/e.bin"],
        ["a b.txt", ".hidden", "con-x", "console", "nullable.txt", "com10"],
        ["x" * 255, "/".join(["d" * 100] * 30)],
    ],
)
def test_paths_that_can_stand_together(paths):
    assert check_paths(entries(*paths)) == []


@pytest.mark.parametrize(
    ("paths", "code", "told"),
    [
        (["a", "a"], "WLR215", "src/a is there twice"),
        ([unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")], "WLR215", "e\\u0301"),
        (["a/B.txt", "a/b.txt"], "WLR216", "src/a/B.txt and src/a/b.txt differ only in"),
        (["A/x", "a/y"], "WLR216", "A and a differ only in"),
        (["A/x", "a/x"], "WLR216", "A and a differ only in"),
        (["É", "é"], "WLR216", "differ only in"),
        (["a", "a/b"], "WLR217", "src/a is a file in the bundle, and src/a/b needs a folder"),
        (["/a"], "WLR218", "absolute"),
        (["../a"], "WLR218", "'..'"),
        (["a/../b"], "WLR218", "'..'"),
        (["a//b"], "WLR218", "empty name"),
        (["a/"], "WLR218", "empty name"),
        (["./a"], "WLR218", "'.'"),
        ([""], "WLR218", "no path"),
        (["C:/a"], "WLR218", "drive letter"),
        (["a\\b"], "WLR218", "backslash"),
        (["a\x00b"], "WLR218", "control character"),
        (["a\udcffb"], "WLR218", "not UTF-8"),
        (["x" * 256], "WLR218", "256 bytes"),
        (["é" * 128], "WLR218", "256 bytes"),
        (["/".join(["d" * 200] * 20)], "WLR218", "bytes long"),
        (["a/con"], "WLR219", "device's name"),
        (["NUL.txt"], "WLR219", "device's name"),
        (["lpt1"], "WLR219", "device's name"),
        (["a."], "WLR219", "ends in a dot"),
        (["a /b"], "WLR219", "ends in a space"),
        (["a:b"], "WLR219", "':'"),
        (["what?.txt"], "WLR219", "'?'"),
    ],
)
def test_paths_that_cannot(paths, code, told):
    (finding,) = check_paths(entries(*paths))
    assert finding.code == code
    assert finding.level is (Level.WARNING if code == "WLR219" else Level.ERROR)
    assert told in finding.message
    finding.message.encode()
    assert finding.place.file.startswith("src/")


def test_a_generated_file_and_the_users_own_are_told_apart():
    both = [
        Entry("requirements.txt", TextSource("")),
        Entry("requirements.txt", TextSource("x"), "conf/requirements.txt"),
    ]
    (finding,) = check_paths(both)
    assert finding.message == "requirements.txt and conf/requirements.txt would be one file, requirements.txt"


def test_everything_is_told_at_once():
    codes = [each.code for each in check_paths(entries("a", "a", "B", "b", "c", "c/d", "../x", "nul"))]
    assert sorted(codes) == ["WLR215", "WLR216", "WLR217", "WLR218", "WLR219"]


def test_many_entries_are_fast():
    assert check_paths(entries(*(f"d{number % 100}/e/{number}.bin" for number in range(20_000)))) == []
