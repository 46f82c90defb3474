"""BYOP, `framework = "custom"`: the user's own inference code, or code generated around two functions of theirs."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

from hatch_wallaroo.config.spec import ByopSpec, ModelSpec, Reference
from hatch_wallaroo.files.collect import find_file
from hatch_wallaroo.files.paths import has_glob
from hatch_wallaroo.files.presence import is_readable
from hatch_wallaroo.files.sources import Entry, FileSource, TextSource
from hatch_wallaroo.findings import Finding, errors, rule
from hatch_wallaroo.frameworks.base import ARTIFACTS, Family, Inspection, Layout, Planned
from hatch_wallaroo.frameworks.byop import generated
from hatch_wallaroo.frameworks.byop.layout import (
    NOT_A_PACKAGE,
    NOT_PYTHON,
    REQUIREMENTS,
    Contents,
    gather,
    top_levels,
)
from hatch_wallaroo.frameworks.byop.load_and_predict import (
    NOTHING,
    Target,
    execute,
    folder_given,
    follow,
    hides,
    judge_names,
)
from hatch_wallaroo.frameworks.byop.loader import load
from hatch_wallaroo.frameworks.byop.model_types import ModelTypes, model_types
from hatch_wallaroo.frameworks.byop.rules import NO_MODEL
from hatch_wallaroo.frameworks.byop.validator import validate
from hatch_wallaroo.frameworks.file_fixes import file_fixes
from hatch_wallaroo.frameworks.import_findings import (
    NO_SETTER,
    NOT_THERE,
    explain,
    once,
    own_modules,
    own_paths,
    reached_findings,
    too_deep,
)
from hatch_wallaroo.frameworks.mac import BUILDER, INFERENCE, environment_of
from hatch_wallaroo.python.definitions import named_classes
from hatch_wallaroo.python.import_run import ImportRun
from hatch_wallaroo.python.platform_environment import PlatformEnvironment
from hatch_wallaroo.python.source_files import Sources, read_sources
from hatch_wallaroo.python.values import Module, OwnClass
from hatch_wallaroo.releases.model import ByopSupport
from hatch_wallaroo.requirements.resolve import requirements_text

NO_CODE = rule(
    "WLR509",
    "nothing says where the inference code is",
    why="A custom model is Python code: either generated around two functions, or a module of your own.",
    source="Upload guide, Arbitrary Python File Requirements",
)


class Custom(Family):
    """The framework `custom`."""

    def plan(self, spec: ModelSpec) -> Planned:
        """The inference module and requirements.txt on top, packages and model files under artifacts/."""
        byop = spec.byop or ByopSpec()
        if byop.module is not None:
            return _plan_own(spec, byop.module)
        if byop.load is not None and byop.predict is not None:
            return _plan_generated(spec, byop.load, byop.predict)
        finding = NO_CODE.finding(
            "the custom model has no inference code",
            fix='set byop.load = "package.module:load" and byop.predict = "package.module:predict", '
            'or byop.module = "your_inference.py"',
            place=spec.at("byop"),
        )
        return Planned(None, (finding,))

    def inspect(self, spec: ModelSpec, layout: Layout) -> Inspection:
        """Judge the code as the release's validator and loader would, without executing it."""
        byop = spec.byop or ByopSpec()
        try:
            if byop.module is not None:
                made = _inspect_own(spec, layout)
            elif byop.load is not None and byop.predict is not None:
                made = inspect_generated(spec, layout, byop.load, byop.predict)
            else:
                return Inspection()
        except RecursionError:
            return Inspection(findings=(too_deep("the inference code", spec.at("byop")),))
        if all(has_glob(each) or is_readable(spec.path(each)) for each in spec.artifacts):
            return made
        # An artifact that is not there, or cannot be read, has its finding: what the code does not find is the same.
        return replace(made, findings=tuple(each for each in made.findings if each.rule != NOT_THERE))


# Planning


def _plan_own(spec: ModelSpec, module: str) -> Planned:
    place = spec.at("byop", "module")
    found, findings = find_file(spec, module, place=place)
    if found is None:
        return Planned(None, findings)
    if not found.path.endswith(".py"):
        finding = NOT_PYTHON.finding(f"{found.label} is no .py file", fix="name a .py file", place=place)
        return Planned(None, (*findings, finding))
    name = posixpath.basename(found.path)
    contents = gather(spec, (), posixpath.normpath(module))
    contents.findings[:0] = findings
    twin = contents.entries.get(f"{ARTIFACTS}/{name}")
    if twin is not None and twin.label == found.label:
        del contents.entries[f"{ARTIFACTS}/{name}"]
    return _finish(spec, contents, Entry(f"{spec.name}/{name}", FileSource(found.absolute), found.label))


def gather_generated(spec: ModelSpec, load: Reference, predict: Reference) -> tuple[Contents, Followed | None]:
    """What goes along with code that is generated around two functions of the user's, and the functions followed.

    Nothing is executed. The contents have the findings; None in place of the functions where those leave no bundle.
    """
    refused = judge_names(spec)
    if refused:
        return Contents(spec, findings=refused), None
    contents = gather(spec, [each.module.partition(".")[0] for each in (load, predict)], None)
    if any(each.code == NOT_A_PACKAGE.code for each in contents.findings):
        return contents, None
    code = _follow(spec, read_sources(contents.entries.values(), spec.name), load, predict)
    contents.findings += [*hides(spec, top_levels(contents.packages)), *code.findings]
    return contents, code


def _plan_generated(spec: ModelSpec, load: Reference, predict: Reference) -> Planned:
    contents, code = gather_generated(spec, load, predict)
    if code is None:
        return Planned(None, tuple(contents.findings))
    text = generated.inference_module(load, predict, code.types.kinds, asynchronous=code.predict.asynchronous)
    return _finish(spec, contents, Entry(f"{spec.name}/{generated.module_name(predict)}", TextSource(text)))


def _finish(spec: ModelSpec, contents: Contents, module: Entry) -> Planned:
    requirements = requirements_text(spec)
    entries = (
        module,
        Entry(f"{spec.name}/{REQUIREMENTS}", TextSource(requirements.text)),
        *(contents.entries[path] for path in sorted(contents.entries)),
    )
    layout = Layout("zip", ".zip", entries, tuple(dict.fromkeys(contents.stripped)))
    return Planned(layout, (*contents.findings, *requirements.findings))


# Generated code


@dataclass
class Followed:
    """The two functions, the model's classes, and the run that found them."""

    run: ImportRun
    load: Target
    predict: Target
    types: ModelTypes

    @property
    def findings(self) -> tuple[Finding, ...]:
        return (*self.load.findings, *self.predict.findings, *self.types.findings)


def _follow(
    spec: ModelSpec, sources: Sources, load: Reference, predict: Reference, paths: AbstractSet[str] | None = None
) -> Followed:
    """Import the modules of the two functions; what they read then is judged where the bundle's `paths` are known."""
    run = ImportRun(sources, _environment(spec), path=[ARTIFACTS], paths=paths)
    try:
        first, second = follow(run, load, "load", spec), follow(run, predict, "predict", spec)
        return Followed(run, first, second, model_types(spec, run, first))
    except RecursionError:
        said = ModelTypes(findings=(too_deep("the inference code", spec.at("byop")),))
        return Followed(run, Target(load, "load"), Target(predict, "predict"), said)


def inspect_generated(
    spec: ModelSpec, layout: Layout, load: Reference, predict: Reference, *, typed: bool = True
) -> Inspection:
    """Judge the two functions and all that importing them reaches; `layout` is a bundle's, code under artifacts/.

    `typed`: the model is checked against the classes that it may be of.
    """
    if judge_names(spec):
        return Inspection()
    sources = read_sources(layout.entries, spec.name)
    code = _follow(spec, sources, load, predict, _paths(spec, layout))
    run = code.run
    said = {each.code for each in code.findings}
    called = list(execute(run, code.load, code.predict, code.types.classes if typed else ()))
    called = [each for each in called if each.code != NOTHING.code or NOTHING.code not in said]
    run.settle()
    facts = {
        "code": "generated",
        "module": generated.module_name(predict),
        "load": str(load),
        "predict": str(predict),
        "asynchronous": code.predict.asynchronous,
        "model_types": [str(each) for each in code.types.kinds],
        **_packages(sources),
    }
    failures = explain(run.failures, run.environment, file_fixes(folder_given(code.load)))
    return Inspection(facts, once([*failures, *called, *reached_findings(run)]))


def _paths(spec: ModelSpec, layout: Layout) -> frozenset[str]:
    """All files of a bundle, without its top folder."""
    return frozenset(entry.path.removeprefix(f"{spec.name}/") for entry in layout.entries)


# Own code


def _inspect_own(spec: ModelSpec, layout: Layout) -> Inspection:
    sources = read_sources(layout.entries, spec.name)
    run, findings = check_code(sources, _environment(spec), spec.release.byop, _paths(spec, layout))
    top = [module for path, module in run.reached.items() if "/" not in path]
    facts = {
        "code": "own",
        "module": top[0].file.path if top else None,
        "inference": _class_name(top, INFERENCE),
        "builder": _class_name(top, BUILDER),
        **_packages(sources),
    }
    return Inspection(facts, once(findings))


def check_code(
    sources: Sources, environment: PlatformEnvironment, byop: ByopSupport, paths: AbstractSet[str]
) -> tuple[ImportRun, list[Finding]]:
    """What the loader does with the code, and the findings of loader and, in releases that have one, validator.

    `paths` are all files of the bundle, without its top folder.
    """
    run, findings = load(sources, environment, byop, paths)
    findings += reached_findings(run)
    if byop.validator:
        executed, refused = validate(sources, environment, byop, paths)
        explained = {each.about for each in refused if each.code == NO_MODEL.code}
        findings = [each for each in findings if each.code != NO_SETTER.code or each.about not in explained]
        # What a lenient validator cannot import it leaves out.
        reached = [] if byop.lenient_validator else reached_findings(executed)
        findings = [*refused, *findings, *reached]
    return run, findings


def _class_name(modules: Iterable[Module], base: str) -> str | None:
    """The class of the user's that inherits from one of `mac`'s, where there is just one."""
    found = {
        each.value.name
        for module in modules
        for each in named_classes(module, base)
        if isinstance(each.value, OwnClass)
    }
    return found.pop() if len(found) == 1 else None


# Both


def _packages(sources: Sources) -> Mapping[str, Any]:
    prefix = f"{ARTIFACTS}/"
    below = {path.removeprefix(prefix) for path in sources.files if path.startswith(prefix)}
    return {"packages": sorted({path.partition("/")[0].removesuffix(".py") for path in below})}


def _environment(spec: ModelSpec) -> PlatformEnvironment:
    requirements = requirements_text(spec)
    unreadable = bool(errors(requirements.findings))
    module = spec.byop.module if spec.byop is not None and spec.byop.module is not None else ""
    own = own_modules(spec, posixpath.dirname(module))
    lines = None if unreadable else requirements.lines
    return environment_of(spec.release, lines, own, own_paths(spec))
