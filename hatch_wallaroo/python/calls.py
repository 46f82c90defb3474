"""Calls of the user's own functions, executed as far as reading tells: what they give, and what they trip over."""

from __future__ import annotations

import ast
from abc import abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

from hatch_wallaroo.python import path_effects
from hatch_wallaroo.python.attributes import Attributes, Frame
from hatch_wallaroo.python.definitions import Member, ancestry, member, takes
from hatch_wallaroo.python.expressions import external_name, value_of, values_of
from hatch_wallaroo.python.source_files import SourceFile
from hatch_wallaroo.python.values import (
    UNKNOWN,
    Binding,
    Expression,
    External,
    Folder,
    Function,
    Instance,
    Method,
    Names,
    OwnClass,
    Parent,
    Scope,
    Value,
    several,
)

_DEEPEST = 8
_MOST = 300
"""Calls that are followed: what one process of the platform does at once is rarely a tenth of it."""
_TRANSPARENT = frozenset(
    {
        "abc.abstractmethod", "typing.override", "typing_extensions.override", "typing.no_type_check",
        "torch.no_grad", "torch.inference_mode", "builtins.property", "functools.cached_property",
    }
)  # fmt: skip
"""Decorators through which a call reaches the function itself."""
NONE = Expression(ast.Constant(None), Scope(None))  # type: ignore[arg-type]  # a constant looks nothing up


KnownMethod: TypeAlias = "Callable[[Caller, Instance, Sequence[Value], Scope, ast.AST], None]"


@dataclass(eq=False)
class Caller(Attributes):
    """Follows calls.

    `entered` are the functions that were looked into. `methods` say what methods do that the bundle's classes inherit
    from outside.
    """

    entered: set[ast.AST] = field(default_factory=set)
    methods: Mapping[str, KnownMethod] = field(default_factory=dict)
    _results: dict[Hashable, Value] = field(default_factory=dict)
    _calls: int = 0

    @abstractmethod
    def statements(self, body: Iterable[ast.stmt], scope: Scope, names: Names) -> bool:
        """Execute statements; whether they certainly end the body around them."""

    def call(
        self,
        called: Function | Method,
        given: Sequence[Value],
        named: Mapping[str, Value] | None = None,
        node: tuple[SourceFile, ast.AST] | None = None,
    ) -> Value:
        """Execute a function that is called, and give what it returns."""
        method = called if isinstance(called, Method) else None
        function = called.function if isinstance(called, Method) else called
        if self._opaque(function):
            return UNKNOWN
        if node is not None and not takes(function.node.args, len(given) + bool(method), (named or {}).keys()):
            self.note("arguments", node[0], node[1], function.name)
            return UNKNOWN
        self._calls += 1
        return self.run_body(function, method, given, named)

    def run_body(
        self,
        function: Function,
        method: Method | None,
        given: Sequence[Value],
        named: Mapping[str, Value] | None = None,
    ) -> Value:
        """Execute the statements of a function; arguments that are not given are unknown."""
        self.entered.add(function.node)
        names = Names()
        _bind_arguments(function, [*([method.instance] if method else []), *given], named or {}, names)
        scope = Scope(function.scope.module, names, outer=function.scope if function.scope.local is not None else None)
        frame = Frame(function, method, self._branching)
        self.frames.append(frame)
        try:
            ended = self.statements(function.node.body, scope, names)
        finally:
            self.frames.pop()
        if not ended:
            frame.returned.append(NONE)
        found = several(frame.returned)
        return found[0] if len(found) == 1 and not frame.left else UNKNOWN

    def _opaque(self, function: Function) -> bool:
        """Whether a call is not followed: decorated by what is not known, too deep, or already being executed."""
        if self._lazy or any(frame.function.node is function.node for frame in self.frames):
            return True
        plain = all(
            (isinstance(value, External) and value.name in _TRANSPARENT)
            or (isinstance(node, ast.Attribute) and node.attr in {"setter", "getter"})
            or (isinstance(node, ast.Call) and external_name(node.func, function.scope) in _TRANSPARENT)
            for node, value in zip(function.node.decorator_list, function.decorators, strict=True)
        )
        if plain and len(self.frames) < _DEEPEST and self._calls < _MOST and not _yields(function.node):
            return False
        self.path_open = self.path_open or path_effects.changes_path(function)
        return True

    def instantiate(
        self,
        made: OwnClass,
        given: Sequence[Value],
        named: Mapping[str, Value] | None = None,
        node: tuple[SourceFile, ast.AST] | None = None,
    ) -> Value:
        """An object of a class of the bundle, after its `__init__`."""
        lines, library = ancestry(made), self.environment.library
        if made.decorators or any(each.node.keywords for each in lines if isinstance(each, OwnClass)):
            return UNKNOWN
        known = all(isinstance(each, OwnClass) or each in _WITHOUT_SURPRISES or library.known(each) for each in lines)
        if any("__new__" in each.members for each in lines if isinstance(each, OwnClass)):
            return UNKNOWN
        names = Names()
        for outside in filter(None, map(library.known, lines)):
            names.put({name: Binding((NONE,)) for name in outside.properties.values()})
        instance = Instance(made, names, open=not known)
        found = member(made, "__init__")
        if isinstance(found, Member) and found.function is not None and isinstance(found.owner, OwnClass):
            self.call(Method(found.function, found.owner, instance), given, named, node)
        elif node is not None and (given or named) and known and isinstance(found, Member):
            outside_init = library.known(found.owner)
            if outside_init is not None and outside_init.bare:
                self.note("arguments", node[0], node[1], made.name)
        return instance

    def call_node(self, node: ast.Call, scope: Scope) -> None:
        called = value_of(node.func, scope)
        starred = any(isinstance(each, ast.Starred) for each in node.args) or any(
            not each.arg for each in node.keywords
        )
        given = [value_of(each, scope) for each in node.args]
        named = {each.arg: value_of(each.value, scope) for each in node.keywords if each.arg}
        if isinstance(called, External) and called.name == "builtins.super" and self.frames and not node.args:
            method = self.frames[-1].method
            if method is not None:
                scope.results[node] = (Parent(method.owner, method.instance),)
        elif self._known_method(node, given, scope):
            return
        elif starred or not isinstance(called, (Function, Method, OwnClass)) or _is_async(called):
            path_effects.call(self, node, scope)
            if not isinstance(called, External) or called.name not in _HARMLESS:
                _escape([*given, *named.values()])
            if isinstance(called, Function):
                self.path_open = self.path_open or path_effects.changes_path(called)
        elif isinstance(called, OwnClass):
            scope.results[node] = (self.instantiate(called, given, named, (scope.module.file, node)),)
        else:
            scope.results[node] = (self._called_own(called, given, named, (scope.module.file, node)),)

    def _member_of(self, value: Value, name: str) -> Member | bool | None:
        return member(value.made, name) if isinstance(value, Instance) and isinstance(value.made, OwnClass) else None

    def _called_own(
        self,
        called: Function | Method,
        given: Sequence[Value],
        named: Mapping[str, Value],
        node: tuple[SourceFile, ast.AST],
    ) -> Value:
        """A call's result; of calls that differ in nothing that we know of, the first one's."""
        function = called.function if isinstance(called, Method) else called
        key = (
            function.node,
            self.sure,
            tuple(map(_told, given)),
            tuple((name, _told(each)) for name, each in named.items()),
        )
        if isinstance(called, Method) or key not in self._results:
            if self._opaque(function):
                self.handed.add("")  # it may write anywhere in the bundle's folder
                _escape([*given, *named.values(), *([called.instance] if isinstance(called, Method) else [])])
            self._results[key] = self.call(called, given, named, node)
        return self._results[key]

    def _known_method(self, node: ast.Call, given: Sequence[Value], scope: Scope) -> bool:
        """A method that a class of the bundle inherits from outside, of which is known what it does."""
        if not isinstance(node.func, ast.Attribute) or node.func.attr not in self.methods:
            return False
        instance = value_of(node.func.value, scope)
        found = self._member_of(instance, node.func.attr)
        if not isinstance(instance, Instance) or not isinstance(found, Member) or not isinstance(found.owner, str):
            return False
        self.methods[node.func.attr](self, instance, given, scope, node)
        return True


_WITHOUT_SURPRISES = frozenset({"abc.ABC", "builtins.object", "typing.Generic"})
"""Classes outside the bundle that give an object no attribute that we do not know of."""
_HARMLESS = frozenset({"builtins.isinstance", "builtins.type", "builtins.print", "builtins.id", "builtins.repr"})


def _escape(values: Iterable[Value]) -> None:
    """Objects handed to what is not followed may be given attributes there."""
    for each in values:
        if isinstance(each, Instance):
            each.open = True
        elif isinstance(each, Method):
            each.instance.open = True


def _bind_arguments(function: Function, given: Sequence[Value], named: Mapping[str, Value], names: Names) -> None:
    arguments = function.node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = dict(zip(reversed(positional), reversed(arguments.defaults), strict=False))
    defaults.update(
        {each: value for each, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if value}
    )
    for index, each in enumerate([*positional, *arguments.kwonlyargs]):
        values: tuple[Value, ...] = (UNKNOWN,)
        if index < len(given) and each in positional:
            values = (given[index],)
        elif each.arg in named:
            values = (named[each.arg],)
        elif each in defaults:
            values = values_of(defaults[each], function.scope)
        names[each.arg] = Binding(values)
    for rest in (arguments.vararg, arguments.kwarg):
        if rest is not None:
            names[rest.arg] = Binding((UNKNOWN,))


def _told(value: Value) -> Hashable:
    """What is known of an argument, to tell calls from each other."""
    if isinstance(value, Expression):
        return ast.dump(value.node) if isinstance(value.node, ast.Constant) else None
    return value if isinstance(value, (Folder, External)) else id(value)


def _is_async(called: Value) -> bool:
    """Whether a call gives something to await, and executes nothing yet."""
    function = called.function if isinstance(called, Method) else called
    return isinstance(function, Function) and function.is_async


@lru_cache(1024)
def _yields(function: ast.AST) -> bool:
    waiting = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            return True
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            waiting += ast.iter_child_nodes(node)
    return False
