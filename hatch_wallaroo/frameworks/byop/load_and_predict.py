"""`"package.module:function"`, followed into the user's code: is it there, and can it be called as it will be?"""

from __future__ import annotations

import ast
import keyword
from collections.abc import Iterator
from dataclasses import dataclass, field

from hatch_wallaroo.config.spec import ModelSpec, Reference
from hatch_wallaroo.findings import Finding, Place, nearest, rule
from hatch_wallaroo.frameworks.byop.layout import around, top_levels
from hatch_wallaroo.python.definitions import Member, accepts, member, own_nodes
from hatch_wallaroo.python.import_run import ImportRun
from hatch_wallaroo.python.values import Expression, Function, Module, OwnClass

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

CALLS = {"load": ("load(folder)", 1), "predict": ("predict(model, inputs)", 2)}
"""How the generated module calls each function, and with how many arguments."""


@dataclass
class Target:
    """A reference and the function it leads to; None where that cannot be told (a third party's function).

    A model's own class can load it as well: `made`.
    """

    reference: Reference
    function: Function | None = None
    made: OwnClass | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def asynchronous(self) -> bool:
        return self.function is not None and self.function.is_async


def is_name(word: str) -> bool:
    """Whether a word can stand in an import statement on every Python, as it is."""
    return word.isascii() and word.isidentifier() and not keyword.iskeyword(word)


def judge_names(spec: ModelSpec) -> list[Finding]:
    """Refuse references that are not plain Python names, before anything is made of them."""
    found = []
    for option, reference in _references(spec):
        words = [*reference.module.split("."), reference.function]
        wrong = next((word for word in words if not is_name(word)), None)
        if wrong is not None:
            said = "a Python keyword" if keyword.iskeyword(wrong) else "no Python name" if wrong else "empty"
            found.append(
                NOT_A_NAME.finding(
                    f"{str(reference)!r}: {wrong!r} is {said}",
                    fix=f'write byop.{option} = "package.module:function", in letters, digits and underscores',
                    place=spec.at("byop", option),
                )
            )
    return found


def _references(spec: ModelSpec) -> Iterator[tuple[str, Reference]]:
    if spec.byop is not None:
        for option, reference in (("load", spec.byop.load), ("predict", spec.byop.predict)):
            if reference is not None:
                yield option, reference


def follow(run: ImportRun, reference: Reference, option: str, spec: ModelSpec) -> Target:
    """Import the module (by reading it), find the function through whatever re-exports it, and judge its signature."""
    target = Target(reference)
    place = spec.at("byop", option)
    module = run.find(reference.module)
    if module is None:
        target.findings.append(_no_module(run, reference, spec, place))
        return target
    bound = module.names.get(reference.function)
    if bound is None:
        if module.done and not module.open and "__getattr__" not in module.names:
            target.findings.append(_no_function(module, reference, option, place))
        return target
    value = bound.values[0] if len(bound.values) == 1 else None
    if isinstance(value, Function):
        target.function = value
        target.findings += _judge(value, option, reference, spec)
    elif isinstance(value, OwnClass) and option == "load" and _takes_one(value):
        target.made = value
    elif isinstance(value, (OwnClass, Module)) or (
        isinstance(value, Expression) and isinstance(value.node, ast.Constant)
    ):
        what = "a class" if isinstance(value, OwnClass) else "a module" if isinstance(value, Module) else "a constant"
        target.findings.append(
            NO_FUNCTION.finding(
                f"{reference} is {what}, not a function",
                fix=f"name a function that is called as {CALLS[option][0]}",
                place=place,
            )
        )
    return target


def _takes_one(made: OwnClass) -> bool:
    """Whether a class may be called with the folder: a class without `__init__` takes nothing."""
    found = member(made, "__init__")
    function = found.function if isinstance(found, Member) else None
    return found is False if function is None else accepts(function.node.args, 2)


def _no_module(run: ImportRun, reference: Reference, spec: ModelSpec, place: Place) -> Finding:
    known = sorted(
        path.removeprefix("artifacts/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for path in run.sources.files
        if path.startswith("artifacts/")
    )
    root = reference.module.partition(".")[0]
    told = spec.byop.packages if spec.byop is not None else None
    inside = around(spec, root) if told and root not in top_levels(told) else None
    if inside is not None:
        return NO_MODULE.finding(
            f"byop.packages brings {', '.join(told or ())}, and no module {reference.module}",
            fix=f'name the package itself in byop.packages: "{inside}"',
            place=place,
        )
    close = nearest(reference.module, known)
    listed = (
        f"modules that go along: {', '.join(known[:6])}" if known else "Put it into src/ or name it in byop.packages"
    )
    return NO_MODULE.finding(
        f"the project has no module {reference.module}",
        fix=f'did you mean "{close}:{reference.function}"?' if close else listed,
        place=place,
    )


def _no_function(module: Module, reference: Reference, option: str, place: Place) -> Finding:
    functions = [name for name, bound in module.names.items() if isinstance(bound.values[0], Function)]
    close = nearest(reference.function, functions)
    listed = (
        f"name one that it has: {', '.join(functions[:6])}" if functions else f"write def {CALLS[option][0]}: there"
    )
    return NO_FUNCTION.finding(
        f"{module.file.label} has no function {reference.function}",
        fix=f'did you mean "{reference.module}:{close}"?' if close else listed,
        place=place,
    )


def _judge(function: Function, option: str, reference: Reference, spec: ModelSpec) -> Iterator[Finding]:
    call, given = CALLS[option]
    where = function.file.place(function.node)
    if not function.decorators and not accepts(function.node.args, given):
        shown = ast.unparse(function.node.args) or "nothing"
        yield ARGUMENTS.finding(
            f"byop.{option}: {reference} takes ({shown}), but is called as {call}",
            fix=f"write def {function.name}({call.partition('(')[2]}, or give further parameters defaults",
            place=where,
        )
    if function.is_async and option == "load":
        yield ASYNCHRONOUS.finding(
            f"byop.load: {reference} is `async def`, but the platform does not await the loading of a model",
            fix=f"write def {function.name}",
            place=where,
        )
    elif function.is_async and not spec.release.byop.asynchronous:
        yield ASYNCHRONOUS.finding(
            f"byop.predict: {reference} is `async def`; Wallaroo {spec.release.version} cannot await predictions",
            fix=f'write def {function.name}, or set release = "2024.4" or later',
            place=where,
        )
    if any(isinstance(each, (ast.Yield, ast.YieldFrom)) for each in own_nodes(function.node)):
        yield ARGUMENTS.finding(
            f"byop.{option}: {reference} yields, so calling it gives a generator",
            fix="return the result",
            place=where,
        )


def hides(spec: ModelSpec, names: set[str], known: frozenset[str]) -> list[Finding]:
    """Packages whose names the standard library or the platform's own environment has already."""
    return [
        HIDES.finding(
            f"{name} goes along as a package, but Python or Wallaroo has a module of that name",
            fix="rename the package, or leave it out with byop.packages",
            place=spec.at("byop", "packages"),
        )
        for name in sorted(names & known)
    ]
