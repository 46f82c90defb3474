"""Classes of the bundle: what they inherit from, and what they define, as far as reading the code tells."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from hatch_wallaroo.byop.expressions import external_name, values_of
from hatch_wallaroo.byop.inheritance import ancestry, mentions_mac
from hatch_wallaroo.byop.mac import CLASSES
from hatch_wallaroo.byop.values import Binding, Expression, External, Function, Module, OwnClass, Value

_PROPERTIES = frozenset({"builtins.property", "functools.cached_property", "abc.abstractproperty"})
_ABSTRACT = frozenset({"abc.abstractmethod", "abc.abstractproperty"})


@dataclass(frozen=True)
class Member:
    """A member of a class: `owner` is the class that defines it (a name for one of `mac`'s)."""

    owner: OwnClass | str
    binding: Binding | None
    abstract: bool

    @property
    def function(self) -> Function | None:
        """The function behind it, where there is just one."""
        values = self.binding.values if self.binding else ()
        return values[0] if len(values) == 1 and isinstance(values[0], Function) else None


def derives(value: Value, base: str) -> bool | None:
    """Whether a class is `base` or inherits from it; None where that cannot be told."""
    unsure = False
    for each in ancestry(value):
        if each == base:
            return True
        if each is None or (isinstance(each, str) and each.startswith("mac.") and each not in CLASSES):
            unsure = True
    return None if unsure else False


def member(made: OwnClass, name: str) -> Member | bool | None:
    """What a class has under a name: a Member, None when it has nothing, False when that cannot be told."""
    for each in ancestry(made):
        if isinstance(each, OwnClass):
            if name in each.members:
                return Member(each, each.members[name], _is_abstract(each.members[name]))
        elif each is None:
            return False
        elif each in CLASSES:
            known = CLASSES[each]
            if name in known.abstract or name in known.concrete:
                return Member(each, None, name in known.abstract)
        elif not each.startswith(("abc.", "typing.", "builtins.object")):
            return False
    return None


def missing_members(made: OwnClass) -> list[str]:
    """Abstract members of `mac`'s classes that a class leaves undone; empty where that cannot be told."""
    names: dict[str, None] = {}
    for each in ancestry(made):
        if isinstance(each, str) and each in CLASSES:
            names.update(dict.fromkeys(sorted(CLASSES[each].abstract)))
        elif isinstance(each, OwnClass) and _enforces(each):
            names.update(dict.fromkeys(name for name, bound in each.members.items() if _is_abstract(bound)))
    return [name for name in names if isinstance(found := member(made, name), Member) and found.abstract]


def _enforces(made: OwnClass) -> bool:
    """Whether Python keeps count of a class's abstract members: those of a plain mixin bind nobody."""
    if any(keyword.arg == "metaclass" for keyword in made.node.keywords):
        return True
    return any(
        isinstance(each, str) and (each in CLASSES or each.startswith(("abc.", "collections.abc.")))
        for each in ancestry(made)
    )


def _is_abstract(bound: Binding) -> bool:
    return all(
        isinstance(each, Function)
        and any(isinstance(value, External) and value.name in _ABSTRACT for value in each.decorators)
        for each in bound.values
    )


def is_property(function: Function) -> bool:
    """Whether a function in a class is a property, or the setter of one."""
    for node, value in zip(function.node.decorator_list, function.decorators, strict=True):
        if isinstance(value, External) and value.name in _PROPERTIES:
            return True
        if isinstance(node, ast.Attribute) and node.attr in {"setter", "getter", "deleter"}:
            return True
    return False


def is_setter(function: Function) -> bool:
    """Whether it sets a property."""
    return any(isinstance(node, ast.Attribute) and node.attr == "setter" for node in function.node.decorator_list)


@dataclass(frozen=True)
class Counted:
    """A class found under a name of a module that the platform executes."""

    name: str
    value: Value
    module: Module
    sure: bool


def named_classes(module: Module, base: str) -> Iterator[Counted]:
    """The names of a module that stand for a class derived from `base` (itself included), as `inspect` lists them."""
    for name, bound in sorted(module.names.items()):
        for value in bound.values:
            found = _class_behind(value)
            if found is None:
                continue
            verdict = derives(found, base)
            if verdict or (verdict is None and isinstance(found, OwnClass)):
                yield Counted(name, found, module, bool(verdict) and bound.sure and len(bound.values) == 1)


def _class_behind(value: Value) -> Value | None:
    if isinstance(value, (OwnClass, External)):
        return value
    if isinstance(value, Expression) and isinstance(value.node, (ast.Name, ast.Attribute)):
        inner = values_of(value.node, value.scope)
        return inner[0] if len(inner) == 1 and isinstance(inner[0], (OwnClass, External)) else None
    return None


def hides_classes(module: Module) -> bool:
    """Whether a module may hold classes that reading the code does not show: made by calls, or imported unseen."""
    if module.open:
        return True
    for bound in module.names.values():
        for value in bound.values:
            if isinstance(value, Expression) and isinstance(value.node, ast.Call):
                called = external_name(value.node.func, value.scope)
                if not called or called == "builtins.type" or mentions_mac(value.node, value):
                    return True
    return False


def own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function itself: those of functions and classes inside it are left out."""
    waiting = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            waiting += ast.iter_child_nodes(node)
