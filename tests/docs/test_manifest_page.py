"""docs/reference/manifest.md: made from the schema of manifests, which says something about each key that is not plain."""

from __future__ import annotations

import json
from typing import Any

from reference_pages.manifest import SCHEMA, markdown


def test_every_key_of_the_schema_has_a_row() -> None:
    rows = [line for line in markdown().splitlines() if line.startswith(("| `", "| *`"))]
    assert len(rows) == _keys(json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert "| `file.sha256` | a SHA-256 |" in markdown()
    assert "| *`findings[].line`* | a whole number or `null` |" in markdown()


def _keys(schema: dict[str, Any]) -> int:
    """How many keys a schema describes, at any depth; alternatives describe none of their own."""
    own = sum(1 + _keys(each) for each in schema.get("properties", {}).values())
    return own + (_keys(schema["items"]) if "items" in schema else 0)
