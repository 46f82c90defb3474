"""The tables that the documentation shows are read by our own reader."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hatch_wallaroo.config.reader import read_models
from hatch_wallaroo.config.spec import Project
from hatch_wallaroo.findings import errors
from support.documentation import PAGES, fences, name
from support.fronts import REPOSITORY

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def tables() -> list[tuple[str, dict[str, object]]]:
    """Every TOML block of a page that has a whole `[tool.wallaroo]`: with a framework, or with models."""
    found = []
    for path in PAGES:
        for number, text in enumerate(fences(path, "toml")):
            document = tomllib.loads(text)
            table = document.get("tool", {}).get("wallaroo", {})
            if "framework" in table or "models" in table:
                found.append(pytest.param(document, id=f"{name(path)}-{number}"))
    return found


@pytest.mark.parametrize("document", tables())
def test_each_table_shown_is_one_that_is_read(document: dict[str, object], tmp_path: Path) -> None:
    reading = read_models(document, project=Project("my-model", "1.0.0"), root=tmp_path)
    assert errors(reading.findings) == []
    assert reading.specs


def test_the_workflow_shown_is_the_one_that_new_writes() -> None:
    (shown,) = fences(REPOSITORY / "docs" / "how-to" / "ci.md", "yaml")
    assert shown == (REPOSITORY / "templates" / "project" / "workflow.yml").read_text(encoding="utf-8")


def test_all_toml_is_toml() -> None:
    assert len(tables()) > 12
    for path in PAGES:
        for text in fences(path, "toml"):
            tomllib.loads(text)
