"""The generated inference module."""

from __future__ import annotations

import builtins
from collections.abc import Sequence

from hatch_wallaroo import templates
from hatch_wallaroo.config.spec import Reference
from hatch_wallaroo.frameworks.byop.model_types import Kind

_BUILTINS = frozenset(dir(builtins))


def inference_module(load: Reference, predict: Reference, kinds: Sequence[Kind], *, asynchronous: bool) -> str:
    """The module's text: Python 3.8, importable without the model's requirements.

    Raises ValueError for a name that could not stand in an import statement.
    """
    for each in (Kind(load.module, load.function), Kind(predict.module, predict.function), *kinds):
        if not each.can_be_imported:
            raise ValueError(f"{each} cannot be imported")
    imports, types = _imports(kinds)
    values = {
        "load": load,
        "predict": predict,
        "imports": imports,
        "types": types,
        "asynchronous": asynchronous,
    }
    return templates.render("byop", "inference.py.jinja", values)


def module_name(predict: Reference) -> str:
    """The file's name in the bundle."""
    return f"inference_{predict.module.partition('.')[0]}.py"


def _imports(kinds: Sequence[Kind]) -> tuple[list[str], list[str]]:
    """Import statements for classes, and the expressions that stand for them; equal names get a number."""
    lines: list[str] = []
    expressions: list[str] = []
    taken: dict[str, tuple[str, str]] = {}
    for kind in sorted(kinds):
        if kind.module == "builtins":
            expressions.append(kind.name)
            continue
        first, dot, rest = kind.name.partition(".")
        name, number = first, 1
        while name in _BUILTINS or taken.get(name, (kind.module, first)) != (kind.module, first):
            number += 1
            name = f"{first}_{number}"
        if name not in taken:
            taken[name] = (kind.module, first)
            lines.append(f"from {kind.module} import {first}" + (f" as {name}" if name != first else ""))
        expressions.append(f"{name}{dot}{rest}")
    return lines, expressions
