"""What importing the bundle's files would do, found by reading them: names bound, modules found, failures.

Nothing of the user's is executed. An `ImportRun` stands for one process of the platform:
what one file does to `sys.path` is seen by the files after it.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import ClassVar

from hatch_wallaroo.python import path_effects, statements
from hatch_wallaroo.python.calls import Caller
from hatch_wallaroo.python.definitions import ancestry
from hatch_wallaroo.python.expressions import external_name, value_of, values_of
from hatch_wallaroo.python.import_failures import CATCHING, NAMES, ImportFailure
from hatch_wallaroo.python.imports import Importer
from hatch_wallaroo.python.source_files import SourceFile
from hatch_wallaroo.python.undefined_names import set_builtins, undefined
from hatch_wallaroo.python.values import (
    UNKNOWN,
    Binding,
    External,
    Function,
    Module,
    Names,
    OwnClass,
    Scope,
    Value,
    joined,
)


@dataclass(eq=False)
class ImportRun(Caller):
    """One process that imports files of the bundle."""

    _deferred: list[Function] = field(default_factory=list)
    _guarded: int = 0

    def execute(self, file: SourceFile, name: str, package: str = "") -> Module:
        """Execute one file under a name, as the loader and the validator do (`package` stays empty for them)."""
        module = Module(name, package, file, self.environment.library)
        self.body(module)
        return module

    def settle(self) -> None:
        """Look into the functions that nothing was seen to call, after everything else has been executed."""
        while self._deferred:
            function = self._deferred.pop()
            if function.node not in self.entered:
                opened = self.path_open
                self.path_open = opened or path_effects.changes_path(function)
                self._lazy += 1
                try:
                    self.run_body(function, None, ())
                finally:
                    self._lazy -= 1
                    self.path_open = opened

    @property
    def failures(self) -> list[ImportFailure]:
        """What the code has been found to trip over, without what other code of it has put right.

        A path that is only mentioned is told where it is mentioned first.
        """
        told = self.created | {each.detail for each in self.events if each.kind == "file"}
        # A name counts once where it is used, however often that is executed: the worst of it.
        names: dict[ast.AST, ImportFailure] = {}
        for each in self.events:
            if each.kind in NAMES and (each.node not in names or (each.sure and not names[each.node].sure)):
                names[each.node] = each
        first = {each.detail: each for each in reversed(self.events) if each.kind == "mentioned_file"}
        return [
            each
            for each in self.events
            if not (each.kind == "undefined" and each.detail in self.builtins)
            and not (each.kind == "mentioned_file" and (each.detail in told or first[each.detail] is not each))
            and names.get(each.node, each) is each
        ]

    def body(self, module: Module) -> None:
        self.reached.setdefault(module.file.path, module)
        if module.file.tree is None:
            module.open = True
            self.note("syntax", module.file, ast.Module(body=[], type_ignores=[]), module.file.path)
            return
        self.builtins |= set_builtins(module.file.tree)
        module.missing = undefined(module, self.environment, self.builtins)
        frames, self.frames = self.frames, []
        ended = self.statements(module.file.tree.body, Scope(module), module.names)
        self.frames = frames
        for name in statements.declared_global(module.file.tree):
            module.names.setdefault(name, Binding((UNKNOWN,), sure=False))
        module.done = not ended

    def evaluate(self, statement: ast.stmt, scope: Scope, names: Names) -> None:
        """What the expressions of a statement do, the innermost first."""
        local = bool(self.frames) and not scope.in_class and isinstance(statement, ast.AnnAssign)
        annotations = not scope.module.file.postponed and not local
        for node, sure in statements.evaluated(statement, self._decided(scope), annotations=annotations):
            self._branching += not sure
            if isinstance(node, ast.Name):
                self._name(node, scope)
            elif isinstance(node, ast.Call):
                self.call_node(node, scope)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                self.attribute_node(node, scope)
            elif isinstance(node, ast.NamedExpr):
                names.bind(node.target.id, values_of(node.value, scope))
            elif isinstance(node, ast.Subscript):
                path_effects.variable(self, node, scope)
            elif isinstance(node, ast.Lambda):
                self._lazy += 1
                self._perhaps([node.body], scope)
                self._lazy -= 1
            self._branching -= not sure

    def _name(self, node: ast.Name, scope: Scope) -> None:
        """Note a name that nothing binds by now, or that only some of the ways to a module's line have bound."""
        missing = scope.module.missing.get(node)
        if missing is None:
            if self.sure and not self.frames and self._has_gap(node.id, scope):
                self.note("perhaps_unbound", scope.module.file, node, node.id, sure=False)
        elif not self._has(node.id, missing.place, scope):
            self.note(missing.kind, scope.module.file, node, node.id, sure=missing.sure and not self._guarded)

    def _has(self, name: str, place: str, scope: Scope) -> bool:
        """Whether a module has by now what its text alone does not show: brought by a star, or deleted afterwards."""
        if place == "starred" and scope.module.open:
            return True
        called = bool(self.frames) and not scope.in_class
        return name in scope.module.names and (place == "starred" or (place == "global" and called))

    def _has_gap(self, name: str, scope: Scope) -> bool:
        bound = [names[name] for names in scope.chain if name in names]
        given = scope.module.open or name in self.builtins or hasattr(builtins, name)
        return bool(bound) and all(each.gap for each in bound) and not given

    def _perhaps(self, nodes: Iterable[ast.AST | None], scope: Scope) -> None:
        """Note the missing names of code of which nothing tells that it is executed."""
        if scope.module.missing:
            with self.branch():
                for node in (inner for each in nodes if each is not None for inner in ast.walk(each)):
                    if isinstance(node, ast.Name):
                        self._name(node, scope)

    def _decided(self, scope: Scope) -> statements.Truth:
        return lambda test: statements.truth(test, scope, self.environment)

    @contextmanager
    def _guarding(self, *, optional: bool, guarded: bool) -> Iterator[None]:
        """Somebody is ready for what fails in it: for a module's absence, or for what may come before a name is met."""
        self._optional += optional
        self._guarded += guarded
        try:
            yield
        finally:
            self._optional -= optional
            self._guarded -= guarded

    def statements(self, body: Iterable[ast.stmt], scope: Scope, names: Names) -> bool:
        for statement in body:
            self.evaluate(statement, scope, names)
            handler = self._HANDLERS.get(type(statement).__name__)
            ended = handler(self, statement, scope, names) if handler is not None else False
            if ended:
                return True
        return False

    def _function(self, node: ast.FunctionDef, scope: Scope, names: Names) -> None:
        decorators = tuple(value_of(each, scope) for each in node.decorator_list)
        known = names[node.name].values[0] if node.name in names else None
        setter = any(isinstance(each, ast.Attribute) and each.attr == "setter" for each in node.decorator_list)
        getter = (known.getter or known) if isinstance(known, Function) and setter else None
        around = scope.inner or Scope(scope.module)
        function = Function(node, around, decorators, scope.in_class, getter)
        names.bind(node.name, (function,))
        self._deferred.append(function)

    def _class(self, node: ast.ClassDef, scope: Scope, names: Names) -> None:
        members = Names()
        made = OwnClass(
            node.name,
            scope.module.name,
            node,
            scope,
            tuple(values_of(each, scope) for each in node.bases),
            members,
            tuple(value_of(each, scope) for each in node.decorator_list),
        )
        self.statements(node.body, Scope(scope.module, members, outer=scope.inner, in_class=True), members)
        for slot in statements.slots(node):
            members.setdefault(slot, Binding((UNKNOWN,)))
        if scope.module.name not in self.modules and statements.is_stringly_dataclass(made):
            self.note("dataclass", scope.module.file, node, node.name)
        names.bind(node.name, (made,))

    def _assignment(self, node: ast.Assign, scope: Scope, names: Names) -> None:
        path_effects.path_assigned(self, node.targets, scope)
        for target in node.targets:
            self._assign(target, node.value, scope, names)

    def _assign(self, target: ast.expr, value: ast.expr | None, scope: Scope, names: Names) -> None:
        values = values_of(value, scope) if value is not None else (UNKNOWN,)
        if value is not None and isinstance(target, (ast.Name, ast.Attribute)) and not isinstance(value, ast.Name):
            path_effects.mentioned(self, value, scope)
        if isinstance(target, ast.Name):
            names.bind(target.id, values)
        elif isinstance(target, ast.Attribute):
            self.set_attribute(value_of(target.value, scope), target.attr, values, scope, target)
            if isinstance(target.value, ast.Name):
                scope.module.touched.add(target.value.id)
        elif isinstance(target, (ast.Tuple, ast.List)):
            parts: list[ast.expr | None] = [None] * len(target.elts)
            if isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts):
                parts = list(value.elts)
            for inner, part in zip(target.elts, parts, strict=True):
                self._assign(inner, part, scope, names)
        elif isinstance(target, ast.Starred):
            self._assign(target.value, None, scope, names)

    def _annotated(self, node: ast.AnnAssign, scope: Scope, names: Names) -> None:
        if node.value is not None:
            self._assign(node.target, node.value, scope, names)

    def _augmented(self, node: ast.AugAssign, scope: Scope, names: Names) -> None:
        path_effects.path_assigned(self, [node.target], scope)
        self._assign(node.target, None, scope, names)

    def _if(self, node: ast.If, scope: Scope, names: Names) -> bool:
        verdict = statements.truth(node.test, scope, self.environment)
        if statements.is_typing(node.test, scope):
            self._typing_only(node.body, scope)
            return self.statements(node.orelse, scope, names)
        if verdict is not None:
            return self.statements(node.body if verdict else node.orelse, scope, names)
        return self._branches([node.body, node.orelse], scope, names, gaps=True)

    def _typing_only(self, body: list[ast.stmt], scope: Scope) -> None:
        self._typing += 1
        before = len(self.events)
        with scope.module.names.changes() as changed:
            self.statements(body, scope, scope.module.typing_only)
        del self.events[before:]
        self._typing -= 1
        scope.module.names.put({name: bound for name, bound in changed.items() if bound is not None})

    def _branches(
        self, bodies: Iterable[Iterable[ast.stmt]], scope: Scope, names: Names, *, gaps: bool = False
    ) -> bool:
        """Several ways, one of which is taken: what is bound on all that go on is sure. Whether all of them end.

        `gaps`: any of them may be taken, so that what one does not bind may be missing.
        """
        ends: list[dict[str, Binding | None]] = []
        for body in bodies:
            with names.changes() as before, self.branch():
                ended = self.statements(body, scope, names)
            if not ended:
                ends.append(names.now(before))
            names.put(before)
        # A name that two statements bind on some ways each is bound on all of them, as far as anybody knows.
        kept = {name: bound and replace(bound, gap=False) for end in ends for name, bound in names.now(end).items()}
        names.put({name: joined((end.get(name, kept[name]) for end in ends), gaps=gaps) for name in kept})
        return not ends

    def _try(self, node: ast.Try, scope: Scope, names: Names) -> bool:
        catching = statements.caught(node.handlers, scope)
        # A handler that raises swallows nothing: of a name that is missing, the name is the cause.
        swallowing = statements.caught((each for each in node.handlers if not _ends(each, ast.Raise)), scope)
        start, uses = len(self.events), len(self.imports)
        optional, ready = bool(catching & CATCHING["module"]), bool(swallowing & CATCHING["undefined"])
        guarding = self._guarding(optional=optional, guarded=bool(swallowing) and not ready)
        with guarding, names.changes() as before:
            ended = self.statements(node.body, scope, names)
        inside, self.events[start:] = self.events[start:], []
        met = [each for each in inside if each.is_caught(swallowing if each.kind in NAMES else catching)]
        self.events += [each for each in inside if each not in met]
        self._perhaps([each.type for each in node.handlers], scope)
        if any(each.sure or each.kind not in _MAY_NOT_COME for each in met):
            names.put(before)
            ended = self._handlers(node, scope, names)
        elif met or (optional and any(not self.environment.provides(each.module) for each in self.imports[uses:])):
            with names.changes() as taken, self.branch():
                handled = self._handlers(node, scope, names)
            names.put({name: joined((taken[name], names.get(name)), gaps=True) for name in taken if not handled})
            names.put({name: taken[name] for name in taken if handled})
            for name in names.keys() & before.keys() - taken.keys() if not handled else ():
                if before[name] is None and self._may_be_absent(names[name]):
                    names[name] = replace(names[name], gap=True)
        else:
            if not ended:
                ended = self.statements(node.orelse, scope, names)
            self._perhaps((each for handler in node.handlers for each in handler.body), scope)
            if ended and self.frames and not all(_ends(each, *_LEAVING) for each in node.handlers):
                # A handler may go on behind the statement.
                self.frames[-1].left, ended = True, False
        return self.statements(node.finalbody, scope, names) or ended

    def _may_be_absent(self, bound: Binding) -> bool:
        """Whether a name stands for something of a module that nobody provides."""
        return all(isinstance(each, External) and not self.environment.provides(each.name) for each in bound.values)

    def _handlers(self, node: ast.Try, scope: Scope, names: Names) -> bool:
        if len(node.handlers) == 1:
            return self.statements(node.handlers[0].body, scope, names)
        return self._branches([each.body for each in node.handlers], scope, names) if node.handlers else False

    def _with(self, node: ast.With, scope: Scope, names: Names) -> bool:
        suppressed: set[str] = set()
        own = False
        for item in node.items:
            made = item.context_expr.func if isinstance(item.context_expr, ast.Call) else item.context_expr
            if isinstance(item.context_expr, ast.Call) and external_name(made, scope) == "contextlib.suppress":
                suppressed |= {external_name(each, scope).rpartition(".")[2] for each in item.context_expr.args}
            else:
                own = own or (isinstance(made, ast.Name) and made.id != "open")
            if item.optional_vars is not None:
                self._assign(item.optional_vars, None, scope, names)
        before = len(self.events)
        guarded = own or (bool(suppressed) and not suppressed & CATCHING["undefined"])
        with self._guarding(optional=bool(suppressed & CATCHING["module"]), guarded=guarded):
            ended = self.statements(node.body, scope, names)
        met = any(each.is_caught(suppressed) for each in self.events[before:])
        self.events[before:] = [each for each in self.events[before:] if not each.is_caught(suppressed)]
        return ended and not met

    def _for(self, node: ast.For, scope: Scope, names: Names) -> bool:
        self._assign(node.target, None, scope, names)
        entered = isinstance(node.iter, (ast.List, ast.Tuple)) and bool(node.iter.elts)
        self._loop(node, scope, names, entered=entered)
        return self._after_loop(node, scope, names)

    def _while(self, node: ast.While, scope: Scope, names: Names) -> bool:
        verdict = statements.truth(node.test, scope, self.environment)
        if verdict is not False:
            self._loop(node, scope, names, entered=bool(verdict))
        return self._after_loop(node, scope, names)

    def _loop(self, node: ast.For | ast.While, scope: Scope, names: Names, *, entered: bool) -> None:
        """A loop's body, once: certainly up to where it may leave, if the loop is entered at all."""
        certain = list(takewhile(lambda each: not _may_leave(each), node.body)) if entered else []
        if not self.statements(certain, scope, names):
            self._branches([[], node.body[len(certain) :]], scope, names)

    def _after_loop(self, node: ast.For | ast.While, scope: Scope, names: Names) -> bool:
        """What stands under a loop's `else`, which a `break` leaves out."""
        if any(_may_leave(each) for each in node.body):
            return self._branches([[], node.orelse], scope, names)
        return self.statements(node.orelse, scope, names)

    def _match(self, node: ast.Match, scope: Scope, names: Names) -> bool:
        self._perhaps((each for case in node.cases for each in (case.pattern, case.guard)), scope)
        last = node.cases[-1]
        every = isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None and last.guard is None
        return self._branches([*([] if every else [[]]), *(case.body for case in node.cases)], scope, names, gaps=True)

    def _raise(self, node: ast.Raise, scope: Scope, _names: Names) -> bool:
        raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        value = value_of(raised, scope) if raised is not None else UNKNOWN
        name = value.last if isinstance(value, External) else value.name if isinstance(value, OwnClass) else ""
        self.note("exit" if name == "SystemExit" else "raise", scope.module.file, node, name, _catching(value))
        return True

    def _expression(self, node: ast.Expr, scope: Scope, _names: Names) -> bool:
        return isinstance(node.value, ast.Call) and external_name(node.value.func, scope) in path_effects.LEAVING

    def _assert(self, node: ast.Assert, scope: Scope, _names: Names) -> bool:
        if statements.truth(node.test, scope, self.environment) is not False:
            return False
        self.note("raise", scope.module.file, node, "AssertionError", _catching(External("builtins.AssertionError")))
        return True

    def _return(self, node: ast.Return, scope: Scope, _names: Names) -> bool:
        if self.frames:
            frame = self.frames[-1]
            frame.returned.append(value_of(node.value or ast.Constant(None), scope))
            frame.left = frame.left or self._branching > frame.branching
        return True

    def _leave(self, _node: ast.stmt, _scope: Scope, _names: Names) -> bool:
        return True

    def _delete(self, node: ast.Delete, _scope: Scope, names: Names) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                names.discard(target.id)

    _HANDLERS: ClassVar[Mapping[str, Callable[..., bool | None]]] = {
        "Import": Importer.do_import,
        "ImportFrom": Importer.do_import_from,
        "FunctionDef": _function,
        "AsyncFunctionDef": _function,
        "ClassDef": _class,
        "Assign": _assignment,
        "AnnAssign": _annotated,
        "AugAssign": _augmented,
        "If": _if,
        "Try": _try,
        "TryStar": _try,
        "With": _with,
        "AsyncWith": _with,
        "For": _for,
        "AsyncFor": _for,
        "While": _while,
        "Match": _match,
        "Raise": _raise,
        "Assert": _assert,
        "Expr": _expression,
        "Return": _return,
        "Break": _leave,
        "Continue": _leave,
        "Delete": _delete,
    }
    """What each kind of statement does; the others do nothing that matters here."""


_LEAVING = (ast.Raise, ast.Return, ast.Continue, ast.Break)
_MAY_NOT_COME = NAMES | {"raise", "exit"}


def _ends(handler: ast.ExceptHandler, *statements: type[ast.stmt]) -> bool:
    return isinstance(handler.body[-1], statements)


def _may_leave(statement: ast.stmt) -> bool:
    """Whether a statement of a loop may end a turn of it without an error."""
    return any(isinstance(each, (ast.Break, ast.Continue, ast.Return)) for each in ast.walk(statement))


def _catching(raised: Value) -> frozenset[str] | None:
    """The exceptions whose handlers catch what is raised; None where any may."""
    lines = ancestry(raised) if isinstance(raised, (OwnClass, External)) else (None,)
    names: set[str] = set()
    for each in lines:
        known = getattr(builtins, each.rpartition(".")[2], None) if isinstance(each, str) else None
        if isinstance(each, OwnClass):
            names.add(each.name)
        elif isinstance(known, type) and issubclass(known, BaseException):
            names.update(base.__name__ for base in known.__mro__)
        else:
            return None
    return frozenset(names)
