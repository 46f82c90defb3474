"""Attributes of the user's objects, read and set: properties and their setters are executed as calls."""

from __future__ import annotations

import ast
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from hatch_wallaroo.python import path_effects
from hatch_wallaroo.python.definitions import Member, ancestry, is_property, is_setter, member
from hatch_wallaroo.python.expressions import value_of, values_of
from hatch_wallaroo.python.imports import Importer
from hatch_wallaroo.python.source_files import SourceFile
from hatch_wallaroo.python.values import (
    UNKNOWN,
    Binding,
    External,
    Function,
    Instance,
    Method,
    Module,
    OwnClass,
    Parent,
    Scope,
    Value,
    joined,
)


@dataclass(eq=False)
class Frame:
    """A call that is being executed. `left`: it may have ended already, on a way that was not certain."""

    function: Function
    method: Method | None
    branching: int
    returned: list[Value] = field(default_factory=list)
    left: bool = False


@dataclass(eq=False)
class Attributes(Importer):
    """Follows attributes of objects.

    `frames` are the calls that are being executed, the innermost last. `assigning` is the statement that a setter
    works for.
    """

    assigning: tuple[SourceFile, ast.AST] | None = None
    frames: list[Frame] = field(default_factory=list)
    _branching: int = 0

    @abstractmethod
    def call(
        self,
        called: Function | Method,
        given: Sequence[Value],
        named: Mapping[str, Value] | None = None,
        node: tuple[SourceFile, ast.AST] | None = None,
    ) -> Value:
        """What a call of a function gives; Unknown where it may be several things, or cannot be followed.

        `node` is where the code calls it, None where the platform does.
        """

    @property
    def in_function(self) -> bool:
        return bool(self.frames)

    @property
    def sure(self) -> bool:
        return super().sure and not self._branching and not any(frame.left for frame in self.frames)

    @contextmanager
    def branch(self) -> Iterator[None]:
        """What is executed on some ways only."""
        self._branching += 1
        try:
            yield
        finally:
            self._branching -= 1

    def attribute(self, instance: Instance, name: str, scope: Scope, node: ast.AST) -> Value:
        """What an attribute of an object gives, its property executed; a note where there certainly is none."""
        instance.open = instance.open or name == "__dict__"
        if name in instance.members:
            found = instance.members[name].values
            return found[0] if len(found) == 1 else UNKNOWN
        if isinstance(instance.made, str):
            if not instance.open and not name.startswith("_"):
                self.note("attribute", scope.module.file, node, f"{instance.made}:{name}")
            return UNKNOWN
        return self._class_attribute(member(instance.made, name), instance, name, scope, node)

    def _class_attribute(
        self, found: Member | bool | None, instance: Instance, name: str, scope: Scope, node: ast.AST
    ) -> Value:
        assert isinstance(instance.made, OwnClass)  # noqa: S101 - the others have no class to look into
        if found is None:
            closed = not instance.open and not instance.made.open and not name.startswith("__")
            if closed and all(member(instance.made, each) is None for each in ("__getattr__", "__getattribute__")):
                self.note("attribute", scope.module.file, node, f"{instance.made.name}:{name}")
            return UNKNOWN
        if not isinstance(found, Member):
            return UNKNOWN
        function = found.function
        if isinstance(found.owner, str):
            outside = self.environment.library.known(found.owner)
            attribute = outside.properties.get(name) if outside is not None else None
            values = instance.members[attribute].values if attribute is not None else ()
            return values[0] if len(values) == 1 and not instance.open else UNKNOWN
        if function is None:
            values = found.binding.values if found.binding else ()
            return values[0] if len(values) == 1 else UNKNOWN
        if not is_property(function):
            return Method(function, found.owner, instance) if not function.decorators else UNKNOWN
        if is_setter(function):
            if function.getter is None:
                return self._class_attribute(beyond(instance.made, found.owner, name), instance, name, scope, node)
            function = function.getter
        given = self.call(Method(function, found.owner, instance), ())
        if any(isinstance(each, External) and each.name == "functools.cached_property" for each in function.decorators):
            instance.members[name] = Binding((given,))
        return given

    def set_attribute(self, target: Value, name: str, values: tuple[Value, ...], scope: Scope, node: ast.AST) -> None:
        """`x.name = …`"""
        if isinstance(target, OwnClass):
            target.late.update({name} - target.members.keys())
            target.members[name] = Binding(values)
        elif isinstance(target, Method):
            self.note("attribute", scope.module.file, node, f"{target.owner.name}.{target.function.name}:{name}")
        elif isinstance(target, External) and target.name == "builtins":
            self.builtins.add(name)
        elif isinstance(target, Instance):
            found = member(target.made, name) if isinstance(target.made, OwnClass) else None
            if isinstance(found, Member):
                self._set_member(found, target, name, values, scope, node)
            else:
                self._set(target, name, values)

    def _set_member(
        self,
        found: Member,
        target: Instance,
        name: str,
        values: tuple[Value, ...],
        scope: Scope,
        node: ast.AST,
    ) -> None:
        """Set an attribute that the object's class defines: by its setter, where it is a property."""
        function = found.function
        if isinstance(found.owner, str):
            outside = self.environment.library.known(found.owner)
            kept = outside is not None and name in outside.properties
            read_only = outside is not None and kept and name not in outside.setters
            target.open = target.open or (kept and not read_only)
        else:
            read_only = function is not None and is_property(function) and not is_setter(function)
        if read_only:
            owner = target.made.name if isinstance(target.made, OwnClass) else target.made
            self.note("read_only", scope.module.file, node, f"{owner}:{name}")
        elif function is not None and is_setter(function) and isinstance(found.owner, OwnClass):
            assigning, self.assigning = self.assigning, (scope.module.file, node)
            self.call(Method(function, found.owner, target), values[:1] if len(values) == 1 else (UNKNOWN,))
            self.assigning = assigning
        else:
            self._set(target, name, values)

    def _set(self, target: Instance, name: str, values: tuple[Value, ...]) -> None:
        bound = Binding(values)
        before = target.members.get(name)
        sure = not self._branching and not any(frame.left for frame in self.frames)
        target.members[name] = bound if sure or before is None else joined((before, bound)) or bound

    def attribute_node(self, node: ast.Attribute, scope: Scope) -> None:
        scope.results.pop(node, None)
        base = value_of(node.value, scope)
        if isinstance(base, Instance):
            scope.results[node] = (self.attribute(base, node.attr, scope, node),)
        elif isinstance(base, Parent):
            found = (
                beyond(base.instance.made, base.owner, node.attr) if isinstance(base.instance.made, OwnClass) else None
            )
            function = found.function if isinstance(found, Member) else None
            if function is not None and isinstance(found, Member) and isinstance(found.owner, OwnClass):
                scope.results[node] = (Method(function, found.owner, base.instance),)
            elif node.attr != "__init__":
                base.instance.open = True
        else:
            scope.results[node] = values_of(node, scope)
            path_effects.unset(self, node.value, scope, node)
            if isinstance(base, External) and not isinstance(scope.results[node][0], Module):
                self.missing_attribute(base.name, node, scope)


def beyond(made: OwnClass, owner: OwnClass, name: str) -> Member | bool | None:
    """The member of a class that comes after `owner` in the order of lookup."""
    lines = ancestry(made)
    after = lines[lines.index(owner) + 1 :] if owner in lines else ()
    return member(made, name, after)
