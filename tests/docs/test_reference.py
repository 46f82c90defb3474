"""docs/reference/: every page is made from the code, and never behind it."""

from __future__ import annotations

import pytest

from make_reference import FOLDER, PAGES


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_what_the_code_says(name: str) -> None:
    """Mend with: python docs/make_reference.py"""
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name]()


def test_no_page_is_written_by_hand() -> None:
    assert {path.name for path in FOLDER.glob("*.md")} == set(PAGES)
