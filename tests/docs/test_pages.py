"""What the documentation shows is read: tables by our own reader, workflows as YAML, links by whether they lead anywhere."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt

from hatch_wallaroo.config.reader import read_models
from hatch_wallaroo.config.spec import Project
from hatch_wallaroo.findings import errors
from support.fronts import REPOSITORY

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SITE = sorted((REPOSITORY / "docs").rglob("*.md"))
OTHERS = [
    REPOSITORY / "README.md",
    REPOSITORY / "CHANGELOG.md",
    REPOSITORY / "benchmarks" / "README.md",
    *sorted((REPOSITORY / "example-projects").glob("**/README.md")),
]


def name(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def fences(path: Path, language: str) -> list[str]:
    tokens = MarkdownIt().parse(path.read_text(encoding="utf-8"))
    return [token.content for token in tokens if token.type == "fence" and token.info.strip() == language]


def tables() -> list[tuple[str, dict[str, object]]]:
    """Every TOML block of a page that has a whole `[tool.wallaroo]`: with a framework, or with models."""
    found = []
    for path in [*SITE, *OTHERS]:
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


def test_all_toml_is_toml() -> None:
    assert len(tables()) > 12
    for path in [*SITE, *OTHERS]:
        for text in fences(path, "toml"):
            tomllib.loads(text)


@pytest.mark.parametrize("path", OTHERS, ids=name)
def test_links_outside_the_site_lead_somewhere(path: Path) -> None:
    """Those inside it are checked when it is built, which takes a broken one for an error."""
    text = path.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    relative = [target for target in targets if not re.match(r"[a-z]+:", target)]
    assert [each for each in relative if not (path.parent / unquote(each.partition("#")[0])).exists()] == []
