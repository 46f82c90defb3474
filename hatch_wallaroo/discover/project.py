"""What a pyproject.toml needs besides `[tool.wallaroo]`, so that Hatch makes the bundle, and nothing else changes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hatch_wallaroo.config.toml.editing import Edit
from hatch_wallaroo.config.toml.values import line
from hatch_wallaroo.files.presence import is_file, is_folder
from hatch_wallaroo.findings import PYPROJECT, Finding, Level, Place, rule
from hatch_wallaroo.project.hatch_config import (
    HATCHLING,
    TARGETS,
    HatchConfig,
    backend,
    builds_by_command,
    read_hatch_config,
    table_for,
)
from hatch_wallaroo.text import requirement_name

INCOMPLETE = rule(
    "WLR676",
    "Hatchling cannot tell the project's name or version",
    why="The bundle is named by both, and Hatchling reads them from [project] alone: what setup.py, or another build "
    "backend, computes is not run.",
    source="PEP 621; hatchling: Missing `project` metadata table in configuration",
)
ELSEWHERE = rule(
    "WLR677",
    "hatch build does not make the bundle of this project",
    why="Hatch builds targets of its own only where Hatchling is the build backend. Hatchling itself makes the bundle "
    "beside any other backend, in an environment that Hatch makes for it.",
    source="Run: hatch 1.18.2 with poetry-core 2.5.0 and setuptools answers: Target `wallaroo` is not supported",
    level=Level.NOTE,
)
IN_HATCH_TOML = rule(
    "WLR679",
    "a table that belongs into hatch.toml",
    why="A top-level table of hatch.toml takes the place of the whole table in pyproject.toml.",
    source="Hatch: Configuration; hatchling, HatchMetadata",
    level=Level.WARNING,
)

OURS = "hatch-wallaroo"
_HATCH_VCS = "hatch-vcs"
_BY_TAGS = re.compile(r"setuptools[-_.]scm\b", re.IGNORECASE)
COMMAND = "hatch run wallaroo:build"
_SYSTEM = 'requires = ["hatchling", "hatch-wallaroo"]\nbuild-backend = "hatchling.build"\n'
_SCRIPT = 'build = "hatchling build -t wallaroo {args}"\n'
_NEW_VERSION = "0.1.0"
_LEGACY = ("setup.py", "setup.cfg")
_PUBLISHING = re.compile(rb"gh-action-pypi-publish|twine upload|(?:hatch|poetry|uv|pdm|flit) publish", re.IGNORECASE)
_LARGEST = 1 << 20


@dataclass
class Completion:
    """A project's file on the way to one that Hatch makes bundles of. Changes `edit`; `findings` and `notes` tell."""

    root: Path
    edit: Edit
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def builder(self) -> str:
        """The package that builds the project; '' where nothing says it and nothing stands in the way of Hatchling."""
        document = self.edit.document
        told = backend(document)
        if told:
            return told
        legacy = any((self.root / each).is_file() for each in _LEGACY)
        return "setuptools" if legacy or "build-system" in document else ""

    def complete(self) -> None:
        """Add what is missing. Raises EditError where the file cannot be changed so."""
        hatch = read_hatch_config(self.root, self.edit.document)
        if self.builder in {"", HATCHLING}:
            self._add_system()
            self._add_hook(hatch)
        else:
            self._name_for_hatchling()
            self._add_command(hatch)
        self._keep_from_index(hatch)

    def requirements(self) -> tuple[Any, list[str]]:
        """What `requirements` has to say, where the project's own dependencies are not for Hatchling to see.

        None where they are, or where there are none to be found; with the names that could not be taken over.
        """
        if self.edit.get(("project", "dependencies")) is not None:
            return None, []
        table = self.edit.get(("tool", "poetry"))
        if isinstance(table, Mapping) and self.builder not in {"", HATCHLING}:
            lines, left = poetry_requirements(table)
            return (lines or None), left
        return ("requirements.txt" if (self.root / "requirements.txt").is_file() else None), []

    # Hatchling builds the project

    def _add_system(self) -> None:
        requires = self.edit.get(("build-system", "requires"))
        if "build-system" not in self.edit.document:
            self._keep_out_of_uv()
            if "project" not in self.edit.document:
                text = line(("name",), project_name(self.root)) + line(("version",), _NEW_VERSION)
                self.edit.add_table("project", text, at_start=True)
            self.edit.add_table("build-system", _SYSTEM, at_start=True)
        elif isinstance(requires, list) and OURS not in set(_names(requires)):
            self.edit.set(("build-system", "requires"), [*requires, OURS])

    def _keep_out_of_uv(self) -> None:
        """Uv installs what has a build system, and finds its lock file out of date: unless it is told not to."""
        by_uv = (self.root / "uv.lock").is_file() or self.edit.get(("tool", "uv")) is not None
        if by_uv and "project" in self.edit.document and self.edit.get(("tool", "uv", "package")) is None:
            self.edit.set(("tool", "uv", "package"), value=False)
            self.notes.append("[tool.uv] package = false: uv goes on as before, the project itself is not installed")

    def _add_hook(self, hatch: HatchConfig) -> None:
        if any(table_for(hatch, each) for each in TARGETS) or hatch.value("build", "targets", "wallaroo") is not None:
            return
        if "build" in hatch.own:
            self._say_hatch_toml("[build.hooks.wallaroo]")
        else:
            self.edit.add_table("tool.hatch.build.hooks.wallaroo", "")

    # Another backend builds it

    def _name_for_hatchling(self) -> None:
        document = self.edit.document
        table = document.get("project")
        if isinstance(table, Mapping):
            dynamic = table.get("dynamic")
            if isinstance(dynamic, list) and "version" in dynamic:
                self._find_version()
            return
        told = self.edit.get(("tool", "poetry"))
        if isinstance(told, Mapping):
            self._project_of_poetry(told)
            return
        fix = f'move name and version into [project]:\n[project]\nname = "{project_name(self.root)}"\nversion = "1.0.0"'
        what = (
            f"{self.builder} reads them from {' or '.join(_LEGACY)}" if self.builder == "setuptools" else self.builder
        )
        message = f"there is no table [project]: {what}, which Hatchling does not"
        self.findings.append(INCOMPLETE.finding(message, fix=fix, place=Place(file=PYPROJECT)))

    def _project_of_poetry(self, told: Mapping[str, Any]) -> None:
        """`[project]` with what Hatchling needs; all other fields stay Poetry's, as `dynamic` says."""
        name, version = told.get("name"), told.get("version")
        fields = poetry_dynamic_fields(told)
        by_tags = self._by_tags()
        text = line(("name",), name if isinstance(name, str) else project_name(self.root))
        if not by_tags:
            text += line(("version",), version if isinstance(version, str) else _NEW_VERSION)
        else:
            fields = ["version", *fields]
        if fields:
            text += line(("dynamic",), fields)
        comment = "# For Hatchling, which makes the bundle; what is dynamic stands in [tool.poetry].\n"
        self.edit.add_table("project", comment + text, at_start=True)
        if by_tags:
            self._add_tags()
        elif isinstance(version, str):
            both = "the version stands in [project] and in [tool.poetry] now: change both"
            self.notes.append(f"{both}, as the command `poetry version` of Poetry 2 does")

    def _find_version(self) -> None:
        if self.edit.get(("tool", "hatch", "version")) is not None:
            return
        if self._by_tags():
            self._add_tags()
            return
        name = self.edit.get(("project", "name")) or project_name(self.root)
        example = f"{str(name).replace('-', '_')}/__init__.py"
        fix = f'say where it stands, for example:\n[tool.hatch.version]\npath = "{example}"'
        message = f"the version is dynamic: {self.builder} computes it, and Hatchling has to be told how"
        self.findings.append(INCOMPLETE.finding(message, fix=fix, place=Place(key=("project", "dynamic"))))

    def _by_tags(self) -> bool:
        """Whether the other backend takes the version from git's tags, which Hatchling can as well."""
        requires = self.edit.get(("build-system", "requires"))
        lines = [each for each in requires if isinstance(each, str)] if isinstance(requires, list) else []
        tables = (("setuptools_scm",), ("poetry-dynamic-versioning",))
        told = any(self.edit.get(("tool", *each)) is not None for each in tables)
        return told or any(map(_BY_TAGS.match, lines)) or self.edit.get(("tool", "pdm", "version", "source")) == "scm"

    def _add_tags(self) -> None:
        comment = f"# For Hatchling: the version that {self.builder} takes.\n"
        self.edit.add_table("tool.hatch.version", comment + line(("source",), "vcs"))

    def _add_command(self, hatch: HatchConfig) -> None:
        """An environment with Hatchling and this plugin, and the command that makes the bundle in it."""
        if not builds_by_command(hatch):
            if "envs" in hatch.own:
                self._say_hatch_toml(f"[envs.wallaroo.scripts]\n{_SCRIPT.strip()}")
                return
            by_tags = self.edit.get(("tool", "hatch", "version", "source")) == "vcs"
            needed = [OURS, *([_HATCH_VCS] if by_tags else [])]
            body = line(("detached",), value=True) + line(("dependencies",), needed)
            self.edit.add_table("tool.hatch.envs.wallaroo", f"{body}\n[tool.hatch.envs.wallaroo.scripts]\n{_SCRIPT}")
        message = f"the project is built by {self.builder}, and stays so: {COMMAND} makes the bundle"
        self.findings.append(ELSEWHERE.finding(message, place=Place(file=PYPROJECT)))

    # Both

    def _keep_from_index(self, hatch: HatchConfig) -> None:
        """`hatch publish` without `-p wallaroo` would put the wheel on the public index."""
        if hatch.value("publish", "index") is not None or "publish" in hatch.own:
            return
        published = self._published()
        if published:
            what = "hatch publish without -p wallaroo uploads the wheel to the index"
            self.notes.append(f"[tool.hatch.publish.index] is left alone, as {published}: {what}")
            return
        self.edit.add_table("tool.hatch.publish.index", "disable = true\n")

    def _published(self) -> str:
        """What tells that the project goes to a package index, as the end of a sentence; '' for nothing."""
        for path in _pipelines(self.root):
            try:
                with path.open("rb") as stream:
                    found = _PUBLISHING.search(stream.read(_LARGEST))
            except OSError:
                continue
            if found:
                return f"{path.relative_to(self.root).as_posix()} publishes the project"
        classifiers = self.edit.get(("project", "classifiers")) or self.edit.get(("tool", "poetry", "classifiers"))
        if isinstance(classifiers, list) and classifiers and not any("Private ::" in str(each) for each in classifiers):
            return "the project's classifiers are made for an index"
        return ""

    def _say_hatch_toml(self, table: str) -> None:
        message = "hatch.toml takes the place of this table in pyproject.toml"
        self.findings.append(
            IN_HATCH_TOML.finding(message, fix=f"write there:\n{table}", place=Place(file="hatch.toml"))
        )


def project_name(root: Path) -> str:
    """A folder's name as a project's."""
    return re.sub(r"[^A-Za-z0-9]+", "-", root.absolute().name).strip("-").lower() or "my-model"


def _names(lines: Sequence[Any]) -> Iterator[str]:
    for each in lines:
        if isinstance(each, str) and (name := requirement_name(each)):
            yield name


def _pipelines(root: Path) -> list[Path]:
    """The files that tell a CI, or make, what to do."""
    workflows = root / ".github" / "workflows"
    found = sorted(workflows.glob("*.y*ml"))[:50] if is_folder(workflows) else []
    return [each for each in (*found, root / ".gitlab-ci.yml", root / "Makefile", root / "tox.ini") if is_file(each)]


_POETRY_FIELDS: Mapping[str, str] = {
    "description": "description",
    "readme": "readme",
    "license": "license",
    "authors": "authors",
    "maintainers": "maintainers",
    "keywords": "keywords",
    "classifiers": "classifiers",
    "homepage": "urls",
    "repository": "urls",
    "documentation": "urls",
    "urls": "urls",
    "scripts": "scripts",
    "plugins": "entry-points",
    "dependencies": "dependencies",
    "extras": "optional-dependencies",
}
"""Poetry's keys, and the fields of [project] that it makes of them."""
_PLAIN = re.compile(r"[0-9]+(?:\.[0-9]+){0,3}")
_CARET = re.compile(r"\^\s*([0-9]+(?:\.[0-9]+){0,3}(?:[.-]?(?:a|b|rc|dev|post)[0-9]*)?)")
_TILDE = re.compile(r"~\s*([0-9]+(?:\.[0-9]+){0,3})")
_POETRY_KEYS = {"version", "extras", "markers", "python", "optional", "source", "allow-prereleases"}


def poetry_dynamic_fields(table: Mapping[str, Any]) -> list[str]:
    """The fields of [project] that Poetry gives: they must be named there, so that it goes on giving them."""
    fields = [field for key, field in _POETRY_FIELDS.items() if key in table]
    dependencies = table.get("dependencies")
    if isinstance(dependencies, Mapping) and "python" in dependencies:
        fields.append("requires-python")
    return list(dict.fromkeys(fields))


def poetry_requirements(table: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Poetry's main dependencies as PEP 508 takes them, and the names of those that cannot be written so."""
    dependencies = table.get("dependencies")
    lines, left = [], []
    for name, told in dependencies.items() if isinstance(dependencies, Mapping) else ():
        if str(name).lower() == "python":
            continue
        line = _line(str(name), told)
        if line is None:
            left.append(str(name))
        elif line:
            lines.append(line)
    return lines, left


def _line(name: str, told: Any) -> str | None:
    """One requirement; '' for what is only an extra's, None for what cannot be said."""
    if isinstance(told, str):
        versions = _versions(told)
        return None if versions is None else f"{name}{versions}"
    if not isinstance(told, Mapping) or told.keys() - _POETRY_KEYS:
        return None
    if told.get("optional") is True:
        return ""
    versions = _versions(told.get("version", "*"))
    extras, markers = told.get("extras", []), told.get("markers")
    if versions is None or not isinstance(extras, list) or "python" in told:
        return None
    named = f"[{','.join(map(str, extras))}]" if extras else ""
    return f"{name}{named}{versions}" + (f"; {markers}" if isinstance(markers, str) else "")


def _versions(told: object) -> str | None:
    """Poetry's versions as specifiers: `^1.2` is `>=1.2,<2`; None for what is not understood."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    if not isinstance(told, str) or "|" in told:
        return None
    text = told.strip()
    parts = [part for each in text.split(",") for part in _specifiers(each.strip())]
    joined = "" if text in {"*", ""} else ",".join(parts)
    try:
        SpecifierSet(joined)
    except InvalidSpecifier:
        return None
    return joined


def _specifiers(text: str) -> Iterator[str]:
    if found := _CARET.fullmatch(text):
        yield from (f">={found[1]}", f"<{_next(found[1], caret=True)}")
    elif found := _TILDE.fullmatch(text):
        yield from (f">={found[1]}", f"<{_next(found[1], caret=False)}")
    elif _PLAIN.fullmatch(text) or text.endswith(".*"):
        yield f"=={text}"
    else:
        yield text


def _next(version: str, *, caret: bool) -> str:
    """The first version that is out: for a caret, the next of the first part that is not zero."""
    numbers = [int(part) for part in re.match(r"[0-9.]*[0-9]", version)[0].split(".")]  # type: ignore[index]
    if caret:
        at = next((index for index, number in enumerate(numbers) if number), len(numbers) - 1)
    else:
        at = min(1, len(numbers) - 1)
    return ".".join(str(each) for each in [*numbers[:at], numbers[at] + 1])
