"""Python steps: one function that Wallaroo calls between the models of a pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from hatch_wallaroo.config.spec import ModelSpec, RequirementsFrom
from hatch_wallaroo.files.collect import Found, find_file, list_folder, list_zip
from hatch_wallaroo.files.pointers import lfs_pointer
from hatch_wallaroo.files.sources import Entry, FileSource, TextSource
from hatch_wallaroo.findings import Finding, Place, errors, rule
from hatch_wallaroo.frameworks.base import Family, Inspection, Layout, Planned
from hatch_wallaroo.frameworks.step.code import judge
from hatch_wallaroo.frameworks.step.imports import declared_names
from hatch_wallaroo.frameworks.step.source import StepFile, read_step

NOT_A_STEP = rule(
    "WLR440",
    "the model is not a Python step in the form of its release",
    why="Up to 2023.4 a Python step is one .py file. From 2024.1 it is a zip, whose .py files lie at its top or in its "
    "one top folder.",
    source="The guide, Python Models Requirements; `mac` 2024.1.0, entrypoints/serving.py: modules_to_include",
)

_LARGEST = 1 << 20


class PythonStep(Family):
    """The framework `python`."""

    def plan(self, spec: ModelSpec) -> Planned:
        place = spec.at("model")
        if not spec.model:
            finding = NOT_A_STEP.finding(
                "the Python step is not named", fix='name its file, for example: model = "step.py"', place=place
            )
            return Planned(None, (finding,))
        if spec.release.python_step == "wallaroo_json":
            return _plan_file(spec, spec.model, place)
        return _plan_zip(spec, spec.model, place)

    def inspect(self, spec: ModelSpec, layout: Layout) -> Inspection:
        """Judge each .py that the platform imports, and all of them together. Executes nothing."""
        top = 0 if layout.form == "file" else 1
        modules = {_inside(entry.path, top): entry for entry in layout.entries}
        files: list[StepFile] = []
        for path, entry in sorted(modules.items()):
            if "/" not in path and path.endswith(".py") and not lfs_pointer(entry.source):
                files.append(read_step(spec, entry, path))
        waiting = any(path.endswith(".py") and lfs_pointer(entry.source) for path, entry in modules.items())
        findings = judge(spec, files, set(modules), _declared(modules), complete=not waiting)
        facts = {"function": spec.release.python_step, "modules": [each.path for each in files]}
        return Inspection(facts, tuple(findings))


def _plan_file(spec: ModelSpec, declared: str, place: Place) -> Planned:
    if spec.path(declared).is_dir() or declared.endswith(".zip"):
        return Planned(None, (_bare_wanted(spec, declared, place),))
    found, findings = find_file(spec, declared, place=place)
    if found is None:
        return Planned(None, findings)
    if not found.path.endswith(".py"):
        return Planned(None, (*findings, _no_python(found, place)))
    entry = Entry(found.path.rpartition("/")[2], FileSource(found.absolute), found.label)
    return Planned(Layout("file", ".py", (entry,)), findings)


def _bare_wanted(spec: ModelSpec, declared: str, place: Place) -> Finding:
    return NOT_A_STEP.finding(
        f"{declared} is not a .py file; Wallaroo {spec.release.version} takes a Python step as one bare .py file",
        fix='name the file itself, or set release = "2024.1" or later, which takes a folder',
        place=place,
    )


def _no_python(found: Found, place: Place) -> Finding:
    return NOT_A_STEP.finding(
        f"{found.label} is not a Python file",
        fix='name the .py file with the step, for example: model = "step.py"',
        place=place,
    )


def _plan_zip(spec: ModelSpec, declared: str, place: Place) -> Planned:
    entries, findings, stripped = _listed(spec, declared, place)
    if not entries:
        return Planned(None, tuple(findings))
    if not any("/" not in each.path and each.path.endswith(".py") for each in entries):
        deeper = sorted(each.path for each in entries if each.path.endswith(".py"))
        said = f"; {deeper[0]} lies too deep" if deeper else ""
        findings.append(
            NOT_A_STEP.finding(
                f"{declared} holds no .py file at its top{said}: the platform looks for the step there only",
                fix="put the file with process_data at the top of the folder",
                place=place,
            )
        )
        return Planned(None, tuple(findings))
    entries, more = _requirements(spec, declared, entries)
    findings += more
    named = tuple(Entry(f"{spec.name}/{each.path}", each.source, each.label) for each in entries)
    return Planned(Layout("zip", ".zip", named, tuple(stripped)), tuple(findings))


def _listed(spec: ModelSpec, declared: str, place: Place) -> tuple[list[Entry], list[Finding], list[tuple[str, str]]]:
    """The files of the step, seen from the folder that they lie in."""
    if spec.path(declared).is_dir():
        listing = list_folder(spec, declared, place=place)
        return list(_entries(listing.files)), list(listing.findings), list(listing.stripped)
    found, findings = find_file(spec, declared, place=place)
    if found is None:
        return [], list(findings), []
    if found.path.endswith(".py"):
        return list(_entries([found])), list(findings), []
    if not found.path.endswith(".zip"):
        return [], [*findings, _no_python(found, place)], []
    zipped = list_zip(spec, found, place=place)
    if errors(zipped.findings) and not zipped.entries:
        return [], [*findings, *zipped.findings], list(zipped.stripped)
    return _unfolded(zipped.entries), [*findings, *zipped.findings], list(zipped.stripped)


def _entries(files: Iterable[Found]) -> Iterable[Entry]:
    return (Entry(each.path, FileSource(each.absolute), each.label) for each in files)


def _unfolded(entries: Iterable[Entry]) -> list[Entry]:
    """A zip without its one top folder, which the platform strips."""
    listed = list(entries)
    tops = {each.path.partition("/")[0] for each in listed}
    if len(tops) == 1 and all("/" in each.path for each in listed):
        return [Entry(each.path.partition("/")[2], each.source, each.label) for each in listed]
    return listed


def _requirements(spec: ModelSpec, declared: str, entries: list[Entry]) -> tuple[list[Entry], list[Finding]]:
    """The step's requirements.txt: the folder's own unless others are declared; none where nothing is required."""
    from hatch_wallaroo.requirements.resolve import requirements_text

    own = next((each for each in entries if each.path == "requirements.txt"), None)
    if own is not None and "requirements" not in spec.origins:
        if isinstance(own.source, FileSource) and spec.path(declared).is_dir():
            file = RequirementsFrom("file", file=f"{declared.rstrip('/')}/requirements.txt")
            return entries, list(requirements_text(replace(spec, requirements=file)).findings)
        return entries, []
    made = requirements_text(spec)
    others = [each for each in entries if each is not own]
    if made.lines:
        others.append(Entry("requirements.txt", TextSource(made.text)))
    return others, list(made.findings)


def _declared(modules: Mapping[str, Entry]) -> set[str] | None:
    """What the bundle's requirements.txt names."""
    entry = modules.get("requirements.txt")
    if entry is None:
        return set()
    with entry.source.open() as stream:
        return declared_names(stream.read(_LARGEST).decode(errors="replace"))


def _inside(path: str, top: int) -> str:
    return path.partition("/")[2] if top else path
