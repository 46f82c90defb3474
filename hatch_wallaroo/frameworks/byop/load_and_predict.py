"""`"package.module:function"`, followed into the user's code: is it there, and can it be called as it will be?"""

from __future__ import annotations

import ast
import keyword
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hatch_wallaroo.config.spec import ModelSpec, Reference
from hatch_wallaroo.findings import Finding, Place, nearest, rule
from hatch_wallaroo.frameworks.base import ARTIFACTS
from hatch_wallaroo.frameworks.byop.classes import method
from hatch_wallaroo.frameworks.byop.layout import around, references, top_levels
from hatch_wallaroo.frameworks.byop.platform_calls import (
    PlatformCall,
    a_class,
    class_of,
    given_arrays,
    is_none,
    name_of,
    unrelated,
)
from hatch_wallaroo.frameworks.file_fixes import Start
from hatch_wallaroo.frameworks.import_findings import WRONG_TYPE
from hatch_wallaroo.frameworks.mac import PROVIDED
from hatch_wallaroo.python.definitions import accepts, member
from hatch_wallaroo.python.import_run import ImportRun
from hatch_wallaroo.python.values import UNKNOWN, Expression, External, Folder, Function, Module, OwnClass, Value
from hatch_wallaroo.releases.load import releases_with
from hatch_wallaroo.text import few

_TEMPLATE = "hatch-wallaroo's template of the inference module"

NOT_A_NAME = rule(
    "WLR500",
    "a reference is not made of Python names",
    why="The reference becomes an import statement in the generated module.",
    source=_TEMPLATE,
)
NO_MODULE = rule(
    "WLR501",
    "the module of a reference is not in the project",
    why="The generated module imports the function from the package that goes into the bundle's artifacts/ folder.",
    source=_TEMPLATE,
)
NO_FUNCTION = rule(
    "WLR502",
    "a reference does not name a function",
    why="The generated module calls it.",
    source=_TEMPLATE,
)
ARGUMENTS = rule(
    "WLR503",
    "a function cannot be called with what it is given",
    why="The generated module calls load(folder) with the artifacts' folder, a pathlib.Path, and "
    "predict(model, inputs) with what load returned and a dictionary of numpy arrays.",
    source=_TEMPLATE,
)
ASYNCHRONOUS = rule(
    "WLR504",
    "an asynchronous function that cannot be awaited",
    why="The platform awaits predictions from Wallaroo 2024.4 on, and never the loading of a model.",
    source="mac 2023.2.1 to 2026.1.3: AsyncInference and AsyncArrowFlightServer came with 2024.4.4",
)
NOTHING = rule(
    "WLR508",
    "the loader returns nothing",
    why="A model that is None counts as not assigned: every prediction would fail.",
    source="mac 2023.2.1 to 2026.1.3, ModelNotAssignedError",
)
RESULT = rule(
    "WLR513",
    "predict does not return a dictionary of arrays",
    why="The platform takes the arrays by the names of the output schema's fields.",
    source="Upload guide, Inference: _predict; mac 2023.2.1 to 2026.1.3, served: the request fails",
)
HIDES = rule(
    "WLR505",
    "a package has the name of one that the platform needs",
    why="artifacts/ comes first on sys.path, so the package would take the other's place in the whole process.",
    source="Python's import system; mac 2026.1.3, which imports on demand",
)

CALLS = {"load": ("folder",), "predict": ("model", "inputs")}
"""What the generated module gives to each function."""

_SHOWN = 6


def _shown(option: str) -> str:
    return f"{option}({', '.join(CALLS[option])})"


LOADING = "the platform calls load(folder)"
"""What `ImportFailure.during` is then."""


@dataclass
class Target:
    """A reference and the function it leads to; None where that cannot be told (a third party's function).

    A model's own class can load it as well: `made`.
    """

    reference: Reference
    option: str
    function: Function | None = None
    made: OwnClass | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def asynchronous(self) -> bool:
        return self.function is not None and self.function.is_async

    @property
    def call(self) -> PlatformCall | None:
        """The generated module's call of the function."""
        if self.function is None:
            return None
        return PlatformCall(self.function, f"byop.{self.option}: {self.reference}", CALLS[self.option], ARGUMENTS)


def is_name(word: str) -> bool:
    """Whether a word can stand in an import statement on every Python, as it is."""
    return word.isascii() and word.isidentifier() and not keyword.iskeyword(word)


def judge_names(spec: ModelSpec) -> list[Finding]:
    """Refuse references that are not plain Python names, before anything is made of them."""
    found = []
    for option, reference in references(spec):
        for word in (*reference.module.split("."), reference.function):
            if not is_name(word):
                what = "a Python keyword" if keyword.iskeyword(word) else "no Python name" if word else "empty"
                wrong = f"{str(reference)!r}: {word!r} is {what}"
                fix = f'write byop.{option} = "package.module:function", in letters, digits and underscores'
                found.append(NOT_A_NAME.finding(wrong, fix=fix, place=spec.at("byop", option)))
                break
    return found


def follow(run: ImportRun, reference: Reference, option: str, spec: ModelSpec) -> Target:
    """Import the module (by reading it), find the function through whatever re-exports it, and judge its signature."""
    target = Target(reference, option)
    place = spec.at("byop", option)
    module = run.find(reference.module)
    if module is None:
        target.findings.append(_no_module(run, reference, spec, place))
    elif lacks(module, reference.function):
        target.findings.append(_no_function(module, reference, option, place))
    bound = module.names.get(reference.function) if module is not None else None
    value = bound.values[0] if bound is not None and len(bound.values) == 1 else UNKNOWN
    if isinstance(value, Function):
        target.function = value
        target.findings += _judge(target, spec)
    elif isinstance(value, OwnClass) and option == "load" and _takes_one(value):
        target.made = value
    elif what := _no_function_but(value):
        fix = f"name a function that is called as {_shown(option)}"
        target.findings.append(NO_FUNCTION.finding(f"{reference} is {what}, not a function", fix=fix, place=place))
    return target


def lacks(module: Module, name: str) -> bool:
    """Whether a module certainly has nothing under a name."""
    return module.done and not module.open and name not in module.names and "__getattr__" not in module.names


def _no_function_but(value: Value) -> str:
    if isinstance(value, OwnClass):
        return "a class"
    if isinstance(value, Module):
        return "a module"
    return "a constant" if isinstance(value, Expression) and isinstance(value.node, ast.Constant) else ""


def _takes_one(made: OwnClass) -> bool:
    """Whether a class may be called with the folder: a class without `__init__` takes nothing."""
    function = method(made, "__init__")
    return member(made, "__init__") is False if function is None else accepts(function.node.args, 2)


def _no_module(run: ImportRun, reference: Reference, spec: ModelSpec, place: Place) -> Finding:
    root = reference.module.partition(".")[0]
    told = spec.byop.packages if spec.byop is not None else None
    inside = around(spec, root) if told and root not in top_levels(told) else None
    if inside is not None:
        wrong = f"byop.packages brings {', '.join(told or ())}, and no module {reference.module}"
        return NO_MODULE.finding(wrong, fix=f'name the package itself in byop.packages: "{inside}"', place=place)
    brought = (path.removeprefix(f"{ARTIFACTS}/") for path in run.sources.files if path.startswith(f"{ARTIFACTS}/"))
    known = sorted(each.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for each in brought)
    close = nearest(reference.module, known)
    fix = f"modules that go along: {few(known, _SHOWN)}" if known else "put it into src/ or name it in byop.packages"
    return NO_MODULE.finding(
        f"the project has no module {reference.module}",
        fix=f'did you mean "{close}:{reference.function}"?' if close else fix,
        place=place,
    )


def _no_function(module: Module, reference: Reference, option: str, place: Place) -> Finding:
    functions = [name for name, bound in module.names.items() if isinstance(bound.values[0], Function)]
    close = nearest(reference.function, functions)
    fix = f"name one that it has: {few(functions, _SHOWN)}" if functions else f"write def {_shown(option)}: there"
    return NO_FUNCTION.finding(
        f"{module.file.label} has no function {reference.function}",
        fix=f'did you mean "{reference.module}:{close}"?' if close else fix,
        place=place,
    )


def _judge(target: Target, spec: ModelSpec) -> Iterator[Finding]:
    call = target.call
    if call is None:
        return
    yield from call.refused()
    if target.asynchronous and target.option == "load":
        yield call.finding(
            ASYNCHRONOUS,
            "is `async def`, but the platform does not await the loading of a model",
            f"write def {call.function.name}",
        )
    elif target.asynchronous and not spec.release.byop.asynchronous:
        since = releases_with(lambda each: each.byop.asynchronous)[0]
        yield call.finding(
            ASYNCHRONOUS,
            f"is `async def`; Wallaroo {spec.release.version} cannot await predictions",
            f'write def {call.function.name}, or set release = "{since}" or later',
        )


def folder_given(load: Target) -> Start:
    """What the code can begin a path at: what load is called with, by the user's name for it."""
    function = method(load.made, "__init__") if load.made is not None else load.function
    arguments = function.node.args if function is not None else None
    names = [each.arg for each in (*arguments.posonlyargs, *arguments.args)] if arguments is not None else []
    return Start(
        next(iter(names[load.made is not None :]), "folder"),
        ARTIFACTS,
        during=LOADING,
        elsewhere=f"read it in {load.reference.function}, which is given the folder: ",
    )


def execute(run: ImportRun, load: Target, predict: Target, types: Sequence[OwnClass | External]) -> Iterator[Finding]:
    """What the generated module does: load(folder) at the start, predict(model, inputs) for each request.

    `types` are the classes that the model may be of, none where that is not known.
    """
    model: Value = UNKNOWN
    run.during = LOADING
    if load.made is not None:
        model = run.instantiate(load.made, (Folder(ARTIFACTS),))
    elif (call := load.call) is not None and not load.asynchronous:
        model = run.call(call.function, (Folder(ARTIFACTS),))
        kind = class_of(model)
        if is_none(model):
            yield call.finding(NOTHING, "returns nothing", "return the loaded model at the end")
        elif kind is not None and types and all(unrelated(kind, each) for each in types):
            wanted = " or ".join(map(name_of, types))
            fix = "name the class that it returns, in its annotation or in byop.model-types"
            yield call.finding(WRONG_TYPE, f"returns {a_class(kind)}, but the model is to be of {wanted}", fix)
    run.during = "a request comes"
    if (call := predict.call) is not None:
        given = run.call(call.function, (model, given_arrays(call.function, 1)))
        yield from call.gives_no_arrays(RESULT, given)


def hides(spec: ModelSpec, names: set[str]) -> list[Finding]:
    """Packages whose names the standard library or the platform's own environment has already."""
    return [
        HIDES.finding(
            f"{name} goes along as a package, but Python or Wallaroo has a module of that name",
            fix="rename the package, or leave it out with byop.packages",
            place=spec.at("byop", "packages"),
        )
        for name in sorted(names & {*sys.stdlib_module_names, *PROVIDED, "wallaroo"})
    ]
