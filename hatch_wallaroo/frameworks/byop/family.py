"""BYOP, `framework = "custom"`: the user's own inference code, or code generated around two functions of theirs."""

from __future__ import annotations

import posixpath
import sys
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

from hatch_wallaroo.config.spec import ByopSpec, ModelSpec, Reference
from hatch_wallaroo.files.collect import find_file
from hatch_wallaroo.files.paths import has_glob
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
from hatch_wallaroo.frameworks.byop.load_and_predict import RESULT, Target, follow, hides, judge_names
from hatch_wallaroo.frameworks.byop.loader import load
from hatch_wallaroo.frameworks.byop.model_assignment import class_of, is_none
from hatch_wallaroo.frameworks.byop.model_types import NOTHING, OBJECT, Kind, model_types
from hatch_wallaroo.frameworks.byop.rules import NO_MODEL
from hatch_wallaroo.frameworks.byop.validator import validate
from hatch_wallaroo.frameworks.import_findings import (
    NO_SETTER,
    NOT_THERE,
    explain,
    once,
    own_modules,
    reached_findings,
    too_deep,
)
from hatch_wallaroo.python import distributions
from hatch_wallaroo.python.definitions import named_classes
from hatch_wallaroo.python.import_run import ImportRun
from hatch_wallaroo.python.platform_environment import BUILDER, INFERENCE, PlatformEnvironment
from hatch_wallaroo.python.source_files import Sources, read_sources
from hatch_wallaroo.python.values import UNKNOWN, External, Folder, Module, OwnClass, Value
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
        if all(has_glob(each) or spec.path(each).exists() for each in spec.artifacts):
            return made
        # An artifact that is not there has its finding; that the code does not find it either is the same mistake.
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
    if _is_same(contents, name, found.label):
        del contents.entries[f"{ARTIFACTS}/{name}"]
    return _finish(spec, contents, Entry(f"{spec.name}/{name}", FileSource(found.absolute), found.label))


def _is_same(contents: Contents, name: str, label: str) -> bool:
    """Whether artifacts hold the inference module a second time."""
    known = contents.entries.get(f"{ARTIFACTS}/{name}")
    return known is not None and known.label == label


@dataclass(frozen=True)
class Gathered:
    """Packages and model files around two functions (None where `findings` leave none), and the functions followed."""

    contents: Contents | None
    code: _Followed | None
    findings: tuple[Finding, ...]


def gather_generated(spec: ModelSpec, load: Reference, predict: Reference) -> Gathered:
    """What goes along with code that is generated around two functions of the user's. Nothing is executed."""
    refused = judge_names(spec)
    if refused:
        return Gathered(None, None, tuple(refused))
    contents = gather(spec, (_root(load), _root(predict)), None)
    known = frozenset(sys.stdlib_module_names) | distributions.PLATFORM | {"wallaroo"}
    if any(each.code == NOT_A_PACKAGE.code for each in contents.findings):
        return Gathered(None, None, tuple(contents.findings))
    contents.findings += hides(spec, top_levels(contents.packages), known)
    code = _follow(spec, read_sources(contents.entries.values(), spec.name), load, predict)
    return Gathered(contents, code, (*contents.findings, *code.findings))


def _plan_generated(spec: ModelSpec, load: Reference, predict: Reference) -> Planned:
    gathered = gather_generated(spec, load, predict)
    contents, code = gathered.contents, gathered.code
    if contents is None or code is None:
        return Planned(None, gathered.findings)
    contents.findings += code.findings
    text = generated.inference_module(load, predict, code.kinds, asynchronous=code.predict.asynchronous)
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


def _root(reference: Reference) -> str:
    return reference.module.partition(".")[0]


# Generated code


@dataclass
class _Followed:
    """The two functions, the model's classes, and the run that found them."""

    run: ImportRun
    load: Target
    predict: Target
    kinds: tuple[Kind, ...]
    findings: list[Finding]


def _follow(
    spec: ModelSpec, sources: Sources, load: Reference, predict: Reference, paths: AbstractSet[str] | None = None
) -> _Followed:
    """Import the modules of the two functions; what they read then is judged where the bundle's `paths` are known."""
    run = ImportRun(sources, _environment(spec), path=[ARTIFACTS], paths=paths)
    try:
        first, second = follow(run, load, "load", spec), follow(run, predict, "predict", spec)
        kinds, findings = model_types(spec, run, first)
    except RecursionError:
        said = too_deep("the inference code", spec.at("byop"))
        return _Followed(run, Target(load), Target(predict), (OBJECT,), [said])
    return _Followed(run, first, second, kinds, [*first.findings, *second.findings, *findings])


def inspect_generated(spec: ModelSpec, layout: Layout, load: Reference, predict: Reference) -> Inspection:
    """Judge the two functions and all that importing them reaches; `layout` is a bundle's, code under artifacts/."""
    if judge_names(spec):
        return Inspection()
    sources = read_sources(layout.entries, spec.name)
    code = _follow(spec, sources, load, predict, _paths(spec, layout))
    called = list(_called(code))
    code.run.settle()
    findings = [*explain(code.run.failures, code.run.environment), *called, *reached_findings(code.run)]
    facts = {
        "code": "generated",
        "module": generated.module_name(predict),
        "load": str(load),
        "predict": str(predict),
        "asynchronous": code.predict.asynchronous,
        "model_types": [str(each) for each in code.kinds],
        **_packages(sources),
    }
    return Inspection(facts, once(findings))


def _called(code: _Followed) -> Iterator[Finding]:
    """What the generated module does: load(folder) at the start, predict(model, inputs) for each request."""
    run = code.run
    model: Value = UNKNOWN
    run.during = "the platform calls load(folder)"
    if code.load.made is not None:
        model = run.instantiate(code.load.made, (Folder(ARTIFACTS),))
    elif code.load.function is not None and not code.load.asynchronous:
        model = run.call(code.load.function, (Folder(ARTIFACTS),))
        if is_none(model) and not any(each.code == NOTHING.code for each in code.findings):
            yield NOTHING.finding(
                f"byop.load: {code.load.reference} returns nothing",
                fix="return the loaded model at the end",
                place=code.load.function.file.place(code.load.function.node),
            )
    run.during = "a request comes"
    function = code.predict.function
    if function is not None:
        given = run.call(function, (model, UNKNOWN))
        kind = class_of(given)
        if isinstance(kind, External) and kind.last != "dict":
            what = "nothing" if is_none(given) else f"a {kind.last}"
            yield RESULT.finding(
                f"byop.predict: {code.predict.reference} returns {what}",
                fix="return a dictionary of arrays by the names of the output schema",
                place=function.file.place(function.node),
            )


def _paths(spec: ModelSpec, layout: Layout) -> frozenset[str]:
    """All files of a bundle, without its top folder."""
    return frozenset(entry.path.removeprefix(f"{spec.name}/") for entry in layout.entries)


# Own code


def _inspect_own(spec: ModelSpec, layout: Layout) -> Inspection:
    sources = read_sources(layout.entries, spec.name)
    run, findings = check_code(sources, _environment(spec), _paths(spec, layout))
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
    sources: Sources, environment: PlatformEnvironment, paths: AbstractSet[str]
) -> tuple[ImportRun, list[Finding]]:
    """What the loader does with the code, and the findings of loader and, in releases that have one, validator.

    `paths` are all files of the bundle, without its top folder.
    """
    run, findings = load(sources, environment, paths)
    findings += reached_findings(run)
    if environment.release.byop.validator:
        executed, refused = validate(sources, environment, paths)
        explained = {each.about for each in refused if each.code == NO_MODEL.code}
        findings = [each for each in findings if each.code != NO_SETTER.code or each.about not in explained]
        # What a lenient validator cannot import it leaves out.
        reached = [] if environment.release.byop.lenient_validator else reached_findings(executed)
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
    return PlatformEnvironment.of(spec.release, None if unreadable else requirements.lines, own)
