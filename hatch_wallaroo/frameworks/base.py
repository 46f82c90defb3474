"""What a framework family answers: which entries a bundle has, and what its header tells."""

from __future__ import annotations

import os.path
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.files.sources import Entry, Source
from hatch_wallaroo.findings import Finding
from hatch_wallaroo.formats.recognise import recognise_head


@dataclass(frozen=True)
class Layout:
    """The shape of a bundle: one bare file, a zip of entries, or a tar of them, which is an image's build context.

    `suffix` is the bundle's, with its dot: `.onnx`, `.zip`. A bare file is one entry
    whose path is its name. `stripped` lists what was left out on purpose and why,
    for the summary: (label, reason).
    """

    form: Literal["file", "zip", "tar"]
    suffix: str
    entries: tuple[Entry, ...]
    stripped: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Planned:
    """A layout, or None with the findings that say why there is none."""

    layout: Layout | None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Inspection:
    """What the headers told: `facts` as plain JSON for the manifest and `check`, and findings."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


class Family(ABC):
    """One family of frameworks. Stateless: everything it needs is in the spec and the layout.

    No method raises for anything a user can get wrong: that is a finding.
    """

    @abstractmethod
    def plan(self, spec: ModelSpec) -> Planned:
        """Decide the entries. Lists folders and zip directories, reads no model content."""

    @abstractmethod
    def inspect(self, spec: ModelSpec, layout: Layout) -> Inspection:
        """Read headers and judge them against the release, in constant memory.

        Never imports the framework, never unpickles, never executes the user's code.
        """

    def check_schemas(self, spec: ModelSpec, facts: Mapping[str, Any]) -> tuple[Finding, ...]:  # noqa: ARG002 - most need neither
        """Judge the declared schemas; asked for every model, whether or not its file can be found and read.

        `facts` are those of `inspect`, empty where there was nothing to inspect. The default: no rules but `inspect`'s.
        """
        return ()


def is_folder(spec: ModelSpec, declared: str) -> bool:
    """Whether a folder stands at a declared path; False too for names that no file system takes."""
    return os.path.isdir(spec.path(declared))  # noqa: PTH112 - pathlib raises for such names


def is_file(spec: ModelSpec, declared: str) -> bool:
    """Whether a file stands at a declared path; False too for names that no file system takes."""
    return os.path.isfile(spec.path(declared))  # noqa: PTH113 - pathlib raises for such names


def begins_as(source: Source) -> str:
    """What a file is by its first bytes, as a phrase; '' where they say nothing, or where it cannot be read."""
    try:
        with source.open() as stream:
            found = recognise_head(stream.read(64))
    except Exception:  # noqa: BLE001 - a damaged zip raises what zlib, zipfile or the disk does
        return ""
    return found.name if found else ""
