"""Values, names and errors as messages show them."""

from __future__ import annotations

import pytest

from hatch_wallaroo.text import describe_error, display, display_path


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("float64[4]", "'float64[4]'"),
        ("x" * 50, "'" + "x" * 36 + "..."),
        ("half \ud800", "'half \\ud800'"),
        (True, "true"),
        (3.5, "3.5"),
        pytest.param(10**5000, "so great a number", id="great"),
        ({"a": 1}, "a table"),
        ([1, 2], "an array"),
    ],
)
def test_values_are_short(value: object, shown: str) -> None:
    assert display(value) == shown


@pytest.mark.parametrize(("name", "shown"), [("a b.txt", "a b.txt"), ("a\n\x1b", "a\\x0a\\x1b"), ("\udcff", "\\xff")])
def test_names_are_printable(name: str, shown: str) -> None:
    assert display_path(name) == shown


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FileNotFoundError(2, "No such file or directory", "x"), "No such file or directory"),
        (OSError("a closed stream"), "a closed stream"),
        (ValueError("first line\nsecond"), "first line"),
        (KeyError(), "KeyError"),
    ],
)
def test_errors_in_a_line(error: Exception, words: str) -> None:
    assert describe_error(error) == words
