"""docs/reference/publishing.md, made from the tables of options and exit codes, and never behind them."""

from __future__ import annotations

from hatch_wallaroo.platform.reference import markdown
from support.fronts import REPOSITORY


def test_the_reference_is_what_the_code_says() -> None:
    """Mend with: python -m hatch_wallaroo.platform.reference > docs/reference/publishing.md"""
    committed = (REPOSITORY / "docs" / "reference" / "publishing.md").read_text(encoding="utf-8")
    assert committed == markdown()
