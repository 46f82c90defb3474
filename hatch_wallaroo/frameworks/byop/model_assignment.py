"""Whether the object that `create` returns has a model, and one of the classes that it expects."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from hatch_wallaroo.findings import Finding
from hatch_wallaroo.frameworks.byop import rules
from hatch_wallaroo.python.calls import Caller
from hatch_wallaroo.python.definitions import Member, ancestry, member
from hatch_wallaroo.python.expressions import values_of
from hatch_wallaroo.python.values import Expression, External, Instance, Method, OwnClass, Scope, Value

_LITERALS: dict[type[ast.expr], str] = {
    ast.Dict: "dict",
    ast.DictComp: "dict",
    ast.List: "list",
    ast.ListComp: "list",
    ast.JoinedStr: "str",
    ast.Tuple: "tuple",
    ast.Set: "set",
}
_PLAIN = frozenset({"builtins.object", "typing.Generic"})
"""Classes outside the bundle that leave `isinstance` as it is."""


def assigned(run: Caller, inference: Instance, scope: Scope) -> Iterator[Finding]:
    """Whether the object has a model when the first request comes: `Inference.predict` asks."""
    made = inference.made
    outer = member(made, "predict") if isinstance(made, OwnClass) else None
    if not isinstance(made, OwnClass) or not isinstance(outer, Member) or not isinstance(outer.owner, str):
        return
    model = run.attribute(inference, "model", scope, made.node)
    refused = any(each.kind == "read_only" and each.detail == f"{made.name}:model" for each in run.events)
    if is_none(model) and not inference.open and not refused:
        yield rules.NEVER_ASSIGNED.finding(
            f"{made.file.label}: nothing assigns a model to {made.name}, so each prediction will fail",
            fix="in create: inference.model = the loaded model (any object that is not None)",
            place=made.file.place(made.node),
        )


def check_model_type(run: Caller, inference: Instance, given: Sequence[Value], scope: Scope, node: ast.AST) -> None:
    """`Inference._raise_error_if_model_is_wrong_type(model)`, which a setter of `model` calls."""
    made = inference.made
    if not isinstance(made, OwnClass) or len(given) != 1:
        return
    expected = run.attribute(inference, "expected_model_types", scope, node)
    file, place = run.assigning or (scope.module.file, node)
    if isinstance(expected, Method):
        return
    if isinstance(expected, OwnClass) or is_none(expected) or _is_builtin_class(expected):
        said = "None" if is_none(expected) else f"{_called(expected)} by itself"
        run.note("model_type", file, place, f"assigns a model, but {made.name} expects {said} and not a set of classes")
        return
    classes = _elements(expected)
    model = class_of(given[0])
    if classes is None or model is None or not classes:
        return
    wrong = [each for each in classes if isinstance(each, Expression)]
    if wrong:
        names = ", ".join(ast.unparse(each.node) for each in wrong)
        if len(wrong) < len(classes):
            with run.branch():
                run.note(
                    "model_type", file, place, f"assigns a model, but {names} is no class that {made.name} could expect"
                )
        else:
            run.note(
                "model_type", file, place, f"assigns a model, but {names} is no class that {made.name} could expect"
            )
    elif all(_unrelated(model, each) for each in classes):
        expects = " or ".join(_called(each) for each in classes)
        run.note(
            "model_type", file, place, f"assigns a model that is a {_called(model)}, but {made.name} expects {expects}"
        )


def is_none(value: Value) -> bool:
    """Whether a value is None for certain."""
    return isinstance(value, Expression) and isinstance(value.node, ast.Constant) and value.node.value is None


def class_of(value: Value) -> OwnClass | External | None:
    """The class of an object that the code makes itself, or of a literal."""
    if isinstance(value, Instance):
        return value.made if isinstance(value.made, OwnClass) and not value.open else None
    if isinstance(value, OwnClass):
        return None if value.node.keywords else External("builtins.type")
    if not isinstance(value, Expression):
        return None
    if type(value.node) in _LITERALS:
        return External(f"builtins.{_LITERALS[type(value.node)]}")
    if isinstance(value.node, ast.Constant):
        return External(f"builtins.{type(value.node.value).__name__}")
    return None


def _is_builtin_class(value: Value) -> bool:
    return isinstance(value, External) and value.name in {
        f"builtins.{each}" for each in ("dict", "list", "object", "str")
    }


def _elements(expected: Value) -> list[OwnClass | External | Expression] | None:
    """The classes of a set, list or tuple that is written out, and constants among them; None for anything else."""
    if not isinstance(expected, Expression) or not isinstance(expected.node, (ast.Set, ast.List, ast.Tuple)):
        return None
    found: list[OwnClass | External | Expression] = []
    for each in expected.node.elts:
        values = values_of(each, expected.scope)
        value = values[0] if len(values) == 1 else None
        constant = isinstance(value, Expression) and isinstance(value.node, ast.Constant)
        subscripted = isinstance(value, Expression) and isinstance(value.node, ast.Subscript)
        if isinstance(value, (OwnClass, External)) or (isinstance(value, Expression) and (constant or subscripted)):
            found.append(Expression(each, expected.scope) if value == External("typing.Any") else value)
        else:
            return None
    return found


def _unrelated(given: OwnClass | External, expected: OwnClass | External | Expression) -> bool:
    """Whether an object of one class is certainly no instance of the other."""
    if isinstance(expected, External):
        known = expected.name.startswith("builtins.") and expected.name != "builtins.object"
        return known and expected != given and (isinstance(given, External) or not _may_derive(given, expected))
    if not isinstance(expected, OwnClass) or not _is_plain(expected):
        return False
    # By the class statement: a file that is both executed and imported gives two classes of it.
    return isinstance(given, External) or not any(
        each is None or (isinstance(each, OwnClass) and each.node is expected.node) for each in ancestry(given)
    )


def _may_derive(given: OwnClass, expected: External) -> bool:
    return any(each is None or each == expected.name for each in ancestry(given))


def _is_plain(made: OwnClass) -> bool:
    """Whether `isinstance` follows the ancestors alone: no metaclass, no protocol, no registration."""
    return all(
        (each in _PLAIN) if isinstance(each, str) else each is not None and not each.node.keywords
        for each in ancestry(made)
    )


def _called(value: Value) -> str:
    if isinstance(value, OwnClass):
        return value.name
    return value.name.removeprefix("builtins.") if isinstance(value, External) else "value"
