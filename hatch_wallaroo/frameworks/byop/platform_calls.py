"""The functions of the user's that the platform calls: how they can be called, and what they certainly give.

That is nothing, a list, an object of some class; and a model that is, or is not, of a class that is expected.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from hatch_wallaroo.findings import Finding, Level, Rule
from hatch_wallaroo.frameworks.byop import rules
from hatch_wallaroo.frameworks.mac import DATA
from hatch_wallaroo.python.calls import Caller
from hatch_wallaroo.python.definitions import accepts, ancestry, own_nodes
from hatch_wallaroo.python.expressions import external_name, value_of
from hatch_wallaroo.python.values import (
    UNKNOWN,
    Expression,
    External,
    Function,
    Instance,
    Method,
    Names,
    OwnClass,
    Scope,
    Value,
)

_LITERALS: dict[type[ast.expr], str] = {
    ast.Dict: "dict",
    ast.DictComp: "dict",
    ast.List: "list",
    ast.ListComp: "list",
    ast.JoinedStr: "str",
    ast.Tuple: "tuple",
    ast.Set: "set",
}
_ARRAY = External("numpy.ndarray")
_COMPUTED = External("numpy.array")
"""What comes of an array by arithmetic: another one, or one of NumPy's numbers."""
_CALLS = {
    **{f"builtins.{each}": External(f"builtins.{each}") for each in ("dict", "float", "int", "list", "str", "tuple")},
    **{f"numpy.{each}": _ARRAY for each in ("array", "asarray", "zeros", "ones")},
}
"""Calls that give an object of one class, whatever they are given."""
_NUMBERS = {_ARRAY, _COMPUTED, External("builtins.int"), External("builtins.float")}
_DEEPEST = 4
_PLAIN = frozenset({"builtins.object", "typing.Generic"})
"""Classes outside the bundle that leave `isinstance` as it is."""


_NOT_ITERABLE = frozenset(f"builtins.{each}" for each in ("dict", "list", "object", "str"))


@dataclass(frozen=True)
class PlatformCall:
    """One call: `name` is the function's for messages, `given` what it is given, by the usual names of the parameters.

    `broken` is the rule of a call that cannot be made.
    """

    function: Function
    name: str
    given: tuple[str, ...]
    broken: Rule

    def finding(self, rule: Rule, wrong: str, fix: str, level: Level | None = None) -> Finding:
        """Say what is wrong with the function, at its place."""
        place = self.function.file.place(self.function.node)
        return rule.finding(f"{self.name} {wrong}", fix=fix, place=place, level=level)

    @property
    def plain(self) -> bool:
        """Whether no decorator stands between the platform and the function."""
        return not self.function.decorators

    @property
    def accepted(self) -> bool:
        """Whether the function takes what it is given."""
        return accepts(self.function.node.args, len(self.given))

    def refused(self) -> Iterator[Finding]:
        """A function that the platform cannot call so, or that gives a generator whatever it does."""
        node, given = self.function.node, ", ".join(self.given)
        if self.plain and not self.accepted:
            yield self.finding(
                self.broken,
                f"takes ({ast.unparse(node.args) or 'nothing'}), but is given ({given})",
                f"write def {node.name}({given}), or give further parameters defaults",
            )
        if self.plain and any(isinstance(each, (ast.Yield, ast.YieldFrom)) for each in own_nodes(node)):
            yield self.finding(self.broken, "yields, so calling it gives a generator", "return the result")

    def gives_no_arrays(self, rule: Rule, result: Value) -> Iterator[Finding]:
        """A prediction that is certainly no dictionary."""
        what = said(result)
        if what and what != "a dict":
            fix = "return a dictionary of arrays by the names of the output schema"
            yield self.finding(rule, f"returns {what}", fix)


# What they give


def is_none(value: Value) -> bool:
    """Whether a value is None for certain."""
    return isinstance(value, Expression) and isinstance(value.node, ast.Constant) and value.node.value is None


def class_of(value: Value, depth: int = 0) -> OwnClass | External | None:
    """The class of an object that the code makes itself, of a literal, or of an array."""
    if isinstance(value, Instance):
        return value.made if isinstance(value.made, OwnClass) and not value.open else None
    if isinstance(value, OwnClass):
        return None if value.node.keywords else External("builtins.type")
    if not isinstance(value, Expression):
        return None
    node, scope = value.node, value.scope
    if type(node) in _LITERALS:
        return External(f"builtins.{_LITERALS[type(node)]}")
    if isinstance(node, ast.Constant):
        return External(f"builtins.{type(node.value).__name__}")
    if isinstance(node, ast.Call):
        return _CALLS.get(external_name(node.func, scope))
    if isinstance(node, ast.Subscript):
        held = value_of(node.value, scope)
        return _ARRAY if isinstance(held, Instance) and held.made == DATA else None
    if isinstance(node, ast.BinOp) and depth < _DEEPEST:
        sides = {class_of(value_of(each, scope), depth + 1) for each in (node.left, node.right)}
        return _COMPUTED if sides <= _NUMBERS and sides & {_ARRAY, _COMPUTED} else None
    return None


def given_arrays(function: Function, index: int) -> Value:
    """The dictionary of arrays that a function gets as its nth argument, where it only looks into it."""
    arguments = function.node.args
    names = [each.arg for each in (*arguments.posonlyargs, *arguments.args)][index : index + 1]
    nodes = list(ast.walk(function.node))
    looks = {id(each.value) for each in nodes if isinstance(each, ast.Subscript) and isinstance(each.ctx, ast.Load)}
    uses = [id(each) for each in nodes if isinstance(each, ast.Name) and each.id in names]
    return Instance(DATA, Names(), open=True) if looks.issuperset(uses) else UNKNOWN


def said(value: Value) -> str:
    """What a value is, in words; empty where that is not certain, and for an object of a class of the bundle."""
    if is_none(value):
        return "nothing"
    if isinstance(value, OwnClass):
        return f"the class {value.name} itself"
    kind = class_of(value)
    return a_class(kind) if isinstance(kind, External) else ""


def a_class(kind: OwnClass | External) -> str:
    """An object of a class, in words."""
    return "an array" if kind in {_ARRAY, _COMPUTED} else f"a {name_of(kind)}"


def name_of(kind: OwnClass | External) -> str:
    """A class's name, as messages show it."""
    return kind.name if isinstance(kind, OwnClass) else kind.name.removeprefix("builtins.")


def unrelated(given: OwnClass | External, expected: OwnClass | External) -> bool:
    """Whether an object of one class is certainly no instance of the other."""
    if isinstance(expected, OwnClass):
        # By the class statement: a file that is both executed and imported gives two classes of it.
        same = isinstance(given, OwnClass) and any(
            each is None or (isinstance(each, OwnClass) and each.node is expected.node) for each in ancestry(given)
        )
        return _is_plain(expected) and not same
    wanted = _builtin(expected)
    if wanted is object or (wanted is None and expected != _ARRAY):
        return False
    if isinstance(given, OwnClass):
        return not any(each is None or each == expected.name for each in ancestry(given))
    kind = _builtin(given)
    if wanted is None or kind is None:
        return given not in {expected, _COMPUTED}
    return not issubclass(kind, wanted)


def _builtin(kind: External) -> type | None:
    found = getattr(builtins, kind.name.removeprefix("builtins."), None)
    return found if isinstance(found, type) else None


def _is_plain(made: OwnClass) -> bool:
    """Whether `isinstance` follows the ancestors alone: no metaclass, no protocol, no registration."""
    return all(
        (each in _PLAIN) if isinstance(each, str) else each is not None and not each.node.keywords
        for each in ancestry(made)
    )


# The model


def never_assigned(run: Caller, inference: Instance, made: OwnClass) -> Iterator[Finding]:
    """Whether the object has no model when the first request comes: `Inference.predict` asks."""
    model = run.attribute(inference, "model", Scope(made.scope.module), made.node)
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
    said, sure = _mismatch(made, expected, class_of(given[0]))
    if said:
        with nullcontext() if sure else run.branch():
            run.note("model_type", file, place, f"assigns a model{said}")


def _mismatch(made: OwnClass, expected: Value, model: OwnClass | External | None) -> tuple[str, bool]:
    """What is wrong with a model of a class, in words, and whether it is wrong for certain."""
    if is_none(expected):
        return f", but {made.name} expects None and not a set of classes", True
    if isinstance(expected, OwnClass) or (isinstance(expected, External) and expected.name in _NOT_ITERABLE):
        return f", but {made.name} expects {name_of(expected)} by itself and not a set of classes", True
    if not isinstance(expected, Expression) or not isinstance(expected.node, (ast.Set, ast.List, ast.Tuple)):
        return "", False
    elements = [(each, value_of(each, expected.scope)) for each in expected.node.elts]
    wrong = [ast.unparse(node) for node, value in elements if _is_no_class(value)]
    classes = [value for _, value in elements if isinstance(value, (OwnClass, External)) and not _is_no_class(value)]
    if model is None or not elements or len(wrong) + len(classes) < len(elements):
        return "", False
    if wrong:
        return f", but {', '.join(wrong)} is no class that {made.name} could expect", not classes
    if all(unrelated(model, each) for each in classes):
        expects = " or ".join(map(name_of, classes))
        return f" that is {a_class(model)}, but {made.name} expects {expects}", True
    return "", False


def _is_no_class(value: Value) -> bool:
    """Whether `isinstance` refuses it: a constant, a subscripted type, `Any`."""
    if isinstance(value, Expression):
        return isinstance(value.node, (ast.Constant, ast.Subscript))
    return value == External("typing.Any")
