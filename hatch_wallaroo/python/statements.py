"""Which names a module needs while it is imported, and which of its branches an import takes."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Iterator

from hatch_wallaroo.python.expressions import external_name, values_of
from hatch_wallaroo.python.imports import Finder
from hatch_wallaroo.python.platform_environment import PlatformEnvironment
from hatch_wallaroo.python.values import External, Module, OwnClass, Scope

_GIVEN = frozenset(dir(builtins)) | {
    "__file__",
    "__path__",
    "__annotations__",
    "__module__",
    "__qualname__",
    "__builtins__",
}
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_PLAIN_NAME = re.compile(r"\s*\w+\s*(?![\w.]|\s)")
_HIDING = frozenset({"exec", "globals", "vars", "locals", "setattr"})


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


def check_names(run: Finder, module: Module) -> None:
    """Report names that an import is certain to miss: used at the top level, and bound nowhere in the file."""
    tree = module.file.tree
    if tree is None:
        return
    bound, typing_only, hidden = _bound(tree)
    if hidden:
        return
    for statement, local in _top(tree.body, frozenset(), module):
        nodes = list(immediate(statement, annotations=not module.file.postponed))
        inner = _own_names(nodes)
        for node in nodes:
            if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load):
                continue
            if (
                node.id in bound
                or node.id in local
                or node.id in inner
                or node.id in _GIVEN
                or node.id.startswith("__")
            ):
                continue
            run.note("typing" if node.id in typing_only else "undefined", module.file, node, node.id)


def _top(body: Iterable[ast.stmt], local: frozenset[str], module: Module) -> Iterator[tuple[ast.stmt, frozenset[str]]]:
    """Statements that every import executes, class bodies included, with the names of the class around them."""
    for statement in body:
        yield statement, local
        if isinstance(statement, ast.ClassDef):
            names = frozenset(name for each in ast.walk(statement) for name in _binds(each))
            yield from _top(statement.body, local | names, module)


def _bound(tree: ast.Module) -> tuple[set[str], set[str], bool]:
    """Names bound anywhere in a file, those bound only for type checkers, and whether it may bind others."""
    bound: set[str] = set()
    typing_only: set[str] = set()
    waiting: list[tuple[ast.AST, bool]] = [(tree, False)]
    while waiting:
        node, for_typing = waiting.pop()
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            return bound, typing_only, True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _HIDING:
            return bound, typing_only, True
        (typing_only if for_typing else bound).update(_binds(node))
        inside = {id(each) for each in node.body} if isinstance(node, ast.If) and _says_typing(node.test) else ()
        waiting += [(child, for_typing or id(child) in inside) for child in ast.iter_child_nodes(node)]
    return bound, typing_only - bound, False


def _binds(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from ((alias.asname or alias.name.partition(".")[0]) for alias in node.names)
    elif (isinstance(node, ast.ExceptHandler) and node.name) or (
        isinstance(node, (ast.MatchAs, ast.MatchStar)) and node.name
    ):
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest
    elif type(node).__name__ in {"TypeVar", "ParamSpec", "TypeVarTuple"}:  # Python 3.12's syntax, by its name
        yield str(getattr(node, "name", ""))


def _own_names(nodes: Iterable[ast.AST]) -> set[str]:
    """Names that comprehensions and lambdas bind for themselves."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, _COMPREHENSIONS):
            found.update(name for part in node.generators for each in ast.walk(part.target) for name in _binds(each))
        elif isinstance(node, ast.Lambda):
            found.update(each.arg for each in ast.walk(node.args) if isinstance(each, ast.arg))
    return found


def _says_typing(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def is_typing(test: ast.expr, scope: Scope) -> bool:
    """Whether a test is true for type checkers alone."""
    return _says_typing(test) and external_name(test, scope).endswith("TYPE_CHECKING")


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


def caught(handlers: Iterable[ast.ExceptHandler], scope: Scope) -> set[str]:
    """The names of the exceptions that handlers catch; `BaseException` for a bare `except`."""
    found: set[str] = set()
    for handler in handlers:
        if handler.type is None:
            found.add("BaseException")
            continue
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        found.update(value.last for kind in kinds for value in values_of(kind, scope) if isinstance(value, External))
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
