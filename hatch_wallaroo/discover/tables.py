"""`[tool.wallaroo]` as it is and as it shall be: what it names already, and new models added in its own form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import translate
from typing import Any

from hatch_wallaroo.config.model_name import in_platforms_form
from hatch_wallaroo.config.table import DEFAULT_RELEASE
from hatch_wallaroo.config.toml.editing import Edit
from hatch_wallaroo.config.toml.values import dotted, line
from hatch_wallaroo.discover.candidates import Candidate
from hatch_wallaroo.discover.propose import TABLE, Proposed, table_text

MODELS = (*TABLE, "models")


def declared(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """The table as it stands, None where there is none."""
    tool = document.get("tool")
    table = tool.get("wallaroo") if isinstance(tool, Mapping) else None
    return dict(table) if isinstance(table, Mapping) else None


def declared_release(document: Mapping[str, Any]) -> str | None:
    """The release that all models share, None where there is no table."""
    table = declared(document)
    if table is None:
        return None
    release = table.get("release")
    return release if isinstance(release, str) else DEFAULT_RELEASE if table else None


def model_names(document: Mapping[str, Any]) -> list[str]:
    """The names of the models in `[tool.wallaroo.models]`."""
    models = (declared(document) or {}).get("models")
    return [str(each) for each in models] if isinstance(models, Mapping) else []


def is_covered(candidate: Candidate, document: Mapping[str, Any]) -> bool:
    """Whether some model of the table is this one, holds it, or lies in it."""
    return any(_names(table, candidate) for table in _tables(declared(document) or {}))


def _tables(table: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield table
    models = table.get("models")
    if isinstance(models, Mapping):
        yield from (each for each in models.values() if isinstance(each, Mapping))


def _names(table: Mapping[str, Any], candidate: Candidate) -> bool:
    model, artifacts, byop = table.get("model"), table.get("artifacts"), table.get("byop")
    code = byop if isinstance(byop, Mapping) else {}
    paths = [each for each in (model, code.get("module")) if isinstance(each, str)]
    patterns = [each for each in artifacts if isinstance(each, str)] if isinstance(artifacts, list) else []
    own = candidate.table.get("byop", {})
    if own.get("load") is not None and code.get("load") == own.get("load"):
        return True
    return any(_touch(each.strip("/"), candidate.path) for each in paths) or any(
        _touch(each.strip("/"), candidate.path) or re.match(translate(each), candidate.path) for each in patterns
    )


def _touch(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


def is_one_model(document: Mapping[str, Any]) -> bool:
    """Whether the table describes a model itself."""
    table = declared(document) or {}
    return "models" not in table and bool(table.keys() & {"framework", "model", "artifacts", "byop"})


def write(edit: Edit, models: Sequence[Proposed], release: str, *, name: bool = False) -> None:
    """Put the models' tables into the document. Raises EditError where it is written in a way that forbids it.

    `release` is what a new `[tool.wallaroo]` for several models says. `name`: the only model says its name.
    """
    table = declared(edit.document)
    if table is None and len(models) == 1:
        edit.add_table(dotted(TABLE), table_text(models[0], TABLE, name=name))
    elif table is None:
        shared = f"# What the models share. Each below is a bundle of its own.\n{line(('release',), release)}"
        edit.add_table(dotted(TABLE), "\n".join([shared, *(_one_of_several(each) for each in models)]))
    elif not table and len(models) == 1:
        edit.add_table(dotted(TABLE), table_text(models[0], TABLE, name=name))
    else:
        for each in models:
            path = (*MODELS, each.name)
            edit.add_table(dotted(path), table_text(each, path))


def split(edit: Edit, project: str) -> str:
    """Make the table of the only model one of several, under the name that it has on the platform; gives that name.

    Raises EditError where it has no header of its own.
    """
    told = edit.get((*TABLE, "name"))
    name = told if isinstance(told, str) and told else in_platforms_form(project)
    edit.rename_table(TABLE, (*MODELS, name))
    return name


def _one_of_several(model: Proposed) -> str:
    path = (*MODELS, model.name)
    return f"[{dotted(path)}]\n{table_text(model, path)}"
