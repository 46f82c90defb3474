"""The templates of new repositories, and the files that lie among them as they are."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatch_wallaroo import templates
from hatch_wallaroo.schema.tables import format_value

if TYPE_CHECKING:
    from jinja2 import Environment

KIND = "project"
_LONGEST_LIST = 1000
"""In characters: what is longer stands on one line of a sample."""


def render(name: str, values: Mapping[str, Any]) -> str:
    """A rendered template, `sklearn/about.md`; a missing value is an error."""
    return _environment().get_template(f"{name}.jinja").render(**values)


def paragraphs(name: str, values: Mapping[str, Any]) -> str:
    """A rendered template as the README takes it: without line breaks around it."""
    return render(name, values).strip()


def read(name: str) -> bytes:
    """A file as it is."""
    return path(name).read_bytes()


def path(name: str) -> Path:
    """Where a file or folder among the templates is."""
    return templates.folder(KIND) / name


def shipped_config() -> Path:
    """The configuration that makes `hatch new` use this plugin."""
    return path("hatch-config.toml")


def sample(folder: str) -> Mapping[str, Any]:
    """The `sample.json` beside a family's templates."""
    document: Mapping[str, Any] = json.loads(read(f"{folder}/sample.json"))
    return document


def sample_text(sides: Mapping[str, Any]) -> str:
    """A sample as the repository holds it, and as every `make_model.py` writes it.

    A picture or a sound stands on one line: a number a line would be many megabytes.
    """
    long: list[str] = []

    def shortened(value: Any) -> Any:
        line = json.dumps(value, separators=(",", ":")) if isinstance(value, list) else ""
        if len(line) <= _LONGEST_LIST:
            return value
        long.append(line)
        return f"\0{len(long) - 1}\0"

    rows = {
        side: [{key: shortened(value) for key, value in row.items()} for row in listed]
        for side, listed in sides.items()
    }
    text = json.dumps(rows, indent=2, ensure_ascii=False) + "\n"
    return re.sub(r'"\\u0000(\d+)\\u0000"', lambda found: long[int(found[1])], text)


@cache
def _environment() -> Environment:
    made = templates.environment(KIND)
    made.filters["toml"] = format_value
    return made
