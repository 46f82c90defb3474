"""What a framework family answers: which entries a bundle has, and what its header tells."""

from __future__ import annotations

import os.path
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Literal

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.files.collect import find_file
from hatch_wallaroo.files.sources import Entry, FileSource, Source
from hatch_wallaroo.findings import Finding

ARTIFACTS = "artifacts"
"""The folder of a bundle that holds the user's files beside inference code; MLflow has one of the same name."""


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


def declared_model(spec: ModelSpec) -> str:
    """The path that `model` names. The table's reader refuses one without it, so '' is as good as any wrong path."""
    return spec.model or ""


def plan_file(spec: ModelSpec, suffixes: Sequence[str]) -> Planned:
    """The file that `model` names as the one entry, bare; with the first of the suffixes where it has none of them."""
    found, findings = find_file(spec, declared_model(spec), place=spec.at("model"))
    if found is None:
        return Planned(None, findings)
    path = PurePosixPath(found.path)
    suffix = path.suffix if path.suffix in suffixes else suffixes[0]
    name = path.with_suffix(suffix).name if path.suffix else f"{path.name}{suffix}"
    return Planned(Layout("file", suffix, (Entry(name, FileSource(found.absolute), found.label),)), findings)


def version_numbers(version: str) -> tuple[int, ...]:
    """`1.2.2` as numbers; what is no number ends it: `1.3.dev0` and `1.3rc1` are (1, 3)."""
    found = re.match(r"[0-9]{1,9}(?:\.[0-9]{1,9})*", version)
    return tuple(map(int, found[0].split("."))) if found else ()


def is_newer(version: str, than: str) -> bool:
    """Whether a version's major and minor numbers are above another's; False where either is none."""
    ours, theirs = version_numbers(version)[:2], version_numbers(than)[:2]
    return bool(ours and theirs) and ours > theirs


def is_folder(spec: ModelSpec, declared: str) -> bool:
    """Whether a folder stands at a declared path; False too for names that no file system takes."""
    return os.path.isdir(spec.path(declared))  # noqa: PTH112 - pathlib raises for such names


def is_file(spec: ModelSpec, declared: str) -> bool:
    """Whether a file stands at a declared path; False too for names that no file system takes."""
    return os.path.isfile(spec.path(declared))  # noqa: PTH113 - pathlib raises for such names


def begins_as(source: Source) -> str:
    """What a file is by its first bytes, as a phrase; '' where they say nothing, or where it cannot be read."""
    from hatch_wallaroo.formats.recognise import recognise_head

    try:
        with source.open() as stream:
            found = recognise_head(stream.read(64))
    except Exception:  # noqa: BLE001 - a damaged zip raises what zlib, zipfile or the disk does
        return ""
    return found.name if found else ""
