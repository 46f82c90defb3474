"""Finds names that are used and never bound, or bound too late: pyflakes finds them.

An undefined name matters where the code runs. Import time is certain; of functions the caller says which the platform
calls, and what those call is followed. Anything else may never run, and is not sure.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from hatch_wallaroo.python.code_paths import CodePaths, Truth, bound_names, is_type_checking

_HOLDING = (ast.Subscript, ast.Attribute)
_REMEMBERED = 64
_MOST = 200
"""Names of a file that are judged."""


@dataclass(frozen=True, eq=False)
class Undefined:
    """One use of a name that nothing binds there.

    `kind`: bound nowhere, bound elsewhere or later, or imported for type checkers alone. `sure`: the code runs,
    and the name is missing then. `at_import`: met while the module is imported, not only when a function is called.
    """

    name: str
    node: ast.Name
    kind: Literal["undefined", "unbound", "typing"]
    sure: bool
    at_import: bool


def undefined(
    tree: ast.Module,
    *,
    runs: Collection[ast.AST] = (),
    known: Collection[str] = (),
    starred: Collection[str] | None = None,
    absent: Collection[str] = (),
    truth: Truth = lambda _: None,
) -> list[Undefined]:
    """The names that a module uses and does not bind.

    `runs`: the functions that the platform calls. `known`: names that somebody else puts among the builtins.
    `starred`: what the module's star imports bring, None where that is not known: then they may bring all.
    `absent`: builtins of newer Pythons than the platform's.
    """
    pruned = _Pruned(tree, truth)
    used = {(node.lineno, node.col_offset, node.id): node for node in ast.walk(tree) if isinstance(node, ast.Name)}
    met = CodePaths(tree, runs, truth)
    hidden = _binds_by_text(tree)
    found = []
    given = frozenset({*known, *set_builtins(tree)})
    told = _told(pruned.tree, given)
    newer = [
        place for place in used if place[2] in absent and place[2] not in given and pruned.kind(place[2]) != "unbound"
    ]
    told = [*told, *((name, line, column, False) for line, column, name in newer)]
    for name, line, column, maybe in told:
        if maybe and (starred is None or name in starred):
            continue
        # Names inside of strings have no node of their own: they are no names when the code runs.
        node = used.get((line, column, name))
        moment = met.moment(node) if node is not None else None
        if node is not None and moment is not None:
            at_import, sure = moment
            found.append(Undefined(name, node, pruned.kind(name), sure and not hidden, at_import))
    return sorted(found, key=lambda each: (each.node.lineno, each.node.col_offset))


@lru_cache(_REMEMBERED)
def _told(tree: ast.Module, known: frozenset[str]) -> list[tuple[str, int, int, bool]]:
    """The undefined names that pyflakes finds, with line and column, and whether a star import may bring them."""
    from pyflakes import messages
    from pyflakes.checker import Checker

    try:
        said = Checker(tree, builtins=known, withDoctest=False).messages
    except RecursionError:
        return []
    kinds = (messages.UndefinedName, messages.UndefinedLocal, messages.ImportStarUsage)
    found = [each for each in said if isinstance(each, kinds)]
    return [
        (each.message_args[0], each.lineno, each.col, isinstance(each, messages.ImportStarUsage))
        for each in found[:_MOST]
    ]


class _Pruned:
    """A module without the branches that the platform does not take, and the names that only type checkers see."""

    def __init__(self, tree: ast.Module, truth: Truth) -> None:
        self._truth = truth
        self._typing: set[str] = set()
        body = list(self._block(tree.body))
        self.tree = tree if body == tree.body else ast.Module(body, [])
        self._bound = {name for each in ast.walk(self.tree) for name in bound_names(each)}

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
            self._typing |= {name for each in statement.body for node in ast.walk(each) for name in bound_names(node)}
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
