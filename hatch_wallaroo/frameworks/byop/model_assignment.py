"""Whether inference code gives its Inference a model, and one that it expects."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from hatch_wallaroo.findings import Finding
from hatch_wallaroo.frameworks.byop import rules
from hatch_wallaroo.python.callables import own_nodes
from hatch_wallaroo.python.classes import Member, ancestry, derives, is_property, is_setter, member
from hatch_wallaroo.python.expressions import values_of
from hatch_wallaroo.python.values import External, Function, Module, OwnClass


def assigned(made: OwnClass, modules: list[Module], *, stored: bool) -> Iterator[Finding]:
    """Whether anything assigns a model (`stored`), and one of an expected type where both can be told."""
    outer = member(made, "predict")
    if not isinstance(outer, Member) or not isinstance(outer.owner, str):
        return
    own_model = member(made, "model")
    if isinstance(own_model, Member) and isinstance(own_model.owner, OwnClass):
        function = own_model.function
        if function is None or not is_property(function) or not is_setter(function):
            return
        if any(
            isinstance(each, ast.FunctionDef)
            and each.name == "model"
            and each is not function.node
            and not _returns_private(each)
            for each in own_model.owner.node.body
        ):
            return
    if not stored:
        yield rules.NEVER_ASSIGNED.finding(
            f"{made.file.label}: nothing assigns a model to {made.name}, so each prediction will fail",
            fix="in create: inference.model = the loaded model (any object that is not None)",
            place=made.file.place(made.node),
        )
        return
    yield from _wrong_type(made, modules)


def stores_model(modules: list[Module]) -> bool:
    """Whether anything in the modules may assign a model."""
    return any(True for module in modules for _ in _stores(module))


def _returns_private(function: ast.FunctionDef) -> bool:
    returned = [each.value for each in own_nodes(function) if isinstance(each, ast.Return)]
    return len(returned) == 1 and isinstance(returned[0], ast.Attribute) and returned[0].attr == "_model"


def _stores(module: Module) -> Iterator[ast.AST]:
    """Everything in a module that may assign a model, setters of `model` themselves left out."""
    if module.open:
        yield ast.Pass()
    waiting: list[ast.AST] = [module.file.tree] if module.file.tree else []
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef) and node.name == "model":
            continue
        if isinstance(node, ast.Attribute) and node.attr in {"model", "_model"} and isinstance(node.ctx, ast.Store):
            yield node
        if isinstance(node, ast.Name) and node.id == "setattr":
            yield node
        # Another module of the bundle, or a base class outside it, may do it unseen.
        if isinstance(node, ast.Attribute) and node.attr in {"__dict__", "__setattr__"}:
            yield node
        if isinstance(node, ast.keyword) and node.arg in {"model", "_model"}:
            yield node
        waiting += ast.iter_child_nodes(node)
    for bound in module.names.values():
        if any(
            isinstance(each, Module) or (isinstance(each, (OwnClass, Function)) and each.file is not module.file)
            for each in bound.values
        ):
            yield ast.Pass()


def _wrong_type(made: OwnClass, modules: list[Module]) -> Iterator[Finding]:
    expected = _expected(made)
    setter = member(made, "model")
    function = setter.function if isinstance(setter, Member) else None
    if not expected or function is None or "_raise_error_if_model_is_wrong_type" not in ast.dump(function.node):
        return
    for module in modules:
        for node in ast.walk(module.file.tree) if module.file.tree else ():
            if not isinstance(node, ast.Assign) or not any(
                isinstance(each, ast.Attribute) and each.attr == "model" for each in node.targets
            ):
                continue
            given = _made_by(node.value, module)
            if given is not None and all(_unrelated(given, each) for each in expected):
                yield rules.WRONG_TYPE.finding(
                    f"{module.file.label}: the model is a {_called(given)}, but {made.name} expects "
                    f"{' or '.join(_called(each) for each in expected)}",
                    fix="return the model's class from expected_model_types",
                    place=module.file.place(node),
                )


def _expected(made: OwnClass) -> list[OwnClass | External]:
    """The classes of `return {A, B}` in `expected_model_types`; empty where it is not that simple."""
    found = member(made, "expected_model_types")
    function = found.function if isinstance(found, Member) else None
    returned = [each.value for each in own_nodes(function.node) if isinstance(each, ast.Return)] if function else []
    if function is None or len(returned) != 1 or not isinstance(returned[0], ast.Set):
        return []
    values = [value for each in returned[0].elts for value in values_of(each, function.scope)]
    plain = [value for value in values if isinstance(value, (OwnClass, External))]
    return plain if len(plain) == len(values) == len(returned[0].elts) else []


_LITERALS = {
    ast.Dict: "builtins.dict",
    ast.List: "builtins.list",
    ast.JoinedStr: "builtins.str",
    ast.Tuple: "builtins.tuple",
}


def _made_by(node: ast.expr, module: Module) -> OwnClass | External | None:
    """The class of an object that a literal or a call of an own class gives."""
    if type(node) in _LITERALS:
        return External(_LITERALS[type(node)])
    if isinstance(node, ast.Constant) and node.value is not None:
        return External(f"builtins.{type(node.value).__name__}")
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in module.names:
        found = module.names[node.func.id].values
        if len(found) == 1 and isinstance(found[0], OwnClass) and "__new__" not in found[0].members:
            return found[0]
    return None


def _unrelated(given: OwnClass | External, expected: OwnClass | External) -> bool:
    """Whether an object of one class is certainly no instance of the other."""
    if isinstance(given, External):
        return isinstance(expected, OwnClass) or (
            expected.name.startswith("builtins.") and expected.name not in {given.name, "builtins.object"}
        )
    if isinstance(expected, External):
        return (
            expected.name.startswith("builtins.")
            and expected.name != "builtins.object"
            and derives(given, expected.name) is False
        )
    # By the class statement: a file that is both executed and imported gives two classes of it.
    return not any(
        each is None or (isinstance(each, OwnClass) and each.node is expected.node) for each in ancestry(given)
    )


def _called(value: OwnClass | External) -> str:
    return value.name.removeprefix("builtins.")
