from __future__ import annotations

import re

import pytest

from hatch_wallaroo.findings import Level, Place, nearest, rule
from reference_pages.findings import all_rules


@pytest.mark.parametrize("each", all_rules(), ids=lambda each: each.code)
def test_each_rule_says_why_and_where_it_comes_from(each) -> None:
    assert re.fullmatch(r"WLR[0-9]{3}", each.code)
    assert each.title
    assert len(each.why) > 20
    assert each.source


def test_a_code_is_never_given_twice() -> None:
    taken = all_rules()[0]
    with pytest.raises(ValueError, match=taken.title):
        rule(taken.code, "something else", why="because", source="nowhere")


def test_a_finding_takes_its_level_from_its_rule_unless_told_otherwise() -> None:
    each = all_rules()[0]
    assert each.finding("m").level is each.level
    softened = each.finding("m", level=Level.NOTE, place=Place(file="a.py", line=3))
    assert (softened.level, softened.place.line, softened.is_error) == (Level.NOTE, 3, False)


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        ("modle", ["model", "name"], "model"),
        ("include_sensitive", ["include-sensitive"], "include-sensitive"),
        ("ONNX", ["onnx"], "onnx"),
        ("zzz", ["model"], None),
        ("", ["model"], None),
    ],
)
def test_the_nearest_known_word(word: str, known: list[str], expected: str | None) -> None:
    assert nearest(word, known) == expected
