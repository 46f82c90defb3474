"""Import statements: which file of the bundle each finds, as `sys.path` stands at that moment, and what it binds."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from hatch_wallaroo.python import statements
from hatch_wallaroo.python.expressions import OUTSIDE
from hatch_wallaroo.python.import_failures import FILES, NOT_LATER, FailureKind, ImportFailure, ImportUse
from hatch_wallaroo.python.platform_environment import PlatformEnvironment
from hatch_wallaroo.python.source_files import SourceFile, Sources
from hatch_wallaroo.python.values import UNKNOWN, Binding, External, Module, Names, Scope, Value

_MOST_MODULES = 2000
_DEEPEST = 40


@dataclass(eq=False)
class Finder(ABC):
    """One process's modules.

    `path` are the folders of the bundle on `sys.path`; with `path_open` it may be any of them.

    `reached` are all files that were executed, by their paths in the bundle; `builtins` are names that the code adds
    to the builtins. `paths` are all files of the bundle (None: not known), `created` those that the code writes,
    `handed` what it gives to functions that may write there, `cwd` is the working folder. `during` says what the
    platform does at the moment, for the user: nothing for an import.
    """

    sources: Sources
    environment: PlatformEnvironment
    path: list[str] = field(default_factory=list)
    path_open: bool = False
    events: list[ImportFailure] = field(default_factory=list)
    imports: list[ImportUse] = field(default_factory=list)
    modules: dict[str, Module] = field(default_factory=dict)
    reached: dict[str, Module] = field(default_factory=dict)
    variables: set[str] = field(default_factory=set)
    builtins: set[str] = field(default_factory=set)
    paths: AbstractSet[str] | None = None
    created: set[str] = field(default_factory=set)
    handed: set[str] = field(default_factory=set)
    cwd: str | None = OUTSIDE
    during: str = ""
    _by_name: dict[str, set[str]] = field(default_factory=dict)
    _lazy: int = 0
    _depth: int = 0
    _optional: int = 0
    _typing: int = 0

    @abstractmethod
    def body(self, module: Module) -> None:
        """Execute a module's statements."""

    def note(
        self,
        kind: FailureKind,
        file: SourceFile,
        node: ast.AST,
        detail: str,
        caught: frozenset[str] | None = None,
        *,
        sure: bool = True,
    ) -> None:
        """Record something that an import would trip over."""
        known = self._siblings(detail) if kind == "absent" else self._namesakes(detail) if kind in FILES else ()
        if self._lazy and self.in_function and kind in NOT_LATER:
            return
        self.events.append(
            ImportFailure(kind, file, node, detail, sure and self.sure, bool(self._lazy), known, self.during, caught)
        )

    @property
    def sure(self) -> bool:
        """Whether what is being executed happens on every way."""
        return not self._lazy

    @property
    def in_function(self) -> bool:
        """Whether a function is being executed, and not the top level of a module."""
        return False

    @abstractmethod
    def branch(self) -> AbstractContextManager[None]:
        """What is executed in it is not certain."""

    @abstractmethod
    def set_attribute(self, target: Value, name: str, values: tuple[Value, ...], scope: Scope, node: ast.AST) -> None:
        """Bind an attribute of something."""

    def missing_attribute(self, owner: str, node: ast.Attribute, scope: Scope) -> None:
        """Record an attribute of a module outside the bundle that is certainly not there."""
        if not self._typing and self.environment.offers(owner, node.attr) is False:
            self.note("attribute", scope.module.file, node, f"{owner}:{node.attr}")

    def find(self, dotted: str) -> Module | None:
        """Import a module of the bundle by its dotted name, as `sys.path` stands now; None where there is none."""
        found: Module | None = None
        parts = dotted.split(".")
        for index in range(1, len(parts) + 1):
            name = ".".join(parts[:index])
            if name not in self.modules:
                file = self._file(name, found)
                if file is None:
                    if self.is_namespace(name):
                        continue
                    return None
                if len(self.modules) >= _MOST_MODULES:
                    return None
                self._import(name, file)
            made = self.modules[name]
            if found is not None:
                found.names.setdefault(parts[index - 1], Binding((made,)))
            found = made
        return found

    def _places(self) -> list[str]:
        return self.sources.ordered_folders if self.path_open else self.path

    def _file(self, name: str, parent: Module | None) -> SourceFile | None:
        if parent is not None and parent.file.stem == "__init__":
            folders, last = [parent.file.folder], name.rpartition(".")[2]
        else:
            folders, last = self._places(), name.replace(".", "/")
        for folder in folders:
            start = f"{folder}/{last}" if folder else last
            for path in (f"{start}/__init__.py", f"{start}.py"):
                if path in self.sources.files:
                    return self.sources.files[path]
        return None

    def is_namespace(self, name: str) -> bool:
        """Whether a dotted name is a folder without `__init__.py` on the path."""
        last = name.replace(".", "/")
        return any((f"{folder}/{last}" if folder else last) in self.sources.folders for folder in self._places())

    def _siblings(self, dotted: str) -> tuple[str, ...]:
        """Of a dotted name that leads nowhere, the names that do at its first wrong part: `("pkg.a", "pkg.b")`.

        Empty where that part would lie inside of a single file.
        """
        parts = dotted.split(".")
        known = next((n for n in range(len(parts) - 1, 0, -1) if self._is_known(".".join(parts[:n]))), 0)
        package = ".".join(parts[:known])
        module = self.modules.get(package)
        if module is not None and module.file.stem != "__init__":
            return ()
        inside = package.replace(".", "/")
        folders = [module.file.folder] if module else [f"{each}/{inside}".strip("/") for each in self._places()]
        found = set()
        for path in self.sources.files:
            folder, _, name = path.rpartition("/")
            if folder in folders and name != "__init__.py":
                found.add(name.removesuffix(".py"))
            elif name == "__init__.py" and folder.rpartition("/")[0] in folders and folder not in folders:
                found.add(folder.rpartition("/")[2])
        return tuple(f"{package}.{name}".lstrip(".") for name in sorted(found))

    def _namesakes(self, path: str) -> tuple[str, ...]:
        """The files and folders of the bundle that have the name of one that is not there, the likeliest first.

        Names are the same in small and large letters, too.
        """
        wanted = path.replace("\\", "/").rstrip("/").removeprefix("./")
        name = wanted.rpartition("/")[2]
        if not self._by_name:
            for each in self.paths or ():
                parts = each.split("/")
                for end in range(1, len(parts) + 1):
                    self._by_name.setdefault(parts[end - 1].casefold(), set()).add("/".join(parts[:end]))
        found = self._by_name.get(name.casefold(), ())

        def unlikely(each: str) -> tuple[bool, bool, str]:
            return each.rpartition("/")[2] != name, not f"/{each}".endswith(f"/{wanted}"), each

        return tuple(sorted(found, key=unlikely))

    def _is_known(self, dotted: str) -> bool:
        return dotted in self.modules or self.is_namespace(dotted)

    def lies_elsewhere(self, name: str) -> bool:
        """Whether the bundle has a module somewhere, though not where Python looks."""
        return name.partition(".")[0] in self.sources.roots

    def _import(self, name: str, file: SourceFile) -> None:
        package = name if file.stem == "__init__" else name.rpartition(".")[0]
        module = Module(name, package, file, self.environment.library)
        self.modules[name] = module
        if self._depth >= _DEEPEST:
            module.open = True
            return
        self._depth += 1
        self.body(module)
        self._depth -= 1


_DUNDERS = frozenset(
    {"__name__", "__file__", "__doc__", "__dict__", "__spec__", "__path__", "__package__", "__loader__"}
)


class Importer(Finder):
    """Binds what import statements bind, and records what they miss."""

    def do_import(self, node: ast.Import, scope: Scope, names: Names) -> None:
        for alias in node.names:
            self._import_plainly(alias, node, scope, names)

    def _import_plainly(self, alias: ast.alias, node: ast.stmt, scope: Scope, names: Names) -> None:
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
        names.bind(alias.asname or root, (bound,))

    def do_import_from(self, node: ast.ImportFrom, scope: Scope, names: Names) -> None:
        if node.module == "__future__" and not node.level:
            return
        origin = self._origin(node, scope)
        for alias in node.names:
            if alias.name == "*":
                self._star(origin, node, scope, names)
            else:
                names.bind(alias.asname or alias.name, (self._member(origin, alias, node, scope),))

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
            if self.environment.offers(origin.name, alias.name) is False:
                self.note("name", scope.module.file, node, f"{origin.name}:{alias.name}")
            return External(self.environment.library.canonical(f"{origin.name}.{alias.name}"))
        return UNKNOWN

    def _star(self, origin: Value, node: ast.ImportFrom, scope: Scope, names: Names) -> None:
        if isinstance(origin, Module):
            public = statements.exported(origin)
            for name in sorted(public or ()):
                if name not in origin.names and origin.done and not origin.open and "__getattr__" not in origin.names:
                    self.note("name", scope.module.file, node, f"{origin.name}:{name}")
            for name, bound in origin.names.items():
                if name in public if public is not None else not name.startswith("_"):
                    names.bind(name, bound.values)
            scope.module.open = scope.module.open or origin.open
            return
        known = self.environment.library.exports(origin.name) if isinstance(origin, External) else None
        for name, dotted in (known or {}).items():
            names.bind(name, (External(dotted),))
        scope.module.open = scope.module.open or known is None

    def outside(self, name: str, node: ast.AST, scope: Scope) -> None:
        """A module that no file of the bundle answers for."""
        file = scope.module.file
        if self._typing:
            return
        if self.environment.lacks(name):
            self.note("module", file, node, name)
        elif self.path_open or self.environment.provides(name):
            self.imports.append(ImportUse(name, file, node, bool(self._optional), bool(self._lazy)))
        elif self.lies_elsewhere(name):
            self.note("path", file, node, name)
        elif self.environment.is_own(name.partition(".")[0]):
            self.note("module", file, node, name)
        else:
            self.imports.append(ImportUse(name, file, node, bool(self._optional), bool(self._lazy)))
