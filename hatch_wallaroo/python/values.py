"""What a name of a module can stand for, as far as reading the code tells."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from hatch_wallaroo.python.platform_library import PlatformLibrary
from hatch_wallaroo.python.source_files import SourceFile


@dataclass(frozen=True)
class External:
    """A module that is not in the bundle, or something inside it, by its dotted name: `numpy.ndarray`."""

    name: str

    @property
    def last(self) -> str:
        return self.name.rpartition(".")[2]


@dataclass(eq=False)
class Known:
    """What following an expression has given: another value (`alias`), a path in the bundle (`folder`), a text.

    Each is in the tuple once it is known; the tuple is empty while it is being found out, None before.
    """

    alias: tuple[()] | tuple[Value] | None = None
    folder: tuple[()] | tuple[str | None] | None = None
    text: tuple[()] | tuple[str | None] | None = None


@dataclass(frozen=True, eq=False)
class Expression:
    """Anything else: the expression that was assigned, and where its names are looked up.

    `known` keeps what following it has given, so that names made of each other are followed once.
    """

    node: ast.expr
    scope: Scope
    known: Known = field(default_factory=Known, init=False, repr=False)


@dataclass(frozen=True)
class Folder:
    """A path inside the bundle, worked out from `__file__`."""

    path: str


FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, eq=False)
class Function:
    """A function of the bundle; `decorators` are values, outermost first.

    `getter`: of a property's setter the function that gives the value, where the class defines that too.
    """

    node: FunctionNode
    scope: Scope
    decorators: tuple[Value, ...] = field(repr=False)
    in_class: bool = False
    getter: Function | None = None

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def is_async(self) -> bool:
        return isinstance(self.node, ast.AsyncFunctionDef)

    @property
    def file(self) -> SourceFile:
        return self.scope.module.file


@dataclass(frozen=True)
class Unknown:
    """Something that reading the code does not tell."""


UNKNOWN = Unknown()


@dataclass(frozen=True, eq=False)
class Binding:
    """What a name may be; `sure` when it is bound on every way through the module.

    `gap`: it is bound on some ways of an `if`, `match` or `try` only, and nothing else binds it.
    """

    values: tuple[Value, ...]
    sure: bool = True
    gap: bool = False


_MOST_VALUES = 16


def several(values: Iterable[Value]) -> tuple[Value, ...]:
    """What something may stand for, each value once; of very many the first, and Unknown for the others."""
    found = tuple(dict.fromkeys(values))
    return found if len(found) <= _MOST_VALUES else (*found[:_MOST_VALUES], UNKNOWN)


def joined(ways: Iterable[Binding | None], *, gaps: bool = False) -> Binding | None:
    """A name after several ways, one of which is taken; None stands for a way that does not bind it.

    With `gaps` such a way counts; without, nobody expects it to be taken (a loop over nothing).
    """
    every = list(ways)
    bound = [each for each in every if each is not None]
    if not bound:
        return None
    sure = len(bound) == len(every) and all(each.sure for each in bound)
    gap = gaps and (len(bound) < len(every) or any(each.gap for each in bound))
    return Binding(several(value for each in bound for value in each.values), sure, gap)


class Names(dict[str, "Binding"]):
    """The names of a module or a class body. A branch in it costs what it binds, not what was bound before.

    Bind with `bind`, `names[name] = …`, `setdefault` or `put`, and take away with `discard`: other
    methods of a dictionary are not seen by `changes`.
    """

    def __init__(self) -> None:
        super().__init__()
        self._open: list[dict[str, Binding | None]] = []

    def __setitem__(self, name: str, bound: Binding) -> None:
        self._remember(name)
        super().__setitem__(name, bound)

    def bind(self, name: str, values: tuple[Value, ...]) -> None:
        """Bind a name for certain, whatever it was bound to before."""
        self[name] = Binding(values)

    def setdefault(self, name: str, bound: Binding) -> Binding:
        if name not in self:
            self[name] = bound
        return self[name]

    def discard(self, name: str) -> None:
        """Take a name away, if it is bound."""
        if name in self:
            self._remember(name)
            super().__delitem__(name)

    def put(self, values: Mapping[str, Binding | None]) -> None:
        """Bind several names; those whose value is None are taken away."""
        for name, bound in values.items():
            if bound is None:
                self.discard(name)
            else:
                self[name] = bound

    def now(self, names: Iterable[str]) -> dict[str, Binding | None]:
        """What some names are bound to, None for those that are not."""
        return {name: self.get(name) for name in names}

    @contextmanager
    def changes(self) -> Iterator[dict[str, Binding | None]]:
        """Filled while the block runs: what each name that it changes was bound to before."""
        before: dict[str, Binding | None] = {}
        self._open.append(before)
        try:
            yield before
        finally:
            self._open.pop()
            if self._open:
                self._open[-1].update({name: bound for name, bound in before.items() if name not in self._open[-1]})

    def _remember(self, name: str) -> None:
        if self._open and name not in self._open[-1]:
            self._open[-1][name] = self.get(name)


@dataclass(eq=False)
class OwnClass:
    """A class of the bundle. `module` is the `__module__` it has at run time.

    An `open` one may have members that we do not see, `late` ones were set after the class statement. `ancestry` is
    what classes.ancestry has found, None before it is asked.
    """

    name: str
    module: str
    node: ast.ClassDef
    scope: Scope
    bases: tuple[tuple[Value, ...], ...] = field(repr=False)
    members: Names = field(repr=False)
    decorators: tuple[Value, ...] = field(repr=False)
    open: bool = field(default=False, init=False)
    late: set[str] = field(default_factory=set, init=False)
    ancestry: tuple[OwnClass | str | None, ...] | None = field(default=None, init=False, repr=False)

    @property
    def file(self) -> SourceFile:
        return self.scope.module.file


@dataclass(eq=False)
class Instance:
    """One object that the code makes of a class: of the bundle's, or of one outside, by its dotted name.

    `members` are its own attributes. An `open` one may have others, given to it where we do not see it.
    """

    made: OwnClass | str
    members: Names = field(repr=False)
    open: bool = False


@dataclass(frozen=True, eq=False)
class Method:
    """A function of a class, bound to an object of it; `owner` is the class that defines it."""

    function: Function
    owner: OwnClass
    instance: Instance


@dataclass(frozen=True, eq=False)
class Parent:
    """`super()` in a method of `owner`."""

    owner: OwnClass
    instance: Instance


@dataclass(frozen=True)
class Missing:
    """Why a name has nothing to stand for where it is used: bound nowhere, elsewhere or later, for type checkers alone.

    `sure`: nothing puts it there unseen. `place`: where it would stand; a star import may bring a `starred` one.
    """

    kind: Literal["undefined", "unbound", "typing"]
    sure: bool
    place: Literal["local", "global", "starred"]


@dataclass(eq=False)
class Module:
    """A module of the bundle as one execution leaves it.

    `name` is its `__name__`, `package` its `__package__` (`""` where the file is executed by its path).
    `library` is the platform's, from which its classes may inherit.
    `open` modules may hold names that we do not see. `touched` are names on whose objects an attribute was set.
    `missing` are the uses of names that nothing binds there.
    """

    name: str
    package: str
    file: SourceFile
    library: PlatformLibrary = field(repr=False)
    names: Names = field(default_factory=Names, repr=False)
    typing_only: Names = field(default_factory=Names, repr=False)
    touched: set[str] = field(default_factory=set)
    missing: Mapping[ast.AST, Missing] = field(default_factory=dict, repr=False)
    open: bool = False
    done: bool = False


Value: TypeAlias = External | Expression | Folder | Function | Instance | Method | OwnClass | Module | Parent | Unknown


@dataclass(frozen=True, eq=False)
class Scope:
    """Where a name is looked up: a class body or a call (`local`), those around it, the module, then the builtins.

    `results` are what calls and properties have given, by their nodes, once they were executed.
    """

    module: Module
    local: Mapping[str, Binding] | None = field(default=None, repr=False)
    outer: Scope | None = field(default=None, repr=False)
    in_class: bool = False
    results: dict[ast.AST, tuple[Value, ...]] = field(default_factory=dict, init=False, repr=False)

    @property
    def inner(self) -> Scope | None:
        """What functions defined here see around them: no class body, and nothing of a module's top level."""
        return self.outer if self.in_class else self if self.local is not None else None

    @property
    def chain(self) -> Iterator[Mapping[str, Binding]]:
        """The names in the order of their lookup."""
        if self.local is not None:
            yield self.local
        outer = self.outer
        while outer is not None:
            if outer.local is not None and not outer.in_class:
                yield outer.local
            outer = outer.outer
        yield self.module.names
