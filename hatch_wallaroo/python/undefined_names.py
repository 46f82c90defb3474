"""Finds names that are used and never bound, or bound too late: pyflakes finds them.

An undefined name matters where the code runs: which code that is, an `ImportRun` knows.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Literal, TypeAlias

from hatch_wallaroo.python.platform_environment import PlatformEnvironment
from hatch_wallaroo.python.statements import Truth, is_type_checking, truth
from hatch_wallaroo.python.values import Binding, External, Missing, Module, Names, Scope

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_HOLDING = (ast.Subscript, ast.Attribute)
_REMEMBERED = 64
_Place: TypeAlias = Literal["local", "global", "starred"]
_MOST = 200
"""Names of a file that are judged."""


def undefined(
    module: Module, environment: PlatformEnvironment, known: Collection[str] = ()
) -> Mapping[ast.AST, Missing]:
    """The names that a module uses and does not bind, by the nodes that use them.

    `known`: names that somebody puts among the builtins.
    """
    tree = module.file.tree
    assert tree is not None  # noqa: S101 - nothing else is executed
    scope = _foreseen(module, tree)
    pruned = _Pruned(tree, lambda test: truth(test, scope, environment))
    given = frozenset(known)
    told = _told(pruned.tree, given)
    absent = environment.absent_builtins - given
    if not told and not absent:
        return {}
    # Names inside of strings have no node of their own: they are no names when the code runs.
    used = {(node.lineno, node.col_offset, node.id): node for node in ast.walk(tree) if isinstance(node, ast.Name)}
    newer = [place for place in used if place[2] in absent and pruned.kind(place[2]) != "unbound"]
    places: dict[tuple[int, int, str], _Place] = {(line, column, name): where for name, line, column, where in told}
    places.update(dict.fromkeys(newer, "global"))
    sure = bool(places) and not _binds_by_text(tree)
    return {
        used[place]: Missing(pruned.kind(place[2]), sure, where) for place, where in places.items() if place in used
    }


def _foreseen(module: Module, tree: ast.Module) -> Scope:
    """Where a test is looked up before the module has run: what its top level imports from outside."""
    names = Names()
    for each in tree.body:
        if isinstance(each, ast.Import):
            for alias in each.names:
                root = alias.name.partition(".")[0]
                names[alias.asname or root] = Binding((External(alias.name if alias.asname else root),))
        elif isinstance(each, ast.ImportFrom) and each.module and not each.level:
            for alias in each.names:
                names[alias.asname or alias.name] = Binding((External(f"{each.module}.{alias.name}"),))
    return Scope(Module(module.name, module.package, module.file, module.library, names))


@lru_cache(_REMEMBERED)
def _told(tree: ast.Module, known: frozenset[str]) -> list[tuple[str, int, int, _Place]]:
    """The undefined names that pyflakes finds, with line and column, and where they would stand."""
    from pyflakes import messages
    from pyflakes.checker import Checker

    try:
        said = Checker(tree, builtins=known, withDoctest=False).messages
    except RecursionError:
        return []
    places: dict[type[messages.Message], _Place] = {
        messages.UndefinedName: "global",
        messages.UndefinedLocal: "local",
        messages.ImportStarUsage: "starred",
    }
    found = [each for each in said if type(each) in places]
    return [(each.message_args[0], each.lineno, each.col, places[type(each)]) for each in found[:_MOST]]


class _Pruned:
    """A module without the branches that the platform does not take, and the names that only type checkers see."""

    def __init__(self, tree: ast.Module, truth: Truth) -> None:
        self._truth = truth
        self._typing: set[str] = set()
        body = list(self._block(tree.body))
        self.tree = tree if body == tree.body else ast.Module(body, [])
        self._bound = {name for each in ast.walk(self.tree) for name in _bound_names(each)}

    def kind(self, name: str) -> Literal["undefined", "unbound", "typing"]:
        """Why a name is missing where it is used."""
        if name in self._bound:
            return "unbound"
        return "typing" if name in self._typing else "undefined"

    def _block(self, body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
        for statement in body:
            if isinstance(statement, ast.If):
                yield from self._if(statement)
            elif isinstance(statement, (ast.ClassDef, ast.With, ast.Try)):
                yield self._inside(statement)
            else:
                yield statement

    def _if(self, statement: ast.If) -> Iterator[ast.stmt]:
        typing = is_type_checking(statement.test)
        taken = False if typing else self._truth(statement.test)
        if typing:
            self._typing |= {name for each in statement.body for node in ast.walk(each) for name in _bound_names(node)}
        if taken is None:
            yield self._inside(statement)
        else:
            yield from self._block(statement.body if taken else statement.orelse)

    def _inside(self, statement: ast.stmt) -> ast.stmt:
        made = copy.copy(statement)
        for field in ("body", "orelse", "finalbody"):
            inner = getattr(statement, field, None)
            if inner:
                kept = list(self._block(inner))
                setattr(made, field, kept or [ast.copy_location(ast.Pass(), inner[0])])
        same = all(getattr(made, field) == getattr(statement, field) for field in statement._fields)
        return statement if same else made


def _bound_names(node: ast.AST) -> Iterator[str]:
    """The names that one node binds by itself."""
    if isinstance(node, ast.Name):
        if not isinstance(node.ctx, ast.Load):
            yield node.id
    elif isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from ((alias.asname or alias.name.partition(".")[0]) for alias in node.names)
    elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
        yield from filter(None, [node.name])
    elif isinstance(node, ast.MatchMapping):
        yield from filter(None, [node.rest])
    elif type(node).__name__ in {"TypeVar", "ParamSpec", "TypeVarTuple"}:  # Python 3.12's syntax, by its name
        yield str(getattr(node, "name", ""))


def set_builtins(tree: ast.Module) -> set[str]:
    """The names that a module puts among the builtins, where every module finds them."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is_builtins(node.value):
            found.add(node.attr)
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and _is_builtins(node.value):
            found |= _texts([node.slice])
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called == "setattr" and node.args and _is_builtins(node.args[0]):
                found |= _texts(node.args[1:2])
            elif called.endswith(".install"):
                names = [each.value for each in node.keywords if each.arg == "names"]
                found |= {"_", *_texts(inner for each in names for inner in ast.walk(each))}
    return found


def _is_builtins(node: ast.expr) -> bool:
    if isinstance(node, ast.Attribute) and node.attr == "__dict__":
        node = node.value
    return isinstance(node, ast.Name) and node.id in {"builtins", "__builtins__"}


def _texts(nodes: Iterable[ast.AST]) -> set[str]:
    return {each.value for each in nodes if isinstance(each, ast.Constant) and isinstance(each.value, str)}


def _binds_by_text(tree: ast.Module) -> bool:
    """Whether a module may bind names that do not stand in it: `exec`, what is written into `globals()`."""
    reads = {id(node.value) for node in ast.walk(tree) if isinstance(node, _HOLDING) and _only_reads(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "exec":
                return True
            if node.func.id in {"globals", "locals", "vars"} and not node.args and id(node) not in reads:
                return True
        elif isinstance(node, ast.Subscript) and ast.unparse(node) == "sys.modules[__name__]":
            return True
    return False


def _only_reads(node: ast.Subscript | ast.Attribute) -> bool:
    """Whether a node reads from the value that it holds: `globals()["x"]`, `vars().get("x")`."""
    if isinstance(node, ast.Subscript):
        return isinstance(node.ctx, ast.Load)
    return node.attr in {"get", "items", "keys", "values", "copy"}
