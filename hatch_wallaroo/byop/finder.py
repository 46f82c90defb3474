"""Which file of the bundle an import finds, as `sys.path` stands at that moment."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from hatch_wallaroo.byop.modules import SourceFile, Sources
from hatch_wallaroo.byop.records import Event, EventKind, ImportUse
from hatch_wallaroo.byop.surroundings import Surroundings
from hatch_wallaroo.byop.values import Binding, Module

_MOST_MODULES = 2000
_DEEPEST = 40


@dataclass(eq=False)
class Finder(ABC):
    """One process's modules.

    `path` are the folders of the bundle on `sys.path`; with `path_open` it may be any of them.

    `reached` are all files that were executed, by their paths in the bundle. `path_changers`
    are functions that were called, and whether they change `sys.path`.
    """

    sources: Sources
    surroundings: Surroundings
    path: list[str] = field(default_factory=list)
    path_open: bool = False
    events: list[Event] = field(default_factory=list)
    imports: list[ImportUse] = field(default_factory=list)
    modules: dict[str, Module] = field(default_factory=dict)
    reached: dict[str, Module] = field(default_factory=dict)
    variables: set[str] = field(default_factory=set)
    path_changers: dict[ast.AST, bool] = field(default_factory=dict)
    _lazy: int = 0
    _depth: int = 0
    _optional: int = 0
    _typing: int = 0

    @abstractmethod
    def body(self, module: Module) -> None:
        """Execute a module's statements."""

    def note(self, kind: EventKind, file: SourceFile, node: ast.AST, detail: str) -> None:
        """Record something that an import would trip over."""
        known = self._siblings(detail) if kind == "absent" else ()
        self.events.append(Event(kind, file, node, detail, not self._lazy, bool(self._lazy), known))

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

    def _is_known(self, dotted: str) -> bool:
        return dotted in self.modules or self.is_namespace(dotted)

    def lies_elsewhere(self, name: str) -> bool:
        """Whether the bundle has a module somewhere, though not where Python looks."""
        return name.partition(".")[0] in self.sources.roots

    def _import(self, name: str, file: SourceFile) -> None:
        package = name if file.stem == "__init__" else name.rpartition(".")[0]
        module = Module(name, package, file)
        self.modules[name] = module
        if self._depth >= _DEEPEST:
            module.open = True
            return
        self._depth += 1
        self.body(module)
        self._depth -= 1
