"""The Hugging Face tasks as values. The data stands in the TOML file beside this module."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

PREFIX = "hugging-face-"


@dataclass(frozen=True)
class Shape:
    """What a field holds: a dtype by Arrow's name (or `any`), and its sizes, None where the model decides them."""

    dtype: str
    sizes: tuple[int | None, ...]

    def __str__(self) -> str:
        inside = ", ".join("*" if size is None else str(size) for size in self.sizes)
        return f"{self.dtype}[{inside}]" if self.sizes else self.dtype


@dataclass(frozen=True)
class FieldRule:
    """One field of a task's schema; see the head of the data file for what the words mean."""

    name: str
    shapes: tuple[Shape, ...]
    need: Literal["required", "expected", "optional"]
    varies: bool
    same_size: str | None
    why: str


@dataclass(frozen=True, eq=False)
class Task:
    """A task: its schemas, the architectures that fit it, and what has to lie beside the weights.

    `extra`: fields of one's own are handed to the model's generate method. `unsure`: the
    schemas are not the guide's, so that deviations are warnings. `auto`: the class that
    loads and saves a model for it.
    """

    name: str
    extra: bool
    unsure: bool
    auto: str
    beside: tuple[str, ...]
    diffusers: bool
    entailment: bool
    fits: tuple[str, ...]
    excluded: tuple[str, ...]
    perhaps: tuple[str, ...]
    input: Mapping[str, FieldRule]
    output: Mapping[str, FieldRule]

    @property
    def framework(self) -> str:
        """The framework that serves it."""
        return PREFIX + self.name

    def takes(self, architecture: str) -> bool:
        """Whether a class name in config.json is known to fit."""
        return _matches(architecture, self.fits) and not _matches(architecture, self.excluded)

    def may_take(self, architecture: str) -> bool:
        """Whether a class name says too little to be held against the task."""
        return _matches(architecture, self.perhaps)

    def names(self, architecture: str) -> bool:
        """Whether the task lists this very class, not just a pattern that it follows."""
        return architecture in self.fits


@lru_cache(maxsize=1)
def tasks() -> Mapping[str, Task]:
    """All tasks by name, in the order of the data."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    text = Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
    tables: dict[str, dict[str, Any]] = tomllib.loads(text)["tasks"]
    return {name: _task(name, {**_architectures(tables, table), **table}) for name, table in tables.items()}


def fitting(architecture: str) -> tuple[Task, ...]:
    """The tasks that a class name in config.json is known to fit."""
    return tuple(task for task in tasks().values() if task.takes(architecture))


def _architectures(tables: Mapping[str, dict[str, Any]], table: Mapping[str, Any]) -> dict[str, Any]:
    like = tables.get(table.get("like", ""), {})
    return {key: like[key] for key in ("fits", "not", "perhaps") if key in like}


def _task(name: str, table: Mapping[str, Any]) -> Task:
    return Task(
        name,
        extra=table.get("extra", False),
        unsure=table.get("unsure", False),
        auto=table["auto"],
        beside=tuple(table["beside"]),
        diffusers=table.get("diffusers", False),
        entailment=table.get("entailment", False),
        fits=tuple(table["fits"]),
        excluded=tuple(table.get("not", ())),
        perhaps=tuple(table.get("perhaps", ())),
        input={key: _field(key, value) for key, value in table["input"].items()},
        output={key: _field(key, value) for key, value in table["output"].items()},
    )


def _field(name: str, table: Mapping[str, Any]) -> FieldRule:
    shapes = tuple(_shape(text) for text in (table["type"], *table.get("or", ())))
    return FieldRule(
        name, shapes, table["need"], table.get("varies", False), table.get("same-size"), table.get("why", "")
    )


def _shape(text: str) -> Shape:
    dtype, _, inside = text.removesuffix("]").partition("[")
    sizes = (None if size.strip() == "*" else int(size) for size in inside.split(",") if inside)
    return Shape(dtype, tuple(sizes))


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
