"""Type aliases that the platform takes for classes, and stumbles over."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from hatch_wallaroo.findings import Finding, Level, rule
from hatch_wallaroo.python.expressions import external_name
from hatch_wallaroo.python.values import Expression, External, Module, Value

TAKEN_FOR_CLASS = rule(
    "WLR549",
    "a name of the module stands for a subscripted type",
    why="The platform asks of each name whether it is a class, and then whether it inherits from Inference. Python 3.9 "
    "and 3.10 say that list[int] or numpy's NDArray is a class, and fail at the second question.",
    source="mac 2025.2.5 and 2026.1.3 run on Python 3.10: TypeError: issubclass() arg 1 must be a class",
)

GENERIC = {
    **{f"builtins.{name}": name.capitalize() for name in ("list", "dict", "set", "tuple", "type")},
    "builtins.frozenset": "FrozenSet",
    "collections.deque": "Deque",
    "collections.defaultdict": "DefaultDict",
    "collections.OrderedDict": "OrderedDict",
    "collections.Counter": "Counter",
    "collections.ChainMap": "ChainMap",
    **{
        f"collections.abc.{name}": name
        for name in (
            "Awaitable", "AsyncIterator", "AsyncIterable", "AsyncGenerator", "Callable", "Collection", "Container",
            "Coroutine", "Generator", "Hashable", "ItemsView", "Iterable", "Iterator", "KeysView", "Mapping",
            "MappingView", "MutableMapping", "MutableSequence", "MutableSet", "Reversible", "Sequence", "Set",
            "ValuesView",
        )
    },
    "re.Pattern": "Pattern",
    "re.Match": "Match",
    "contextlib.AbstractContextManager": "ContextManager",
    "numpy.ndarray": "numpy.typing.NDArray",
    "numpy.dtype": "numpy.typing.DTypeLike",
}  # fmt: skip
"""What can be subscripted from Python 3.9 on only, and what to write before."""


_ALIASES = frozenset({"numpy.typing.NDArray"})
"""Names of other distributions that are subscripted types themselves."""


def taken_for_classes(modules: Iterable[Module], python: tuple[int, int]) -> Iterator[Finding]:
    """Names of executed files that `inspect.isclass` takes for classes on a Python, and `issubclass` refuses."""
    if python not in {(3, 9), (3, 10)}:
        return
    for module in modules:
        bindings: dict[str, ast.AST] | None = None
        for name, bound in module.names.items():
            kinds = [_text(value) for value in bound.values]
            if not any(kinds):
                continue
            text = next(each for each in kinds if each)
            bindings = bindings if bindings is not None else _bindings(module)
            same = f" ({text})" if text != name else ""
            yield TAKEN_FOR_CLASS.finding(
                f"{module.file.label}: the platform takes {name}{same} for a class while it looks for yours, and fails",
                fix=_fix(text, name),
                place=module.file.place(bindings.get(name)),
                level=Level.ERROR if bound.sure and all(kinds) else Level.WARNING,
            )


def _text(value: Value) -> str:
    """The type as it is written, where a value is such a type; `""` for anything else."""
    if isinstance(value, External):
        return value.last if value.name in _ALIASES else ""
    if isinstance(value, Expression) and isinstance(value.node, ast.Subscript):
        base = external_name(value.node.value, value.scope)
        return ast.unparse(value.node) if base in GENERIC or base in _ALIASES else ""
    return ""


def _fix(text: str, name: str) -> str:
    if text == "NDArray":
        return f"write `import numpy.typing as npt` and npt.NDArray in place of {name}"
    base = text.partition("[")[0].rpartition(".")[2]
    spelt = next((other for dotted, other in GENERIC.items() if dotted.rpartition(".")[2] == base), "")
    if spelt and "." not in spelt:
        return f"write typing.{spelt}[…], or write the type out where it is used"
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
