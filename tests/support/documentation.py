"""The pages that people read, and what is in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from support.fronts import REPOSITORY

SITE = sorted((REPOSITORY / "docs").rglob("*.md"))
PAGES = [
    *SITE,
    REPOSITORY / "README.md",
    REPOSITORY / "CHANGELOG.md",
    REPOSITORY / "benchmarks" / "README.md",
    *sorted(path for path in (REPOSITORY / "example-projects").glob("**/README.md") if "dist" not in path.parts),
]


def name(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


@cache
def tokens(path: Path) -> list[Token]:
    """A page's blocks; what is in a line of text is the children of its block."""
    return MarkdownIt().enable("table").parse(path.read_text(encoding="utf-8"))


def fences(path: Path, *languages: str) -> list[str]:
    """The blocks of code in these languages; all where none are named."""
    found = [token for token in tokens(path) if token.type == "fence"]
    return [token.content for token in found if not languages or token.info.strip() in languages]


def inline(path: Path, kind: str) -> Iterator[Token]:
    """What is in the text, of a kind of markdown-it's: code_inline, link_open, image."""
    for block in tokens(path):
        yield from (each for each in block.children or () if each.type == kind)


def anchors(path: Path) -> set[str]:
    """Where a link into a page can lead: its headings as GitHub and MyST number and spell them."""
    found: dict[str, int] = {}
    for opened, heading in pairwise(tokens(path)):
        if opened.type == "heading_open":
            text = "".join(each.content for each in heading.children or ()).strip().lower()
            slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
            found[slug] = found.get(slug, -1) + 1
    return {f"{slug}-{number}" if number else slug for slug, most in found.items() for number in range(most + 1)}
