"""Broken tables, and what a user reads about each: `tests/broken/tables/NAME.toml` and `NAME.txt` beside it.

`HATCH_WALLAROO_WRITE_TEXTS=1 pytest tests/unit/test_config_texts.py` writes the texts anew; read each of
them as a user would before committing it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hatch_wallaroo.config.document import read_document
from hatch_wallaroo.config.positions import locate_all
from hatch_wallaroo.config.reader import read_models
from hatch_wallaroo.config.spec import Project
from hatch_wallaroo.findings import errors
from hatch_wallaroo.report import render

FOLDER = Path(__file__).parents[1] / "broken" / "tables"
TABLES = sorted(FOLDER.glob("*.toml"))
WRITE = os.environ.get("HATCH_WALLAROO_WRITE_TEXTS") == "1"


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
    text = told(table, tmp_path)
    expected = table.with_suffix(".txt")
    if WRITE:
        expected.write_bytes(text.encode())
    assert text == expected.read_bytes().decode()


def test_there_are_enough_tables_and_no_text_without_one():
    assert len(TABLES) >= 20
    assert {text.stem for text in FOLDER.glob("*.txt")} == {table.stem for table in TABLES}
