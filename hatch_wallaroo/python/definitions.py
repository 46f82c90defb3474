"""Classes of the bundle, what they inherit and define, and functions: how they can be called, what `inspect` shows."""

from __future__ import annotations

import ast
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from hatch_wallaroo.python.expressions import external_name, values_of
from hatch_wallaroo.python.platform_library import PlatformLibrary
from hatch_wallaroo.python.values import Binding, Expression, External, Function, Module, OwnClass, Scope, Value

Ancestor: TypeAlias = OwnClass | str | None

_LONGEST = 50
"""Ancestors that are still told apart: with n of them, each of n classes in a row would cost n steps."""
_DEEPEST = 30


def ancestry(value: Value, library: PlatformLibrary | None = None) -> tuple[Ancestor, ...]:
    """A class and all that it inherits from, each once, in Python's order as far as that can be told.

    Own classes, the dotted names of others, and None for what cannot be told. Without a library, a class
    from outside the bundle stands for itself alone. A class keeps
    its answer: asking of many classes, or of one with many ways to the same ancestor, costs
    a step for each class.
    """
    start = _classes(value)
    waiting = [each for each in start if isinstance(each, OwnClass)]
    begun: set[int] = set()
    while waiting:
        made = waiting[-1]
        if made.ancestry is not None:
            waiting.pop()
            continue
        bases = [_classes(group[0]) if len(group) == 1 else (None,) for group in made.bases[:_LONGEST]]
        unknown = [each for base in bases for each in base if isinstance(each, OwnClass) and each.ancestry is None]
        if id(made) in begun or not unknown:
            # A class that is not known by now is an ancestor of itself by name alone: it was bound again.
            lines = [_line(each, made.scope.module.library) for base in bases for each in base]
            made.ancestry = _joined(made, lines)
            waiting.pop()
        else:
            begun.add(id(made))
            waiting += unknown
    return tuple(dict.fromkeys(ancestor for each in start for ancestor in _line(each, library)))


def _line(each: Ancestor, library: PlatformLibrary | None) -> tuple[Ancestor, ...]:
    if isinstance(each, OwnClass):
        return each.ancestry or (None,)
    known = library.known(each) if library is not None else None
    return (each, *(inner for base in known.bases for inner in _line(base, library))) if known else (each,)


def _joined(made: OwnClass, lines: Sequence[Sequence[Ancestor]]) -> tuple[Ancestor, ...]:
    """A class before its bases' ancestors: merged as Python does, or one after the other where that fails."""
    merged = None if any(None in each for each in lines) else _merged([*lines, [line[0] for line in lines]])
    found = (made, *(merged if merged is not None else dict.fromkeys(each for line in lines for each in line)))
    complete = len(found) <= _LONGEST and len(made.bases) <= _LONGEST
    return found if complete else (*found[:_LONGEST], None)


def _merged(lines: Iterable[Sequence[Ancestor]]) -> list[Ancestor] | None:
    """Several orders as one (Python's C3): a class comes after all that stand before it anywhere; None if
    they contradict each other.
    """
    left = [deque(each) for each in lines]
    behind = Counter(each for line in left for each in list(line)[1:])
    merged: list[Ancestor] = []
    while left := [each for each in left if each]:
        first = next((line[0] for line in left if not behind[line[0]]), None)
        if first is None:
            return None
        merged.append(first)
        for line in left:
            if line[0] == first:
                line.popleft()
                if line:
                    behind[line[0]] -= 1
    return merged


def _classes(value: Value, depth: int = 0) -> tuple[Ancestor, ...]:
    """The classes that a base stands for: itself, or what is subscripted in `Generic[T]`, called in `namedtuple(…)`."""
    if isinstance(value, OwnClass):
        return (value,)
    if isinstance(value, External):
        return (value.name,)
    if not isinstance(value, Expression) or depth > _DEEPEST:
        return (None,)
    node = value.node
    if isinstance(node, ast.Subscript):
        return tuple(each for inner in values_of(node.value, value.scope) for each in _classes(inner, depth + 1))
    if isinstance(node, ast.Call) and external_name(node.func, value.scope) and not mentions_library(node, value):
        return (external_name(node.func, value.scope),)
    return (None,)


def mentions_library(node: ast.Call, value: Expression) -> bool:
    """Whether a call is given something that may be a class of the platform's library, or inherits from it."""
    return any(
        not isinstance(inner, Expression)
        for argument in node.args
        for inner in values_of(argument, value.scope)
        if not (isinstance(inner, External) and not value.scope.module.library.owns(inner.name))
    )


_PROPERTIES = frozenset({"builtins.property", "functools.cached_property", "abc.abstractproperty"})
_ABSTRACT = frozenset({"abc.abstractmethod", "abc.abstractproperty"})


@dataclass(frozen=True)
class Member:
    """A member of a class: `owner` is the class that defines it (a name for one of the library's)."""

    owner: OwnClass | str
    binding: Binding | None
    abstract: bool

    @property
    def function(self) -> Function | None:
        """The function behind it, where there is just one."""
        values = self.binding.values if self.binding else ()
        return values[0] if len(values) == 1 and isinstance(values[0], Function) else None


def derives(value: Value, base: str, library: PlatformLibrary) -> bool | None:
    """Whether a class is `base` or inherits from it; None where that cannot be told."""
    unsure = False
    for each in ancestry(value, library):
        if each == base:
            return True
        if each is None or (isinstance(each, str) and library.owns(each) and each not in library.classes):
            unsure = True
    return None if unsure else False


def member(made: OwnClass, name: str, lines: Sequence[Ancestor] | None = None) -> Member | bool | None:
    """What a class has under a name: a Member, None when it has nothing, False when that cannot be told.

    `lines` are the classes to look into, those of its ancestry by default.
    """
    library = made.scope.module.library
    for each in ancestry(made) if lines is None else lines:
        if isinstance(each, OwnClass):
            if name in each.members:
                return Member(each, each.members[name], _is_abstract(each.members[name]))
        elif each is None:
            return False
        elif known := library.known(each):
            if name in known.abstract or name in known.concrete:
                return Member(each, None, name in known.abstract)
        elif not each.startswith(("abc.", "typing.", "builtins.object")):
            return False
    return None


def missing_members(made: OwnClass) -> list[str]:
    """Abstract members of what a class inherits from that it leaves undone; empty where that cannot be told."""
    library = made.scope.module.library
    names: dict[str, None] = {}
    for each in ancestry(made):
        if known := library.known(each):
            names.update(dict.fromkeys(sorted(known.abstract)))
        elif isinstance(each, OwnClass) and _enforces(each):
            names.update(dict.fromkeys(name for name, bound in each.members.items() if _is_abstract(bound)))
    return [name for name in names if isinstance(found := member(made, name), Member) and _is_undone(found, name)]


def _is_undone(found: Member, name: str) -> bool:
    """Whether a member is abstract to Python, which counts when the class statement ends and never again."""
    late = found.owner.late if isinstance(found.owner, OwnClass) else ()
    return found.abstract or (name in late and "__abstractmethods__" not in late)


def _enforces(made: OwnClass) -> bool:
    """Whether Python keeps count of a class's abstract members: those of a plain mixin bind nobody."""
    if any(keyword.arg == "metaclass" for keyword in made.node.keywords):
        return True
    library = made.scope.module.library
    return any(
        library.known(each) or (isinstance(each, str) and each.startswith(("abc.", "collections.abc.")))
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
            verdict = derives(found, base, module.library)
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
                if not called or called == "builtins.type" or mentions_library(value.node, value):
                    return True
    return False


# Functions

_WRAPPING = frozenset({"functools.wraps", "functools.update_wrapper", "functools.partial"})
_SHOWN_BY = frozenset({"__wrapped__", "__signature__", "__annotations__"})
_TRANSPARENT = ("abc.", "builtins.", "typing.", "functools.", "torch.", "contextlib.")
"""Where decorators come from of which is known that `inspect` sees the function through them."""


def own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function itself: those of functions and classes inside it are left out."""
    waiting = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            waiting += ast.iter_child_nodes(node)


def accepts(arguments: ast.arguments, given: int) -> bool:
    """Whether a function can be called with so many positional arguments and nothing else."""
    positional = len(arguments.posonlyargs) + len(arguments.args)
    if any(default is None for default in arguments.kw_defaults):
        return False
    return positional - len(arguments.defaults) <= given and (arguments.vararg is not None or given <= positional)


def takes(arguments: ast.arguments, given: int, named: Collection[str]) -> bool:
    """Whether a function can be called with so many positional arguments and these by name."""
    positional = [*arguments.posonlyargs, *arguments.args]
    by_name = {each.arg for each in (*arguments.args, *arguments.kwonlyargs)}
    filled = {each.arg for each in positional[:given]} | set(named)
    return (
        (given <= len(positional) or arguments.vararg is not None)
        and (arguments.kwarg is not None or by_name.issuperset(named))
        and filled.issuperset(required(arguments))
    )


def required(arguments: ast.arguments) -> list[str]:
    """The names of the arguments that a call has to give, those by keyword only at the end."""
    positional = [*arguments.posonlyargs, *arguments.args]
    keywords = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return [
        *(each.arg for each in positional[: len(positional) - len(arguments.defaults)]),
        *(each.arg for each, default in keywords if default is None),
    ]


def visible(function: Function) -> tuple[Function | None, bool]:
    """The function whose signature `inspect` shows, decorators taken into account, and whether that is certain."""
    certain = True
    for node, value in zip(reversed(function.node.decorator_list), reversed(function.decorators), strict=True):
        if isinstance(value, Function):
            if not _wraps(value):
                return _returned(value), certain
            continue
        name = external_name(node.func if isinstance(node, ast.Call) else node, function.scope)
        certain = certain and name.startswith(_TRANSPARENT)
    return function, certain


def _wraps(decorator: Function) -> bool:
    """Whether a decorator hands on what it decorates, or says itself what is to be seen of it."""
    return any(
        isinstance(each, (ast.Name, ast.Attribute))
        and (
            external_name(each, decorator.scope) in _WRAPPING
            or (isinstance(each, ast.Attribute) and each.attr in _SHOWN_BY)
        )
        for each in ast.walk(decorator.node)
    )


def _returned(decorator: Function) -> Function | None:
    """The function that a decorator defines and returns, None where it is not that simple."""
    inner = {
        each.name: each for each in decorator.node.body if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    returned = [each.value for each in decorator.node.body if isinstance(each, ast.Return)]
    if len(returned) == 1 and isinstance(returned[0], ast.Name) and returned[0].id in inner:
        return Function(inner[returned[0].id], Scope(decorator.scope.module), ())
    return None
