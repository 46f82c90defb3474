"""What single statements say: the expressions they evaluate at once, the branch that an import takes, `__all__`."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import TypeAlias

from hatch_wallaroo.python.expressions import external_name, values_of
from hatch_wallaroo.python.platform_environment import PlatformEnvironment
from hatch_wallaroo.python.values import Expression, External, Module, OwnClass, Scope

_PLAIN_NAME = re.compile(r"\s*\w+\s*(?![\w.]|\s)")

Truth: TypeAlias = Callable[[ast.expr], "bool | None"]
"""What a test gives on the platform, None where that is not certain."""
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def immediate(statement: ast.stmt, *, annotations: bool = True) -> Iterator[ast.AST]:
    """The expressions that a statement evaluates at once: no function bodies, no nested statements."""
    waiting: list[ast.AST] = list(_direct(statement, annotations=annotations))
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.Lambda):
            waiting += [*node.args.defaults, *(each for each in node.args.kw_defaults if each is not None)]
        else:
            waiting += [each for each in ast.iter_child_nodes(node) if not isinstance(each, ast.stmt)]


def evaluated(statement: ast.stmt, decided: Truth, *, annotations: bool) -> list[tuple[ast.AST, bool]]:
    """The expressions that a statement evaluates at once, the innermost first, and whether each certainly is."""
    found: list[tuple[ast.AST, bool]] = []
    message = statement.msg if isinstance(statement, ast.Assert) else None
    waiting = [(each, each is not message) for each in _direct(statement, annotations=annotations)]
    while waiting:
        node, sure = waiting.pop()
        found.append((node, sure))
        if isinstance(node, ast.Lambda):
            waiting += [(each, sure) for each in (*node.args.defaults, *node.args.kw_defaults) if each is not None]
            continue
        first: ast.AST | None = None
        if isinstance(node, _COMPREHENSIONS):
            waiting += [(each, False) for each in ast.iter_child_nodes(node) if each is not node.generators[0]]
            first, node = node.generators[0].iter, node.generators[0]
        elif isinstance(node, ast.IfExp):
            taken = decided(node.test)
            if taken is not None:
                waiting += [(node.test, sure), (node.body if taken else node.orelse, sure)]
                continue
            first = node.test
        elif isinstance(node, ast.Compare) and len(node.comparators) > 1:
            waiting += [(each, sure) for each in (node.left, node.comparators[0])]
            waiting += [(each, False) for each in node.comparators[1:]]
            continue
        elif isinstance(node, ast.BoolOp):
            first = node.values[0]
        certain = sure and first is None
        waiting += [(each, certain or (sure and each is first)) for each in ast.iter_child_nodes(node)]
    return found[::-1]


def _direct(statement: ast.stmt, *, annotations: bool) -> Iterable[ast.AST]:
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
        arguments = statement.args
        found: list[ast.AST | None] = [*statement.decorator_list, *arguments.defaults, *arguments.kw_defaults]
        if annotations:
            every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
            found += [each.annotation for each in every if each is not None]
            found.append(statement.returns)
        return [each for each in found if each is not None]
    if isinstance(statement, ast.ClassDef):
        return [*statement.decorator_list, *statement.bases, *(each.value for each in statement.keywords)]
    if isinstance(statement, ast.AnnAssign) and not annotations:
        return [statement.target, *([statement.value] if statement.value is not None else [])]
    return [
        each
        for each in ast.iter_child_nodes(statement)
        if not isinstance(each, (ast.stmt, ast.excepthandler, ast.match_case))
    ]


def is_type_checking(test: ast.expr) -> bool:
    """Whether a test is by its name true for type checkers alone."""
    name = test.id if isinstance(test, ast.Name) else test.attr if isinstance(test, ast.Attribute) else ""
    return name == "TYPE_CHECKING"


def is_typing(test: ast.expr, scope: Scope) -> bool:
    """Whether a test is true for type checkers alone."""
    return is_type_checking(test) and external_name(test, scope).endswith("TYPE_CHECKING")


def truth(test: ast.expr, scope: Scope, environment: PlatformEnvironment) -> bool | None:
    """What a test gives at import on the platform; None where that is not certain."""
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = truth(test.operand, scope, environment)
        return None if inner is None else not inner
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return _compared(test, scope, environment)
    if is_typing(test, scope):
        return False
    return None


def _compared(test: ast.Compare, scope: Scope, environment: PlatformEnvironment) -> bool | None:
    left, operator, right = test.left, test.ops[0], test.comparators[0]
    if isinstance(left, ast.Name) and left.id == "__name__" and isinstance(right, ast.Constant):
        same = right.value == scope.module.name
        return same if isinstance(operator, ast.Eq) else not same if isinstance(operator, ast.NotEq) else None
    if external_name(left, scope) != "sys.version_info" or not isinstance(right, ast.Tuple):
        return None
    wanted = tuple(each.value for each in right.elts if isinstance(each, ast.Constant) and isinstance(each.value, int))
    if len(wanted) != len(right.elts) or not 1 <= len(wanted) <= 2:  # noqa: PLR2004 - major and minor
        return None
    # Compared as Python does: a third component, which every version has, makes it larger than a bare pair.
    here = (*environment.python, 0)
    if isinstance(operator, ast.GtE):
        return here >= wanted
    if isinstance(operator, ast.Gt):
        return here > wanted
    if isinstance(operator, ast.Lt):
        return here < wanted
    return here <= wanted if isinstance(operator, ast.LtE) else None


@lru_cache(256)
def declared_global(tree: ast.Module) -> tuple[str, ...]:
    """The names that functions of a module bind at its top level, if they are called."""
    return tuple(name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names)


def slots(made: ast.ClassDef) -> Iterator[str]:
    """The names in a class's `__slots__`, which are attributes of the class."""
    for statement in made.body:
        if isinstance(statement, ast.Assign) and any(
            isinstance(each, ast.Name) and each.id == "__slots__" for each in statement.targets
        ):
            yield from (
                each.value
                for each in ast.walk(statement.value)
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            )


def _exceptions(node: ast.expr, scope: Scope) -> Iterator[str]:
    """The names of the exceptions that an expression stands for, `BaseException` for what it does not show."""
    for value in values_of(node, scope):
        if isinstance(value, External):
            known = getattr(builtins, value.last, None)  # OSError by its other names, too
            yield known.__name__ if isinstance(known, type) else value.last
        elif isinstance(value, OwnClass):
            yield value.name
        elif isinstance(value, Expression) and isinstance(value.node, ast.Tuple):
            for each in value.node.elts:
                yield from _exceptions(each, value.scope)
        else:
            yield "BaseException"


def caught(handlers: Iterable[ast.ExceptHandler], scope: Scope) -> set[str]:
    """The names of the exceptions that handlers catch; `BaseException` for a bare `except`."""
    found: set[str] = set()
    for handler in handlers:
        found.update(["BaseException"] if handler.type is None else _exceptions(handler.type, scope))
    return found


def is_stringly_dataclass(made: OwnClass) -> bool:
    """Whether `dataclasses` will look an annotation of the class up in `sys.modules`.

    It does so for annotations that are text and begin with a name that no dot follows.
    """
    calls = [each.func if isinstance(each, ast.Call) else each for each in made.node.decorator_list]
    if not any(external_name(each, made.scope) == "dataclasses.dataclass" for each in calls):
        return False
    for statement in made.node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            noted = statement.annotation
            quoted = isinstance(noted, ast.Constant) and isinstance(noted.value, str)
            if quoted or made.file.postponed:
                text = str(noted.value) if isinstance(noted, ast.Constant) else ast.unparse(noted)
                if _PLAIN_NAME.match(text):
                    return True
    return False


def exported(module: Module) -> frozenset[str] | None:
    """What `__all__` of a module names, None where it has none that can be read."""
    tree = module.file.tree
    for statement in tree.body if tree else ():
        if isinstance(statement, ast.Assign) and any(
            isinstance(each, ast.Name) and each.id == "__all__" for each in statement.targets
        ):
            try:
                names = ast.literal_eval(statement.value)
            except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
                return None
            if isinstance(names, (list, tuple)):
                return frozenset(str(each) for each in names)
    return None
