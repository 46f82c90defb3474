"""What a new repository begins with: a small model that builds as it stands, and what the table says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hatch_wallaroo.schema.tables import read_schema
from hatch_wallaroo.schema.types import Schema

MAKER = "make_model.py"
"""The script that made a repository's model, or fetches one."""


@dataclass(frozen=True)
class Starter:
    """One framework's beginning, as values; `scaffold.repository` lays a repository around it.

    `model` and `artifacts` are the keys of the table, `files` what lies at which path (relative to the project,
    forward slashes): the model itself and the script that makes it. `inputs` and `outputs` are the schemas that the
    upload guide gives for the framework or task, None where it takes none. `sample` is what `sample.json` holds:
    `{"inputs": [row, …]}`, with `outputs` where the model's answers are known. `dependencies` are what the model
    needs on the platform. `table` holds further keys of `[tool.wallaroo]`, in order. `about` says in a sentence or
    two what the model is, `replace` how to put one's own in its place: both are paragraphs of the README.
    """

    inputs: Schema | None
    outputs: Schema | None
    files: Mapping[str, bytes]
    about: str
    replace: str
    model: str | None = None
    artifacts: tuple[str, ...] = ()
    sample: Mapping[str, Any] = field(default_factory=dict)
    dependencies: tuple[str, ...] = ()
    table: Mapping[str, Any] = field(default_factory=dict)


def schema(fields: Mapping[str, Any]) -> Schema:
    """A schema as the table writes it. Raises ValueError for what is none."""
    made, issues = read_schema(fields)
    if issues:
        raise ValueError(f"no schema: {issues}")
    return made
