"""What the platform asks of the classes that it finds: what its validator and its loader have in common."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence

from hatch_wallaroo.findings import Finding, Level, Rule, rule
from hatch_wallaroo.frameworks.byop import rules
from hatch_wallaroo.python.definitions import Counted, Member, hides_classes, member
from hatch_wallaroo.python.expressions import external_name
from hatch_wallaroo.python.known_names import Version, generic, spelt
from hatch_wallaroo.python.values import Expression, External, Function, Module, OwnClass, Unknown, Value

TAKEN_FOR_CLASS = rule(
    "WLR549",
    "a name of the module stands for a subscripted type",
    why="The platform asks of each name whether it is a class, and then whether it inherits from Inference. Python 3.9 "
    "and 3.10 say that list[int] or numpy's NDArray is a class, and fail at the second question.",
    source="mac 2025.2.5 and 2026.1.3 run on Python 3.10: TypeError: issubclass() arg 1 must be a class",
)

ARRAYS = "Dict[str, np.ndarray]"
"""How an annotation that the platform takes is written."""

_MEMBERS: Mapping[str, tuple[Rule, str]] = {
    "inference": (rules.NO_INFERENCE_METHOD, "add a property `inference` that returns the Inference object"),
    "create": (
        rules.NO_CREATE,
        "add `def create(self, config)` that assigns the model and returns the Inference object",
    ),
    "_predict": (rules.NO_PREDICT, f"add `def _predict(self, input_data: {ARRAYS}) -> {ARRAYS}`"),
    "expected_model_types": (
        rules.NO_TYPES,
        "add a property `expected_model_types` that returns a set of classes",
    ),
}


def method(made: OwnClass, name: str) -> Function | None:
    """The function of the bundle that a class has under a name, its own or inherited, where there is just one."""
    found = member(made, name)
    return found.function if isinstance(found, Member) else None


def owner_in_mac(made: OwnClass, name: str) -> str:
    """The class of `mac`'s that a member comes from; empty where the bundle defines it, or that cannot be told."""
    found = member(made, name)
    return found.owner if isinstance(found, Member) and isinstance(found.owner, str) else ""


def undone(made: OwnClass, names: Iterable[str]) -> Iterator[Finding]:
    """Members that a class has to define, and does not."""
    for name in names:
        missing, fix = _MEMBERS.get(name, (rules.ABSTRACT, f"define {name} in {made.name}"))
        yield missing.finding(
            f"{made.file.label}: {made.name} does not define {name}", fix=fix, place=made.file.place(made.node)
        )


def hidden(modules: Iterable[Module]) -> bool:
    """Whether there may be classes that reading the code does not show."""
    return any(hides_classes(each) or not each.done for each in modules)


def several(too_many: Rule, base: str, found: Sequence[Counted]) -> Finding:
    """Say that there are too many classes, naming each with its file."""
    last = found[-1].value
    names = ", ".join(f"{each.name} ({each.module.file.label})" for each in found)
    place = last.file.place(last.node) if isinstance(last, OwnClass) else found[-1].module.file.place()
    return too_many.finding(
        f"{len(found)} classes inherit from {base} where the platform allows one: {names}",
        fix="keep one; move base classes and spare ones into a package, which lies in artifacts/ and is not counted",
        place=place,
    )


def no_builder(modules: Sequence[Module]) -> Finding:
    """Say that there is no builder."""
    return rules.NO_BUILDER.finding(
        f"{_names(modules)}: no class inherits from mac.inference.creation.InferenceBuilder",
        fix="write `class MyBuilder(InferenceBuilder)` with `inference` and `create(self, config)`",
        place=modules[0].file.place(),
    )


def no_inference(modules: Sequence[Module], said: str = "", level: Level = Level.ERROR) -> Finding:
    """Say that there is no inference class, or what there is in its place."""
    return rules.NO_INFERENCE.finding(
        f"{_names(modules)}: {said or 'no class inherits from mac.inference.Inference'}",
        fix="write `class MyInference(Inference)` with expected_model_types, model and _predict",
        place=modules[0].file.place(),
        level=level,
    )


def _names(modules: Iterable[Module]) -> str:
    return ", ".join([posixpath.basename(each.file.label) for each in modules][:3])


def chat_handler(modules: Iterable[Module]) -> tuple[Module, str] | None:
    """The first function of a chat or of completions, and where it is."""
    for module in modules:
        for name in ("handle_completion", "handle_chat_completion"):
            value = module.names[name].values[0] if name in module.names else None
            if isinstance(value, (Function, External, Unknown)) or _is_lambda(value):
                return module, name
    return None


def _is_lambda(value: Value | None) -> bool:
    return isinstance(value, Expression) and isinstance(value.node, ast.Lambda)


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
            bindings = bindings or _bindings(module)
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
    """The first node of the file that binds each name, by an import or an assignment."""
    found: dict[str, ast.AST] = {}
    for node in ast.walk(module.file.tree) if module.file.tree else ():
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                found.setdefault(alias.asname or alias.name, node)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.setdefault(node.id, node)
    return found
