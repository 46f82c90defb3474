"""The tasks of Hugging Face pipelines: the classes that fit them, and the schemas that requests to them need."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.findings import Finding, Level, nearest, rule
from hatch_wallaroo.frameworks.pretrained.folder import matches
from hatch_wallaroo.releases.model import FrameworkRow
from hatch_wallaroo.schema.types import Field, Scalar, Schema, Type, element, shape

PREFIX = "hugging-face-"
_GUIDE = "MLOps API Essentials Guide, Model Upload and Registrations, Hugging Face Schemas"
_LATE = "The upload ends in `ready` all the same, and the first inference fails. "

MISSING = rule(
    "WLR420",
    "a field that the Hugging Face task needs is not in the schema",
    why="Wallaroo calls the pipeline with the fields of the input schema by name, and stores what it answers in the "
    "fields of the output schema; without the field there is nothing to call it with, or nowhere to store it.",
    source=_GUIDE,
)
UNKNOWN = rule(
    "WLR421",
    "a schema field that the Hugging Face task does not have",
    why="Additional inputs raise errors in most tasks. An output field that the pipeline does not return stays empty.",
    source=_GUIDE + ': "adding additional inputs not specified below will raise errors"',
)
WRONG_TYPE = rule(
    "WLR422",
    "a schema field has another type than the Hugging Face task's",
    why=_LATE + "Outputs are cast to the output schema: widths of numbers are, kinds and dimensions are not.",
    source=_GUIDE + "; casting: run on `mac` 2026.1.3",
)
SIZES = rule(
    "WLR423",
    "lists of the schema that belong together have different sizes",
    why=_LATE + "There is one score for each label, so that a fixed size holds for both or for none.",
    source=_GUIDE + ': "list with a number of items same as top_k", "same as number of candidate labels"',
)
VARIES = rule(
    "WLR424",
    "a fixed size where the number of items varies",
    why="How many objects a picture shows differs from row to row; a row with another number is an error: "
    "`Length of item not correct`.",
    source=_GUIDE + ': "variable output, depending on detected objects"; the message: run on `mac` 2026.1.3',
    level=Level.WARNING,
)

_KINDS = {
    "string": ("string", "large_string"),
    "bool": ("bool",),
    "int": ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    "float": ("float16", "float32", "float64", "halffloat", "float", "double"),
}
_KIND_OF = {name: kind for kind, names in _KINDS.items() for name in names}


@dataclass(frozen=True)
class TaskShape:
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
    shapes: tuple[TaskShape, ...]
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
        return matches(architecture, self.fits) and not matches(architecture, self.excluded)

    def may_take(self, architecture: str) -> bool:
        """Whether a class name says too little to be held against the task."""
        return matches(architecture, self.perhaps)

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


def task_of(row: FrameworkRow) -> Task | None:
    """The task that a framework of a release serves; None for one that is not known."""
    return tasks().get(row.task or row.name.removeprefix(PREFIX))


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


def _shape(text: str) -> TaskShape:
    dtype, _, inside = text.removesuffix("]").partition("[")
    sizes = (None if size.strip() == "*" else int(size) for size in inside.split(",") if inside)
    return TaskShape(dtype, tuple(sizes))


def check_schemas(spec: ModelSpec, task: Task) -> list[Finding]:
    """All that is wrong with both schemas. A schema that is not there is the reader's finding."""
    findings: list[Finding] = []
    if spec.input_schema:
        findings += _fields(spec, "input-schema", spec.input_schema, task, task.input)
    if spec.output_schema:
        findings += _fields(spec, "output-schema", spec.output_schema, task, task.output)
    findings += _sizes(spec, task)
    return findings


def _fields(
    spec: ModelSpec, option: str, schema: Schema, task: Task, rules: Mapping[str, FieldRule]
) -> Iterator[Finding]:
    missing = [each for each in rules.values() if each.name not in schema.names and each.need != "optional"]
    for field in schema.fields:
        if field.name in rules:
            yield from _type(spec, option, field, rules[field.name], task)
            continue
        meant = nearest(field.name, (each for each in rules if each not in schema.names))
        missing = [each for each in missing if each.name != meant]
        yield from _unknown(spec, option, field, meant, task, rules)
    for each in missing:
        expected = each.need == "expected"
        reason = f": {each.why}" if each.why else ""
        yield MISSING.finding(
            f"{option} has no field {each.name!r}, which {task.framework} {'expects' if expected else 'needs'}{reason}",
            fix=f"{each.name} = {_written(each.shapes[0])}",
            place=spec.at(option),
            level=Level.WARNING if expected or task.unsure else None,
        )


def _unknown(
    spec: ModelSpec, option: str, field: Field, meant: str | None, task: Task, rules: Mapping[str, FieldRule]
) -> Iterator[Finding]:
    if meant is not None and (option == "output-schema" or not task.extra or rules[meant].need == "required"):
        yield UNKNOWN.finding(
            f"{option} has a field {field.name!r}; {task.framework} calls it {meant!r}",
            fix=f"rename {field.name} to {meant}",
            place=spec.at(option, field.name),
            level=Level.WARNING if task.unsure else None,
        )
    elif option == "output-schema":
        yield UNKNOWN.finding(
            f"output-schema has a field {field.name!r}, which {task.framework} does not return",
            fix=f"remove {field.name}; the outputs are {_listed(rules)}",
            place=spec.at(option, field.name),
            level=Level.WARNING,
        )
    elif not task.extra:
        yield UNKNOWN.finding(
            f"input-schema has a field {field.name!r}, which {task.framework} does not take",
            fix=f"remove {field.name}; the inputs are {_listed(rules)}",
            place=spec.at(option, field.name),
        )


def _type(spec: ModelSpec, option: str, field: Field, wanted: FieldRule, task: Task) -> Iterator[Finding]:
    judged = [_judge(field.type, each) for each in wanted.shapes]
    best = min(judged, key=lambda each: each is not None and (each[0] is Level.ERROR) + 1)
    place = spec.at(option, field.name)
    if best is not None:
        level, said = best
        yield WRONG_TYPE.finding(
            f"{option}: {field.name!r} {said}",
            fix=f"{field.name} = {' or '.join(_written(each) for each in wanted.shapes)}",
            place=place,
            level=Level.WARNING if task.unsure else level,
        )
    elif wanted.varies and shape(field.type)[0] is not None:
        yield VARIES.finding(
            f"{option}: {field.name!r} has a fixed size of {shape(field.type)[0]}, "
            f"but {task.framework} returns as many items as it finds",
            fix=f"write * for the first size of {field.name}",
            place=place,
        )


def _judge(found: Type, wanted: TaskShape) -> tuple[Level, str] | None:
    """What a type lacks against the one that is wanted, or None where it will do."""
    if wanted.dtype == "any":
        return None
    inner, sizes = element(found), shape(found)
    if not isinstance(inner, Scalar):
        return Level.ERROR, f"holds {type(inner).__name__.lower()} values; it has to be {wanted}"
    if len(sizes) != len(wanted.sizes):
        return Level.ERROR, f"has {_dimensions(len(sizes))}; it has to be {wanted}, with {len(wanted.sizes) or 'none'}"
    kind, wanted_kind = _KIND_OF.get(inner.name), _KIND_OF[wanted.dtype]
    if kind != wanted_kind:
        return Level.ERROR, f"is of {inner.name}; it has to be {wanted.dtype}"
    for size, fixed in zip(sizes, wanted.sizes, strict=True):
        if fixed is not None and size is not None and size != fixed:
            what = "the corners of a box are" if fixed == 4 else "colour pictures have"  # noqa: PLR2004 - see the data
            return Level.ERROR, f"ends in a size of {size}; {what} {fixed}"
    if inner.name != wanted.dtype:
        return Level.WARNING, f"is of {inner.name}; the guide has {wanted.dtype}"
    return None


def _sizes(spec: ModelSpec, task: Task) -> Iterator[Finding]:
    both = {**task.input, **task.output}
    for wanted in both.values():
        own = _first_size(spec, wanted.name)
        other = _first_size(spec, wanted.same_size) if wanted.same_size else None
        if own is None or other is None or own == other:
            continue
        option = "output-schema" if wanted.name in task.output else "input-schema"
        yield SIZES.finding(
            f"{wanted.name!r} has {own} items and {wanted.same_size!r} has {other}; there is one for each",
            fix=f"give both the size {other}, or * for both",
            place=spec.at(option, wanted.name),
            level=Level.WARNING if task.unsure else None,
        )


def _first_size(spec: ModelSpec, name: str) -> int | None:
    for schema in (spec.output_schema, spec.input_schema):
        field = schema.get(name) if schema else None
        if field:
            return (shape(field.type) or (None,))[0]
    return None


def _dimensions(count: int) -> str:
    return {0: "no dimensions", 1: "one dimension"}.get(count, f"{count} dimensions")


def _written(wanted: TaskShape) -> str:
    return f'"{wanted}"' if wanted.dtype != "any" else "its type"


def _listed(rules: Mapping[str, FieldRule]) -> str:
    return ", ".join(rules)
