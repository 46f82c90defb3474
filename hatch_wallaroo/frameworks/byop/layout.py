"""Where everything lies in a BYOP bundle.

One top folder; at its top `requirements.txt` and the one inference module; packages and
model files under `artifacts/`, which the platform's validator does not execute.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, field

from hatch_wallaroo.config.spec import ModelSpec, Reference
from hatch_wallaroo.files.collect import find_file, list_declared, list_folder
from hatch_wallaroo.files.sources import Entry, FileSource
from hatch_wallaroo.findings import Finding, Place, rule
from hatch_wallaroo.frameworks.base import ARTIFACTS

REQUIREMENTS = "requirements.txt"

COLLISION = rule(
    "WLR510",
    "two files want the same place in the bundle",
    why="Packages lie directly under artifacts/, model files under artifacts/ by the path they have in the project.",
    source="The layout of BYOP bundles, design of hatch-wallaroo",
)
NOT_PYTHON = rule(
    "WLR511",
    "the inference module is not a Python file",
    why="The platform's loader executes the .py files at the bundle's top level.",
    source="mac 2023.2.1 to 2026.1.3, `modules_to_include` = *.py",
)
NOT_A_PACKAGE = rule(
    "WLR512",
    "byop.packages names the whole project",
    why="Each entry becomes a folder of its own name in artifacts/, by which the code is imported; the project's own "
    "folder has none.",
    source="The layout of BYOP bundles, design of hatch-wallaroo",
)


@dataclass
class Contents:
    """Files for `artifacts/`, gathered: `entries` by their path below the top folder."""

    spec: ModelSpec
    entries: dict[str, Entry] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    stripped: list[tuple[str, str]] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)

    def add(self, path: str, source: FileSource, label: str, option: str) -> None:
        """Take a file along; one that is taken twice from the same place is taken once."""
        if posixpath.basename(path) == REQUIREMENTS:
            self.stripped.append((label, "the bundle's one requirements.txt is made from `requirements`"))
            return
        known = self.entries.setdefault(path, Entry(f"{self.spec.name}/{path}", source, label))
        if known.source != source:
            self.findings.append(
                COLLISION.finding(
                    f"{label} and {known.name} would both be {path} in the bundle",
                    fix="rename one of them, or leave it out with `exclude`",
                    place=self.spec.at(*option.split(".")),
                )
            )


def gather(spec: ModelSpec, roots: Iterable[str], own_module: str | None) -> Contents:
    """The packages and the model files; `roots` are top-level modules that must be among the packages."""
    contents = Contents(spec)
    declared = spec.byop.packages if spec.byop is not None else None
    for index, package in enumerate(declared if declared is not None else found_packages(spec, roots)):
        _package(contents, package, index if declared is not None else None, own_module)
    listing = list_declared(spec, spec.artifacts)
    contents.findings += listing.findings
    contents.stripped += listing.stripped
    for found in listing.files:
        contents.add(artifact_path(found.path), FileSource(found.absolute), found.label, ARTIFACTS)
    return contents


def artifact_path(path: str) -> str:
    """Where a model file of the project lies in the bundle: below artifacts/, which is not said twice."""
    return path if path.startswith(f"{ARTIFACTS}/") else f"{ARTIFACTS}/{path}"


def found_packages(spec: ModelSpec, roots: Iterable[str]) -> list[str]:
    """Source packages as Hatchling finds them for a wheel, and those that hold the modules asked for."""
    told = [posixpath.normpath(each) for each in spec.project.packages if spec.path(each).is_dir()]
    names = roots if told else (*_project_names(spec.project.name), *roots)
    missing = [name for name in dict.fromkeys(names) if name not in top_levels(told)]
    places = [_find_package(spec, name) for name in missing]
    return list(dict.fromkeys([*told, *(each for each in places if each is not None)]))


def _project_names(name: str) -> tuple[str, ...]:
    plain = name.replace("-", "_").replace(".", "_")
    return (plain, plain.lower())


def _find_package(spec: ModelSpec, name: str) -> str | None:
    for folder in ("", "src/"):
        if spec.path(f"{folder}{name}/__init__.py").is_file():
            return f"{folder}{name}"
    for folder in ("", "src/"):
        if spec.path(f"{folder}{name}.py").is_file():
            return f"{folder}{name}.py"
    return f"src/{name}" if spec.path(f"src/{name}").is_dir() else None


def _package(contents: Contents, package: str, index: int | None, own_module: str | None) -> None:
    spec = contents.spec
    place = spec.at("byop", "packages", index) if index is not None else spec.at("byop", "packages")
    plain = posixpath.normpath(package.replace("\\", "/"))
    if plain == own_module:
        return
    if plain == "." and package:
        contents.findings.append(_whole_project(spec, place))
        return
    contents.packages.append(plain)
    if plain.endswith(".py"):
        found, findings = find_file(spec, package, place=place)
        contents.findings += findings
        if found is not None:
            name = posixpath.basename(found.path)
            contents.add(f"{ARTIFACTS}/{name}", FileSource(found.absolute), found.label, "byop.packages")
        return
    listing = list_folder(spec, package, place=place)
    contents.findings += listing.findings
    contents.stripped += listing.stripped
    name = posixpath.basename(plain)
    for each in listing.files:
        contents.add(f"{ARTIFACTS}/{name}/{each.path}", FileSource(each.absolute), each.label, "byop.packages")


def _whole_project(spec: ModelSpec, place: Place) -> Finding:
    roots = (reference.module.partition(".")[0] for reference in _references(spec))
    here = next((each for root in roots if (each := around(spec, root))), "src/yourpackage")
    return NOT_A_PACKAGE.finding(
        "byop.packages names the project's own folder, which is no package",
        fix=f'name the package itself in byop.packages: "{here}"',
        place=place,
    )


def _references(spec: ModelSpec) -> list[Reference]:
    return [each for each in (spec.byop.load, spec.byop.predict) if each is not None] if spec.byop is not None else []


def around(spec: ModelSpec, root: str) -> str | None:
    """The package of that name inside a folder that byop.packages names in its place, or where packages usually lie."""
    told = spec.byop.packages if spec.byop is not None else None
    for folder in (*(posixpath.normpath(each.replace("\\", "/")) for each in told or ()), ".", "src"):
        for path in (posixpath.normpath(f"{folder}/{root}"), posixpath.normpath(f"{folder}/{root}.py")):
            if spec.path(path if path.endswith(".py") else f"{path}/__init__.py").is_file():
                return path
    return None


def top_levels(packages: Iterable[str]) -> set[str]:
    """The names under which packages are imported."""
    return {posixpath.basename(each).removesuffix(".py") for each in packages}
