"""Tells when code of a module runs: at import, when the platform calls a function, perhaps, or never."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator
from functools import cached_property
from typing import Literal, TypeAlias

Truth: TypeAlias = Callable[[ast.expr], bool | None]
"""What a test gives on the platform, None where that is not certain."""
FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_CATCHING = frozenset({"NameError", "UnboundLocalError", "Exception", "BaseException"})


class CodePaths:
    """When the code of a module runs: which functions the platform is certain to call, and on which conditions."""

    def __init__(self, tree: ast.Module, runs: Collection[ast.AST], truth: Truth) -> None:
        self._tree, self._runs, self._truth = tree, runs, truth
        self._generators: dict[ast.AST, bool] = {}
        self._left: dict[ast.AST, Literal["surely", "perhaps", ""]] = {}
        self._postponed = any(
            isinstance(each, ast.ImportFrom)
            and each.module == "__future__"
            and any(alias.name == "annotations" for alias in each.names)
            for each in tree.body
        )

    @cached_property
    def _parents(self) -> dict[ast.AST, ast.AST]:
        return {child: node for node in ast.walk(self._tree) for child in ast.iter_child_nodes(node)}

    def moment(self, node: ast.AST) -> tuple[bool, bool] | None:
        """Whether code runs at import, and whether it is sure to run; None where it never does."""
        placed = self._placed(node)
        if placed is None:
            return None
        function, sure = placed
        if function is None:
            return True, sure
        return function in self._imported, sure and function in self._imported | self._called

    @cached_property
    def _imported(self) -> set[ast.AST]:
        """The functions that an import calls."""
        return self._closure(set(), at_import=True)

    @cached_property
    def _called(self) -> set[ast.AST]:
        """The functions that the platform calls after the import, and those that they call."""
        return self._closure(set(self._runs), at_import=False)

    def _closure(self, running: set[ast.AST], *, at_import: bool) -> set[ast.AST]:
        waiting: list[ast.AST | None] = [*running, *([None] if at_import else [])]
        while waiting:
            caller = waiting.pop()
            for node in self._calls.get(caller, ()):
                called = self._target(node, caller)
                if called is not None and called not in running:
                    running.add(called)
                    waiting.append(called)
        return running

    @cached_property
    def _calls(self) -> dict[ast.AST | None, list[ast.expr]]:
        """Calls, and attributes, which may be properties, by who surely gets to them (None: the module)."""
        found: dict[ast.AST | None, list[ast.expr]] = {}
        for node in ast.walk(self._tree):
            if isinstance(node, (ast.Call, ast.Attribute)):
                placed = self._placed(node)
                if placed is not None and placed[1]:
                    found.setdefault(placed[0], []).append(node)
        return found

    @cached_property
    def _named(self) -> dict[str, ast.AST]:
        """Functions and classes at the top of the module whose names nothing else binds."""
        bound: dict[str, list[ast.AST]] = {}
        for node in ast.walk(self._tree):
            for name in bound_names(node):
                bound.setdefault(name, []).append(node)
        top = {id(each) for each in self._tree.body}
        return {name: nodes[0] for name, nodes in bound.items() if len(nodes) == 1 and id(nodes[0]) in top}

    def _target(self, node: ast.expr, caller: ast.AST | None) -> ast.AST | None:
        """The function whose body an expression is certain to run, where that can be told from the text."""
        called = node.func if isinstance(node, ast.Call) else node
        if isinstance(called, ast.Name):
            named = self._named.get(called.id)
            if isinstance(named, ast.ClassDef):
                named = None if named.decorator_list or named.keywords else _method(named, "__init__")
        else:
            named = self._own_method(called, caller)
        if not isinstance(named, ast.FunctionDef) or self._is_generator(named):
            return None
        decorators = [] if isinstance(node, ast.Call) else ["property"]
        return named if [ast.unparse(each) for each in named.decorator_list] == decorators else None

    def _own_method(self, attribute: ast.expr, caller: ast.AST | None) -> ast.AST | None:
        """The method that `self.name` stands for, in a class that no other of the module inherits from."""
        if not isinstance(attribute, ast.Attribute) or not isinstance(caller, _FUNCTIONS):
            return None
        made = self._parents.get(caller)
        first = caller.args.args[0].arg if caller.args.args else ""
        own = isinstance(attribute.value, ast.Name) and attribute.value.id == first
        if not isinstance(made, ast.ClassDef) or not own:
            return None
        return None if made.name in self._inherited else _method(made, attribute.attr)

    @cached_property
    def _inherited(self) -> set[str]:
        """The names that stand among the bases of a class."""
        classes = (each for each in ast.walk(self._tree) if isinstance(each, ast.ClassDef))
        return {base.id for each in classes for base in each.bases if isinstance(base, ast.Name)}

    def _placed(self, node: ast.AST) -> tuple[ast.AST | None, bool] | None:
        """The function around a node (None: the module), and whether it runs where that runs; None: it never does."""
        sure = True
        child, parent = node, self._parents.get(node)
        while parent is not None:
            if isinstance(parent, ast.Lambda) and child is parent.body:
                return parent, False
            if self._is_unread_annotation(child, parent):
                return None
            reached = self._reached(child, parent)
            if reached is None:
                return None
            sure = sure and reached
            if isinstance(parent, _FUNCTIONS) and child in parent.body:
                return parent, sure and not self._is_generator(parent)
            child, parent = parent, self._parents.get(parent)
        return None, sure

    def _is_generator(self, function: FunctionNode) -> bool:
        """Whether calling a function does not run its body."""
        if function not in self._generators:
            waiting: list[ast.AST] = list(function.body)
            while waiting and not isinstance(waiting[-1], (ast.Yield, ast.YieldFrom)):
                node = waiting.pop()
                if not isinstance(node, (*_FUNCTIONS, ast.Lambda, ast.ClassDef)):
                    waiting += ast.iter_child_nodes(node)
            self._generators[function] = bool(waiting)
        return self._generators[function]

    def _is_unread_annotation(self, child: ast.AST, parent: ast.AST) -> bool:
        if isinstance(parent, ast.AnnAssign) and child is parent.annotation:
            return self._postponed or self._is_local(parent)
        return self._postponed and (
            (isinstance(parent, ast.arg) and child is parent.annotation)
            or (isinstance(parent, _FUNCTIONS) and child is parent.returns)
        )

    def _is_local(self, node: ast.AST) -> bool:
        parent = self._parents.get(node)
        while parent is not None and not isinstance(parent, (*_FUNCTIONS, ast.ClassDef)):
            parent = self._parents.get(parent)
        return isinstance(parent, _FUNCTIONS)

    def _reached(self, child: ast.AST, parent: ast.AST) -> bool | None:
        """Whether a part of a node runs where the node runs: None for never."""
        if isinstance(parent, (ast.If, ast.IfExp, ast.While)) and child is not parent.test:
            return self._branch(child, parent)
        if isinstance(parent, ast.Try) or type(parent).__name__ == "TryStar":
            reached = _tried(child, parent)  # type: ignore[arg-type]  # TryStar has the same fields, from Python 3.11 on
        elif isinstance(parent, (ast.With, ast.AsyncWith)):
            reached = self._within(child, parent)
        elif isinstance(parent, (ast.For, ast.AsyncFor)):
            literal = isinstance(parent.iter, (ast.List, ast.Tuple)) and bool(parent.iter.elts)
            reached = child is parent.iter or (literal and child is parent.body[0])
        elif isinstance(parent, ast.BoolOp):
            reached = child is parent.values[0]
        elif isinstance(parent, ast.Compare):
            reached = child is parent.left or child is parent.comparators[0]
        elif isinstance(parent, ast.Assert):
            reached = child is parent.test
        elif isinstance(parent, ast.comprehension):
            outer = self._parents[parent]
            reached = child is parent.iter and parent is outer.generators[0]  # type: ignore[attr-defined]
        elif isinstance(parent, _COMPREHENSIONS):
            reached = isinstance(child, ast.comprehension)
        else:
            reached = not isinstance(parent, ast.match_case)
        return None if reached is None else self._after(child, parent, reached=reached)

    def _branch(self, child: ast.AST, parent: ast.If | ast.IfExp | ast.While) -> bool | None:
        body = parent.body if isinstance(parent.body, list) else [parent.body]
        inside = any(child is each for each in body)
        taken = False if is_type_checking(parent.test) else self._truth(parent.test)
        if taken is None:
            return False
        if taken is not inside:
            return None
        return self._after(child, parent, reached=True)

    def _after(self, child: ast.AST, parent: ast.AST, *, reached: bool) -> bool | None:
        """What statements before one in its block leave of it: None after a return, unsure after one on conditions."""
        if not isinstance(child, ast.stmt):
            return reached
        left = self._left.get(child)
        if left is None:
            for field in ("body", "orelse", "finalbody"):
                block = getattr(parent, field, None)
                self._left.update(_left_before(block if isinstance(block, list) else []))
            left = self._left.setdefault(child, "")
        return None if left == "surely" else reached and not left

    def _within(self, child: ast.AST, parent: ast.With | ast.AsyncWith) -> bool | None:
        """A context manager of the user's own, or `suppress`, may swallow what its body raises."""
        if child not in parent.body:
            return True
        for item in parent.items:
            made = item.context_expr.func if isinstance(item.context_expr, ast.Call) else item.context_expr
            if ast.unparse(made).rpartition(".")[2] == "suppress" and isinstance(item.context_expr, ast.Call):
                names = {ast.unparse(each).rpartition(".")[2] for each in item.context_expr.args}
                return None if names & _CATCHING else False
            if isinstance(made, ast.Name) and made.id != "open":
                return False
        return True


def _tried(child: ast.AST, parent: ast.Try) -> bool | None:
    if child in parent.finalbody:
        return True
    if child not in parent.body or not parent.handlers:
        return child in parent.body
    caught = set()
    for handler in parent.handlers:
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        caught |= {"BaseException" if kind is None else ast.unparse(kind).rpartition(".")[2] for kind in kinds}
    return None if caught & _CATCHING else False


def _left_before(block: list[ast.stmt]) -> Iterator[tuple[ast.AST, Literal["surely", "perhaps", ""]]]:
    """Of each statement of a block, whether one before it may have left the block."""
    left: Literal["surely", "perhaps", ""] = ""
    for statement in block:
        yield statement, left
        if isinstance(statement, (ast.Return, ast.Raise, ast.Continue, ast.Break)):
            left = "surely"
        elif not left and _may_leave(statement):
            left = "perhaps"


def _may_leave(statement: ast.stmt) -> bool:
    """Whether a statement may end the function around it without an error."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.Return, ast.Continue, ast.Break)):
            return True
        if not isinstance(node, (*_FUNCTIONS, ast.ClassDef, ast.expr)):
            waiting += ast.iter_child_nodes(node)
    return False


def _method(made: ast.ClassDef, name: str) -> ast.AST | None:
    found = [each for each in made.body if isinstance(each, _FUNCTIONS) and each.name == name]
    return found[0] if len(found) == 1 else None


def is_type_checking(test: ast.expr) -> bool:
    """Whether a test is true for type checkers alone."""
    name = test.id if isinstance(test, ast.Name) else test.attr if isinstance(test, ast.Attribute) else ""
    return name == "TYPE_CHECKING"


def bound_names(node: ast.AST) -> Iterator[str]:
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
