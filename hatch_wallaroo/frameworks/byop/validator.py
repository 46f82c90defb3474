"""What Wallaroo's own validator (releases that have one) will say about a bundle, in its order."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

from hatch_wallaroo.findings import Finding, Level, Rule, rule
from hatch_wallaroo.frameworks.byop import rules
from hatch_wallaroo.frameworks.byop.annotations import is_arrays
from hatch_wallaroo.frameworks.import_findings import explain
from hatch_wallaroo.python.definitions import (
    Counted,
    Member,
    hides_classes,
    is_property,
    member,
    named_classes,
    visible,
)
from hatch_wallaroo.python.expressions import external_name
from hatch_wallaroo.python.import_run import ImportRun
from hatch_wallaroo.python.known_names import Version, generic, spelt
from hatch_wallaroo.python.platform_environment import ASYNC_INFERENCE, BUILDER, INFERENCE, PlatformEnvironment
from hatch_wallaroo.python.source_files import SourceFile, Sources
from hatch_wallaroo.python.values import Expression, External, Function, Module, OwnClass, Value

TAKEN_FOR_CLASS = rule(
    "WLR549",
    "a name of the module stands for a subscripted type",
    why="The platform asks of each name whether it is a class, and then whether it inherits from Inference. Python 3.9 "
    "and 3.10 say that list[int] or numpy's NDArray is a class, and fail at the second question.",
    source="mac 2025.2.5 and 2026.1.3 run on Python 3.10: TypeError: issubclass() arg 1 must be a class",
)

_DATA = "Dict[str, np.ndarray]"
_BARE = frozenset({"typing.Dict", "typing_extensions.Dict"})


def validate(
    sources: Sources, environment: PlatformEnvironment, paths: AbstractSet[str] | None = None
) -> tuple[ImportRun, list[Finding]]:
    """The validator's run over the .py files that it executes, and findings of everything it would refuse."""
    lenient = environment.release.byop.lenient_validator
    run = ImportRun(sources, environment, paths=paths)
    modules = [run.execute(each, each.stem) for each in executed(sources, artifacts=lenient)]
    failures = [each for each in run.failures if not each.lazy]
    if lenient:
        # A file that does not import is logged and left out; only what ends the process ends the validator.
        broken = {id(each.file) for each in failures if each.kind != "exit" and each.sure}
        modules = [each for each in modules if id(each.file) not in broken]
        failures = [each for each in failures if each.kind == "exit" or not modules]
    findings = explain(failures, environment)
    findings += taken_for_classes(modules, environment.python)
    if not lenient and any(_has_chat(module) for module in modules):
        return run, findings
    inferences = _own_classes(modules, INFERENCE)
    builders = _own_classes(modules, BUILDER)
    unseen = any(hides_classes(module) for module in modules) or any(not module.done for module in modules)
    findings += _count_inferences(inferences, modules, unseen)
    findings += _count_builders(builders, modules, unseen)
    for made in _judged(builders):
        findings += _builder(made)
    for made in _judged(inferences):
        findings += _inference(made, lenient=lenient)
    return run, findings


def executed(sources: Sources, *, artifacts: bool = False) -> list[SourceFile]:
    """The files that the validator executes, the top level first, as `glob("**/*.py")` gives them."""
    files = [
        each
        for path, each in sources.files.items()
        if "__pycache__" not in path and (artifacts or "artifacts" not in path.split("/"))
    ]
    return sorted(files, key=lambda each: (each.path.count("/"), each.path))


def _has_chat(module: Module) -> bool:
    for name in ("handle_completion", "handle_chat_completion"):
        bound = module.names.get(name)
        value = bound.values[0] if bound is not None else None
        if isinstance(value, Function) or (isinstance(value, Expression) and isinstance(value.node, ast.Lambda)):
            return True
    return False


def _own_classes(modules: Iterable[Module], base: str) -> list[Counted]:
    """Classes that a file itself defines, each once: the validator leaves imported ones out."""
    found: dict[int, Counted] = {}
    for module in modules:
        for each in named_classes(module, base):
            if isinstance(each.value, OwnClass) and each.value.module == module.name:
                known = found.get(id(each.value))
                if known is None or (each.sure and not known.sure):
                    found[id(each.value)] = each
    return list(found.values())


def _judged(counted: list[Counted]) -> Iterator[OwnClass]:
    """The class that the validator goes on with, where there is just one."""
    if len(counted) == 1 and counted[0].sure and isinstance(counted[0].value, OwnClass):
        yield counted[0].value


def _count_inferences(found: list[Counted], modules: list[Module], unseen: bool) -> Iterator[Finding]:
    sure = [each for each in found if each.sure]
    first = modules[0].file if modules else None
    if len(sure) > 1:
        yield several(rules.SEVERAL_INFERENCES, "Inference", sure)
    elif not found and not unseen:
        lonely = _own_classes(modules, ASYNC_INFERENCE)
        if lonely:
            made = lonely[0].value
            assert isinstance(made, OwnClass)  # noqa: S101 - _own_classes gives nothing else
            yield rules.ASYNCHRONOUS.finding(
                f"{made.file.label}: {made.name} inherits from AsyncInference, which the platform's "
                "validator does not know",
                fix="inherit from Inference, write `async def _predict`, and add `async def predict(self, input_data)` "
                "that returns `await self._predict(input_data)`",
                place=made.file.place(made.node),
            )
        elif first is not None:
            yield rules.NO_INFERENCE.finding(
                f"{_names(modules)}: no class inherits from mac.inference.Inference",
                fix="write `class MyInference(Inference)` with expected_model_types, model and _predict",
                place=first.place(),
            )


def _count_builders(found: list[Counted], modules: list[Module], unseen: bool) -> Iterator[Finding]:
    sure = [each for each in found if each.sure]
    if len(sure) > 1:
        yield several(rules.SEVERAL_BUILDERS, "InferenceBuilder", sure)
    elif not found and not unseen and modules:
        yield no_builder(modules)


def several(rule_: Rule, base: str, found: list[Counted]) -> Finding:
    """Say that there are too many classes, naming each with its file."""
    last = found[-1].value
    names = ", ".join(f"{each.name} ({each.module.file.label})" for each in found)
    place = last.file.place(last.node) if isinstance(last, OwnClass) else found[-1].module.file.place()
    return rule_.finding(
        f"{len(found)} classes inherit from {base} where the platform allows one: {names}",
        fix="keep one; move base classes and spare ones into a package, which lies in artifacts/ and is not counted",
        place=place,
    )


def no_builder(modules: list[Module]) -> Finding:
    """Say that there is no builder."""
    return rules.NO_BUILDER.finding(
        f"{_names(modules)}: no class inherits from mac.inference.creation.InferenceBuilder",
        fix="write `class MyBuilder(InferenceBuilder)` with `inference` and `create(self, config)`",
        place=modules[0].file.place(),
    )


def _names(modules: list[Module]) -> str:
    return ", ".join(posixpath.basename(each.file.label) for each in modules[:3])


def _builder(made: OwnClass) -> Iterator[Finding]:
    for name, rule_, advice in (
        ("inference", rules.NO_INFERENCE_METHOD, "Add a property `inference` that returns the Inference object."),
        (
            "create",
            rules.NO_CREATE,
            "Add `def create(self, config)` that assigns the model and returns the Inference object.",
        ),
    ):
        found = member(made, name)
        if found is None or (isinstance(found, Member) and found.abstract):
            yield rule_.finding(
                f"{made.file.label}: {made.name} does not define {name}", fix=advice, place=made.file.place(made.node)
            )


def _inference(made: OwnClass, *, lenient: bool) -> Iterator[Finding]:
    found = member(made, "_predict")
    if isinstance(found, Member) and found.abstract:
        yield rules.NO_PREDICT.finding(
            f"{made.file.label}: {made.name} does not define _predict",
            fix=f"add `def _predict(self, input_data: {_DATA}) -> {_DATA}`",
            place=made.file.place(made.node),
        )
    if "model" not in made.members and "_model" not in made.members:
        yield rules.NO_MODEL.finding(
            f"{made.file.label}: {made.name} does not define model itself",
            fix="add to the class: `@Inference.model.setter` above `def model(self, model) -> None`, which assigns "
            "self._model",
            place=made.file.place(made.node),
            about=f"{made.name}:model",
        )
    if isinstance(found, Member) and found.function is not None:
        yield from _signature(made, found.function, lenient=lenient)
    types = member(made, "expected_model_types")
    if isinstance(types, Member) and types.abstract:
        yield rules.NO_TYPES.finding(
            f"{made.file.label}: {made.name} does not define expected_model_types",
            fix="add a property `expected_model_types` that returns a set of classes",
            place=made.file.place(made.node),
        )


def _signature(made: OwnClass, function: Function, *, lenient: bool) -> Iterator[Finding]:
    """The annotations of `_predict`, as `inspect.signature` gives them."""
    seen, certain = visible(function)
    if seen is None or is_property(function):
        return
    level = Level.ERROR if certain else Level.WARNING
    arguments = seen.node.args
    named = {each.arg: each for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    named.update({each.arg: each for each in (arguments.vararg, arguments.kwarg) if each is not None})
    where = f"{seen.file.label}: {made.name}._predict"
    fix = f"write `def _predict(self, input_data: {_DATA}) -> {_DATA}:`"
    parameter = named.get("input_data")
    if parameter is None:
        yield rules.PARAMETER.finding(
            f"{where} has no parameter named input_data", fix=fix, place=seen.file.place(seen.node), level=level
        )
    elif parameter.annotation is None:
        yield rules.PARAMETER.finding(
            f"{where}: input_data has no annotation", fix=fix, place=seen.file.place(parameter), level=level
        )
    elif not (lenient and external_name(parameter.annotation, seen.scope) in _BARE):
        yield from _annotation(seen, parameter.annotation, rules.PARAMETER, where, "input_data", level)
    if lenient:
        return
    if seen.node.returns is None:
        yield rules.RETURNS.finding(
            f"{where} has no return annotation", fix=fix, place=seen.file.place(seen.node), level=level
        )
    else:
        yield from _annotation(seen, seen.node.returns, rules.RETURNS, where, "what it returns", level)


def _annotation(
    function: Function, node: ast.expr, rule_: Rule, where: str, part: str, level: Level
) -> Iterator[Finding]:
    file, what = function.file, f"{where}: {part}"
    if file.postponing is not None:
        yield rules.POSTPONED.finding(
            f"`from __future__ import annotations` turns the annotations of {where.partition(': ')[2]} into text, "
            "which the platform does not read",
            fix="remove `from __future__ import annotations` from this file",
            place=file.place(file.postponing),
            level=level,
        )
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield rules.POSTPONED.finding(
            f'{what} is annotated with text, "{node.value}"',
            fix="take the quotes away",
            place=file.place(node),
            level=level,
        )
    elif is_arrays(node, function.scope) is False:
        yield rule_.finding(
            f"{what} is annotated {ast.unparse(node)}, which the platform does not take for a dictionary of arrays",
            fix=f"write {_DATA}, or InferenceData from mac.types",
            place=file.place(node),
            level=level,
        )


# Subscripted types

_ALIASES = frozenset({"numpy.typing.NDArray"})
"""Names of other distributions that are subscripted types themselves."""


def taken_for_classes(modules: Iterable[Module], python: Version) -> Iterator[Finding]:
    """Names of executed files that `inspect.isclass` takes for classes on a Python, and `issubclass` refuses."""
    if python not in {(3, 9), (3, 10)}:
        return
    for module in modules:
        bindings: dict[str, ast.AST] | None = None
        for name, bound in module.names.items():
            kinds = [_subscripted(value, python) for value in bound.values]
            if not any(kinds):
                continue
            text, base = next(each for each in kinds if each)
            bindings = bindings if bindings is not None else _bindings(module)
            same = f" ({text})" if text != name else ""
            yield TAKEN_FOR_CLASS.finding(
                f"{module.file.label}: the platform takes {name}{same} for a class while it looks for yours, and fails",
                fix=_fix(base, name),
                place=module.file.place(bindings.get(name)),
                level=Level.ERROR if bound.sure and all(kinds) else Level.WARNING,
            )


def _subscripted(value: Value, python: Version) -> tuple[str, str] | None:
    """The type as it is written and the class in it, where a value is such a type."""
    if isinstance(value, External):
        return (value.last, value.name) if value.name in _ALIASES else None
    if isinstance(value, Expression) and isinstance(value.node, ast.Subscript):
        base = external_name(value.node.value, value.scope)
        lifetime = generic(base)
        if base in _ALIASES or (lifetime is not None and lifetime.has(python)):
            return ast.unparse(value.node), base
    return None


def _fix(base: str, name: str) -> str:
    if base in _ALIASES:
        return f"write `import numpy.typing as npt` and npt.NDArray in place of {name}"
    other = spelt(base)
    if other.startswith("typing."):
        return f"write {other}[…], or write the type out where it is used"
    return "write the type out where it is used"


def _bindings(module: Module) -> dict[str, ast.AST]:
    """The first node of the file that binds each name."""
    found: dict[str, ast.AST] = {}
    for node in ast.walk(module.file.tree) if module.file.tree else ():
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                found.setdefault(alias.asname or alias.name, node)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.setdefault(node.id, node)
    return found
