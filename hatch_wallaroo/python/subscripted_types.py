"""Type aliases that the platform takes for classes, and stumbles over."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from hatch_wallaroo.findings import Finding, Level, rule
from hatch_wallaroo.python.expressions import external_name
from hatch_wallaroo.python.known_names import Lifetime, Version, generic_lifetime
from hatch_wallaroo.python.values import Expression, External, Module, Value

TAKEN_FOR_CLASS = rule(
    "WLR549",
    "a name of the module stands for a subscripted type",
    why="The platform asks of each name whether it is a class, and then whether it inherits from Inference. Python 3.9 "
    "and 3.10 say that list[int] or numpy's NDArray is a class, and fail at the second question.",
    source="mac 2025.2.5 and 2026.1.3 run on Python 3.10: TypeError: issubclass() arg 1 must be a class",
)

_TYPING = {
    **{name: name.capitalize() for name in ("list", "dict", "set", "tuple", "type")},
    "frozenset": "FrozenSet", "deque": "Deque", "defaultdict": "DefaultDict",
    "AbstractContextManager": "ContextManager", "AbstractAsyncContextManager": "AsyncContextManager",
    **{
        name: name
        for name in (
            "AsyncGenerator", "AsyncIterable", "AsyncIterator", "Awaitable", "Callable", "ChainMap", "Collection",
            "Container", "Coroutine", "Counter", "Generator", "ItemsView", "Iterable", "Iterator", "KeysView",
            "Mapping", "MappingView", "Match", "MutableMapping", "MutableSequence", "MutableSet", "OrderedDict",
            "Pattern", "Reversible", "Sequence", "Set", "ValuesView",
        )
    },
}  # fmt: skip
"""What `typing` calls the classes that it has a type of its own for."""
_NUMPY = {"numpy.ndarray": "numpy.typing.NDArray", "numpy.dtype": "numpy.typing.DTypeLike"}
_NUMPY_SINCE = Lifetime((((3, 9), None),))


def generic(name: str) -> Lifetime | None:
    """The Pythons in which `[…]` makes a type of a class; None for a class that is no such one."""
    return _NUMPY_SINCE if name in _NUMPY else generic_lifetime(name)


def spelt(name: str) -> str:
    """How to write such a type for every Python; empty where there is no other way."""
    if name in _NUMPY:
        return _NUMPY[name]
    other = _TYPING.get(name.rpartition(".")[2])
    return f"typing.{other}" if other else ""


_ALIASES = frozenset({"numpy.typing.NDArray"})
"""Names of other distributions that are subscripted types themselves."""


def taken_for_classes(modules: Iterable[Module], python: Version) -> Iterator[Finding]:
    """Names of executed files that `inspect.isclass` takes for classes on a Python, and `issubclass` refuses."""
    if python not in {(3, 9), (3, 10)}:
        return
    for module in modules:
        bindings: dict[str, ast.AST] | None = None
        for name, bound in module.names.items():
            kinds = [_subscripted(value, python) for value in bound.values]
            if not any(kinds):
                continue
            text, base = next(each for each in kinds if each)
            bindings = bindings if bindings is not None else _bindings(module)
            same = f" ({text})" if text != name else ""
            yield TAKEN_FOR_CLASS.finding(
                f"{module.file.label}: the platform takes {name}{same} for a class while it looks for yours, and fails",
                fix=_fix(base, name),
                place=module.file.place(bindings.get(name)),
                level=Level.ERROR if bound.sure and all(kinds) else Level.WARNING,
            )


def _subscripted(value: Value, python: Version) -> tuple[str, str] | None:
    """The type as it is written and the class in it, where a value is such a type."""
    if isinstance(value, External):
        return (value.last, value.name) if value.name in _ALIASES else None
    if isinstance(value, Expression) and isinstance(value.node, ast.Subscript):
        base = external_name(value.node.value, value.scope)
        lifetime = generic(base)
        if base in _ALIASES or (lifetime is not None and lifetime.has(python)):
            return ast.unparse(value.node), base
    return None


def _fix(base: str, name: str) -> str:
    if base in _ALIASES:
        return f"write `import numpy.typing as npt` and npt.NDArray in place of {name}"
    other = spelt(base)
    if other.startswith("typing."):
        return f"write {other}[…], or write the type out where it is used"
    return "write the type out where it is used"


def _bindings(module: Module) -> dict[str, ast.AST]:
    """The first node of the file that binds each name."""
    found: dict[str, ast.AST] = {}
    for node in ast.walk(module.file.tree) if module.file.tree else ():
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                found.setdefault(alias.asname or alias.name, node)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.setdefault(node.id, node)
    return found
