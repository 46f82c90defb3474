"""Broken models, and what a user reads about each: `tests/broken/models/NAME/`, with the text in `expected.txt`.

Files that cannot lie in a repository are made by `support.broken_models`; how the texts are written anew
stands in `support.told`.
"""

from __future__ import annotations

import pytest

from support.broken_models import EXPECTED, FOLDER, RECIPES, make_case
from support.told import WRITE, build, same_text

pytestmark = pytest.mark.slow

CASES = sorted(folder.name for folder in FOLDER.iterdir() if (folder / "pyproject.toml").is_file())


@pytest.mark.parametrize("name", CASES)
def test_what_a_user_reads(name, tmp_path, monkeypatch):
    root = make_case(name, tmp_path)
    told = build(root, tmp_path / "dist", monkeypatch)
    refused = "error[" in told.text
    assert refused == bool(told.aborted) == (not told.bundles) == (not (tmp_path / "dist").exists())
    assert refused or "warning[" in told.text
    assert str(tmp_path) not in told.text
    same_text(told.text + "\n", FOLDER / name / EXPECTED)


def test_each_recipe_has_its_case_and_each_case_its_text():
    assert len(CASES) >= 24
    assert set(RECIPES) <= set(CASES)
    assert WRITE or all((FOLDER / name / EXPECTED).is_file() for name in CASES)
