"""The JSON Schema of a whole pyproject.toml as far as `[tool.wallaroo]` goes: for editors that know documents only.

`python -m hatch_wallaroo.config.pyproject_schema` prints it, with `--table` that of the table alone, for editors that
can put a schema at its place in a document. docs/how-to/editors.md says where they go.
"""

from __future__ import annotations

import sys
from typing import Any

from hatch_wallaroo.config.json_schema import dump, tool_schema


def document_schema() -> dict[str, Any]:
    """The table's schema at its place in the document. All other tables may hold anything."""
    table = tool_schema("wallaroo")
    draft, definitions = table.pop("$schema"), table.pop("definitions")
    del table["$id"]
    return {
        "$schema": draft,
        "$id": "https://hatch-wallaroo.invalid/pyproject.schema.json",
        "title": table["title"],
        "type": "object",
        "properties": {"tool": {"type": "object", "properties": {"wallaroo": table}}},
        "definitions": definitions,
    }


if __name__ == "__main__":
    sys.stdout.write(dump(tool_schema("wallaroo") if sys.argv[1:] == ["--table"] else document_schema()))
