"""Import statements, followed into the bundle's files."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from hatch_wallaroo.byop import loads
from hatch_wallaroo.byop.expressions import external_name
from hatch_wallaroo.byop.finder import Finder
from hatch_wallaroo.byop.records import ImportUse
from hatch_wallaroo.byop.values import UNKNOWN, Binding, External, Function, Module, Scope, Value

_DUNDERS = frozenset(
    {"__name__", "__file__", "__doc__", "__dict__", "__spec__", "__path__", "__package__", "__loader__"}
)


class Importer(Finder):
    """Binds what import statements bind, and records what they miss."""

    def do_import(self, node: ast.Import, scope: Scope, names: dict[str, Binding]) -> None:
        for alias in node.names:
            self._import_plainly(alias, node, scope, names)

    def _import_plainly(self, alias: ast.alias, node: ast.stmt, scope: Scope, names: dict[str, Binding]) -> None:
        root = alias.name.partition(".")[0]
        found = self.find(alias.name)
        if found is not None:
            bound: Value = found if alias.asname else self.modules.get(root, UNKNOWN)
        elif root in self.modules:
            self.note("absent", scope.module.file, node, alias.name)
            bound = UNKNOWN
        else:
            self.outside(alias.name, node, scope)
            bound = External(alias.name if alias.asname else root)
        _bind(names, alias.asname or root, (bound,))

    def do_import_from(self, node: ast.ImportFrom, scope: Scope, names: dict[str, Binding]) -> None:
        if node.module == "__future__" and not node.level:
            return
        origin = self._origin(node, scope)
        for alias in node.names:
            if alias.name == "*":
                self._star(origin, scope, names)
            else:
                _bind(names, alias.asname or alias.name, (self._member(origin, alias, node, scope),))

    def _origin(self, node: ast.ImportFrom, scope: Scope) -> Value:
        name = node.module or ""
        if node.level:
            package = scope.module.package
            if not package:
                self.note("relative", scope.module.file, node, "." * node.level + name)
                return UNKNOWN
            parts = package.split(".")
            if node.level > len(parts):
                self.note("relative", scope.module.file, node, "." * node.level + name)
                return UNKNOWN
            name = ".".join([*parts[: len(parts) - node.level + 1], *([name] if name else [])])
        found = self.find(name)
        if found is not None:
            return found
        if node.level or name.partition(".")[0] in self.modules:
            if self.is_namespace(name):
                return External(name)
            self.note("absent", scope.module.file, node, name)
            return UNKNOWN
        if self.is_namespace(name) and any(self.find(f"{name}.{each.name}") for each in node.names):
            return External(name)
        self.outside(name, node, scope)
        return External(name)

    def _member(self, origin: Value, alias: ast.alias, node: ast.ImportFrom, scope: Scope) -> Value:
        if isinstance(origin, Module):
            if alias.name in origin.names:
                found = origin.names[alias.name].values
                return found[0] if len(found) == 1 else UNKNOWN
            if origin.file.stem == "__init__":
                inner = self.find(f"{origin.name}.{alias.name}")
                if inner is not None:
                    return inner
            if origin.done and not origin.open and "__getattr__" not in origin.names and alias.name not in _DUNDERS:
                self.note("name", scope.module.file, node, f"{origin.name}:{alias.name}")
            return UNKNOWN
        if isinstance(origin, External):
            inner = self.find(f"{origin.name}.{alias.name}")
            if inner is not None:
                return inner
            if self.surroundings.offers(origin.name, alias.name) is False:
                self.note("name", scope.module.file, node, f"{origin.name}:{alias.name}")
            return External(self.surroundings.canonical(f"{origin.name}.{alias.name}"))
        return UNKNOWN

    def _star(self, origin: Value, scope: Scope, names: dict[str, Binding]) -> None:
        if isinstance(origin, Module):
            public = loads.exported(origin)
            for name, bound in origin.names.items():
                if name in public if public is not None else not name.startswith("_"):
                    _bind(names, name, bound.values)
            scope.module.open = scope.module.open or origin.open
            return
        known = self.surroundings.exports(origin.name) if isinstance(origin, External) else None
        for name, dotted in (known or {}).items():
            _bind(names, name, (External(dotted),))
        scope.module.open = scope.module.open or known is None

    def outside(self, name: str, node: ast.AST, scope: Scope) -> None:
        """A module that no file of the bundle answers for."""
        file = scope.module.file
        if self._typing:
            return
        if self.surroundings.is_missing(name):
            self.note("module", file, node, name)
        elif self.path_open or self.surroundings.provides(name):
            self.imports.append(ImportUse(name, file, node, bool(self._optional), bool(self._lazy)))
        elif self.lies_elsewhere(name):
            self.note("path", file, node, name)
        elif self.surroundings.is_own(name.partition(".")[0]):
            self.note("module", file, node, name)
        else:
            self.imports.append(ImportUse(name, file, node, bool(self._optional), bool(self._lazy)))

    def function_imports(self, function: Function) -> None:
        """The imports in a function's body: they happen when it runs, after all that the top level did."""
        scope = Scope(function.scope.module, {})
        opened = self.path_open
        if any(
            external_name(each, scope) == "sys.path"
            for each in ast.walk(function.node)
            if isinstance(each, ast.Attribute)
        ):
            self.path_open = True
        try:
            for statement, optional in _inner_imports(function.node.body):
                self._optional += optional
                names: dict[str, Binding] = {}
                if isinstance(statement, ast.Import):
                    self.do_import(statement, scope, names)
                else:
                    self.do_import_from(statement, scope, names)
                self._optional -= optional
        finally:
            self.path_open = opened


def _bind(names: dict[str, Binding], name: str, values: tuple[Value, ...]) -> None:
    names[name] = Binding(values)


def _inner_imports(body: Iterable[ast.stmt]) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    """The import statements anywhere in a function, and whether a `try` around them catches their failure."""
    waiting: list[tuple[ast.AST, bool]] = [(each, False) for each in reversed(list(body))]
    while waiting:
        node, optional = waiting.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node, optional
        elif isinstance(node, ast.Try):
            caught = any(
                handler.type is None or "Error" in ast.dump(handler.type) or "Exception" in ast.dump(handler.type)
                for handler in node.handlers
            )
            waiting += [(each, optional or caught) for each in reversed(node.body)]
            waiting += [(each, optional) for each in (*node.handlers, *node.orelse, *node.finalbody)]
        else:
            waiting += [
                (each, optional)
                for each in ast.iter_child_nodes(node)
                if isinstance(each, (ast.stmt, ast.excepthandler, ast.match_case))
            ]
