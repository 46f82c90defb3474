"""Python steps: one function that Wallaroo calls between the models of a pipeline."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial

from hatch_wallaroo.config.spec import ModelSpec, RequirementsFrom
from hatch_wallaroo.files.collect import find_file, list_folder, list_zip
from hatch_wallaroo.files.presence import is_folder
from hatch_wallaroo.files.sources import Entry, FileSource, Found, TextSource
from hatch_wallaroo.findings import Finding, Place, Rule, errors
from hatch_wallaroo.frameworks import import_findings
from hatch_wallaroo.frameworks.base import Family, Inspection, Layout, Planned
from hatch_wallaroo.frameworks.file_fixes import Start, mend
from hatch_wallaroo.frameworks.import_findings import (
    Fix,
    explain,
    once,
    own_modules,
    own_paths,
    reached_findings,
    too_deep,
)
from hatch_wallaroo.frameworks.mac import environment_of
from hatch_wallaroo.frameworks.step import rules
from hatch_wallaroo.frameworks.step.function import judge
from hatch_wallaroo.python.import_failures import FILES, FailureKind, ImportFailure
from hatch_wallaroo.python.import_run import ImportRun
from hatch_wallaroo.python.newer_syntax import NEWER
from hatch_wallaroo.python.platform_environment import PlatformEnvironment
from hatch_wallaroo.python.source_files import UNJUDGED, UNPARSEABLE, read_sources
from hatch_wallaroo.python.values import UNKNOWN, Function, Module
from hatch_wallaroo.releases.load import releases_with


class PythonStep(Family):
    """The framework `python`."""

    def plan(self, spec: ModelSpec) -> Planned:
        place = spec.at("model")
        if not spec.model:
            finding = rules.NOT_A_STEP.finding(
                "the Python step is not named", fix='name its file, for example: model = "step.py"', place=place
            )
            return Planned(None, (finding,))
        if spec.release.python_step == "wallaroo_json":
            return _plan_file(spec, spec.model, place)
        return _plan_zip(spec, spec.model, place)

    def inspect(self, spec: ModelSpec, layout: Layout) -> Inspection:
        """Judge what the platform's import of each .py at the top would do, and the function. Executes nothing."""
        top = f"{spec.name}/" if layout.form == "zip" else ""
        entries = {entry.path.removeprefix(top): entry for entry in layout.entries}
        sources = read_sources(layout.entries, spec.name if top else "")
        run = ImportRun(sources, _environment(spec, entries), paths=entries.keys())
        try:
            modules = [run.execute(file, _LOADED_AS) for path, file in sorted(sources.files.items()) if "/" not in path]
            _call(run, modules, spec.release.python_step)
            run.settle()
            findings = [*_importing(spec, run), *judge(spec, modules)]
        except RecursionError:
            findings = [too_deep("the Python step", spec.at("model"))]
            modules = []
        facts = {"function": spec.release.python_step, "modules": [module.file.path for module in modules]}
        return Inspection(facts, tuple(once(findings)))


_LOADED_AS = "custom_step"
_LARGEST = 1 << 20
_KINDS: Mapping[str, Rule] = {
    import_findings.LEAVES.code: rules.EXITS,
    import_findings.NEWER_MODULE.code: rules.SYNTAX,
    import_findings.UNDECLARED.code: rules.UNDECLARED,
    NEWER.code: rules.SYNTAX,
    UNPARSEABLE.code: rules.SYNTAX,
}
"""What the rules of inference code are called for steps; all other failures of an import are NO_IMPORT."""
_KEPT = frozenset({UNJUDGED.code})


def _call(run: ImportRun, modules: Iterable[Module], name: str) -> None:
    """The first request: the platform calls the function with the data."""
    run.during = "a request comes"
    for module in modules:
        bound = module.names.get(name)
        if bound is not None and len(bound.values) == 1 and isinstance(bound.values[0], Function):
            run.call(bound.values[0], (UNKNOWN,))


def _importing(spec: ModelSpec, run: ImportRun) -> Iterable[Finding]:
    """What the import of the files and the call of the step would trip over, by the rules for steps."""
    beside = partial(_beside, spec)
    fixes: dict[FailureKind, Fix] = {
        "path": beside,
        "module": beside,
        "relative": _alone,
        "exit": partial(_leaving, spec),
        **dict.fromkeys(FILES, partial(_file, spec)),
    }
    found = explain(run.failures, run.environment, fixes)
    for each in (*found, *reached_findings(run)):
        if each.code in _KEPT:
            yield each
        elif each.code != import_findings.UNDECLARED.code:
            yield replace(each, rule=_KINDS.get(each.code, rules.NO_IMPORT))
        elif spec.release.python_step == "process_data":
            yield replace(each, rule=rules.UNDECLARED)
        else:
            yield replace(each, rule=rules.UNDECLARED, fix='use framework = "custom", which has requirements', about="")


def _beside(spec: ModelSpec, failure: ImportFailure) -> str:
    root = failure.detail.partition(".")[0]
    if spec.release.python_step == "wallaroo_json":
        return f'put the code of {root} into this file, or use framework = "custom"'
    return (
        f"put the code of {root} into this file, or before it: "
        "import os, sys; sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))"
    )


def _file(spec: ModelSpec, failure: ImportFailure) -> str:
    """A step is told no folder: what lies beside it is found by its own path."""
    if spec.release.python_step == "wallaroo_json":
        return 'put what it holds into this file, or use framework = "custom"'
    declared = spec.model or ""
    into = f"put {{}} into {declared}"
    if declared.endswith(".py"):
        into = f"put {declared} and {{}} into a folder, name that in `model`"
    return mend(Start("Path(__file__).parent", failure.file.folder, into, "", "the folder"), failure)


def _alone(_failure: ImportFailure) -> str:
    return "put the code into this file"


def _leaving(spec: ModelSpec, failure: ImportFailure) -> str:
    if failure.file.path == "setup.py":
        return f'exclude = ["{failure.file.label}"]'
    return "remove the call" if spec.model == failure.file.label else "remove the call, or leave the file out"


def _environment(spec: ModelSpec, entries: Mapping[str, Entry]) -> PlatformEnvironment:
    """What a step finds around it: what its requirements.txt names, and for the engine's steps what the guide names."""
    lines = _required(entries)
    if spec.release.python_step == "wallaroo_json" and lines is not None:
        lines = [*lines, "statsmodels", "scipy"]
    own = own_modules(spec, posixpath.dirname(spec.model or ""))
    return environment_of(spec.release, lines, own, own_paths(spec))


def _plan_file(spec: ModelSpec, declared: str, place: Place) -> Planned:
    if is_folder(spec.path(declared)) or declared.endswith(".zip"):
        return Planned(None, (_bare_wanted(spec, declared, place),))
    found, findings = find_file(spec, declared, place=place)
    if found is None:
        return Planned(None, findings)
    if not found.path.endswith(".py"):
        return Planned(None, (*findings, _no_python(found, place)))
    entry = Entry(found.path.rpartition("/")[2], FileSource(found.absolute), found.label)
    return Planned(Layout("file", ".py", (entry,)), findings)


def _bare_wanted(spec: ModelSpec, declared: str, place: Place) -> Finding:
    since = releases_with(lambda each: each.python_step == "process_data")[0]
    return rules.NOT_A_STEP.finding(
        f"{declared} is not a .py file; Wallaroo {spec.release.version} takes a Python step as one bare .py file",
        fix=f'name the file itself, or set release = "{since}" or later, which takes a folder',
        place=place,
    )


def _no_python(found: Found, place: Place) -> Finding:
    return rules.NOT_A_STEP.finding(
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
            rules.NOT_A_STEP.finding(
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
    if is_folder(spec.path(declared)):
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
        if isinstance(own.source, FileSource) and is_folder(spec.path(declared)):
            file = RequirementsFrom("file", file=f"{declared.rstrip('/')}/requirements.txt")
            return entries, list(requirements_text(replace(spec, requirements=file)).findings)
        return entries, []
    made = requirements_text(spec)
    others = [each for each in entries if each is not own]
    if made.lines:
        others.append(Entry("requirements.txt", TextSource(made.text)))
    return others, list(made.findings)


def _required(entries: Mapping[str, Entry]) -> list[str] | None:
    """The lines of the bundle's requirements.txt; None where it refers to other files."""
    entry = entries.get("requirements.txt")
    if entry is None:
        return []
    with entry.source.open() as stream:
        lines = [line.strip() for line in stream.read(_LARGEST).decode(errors="replace").splitlines()]
    if any(line.startswith(("-", "http", "git+", ".", "/")) for line in lines):
        return None
    return lines
