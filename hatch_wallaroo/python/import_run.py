"""What importing the bundle's files would do, found by reading them: names bound, modules found, failures.

Nothing of the user's is executed. A `Run` stands for one process of the platform:
what one file does to `sys.path` is seen by the files after it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import ClassVar

from hatch_wallaroo.python import path_effects, statements
from hatch_wallaroo.python.code_paths import CodePaths, Truth
from hatch_wallaroo.python.expressions import external_name, value_of, values_of
from hatch_wallaroo.python.import_failures import CATCHING, ImportFailure
from hatch_wallaroo.python.imports import Importer
from hatch_wallaroo.python.source_files import SourceFile
from hatch_wallaroo.python.undefined_names import Undefined, set_builtins, undefined
from hatch_wallaroo.python.values import UNKNOWN, Binding, Function, Module, Names, OwnClass, Scope, Value, joined


@dataclass(eq=False)
class ImportRun(Importer):
    """One process that imports files of the bundle."""

    builtins: set[str] = field(default_factory=set)
    _missed: dict[Module, list[Undefined]] = field(default_factory=dict)
    _deferred: list[Function] = field(default_factory=list)

    def execute(self, file: SourceFile, name: str, package: str = "") -> Module:
        """Execute one file under a name, as the loader and the validator do (`package` stays empty for them)."""
        module = Module(name, package, file)
        self.body(module)
        return module

    def settle(self) -> None:
        """Follow the imports inside functions, after everything at the top has been executed."""
        while self._deferred:
            function = self._deferred.pop()
            self._lazy += 1
            try:
                self.function_imports(function)
            finally:
                self._lazy -= 1

    def body(self, module: Module) -> None:
        self.reached.setdefault(module.file.path, module)
        if module.file.tree is None:
            module.open = True
            self.note("syntax", module.file, ast.Module(body=[], type_ignores=[]), module.file.path)
            return
        self.builtins |= set_builtins(module.file.tree)
        self._statements(module.file.tree.body, Scope(module), module.names)
        self._names(module, module.file.tree)
        module.done = True

    def _names(self, module: Module, tree: ast.Module) -> None:
        """Note the undefined names that the import meets, and keep those that functions may."""
        found = undefined(
            tree,
            known=self.builtins,
            starred=None if module.open else module.names.keys(),
            truth=self._truth(module),
        )
        for each in found:
            if each.at_import:
                self.note(each.kind, module.file, each.node, each.name, sure=each.sure)
            else:
                self._missed.setdefault(module, []).append(each)

    def missed_by(self, functions: Collection[ast.AST]) -> Iterator[ImportFailure]:
        """The undefined names that functions meet when they are called; `functions` are those that surely are."""
        for module, missed in self._missed.items():
            if module.file.tree is not None:
                paths = CodePaths(module.file.tree, functions, self._truth(module))
                for each in missed:
                    _, sure = paths.moment(each.node) or (False, False)
                    yield ImportFailure(each.kind, module.file, each.node, each.name, sure, lazy=True)

    def _truth(self, module: Module) -> Truth:
        scope = Scope(module)
        return lambda test: statements.truth(test, scope, self.environment)

    def _statements(self, body: Iterable[ast.stmt], scope: Scope, names: Names) -> None:
        for statement in body:
            path_effects.variables_required(self, statement, scope)
            handler = self._HANDLERS.get(type(statement).__name__)
            if handler is not None:
                handler(self, statement, scope, names)
            for inner in _walruses(statement):
                self._bind(names, inner.target.id, values_of(inner.value, scope))

    def _bind(self, names: Names, name: str, values: tuple[Value, ...]) -> None:
        names[name] = Binding(values)

    def _function(self, node: ast.FunctionDef, scope: Scope, names: Names) -> None:
        decorators = tuple(value_of(each, scope) for each in node.decorator_list)
        function = Function(node, Scope(scope.module), decorators, scope.local is not None)
        self._bind(names, node.name, (function,))
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
        self._statements(node.body, Scope(scope.module, members), members)
        if scope.module.name not in self.modules and statements.is_stringly_dataclass(made):
            self.note("dataclass", scope.module.file, node, node.name)
        self._bind(names, node.name, (made,))

    def _assignment(self, node: ast.Assign, scope: Scope, names: Names) -> None:
        path_effects.path_assigned(self, node.targets, scope)
        for target in node.targets:
            self._assign(target, node.value, scope, names)
        if isinstance(node.value, ast.Call):
            path_effects.call(self, node.value, scope)

    def _assign(self, target: ast.expr, value: ast.expr | None, scope: Scope, names: Names) -> None:
        if isinstance(target, ast.Name):
            self._bind(names, target.id, values_of(value, scope) if value is not None else (UNKNOWN,))
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

    def _expression(self, node: ast.Expr, scope: Scope, _names: Names) -> None:
        if isinstance(node.value, ast.Call):
            path_effects.call(self, node.value, scope)

    def _if(self, node: ast.If, scope: Scope, names: Names) -> None:
        verdict = statements.truth(node.test, scope, self.environment)
        if statements.is_typing(node.test, scope):
            self._typing_only(node.body, scope)
            self._statements(node.orelse, scope, names)
        elif verdict is not None:
            self._statements(node.body if verdict else node.orelse, scope, names)
        else:
            self._branches([node.body, node.orelse], scope, names)

    def _typing_only(self, body: list[ast.stmt], scope: Scope) -> None:
        self._typing += 1
        before = len(self.events)
        with scope.module.names.changes() as changed:
            self._statements(body, scope, scope.module.typing_only)
        del self.events[before:]
        self._typing -= 1
        scope.module.names.put({name: bound for name, bound in changed.items() if bound is not None})

    def _branches(self, bodies: list[list[ast.stmt]], scope: Scope, names: Names) -> None:
        """Several ways, one of which is taken: what is bound on all of them is sure."""
        ends: list[dict[str, Binding | None]] = []
        touched: dict[str, None] = {}
        for body in bodies:
            with names.changes() as before, self._unsure_events():
                self._statements(body, scope, names)
            ends.append(names.now(before))
            names.put(before)
            touched.update(dict.fromkeys(before))
        kept = names.now(touched)
        names.put({name: joined(end.get(name, kept[name]) for end in ends) for name in touched})

    @contextmanager
    def _unsure_events(self) -> Iterator[None]:
        before = len(self.events)
        yield
        self.events[before:] = [replace(each, sure=False) for each in self.events[before:]]

    def _try(self, node: ast.Try, scope: Scope, names: Names) -> None:
        catching = statements.caught(node.handlers, scope)
        start, uses = len(self.events), len(self.imports)
        optional = bool(catching & CATCHING["module"])
        self._optional += optional
        with names.changes() as before:
            self._statements(node.body, scope, names)
        self._optional -= optional
        inside, self.events[start:] = self.events[start:], []
        self.events += [each for each in inside if not catching & CATCHING[each.kind]]
        if any(catching & CATCHING[each.kind] for each in inside):
            names.put(before)
            self._handlers(node, scope, names)
        elif optional and any(not self.environment.provides(each.module) for each in self.imports[uses:]):
            with names.changes() as taken:
                self._handlers(node, scope, names)
            names.put({name: joined((taken[name], names.get(name))) for name in taken})
        else:
            self._statements(node.orelse, scope, names)
        self._statements(node.finalbody, scope, names)

    def _handlers(self, node: ast.Try, scope: Scope, names: Names) -> None:
        if len(node.handlers) == 1:
            self._statements(node.handlers[0].body, scope, names)
        elif node.handlers:
            self._branches([each.body for each in node.handlers], scope, names)

    def _with(self, node: ast.With, scope: Scope, names: Names) -> None:
        suppressed: set[str] = set()
        for item in node.items:
            if (
                isinstance(item.context_expr, ast.Call)
                and external_name(item.context_expr.func, scope) == "contextlib.suppress"
            ):
                suppressed |= {external_name(each, scope).rpartition(".")[2] for each in item.context_expr.args}
            if item.optional_vars is not None:
                self._assign(item.optional_vars, None, scope, names)
        before = len(self.events)
        optional = bool(suppressed & CATCHING["module"])
        self._optional += optional
        self._statements(node.body, scope, names)
        self._optional -= optional
        self.events[before:] = [each for each in self.events[before:] if not suppressed & CATCHING[each.kind]]

    def _for(self, node: ast.For, scope: Scope, names: Names) -> None:
        self._branches([[], node.body], scope, names)
        self._assign(node.target, None, scope, names)
        self._statements(node.orelse, scope, names)

    def _while(self, node: ast.While, scope: Scope, names: Names) -> None:
        self._branches([[], node.body], scope, names)

    def _match(self, node: ast.Match, scope: Scope, names: Names) -> None:
        self._branches([[], *(case.body for case in node.cases)], scope, names)

    def _raise(self, node: ast.Raise, scope: Scope, _names: Names) -> None:
        raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        name = external_name(raised, scope) if raised is not None else ""
        self.note(
            "exit" if name == "builtins.SystemExit" else "raise", scope.module.file, node, name.rpartition(".")[2]
        )

    def _delete(self, node: ast.Delete, _scope: Scope, names: Names) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                names.discard(target.id)

    _HANDLERS: ClassVar[Mapping[str, Callable[..., None]]] = {
        "Import": Importer.do_import,
        "ImportFrom": Importer.do_import_from,
        "FunctionDef": _function,
        "AsyncFunctionDef": _function,
        "ClassDef": _class,
        "Assign": _assignment,
        "AnnAssign": _annotated,
        "AugAssign": _augmented,
        "Expr": _expression,
        "If": _if,
        "Try": _try,
        "TryStar": _try,
        "With": _with,
        "AsyncWith": _with,
        "For": _for,
        "While": _while,
        "Match": _match,
        "Raise": _raise,
        "Delete": _delete,
    }
    """What each kind of statement does; the others do nothing that matters here."""


def _walruses(statement: ast.stmt) -> Iterator[ast.NamedExpr]:
    return (each for each in statements.immediate(statement) if isinstance(each, ast.NamedExpr))
