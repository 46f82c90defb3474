"""What is run: one bundle, and what its manifest or its table says of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hatch_wallaroo.bundle.check import Checked, own_requirements, requirement_lines
from hatch_wallaroo.files.sources import FileSource, TextSource
from hatch_wallaroo.findings import KeyPath, Place
from hatch_wallaroo.preflight.rows import Rows, read_rows
from hatch_wallaroo.releases.model import FrameworkRow, Release
from hatch_wallaroo.requirements.target import MACHINES, target
from hatch_wallaroo.schema.hints import tensor
from hatch_wallaroo.schema.types import Field, Schema
from hatch_wallaroo.text import display_path, requirement_name


@dataclass(frozen=True)
class Subject:
    """A bundle to be run.

    `file` is the bundle, `sha256` its digest. `requirements` are its lines as its manifest tells them; `python` and
    `machine` are those of the platform (`3.10`, `x86_64`). `sources` maps a path inside the bundle to that of the
    project which it was made from, relative to the project; `requirement_places` a package to its line; `header` is
    what the model's own file says that it takes, where it says all of it, `fixed_rows` the only number of rows that it
    takes; `output_names` are what our own predictions call their fields where no output schema does; `key` is the
    model's table.
    """

    name: str
    version: str
    file: Path
    sha256: str
    release: Release
    framework: FrameworkRow
    framework_config: Mapping[str, Any] | None
    requirements: tuple[str, ...]
    machine: str
    input_schema: Schema | None
    output_schema: Schema | None
    rows: Rows | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    requirement_places: Mapping[str, Place] = field(default_factory=dict)
    header: Schema | None = None
    fixed_rows: int | None = None
    output_names: tuple[str, ...] = ()
    key: KeyPath = ("tool", "wallaroo")
    checked: Checked | None = None
    """The model as it was packed; None for a bundle that is known by its manifest alone."""

    @property
    def python(self) -> str:
        return self.release.python

    @property
    def wheel(self) -> str:
        """The SDK's version whose `mac` runs it: the patch that was asked for, else the release's last."""
        wheels = self.release.runtime_set.wheels
        return next((each for each in wheels if _same(each, self.release.asked)), wheels[-1])

    @property
    def form(self) -> str:
        """How a Python step is written; empty for every other framework."""
        return self.release.python_step if self.framework.family == "python" else ""

    @property
    def by_platform(self) -> bool:
        """Whether the platform's own loader makes the step: BYOP always, steps where they are `process_data`."""
        return self.framework.family == "custom" or self.form == "process_data"


def of_checked(checked: Checked, file: Path, sha256: str) -> Subject:
    """The subject of a model that was just packed into `file`. Raises RowsError where its sample cannot be read."""
    spec = checked.spec
    sources: dict[str, str] = {}
    for entry in checked.plan.layout.entries if checked.plan else ():
        if isinstance(entry.source, FileSource):
            sources[entry.path] = display_path(os.path.relpath(entry.source.path, spec.root))
    return Subject(
        name=spec.name,
        version=spec.version,
        file=file,
        sha256=sha256,
        release=spec.release,
        framework=spec.framework,
        framework_config=spec.framework_config,
        requirements=tuple(checked.requirements),
        machine=target(spec).machine,
        input_schema=spec.input_schema,
        output_schema=spec.output_schema,
        sources=sources,
        requirement_places=_places(checked),
        rows=read_rows(spec.path(spec.sample)) if spec.sample else None,
        header=header_of(checked.facts),
        fixed_rows=fixed_rows(checked.facts),
        key=spec.key,
        checked=checked,
    )


def header_of(facts: Mapping[str, Any]) -> Schema | None:
    """The columns that a model's header asks for; None where it leaves anything open.

    `facts` are those of the check: of an ONNX graph, of a SavedModel's signature.
    """
    fields = []
    for each in _inputs(facts):
        type_ = tensor(each["name"], each["dtype"], each["shape"]).type
        if each.get("kind", "tensor") != "tensor" or type_ is None:
            return None
        fields.append(Field(each["name"], type_))
    return Schema(tuple(fields)) if fields else None


def fixed_rows(facts: Mapping[str, Any]) -> int | None:
    """The number of rows that a header prescribes; None where it leaves them open."""
    firsts = [each["shape"][0] for each in _inputs(facts) if each["shape"]]
    return next((each for each in firsts if isinstance(each, int) and each > 0), None)


def _inputs(facts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The inputs among the facts, which a manifest may hold in any form: none where one of them is no tensor."""
    signatures, told = facts.get("signatures"), facts.get("inputs")
    if isinstance(signatures, Mapping) and signatures:
        serving = signatures.get("serving_default") or signatures[min(signatures)]
        told = serving.get("inputs") if isinstance(serving, Mapping) else None
    if not isinstance(told, (list, tuple)):
        return []
    tensors = [each for each in told if isinstance(each, Mapping) and {"name", "dtype", "shape"} <= set(each)]
    return tensors if len(tensors) == len(told) else []


def _places(checked: Checked) -> dict[str, Place]:
    """Each required package with the line that asks for it, and, under no name, where requirements are declared."""
    from hatch_wallaroo.requirements.resolve import places

    spec = checked.spec
    entry = own_requirements(checked.plan) if checked.plan else None
    if entry is None or isinstance(entry.source, TextSource):
        return places(spec)
    # The user's own requirements.txt lies in the model's folder or zip.
    lines = requirement_lines(entry)
    named = {requirement_name(line): Place(file=entry.name, line=number) for number, line in lines.items()}
    return {**named, "": Place(file=entry.name)}


def of_manifest(manifest: Mapping[str, Any], file: Path) -> Subject:
    """The subject that a manifest describes. Raises SubjectError where it does not say what is needed."""
    from hatch_wallaroo.releases.load import UnknownReleaseError, resolve
    from hatch_wallaroo.schema.arrow import SchemaDecodeError, decode

    try:
        release = resolve(str(manifest["release"]["asked"]))
        framework = release.frameworks[str(manifest["framework"])]
        upload = manifest["upload"]
        conversion = upload["conversion"]
        schemas = {**manifest.get("config", {}), **upload}
        sides = [decode(schemas[side]) if schemas.get(side) else None for side in ("input_schema", "output_schema")]
        return Subject(
            name=str(manifest["model"]),
            version=str(manifest["version"]),
            file=file,
            sha256=str(manifest["file"]["sha256"]),
            release=release,
            framework=framework,
            framework_config=conversion.get("framework_config"),
            requirements=tuple(map(str, manifest.get("requirements", ()))),
            machine=MACHINES.get(str(conversion.get("arch") or "x86"), "x86_64"),
            input_schema=sides[0],
            output_schema=sides[1],
            header=header_of(manifest.get("facts", {})),
            fixed_rows=fixed_rows(manifest.get("facts", {})),
        )
    except UnknownReleaseError as error:
        raise SubjectError(str(error)) from error
    except SchemaDecodeError as error:
        raise SubjectError(f"its schemas cannot be read: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise SubjectError(f"its manifest does not tell {error}") from error


class SubjectError(Exception):
    """Why a bundle cannot be run: what its manifest lacks."""


def _same(wheel: str, asked: str) -> bool:
    return asked.count(".") == 2 and wheel in {asked, f"{asked}.0"}  # noqa: PLR2004 - a patch: 2025.2.0
