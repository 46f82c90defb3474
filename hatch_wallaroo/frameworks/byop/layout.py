"""Where everything lies in a BYOP bundle.

One top folder; at its top `requirements.txt` and the one inference module; packages and
model files under `artifacts/`, which the platform's validator does not execute.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from hatch_wallaroo.config.spec import ModelSpec, Reference
from hatch_wallaroo.files.collect import find_file, list_declared, list_folder
from hatch_wallaroo.files.presence import is_file, is_folder
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
    told = [posixpath.normpath(each) for each in spec.project.packages if is_folder(spec.path(each))]
    names = roots if told else (*_project_names(spec.project.name), *roots)
    missing = [name for name in dict.fromkeys(names) if name not in top_levels(told)]
    places = [_find_package(spec, name) for name in missing]
    return list(dict.fromkeys([*told, *(each for each in places if each is not None)]))


def _project_names(name: str) -> tuple[str, ...]:
    plain = name.replace("-", "_").replace(".", "_")
    return (plain, plain.lower())


def _find_package(spec: ModelSpec, name: str) -> str | None:
    found = _in_folders(spec, name, (".", "src"))
    return f"src/{name}" if found is None and is_folder(spec.path(f"src/{name}")) else found


def _in_folders(spec: ModelSpec, name: str, folders: Iterable[str]) -> str | None:
    """Where a package or module of a name lies in one of several folders; packages are preferred."""
    places = [posixpath.normpath(f"{folder}/{name}") for folder in folders]
    packages = [each for each in places if is_file(spec.path(f"{each}/__init__.py"))]
    return next(iter([*packages, *(f"{each}.py" for each in places if is_file(spec.path(f"{each}.py")))]), None)


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
    roots = (reference.module.partition(".")[0] for _, reference in references(spec))
    here = next((each for root in roots if (each := around(spec, root))), "src/yourpackage")
    return NOT_A_PACKAGE.finding(
        "byop.packages names the project's own folder, which is no package",
        fix=f'name the package itself in byop.packages: "{here}"',
        place=place,
    )


def references(spec: ModelSpec) -> Iterator[tuple[str, Reference]]:
    """The functions that inference code is generated around, by the option that names each."""
    if spec.byop is not None:
        for option, reference in (("load", spec.byop.load), ("predict", spec.byop.predict)):
            if reference is not None:
                yield option, reference


def around(spec: ModelSpec, root: str) -> str | None:
    """The package of that name inside a folder that byop.packages names in its place, or where packages usually lie."""
    told = spec.byop.packages if spec.byop is not None else None
    return _in_folders(spec, root, (*(each.replace("\\", "/") for each in told or ()), ".", "src"))


def top_levels(packages: Iterable[str]) -> set[str]:
    """The names under which packages are imported."""
    return {posixpath.basename(each).removesuffix(".py") for each in packages}
