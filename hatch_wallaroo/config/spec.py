"""A model as declared in `[tool.wallaroo]`, resolved against its release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from hatch_wallaroo.findings import KeyPath, Place
from hatch_wallaroo.releases.model import FrameworkRow, Release
from hatch_wallaroo.schema.types import Schema


@dataclass(frozen=True)
class Project:
    """What the project itself says, read by whichever front end runs us.

    `dependencies` are PEP 508 strings, markers and extras unevaluated. `packages` are the folders
    that the wheel is told to ship; empty where they are left to be found. `source` is the address of
    the sources, from `urls`; empty where it does not say.
    """

    name: str
    version: str
    dependencies: tuple[str, ...] = ()
    optional_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    requires_python: str = ""
    packages: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True)
class RequirementsFrom:
    """Where requirements come from: the project's dependencies, a file, or lines in the table."""

    kind: Literal["project", "file", "list"]
    file: str = ""
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reference:
    """A function as `"package.module:function"` names it."""

    module: str
    function: str

    def __str__(self) -> str:
        return f"{self.module}:{self.function}"


@dataclass(frozen=True)
class ByopSpec:
    """The inference code: generated around `load` and `predict`, or the user's own `module`."""

    load: Reference | None = None
    predict: Reference | None = None
    model_types: tuple[str, ...] = ()
    module: str | None = None
    packages: tuple[str, ...] | None = None


@dataclass(frozen=True)
class ImageSpec:
    """The container of an MLflow model. `build` and `try_`: whether a build has an engine make it, and starts it."""

    base: str
    tag: str | None = None
    registry: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    platform: str | None = None
    build: bool = True
    try_: bool = False
    builder: str | None = None


@dataclass(frozen=True)
class ModelSpec:
    """One model, everything decided: no default is left to be filled in downstream.

    Paths are as declared, relative to `root`, with forward slashes. `key` is the
    model's table, `origins` says for each declared option where it stands (in a
    repository of several models that may be the shared table above), `byop.load`
    and the like apart, as one may be shared and another not.
    """

    root: Path
    key: KeyPath
    origins: Mapping[str, KeyPath]
    project: Project
    name: str
    version: str
    release: Release
    framework: FrameworkRow
    model: str | None
    artifacts: tuple[str, ...]
    exclude: tuple[str, ...]
    include_sensitive: tuple[str, ...]
    requirements: RequirementsFrom
    lock: bool
    python_version: str
    visibility: Literal["private", "public"]
    arch: str | None
    accel: str | Mapping[str, Any] | None
    framework_config: Mapping[str, Any] | None
    compression: Literal["auto", "stored", "deflate", "fast"]
    input_schema: Schema | None
    output_schema: Schema | None
    sample: str | None
    byop: ByopSpec | None
    image: ImageSpec | None
    distributions: str | None = None
    """What the paths of the project's own sdist and wheel begin with, where they lie inside it: `out/a-1.0`."""
    files_only: bool = False
    """Its release is unknown, another's data stand in: nothing but its files can be judged, or be packed."""

    def at(self, option: str, *inside: str | int) -> Place:
        """The place of an option, or of something inside it; the model's table where it is not written.

        `spec.at("byop", "load")`, `spec.at("artifacts", 2)`, `spec.at("input-schema", "inputs")`.
        """
        for length in range(len(inside), -1, -1):
            origin = self.origins.get(".".join((option, *map(str, inside[:length]))))
            if origin is not None:
                return Place(key=(*origin, *inside[length:]))
        return Place(key=self.key)

    def path(self, declared: str) -> Path:
        """A declared path, absolute, links not followed."""
        return self.root / declared
