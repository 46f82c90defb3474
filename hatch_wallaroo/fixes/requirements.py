"""Fixes of requirements: a package that is missing, a name that installs something else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from hatch_wallaroo.config.spec import ModelSpec, RequirementsFrom
from hatch_wallaroo.files.presence import exists, is_file
from hatch_wallaroo.findings import PYPROJECT, Finding
from hatch_wallaroo.fixes.model import AddLine, Append, ChangeLine, Context, Drop, Fix, Key, Replace, item
from hatch_wallaroo.python.distributions import certain
from hatch_wallaroo.requirements.lines import Line, read
from hatch_wallaroo.requirements.lock import PYLOCK
from hatch_wallaroo.requirements.resolve import MISNAMED
from hatch_wallaroo.text import key_text, normalized, quoted, requirement_name

_PROJECT: Key = ("project", "dependencies")
_BARE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def missing_package(finding: Finding, context: Context) -> Fix | None:
    """The package that code imports, where the model's requirements come from. Its version is the user's to choose.

    What a setup.py imports is none of the model's: such a file stays out of the bundle.
    """
    spec = context.spec
    if finding.place.file.rpartition("/")[2] == "setup.py":
        return None
    name = certain(finding.about) if finding.about else None
    if spec is None or name is None or (spec.lock and exists(spec.root / PYLOCK)):
        return None
    spec = _with_own_file(spec)
    source = read(spec)
    if any(line.hashes for line in source.lines) or normalized(name) in _names(source.lines):
        return None
    if spec.requirements.kind == "file":
        file = spec.requirements.file
        return Fix(f"{file} asks for {name}", file, (AddLine(name),)) if is_file(spec.path(file)) else None
    if spec.requirements.kind == "list":
        key = tuple(map(str, spec.at("requirements").key))
        return Fix(f"{key_text(key)} asks for {name}", PYPROJECT, (Append(key, name),))
    return _into_project(name, context)


def _into_project(name: str, context: Context) -> Fix | None:
    project = context.at(("project",))
    if not isinstance(project, Mapping) or "dependencies" in context.repository.unknown:
        return None
    dynamic, lines = project.get("dynamic"), project.get("dependencies", [])
    if (isinstance(dynamic, list) and "dependencies" in dynamic) or not isinstance(lines, list):
        return None
    return Fix(f"{key_text(_PROJECT)} asks for {name}", PYPROJECT, (Append(_PROJECT, name),))


def _with_own_file(spec: ModelSpec) -> ModelSpec:
    """A Python step's folder may bring its own requirements.txt, which is taken where nothing is declared."""
    if spec.framework.family != "python" or "requirements" in spec.origins or spec.model is None:
        return spec
    own = f"{spec.model.rstrip('/')}/requirements.txt"
    return replace(spec, requirements=RequirementsFrom("file", file=own)) if is_file(spec.path(own)) else spec


def misnamed(finding: Finding, context: Context) -> Fix | None:
    """The name that is meant, where the line says nothing but the name: versions are another package's."""
    spec = context.spec
    if spec is None:
        return None
    source = read(spec)
    line = next((each for each in source.lines if each.place in {finding.place, _unlocated(finding)}), None)
    if line is None or not _BARE.fullmatch(line.text) or line.hashes:
        return None
    name = normalized(line.text)
    meant = re.fullmatch(r"write '([a-z0-9-]+)'", MISNAMED[name][1]) if name in MISNAMED else None
    if meant and meant[1] in _names(source.lines):
        return None
    new = meant[1] if meant else None
    if name not in MISNAMED or (new is None and name != "python"):
        return None
    described = f"{quoted(line.text)} becomes {quoted(new)}" if new else f"{quoted(line.text)} goes: it is no package"
    listed = item(finding)
    if line.place.file and line.place.line:
        return Fix(described, line.place.file, (ChangeLine(line.place.line, line.text, new),))
    if listed is None:
        return None
    change = Replace(listed[0], line.text, new) if new else Drop(listed[0], line.text)
    return Fix(described, PYPROJECT, (change,))


def _unlocated(finding: Finding) -> object:
    return replace(finding.place, file="", line=None, column=None)


def _names(lines: Iterable[Line]) -> set[str]:
    return {requirement_name(line.text) for line in lines} - {""}
