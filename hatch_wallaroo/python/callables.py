"""Functions of the user's: how they can be called, and what `inspect` shows of those that are decorated."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from hatch_wallaroo.python.expressions import external_name
from hatch_wallaroo.python.values import Function, Scope

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
