"""Broken tables, and what a user reads about each: `tests/broken/tables/NAME.toml` and `NAME.txt` beside it.

See `support.told` for how the texts are written anew.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from hatch_wallaroo.config.reader import read_models
from hatch_wallaroo.config.spec import Project
from hatch_wallaroo.config.toml.reading import locate_all, read_document
from hatch_wallaroo.findings import errors
from hatch_wallaroo.report import render
from support.told import same_text

FOLDER = Path(__file__).parents[1] / "broken" / "tables"
TABLES = sorted(FOLDER.glob("*.toml"))


def told(table: Path, root: Path) -> str:
    (root / "pyproject.toml").write_bytes(table.read_bytes())
    document = read_document(root)
    findings = document.findings
    if document.table is not None:
        findings += read_models(document.table, project=Project("credit-card-fraud", "1.0"), root=root).findings
    assert errors(findings)
    return render(locate_all(findings, root), color=False) + "\n"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.stem)
def test_what_a_user_reads(table, tmp_path):
    same_text(told(table, tmp_path), table.with_suffix(".txt"))


def test_there_are_enough_tables_and_no_text_without_one():
    assert len(TABLES) >= 20
    assert {text.stem for text in FOLDER.glob("*.txt")} == {table.stem for table in TABLES}
