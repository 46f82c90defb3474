"""What a name of a module can stand for, as far as reading the code tells."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from hatch_wallaroo.byop.modules import SourceFile


@dataclass(frozen=True)
class External:
    """A module that is not in the bundle, or something inside it, by its dotted name: `numpy.ndarray`."""

    name: str

    @property
    def last(self) -> str:
        return self.name.rpartition(".")[2]


@dataclass(frozen=True, eq=False)
class Expression:
    """Anything else: the expression that was assigned, and where its names are looked up."""

    node: ast.expr
    scope: Scope


@dataclass(frozen=True)
class Folder:
    """A path inside the bundle, worked out from `__file__`."""

    path: str


@dataclass(frozen=True, eq=False)
class Function:
    """A function of the bundle; `decorators` are values, outermost first."""

    node: ast.FunctionDef | ast.AsyncFunctionDef
    scope: Scope
    decorators: tuple[Value, ...]
    in_class: bool = False

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def is_async(self) -> bool:
        return isinstance(self.node, ast.AsyncFunctionDef)

    @property
    def file(self) -> SourceFile:
        return self.scope.module.file


@dataclass(eq=False)
class OwnClass:
    """A class of the bundle. `module` is the `__module__` it has at run time."""

    name: str
    module: str
    node: ast.ClassDef
    scope: Scope
    bases: tuple[tuple[Value, ...], ...]
    members: dict[str, Binding]
    decorators: tuple[Value, ...]

    @property
    def file(self) -> SourceFile:
        return self.scope.module.file


@dataclass(eq=False)
class Module:
    """A module of the bundle as one execution leaves it.

    `name` is its `__name__`, `package` its `__package__` (`""` where the file is executed by its path).
    `open` modules may hold names that we do not see.
    """

    name: str
    package: str
    file: SourceFile
    names: dict[str, Binding] = field(default_factory=dict)
    typing_only: dict[str, Binding] = field(default_factory=dict)
    open: bool = False
    done: bool = False


@dataclass(frozen=True)
class Unknown:
    """Something that reading the code does not tell."""


Value: TypeAlias = External | Expression | Folder | Function | OwnClass | Module | Unknown
UNKNOWN = Unknown()


@dataclass(frozen=True, eq=False)
class Binding:
    """What a name may be; `sure` when it is bound on every way through the module."""

    values: tuple[Value, ...]
    sure: bool = True


@dataclass(frozen=True, eq=False)
class Scope:
    """Where a name is looked up: a class body (`local`), then the module, then the builtins."""

    module: Module
    local: Mapping[str, Binding] | None = None
