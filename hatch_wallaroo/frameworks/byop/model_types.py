"""The classes that a model may be of: from `byop.model-types`, or from what the loader says it returns."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.findings import Finding, Level, nearest, rule
from hatch_wallaroo.frameworks.byop.load_and_predict import Target, is_name
from hatch_wallaroo.python.expressions import values_of
from hatch_wallaroo.python.import_run import ImportRun
from hatch_wallaroo.python.values import Expression, External, Function, OwnClass, Scope, Value

UNTYPED = rule(
    "WLR506",
    "the loader does not say which class it returns",
    why="Wallaroo checks the loaded model against expected_model_types. Without a class, anything passes.",
    source="Upload guide, Inference: expected_model_types (Required)",
    level=Level.WARNING,
)
BAD_TYPE = rule(
    "WLR507",
    "a model type is not a class's name",
    why="The generated module imports the class to check the model with isinstance.",
    source="hatch-wallaroo's template of the inference module",
)
NOTHING = rule(
    "WLR508",
    "the loader returns nothing",
    why="A model that is None counts as not assigned: every prediction would fail.",
    source="mac 2023.2.1 to 2026.1.3, ModelNotAssignedError",
)

_PLAIN: Mapping[str, str] = {
    "typing.List": "list", "typing.Dict": "dict", "typing.Tuple": "tuple", "typing.Set": "set",
    "typing.FrozenSet": "frozenset", "typing.Type": "type", "typing.Any": "object", "typing.NamedTuple": "tuple",
    "typing.TypedDict": "dict", "typing_extensions.TypedDict": "dict",
}  # fmt: skip
_ABSTRACT = {
    f"typing.{name}": f"collections.abc.{name}"
    for name in ("Callable", "Mapping", "MutableMapping", "Sequence", "Iterable", "Hashable", "Sized")
}
_OTHER = {"numpy.typing.NDArray": "numpy.ndarray", **_ABSTRACT}
_UNIONS = frozenset({"typing.Union", "typing.Optional", "typing_extensions.Union"})
_DEEPEST = 20


@dataclass(frozen=True, order=True)
class Kind:
    """A class: the module it is imported from (`builtins`: none is needed) and its name there."""

    module: str
    name: str

    def __str__(self) -> str:
        return self.name if self.module == "builtins" else f"{self.module}:{self.name}"


OBJECT = Kind("builtins", "object")


def model_types(spec: ModelSpec, run: ImportRun, load: Target) -> tuple[tuple[Kind, ...], list[Finding]]:
    """The model's classes, `object` where nothing is known, and findings."""
    declared = spec.byop.model_types if spec.byop is not None else ()
    if declared:
        return _declared(spec, run, declared)
    function = load.function
    if load.made is not None:
        own = load.made
        return ((Kind(own.module, own.name),) if _plain(own.module, own.name) else (OBJECT,)), []
    if function is None:
        return (OBJECT,), []
    returned = function.node.returns
    if isinstance(returned, ast.Constant) and returned.value is None:
        return (OBJECT,), [
            NOTHING.finding(
                f"byop.load: {load.reference} is annotated to return None",
                fix="return the loaded model, and annotate its class",
                place=function.file.place(returned),
            )
        ]
    kinds = _Reader(run, function).kinds(returned, function.scope) if returned is not None else None
    if kinds:
        return tuple(dict.fromkeys(kinds)), []
    what = "has no return annotation" if returned is None else f"returns {ast.unparse(returned)}, which names no class"
    return (OBJECT,), [
        UNTYPED.finding(
            f"byop.load: {load.reference} {what}, so any object passes as the model",
            fix='annotate it (-> KMeans), or set byop.model-types = ["sklearn.cluster:KMeans"]',
            place=function.file.place(returned or function.node),
        )
    ]


class _Reader:
    """Follows a return annotation to classes."""

    def __init__(self, run: ImportRun, function: Function) -> None:
        self.modules = {"builtins", "typing", "collections.abc", *run.modules, *_imported(run)}
        self.function = function

    def kinds(self, node: ast.expr, scope: Scope, depth: int = 0) -> list[Kind] | None:
        """The classes that an annotation names; None where one of them cannot be told."""
        if depth > _DEEPEST:
            return None
        if isinstance(node, ast.Constant):
            if node.value is None:
                return []
            quoted = _quoted(node.value)
            return self.kinds(quoted, scope, depth + 1) if quoted is not None else None
        if isinstance(node, ast.BinOp):
            return self._all((node.left, node.right), scope, depth)
        if isinstance(node, ast.Subscript):
            return self._subscript(node, scope, depth)
        if isinstance(node, (ast.Name, ast.Attribute)):
            found = _with_typing_only(node, scope)
            return self._kind(found[0], node, depth) if len(found) == 1 else None
        return None

    def _all(self, nodes: Iterable[ast.expr], scope: Scope, depth: int) -> list[Kind] | None:
        found: list[Kind] = []
        for each in nodes:
            kinds = self.kinds(each, scope, depth + 1)
            if kinds is None:
                return None
            found += kinds
        return found

    def _subscript(self, node: ast.Subscript, scope: Scope, depth: int) -> list[Kind] | None:
        base = _with_typing_only(node.value, scope)
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        name = base[0].name if len(base) == 1 and isinstance(base[0], External) else ""
        if name in _UNIONS:
            return self._all(inner, scope, depth)
        if name in {"typing.Annotated", "typing_extensions.Annotated"}:
            return self.kinds(inner[0], scope, depth + 1)
        return self.kinds(node.value, scope, depth + 1)

    def _kind(self, value: Value, node: ast.expr, depth: int) -> list[Kind] | None:
        if isinstance(value, OwnClass):
            return self._own(value)
        if isinstance(value, Expression):
            return self.kinds(value.node, value.scope, depth + 1) if value.node is not node else None
        if not isinstance(value, External):
            return None
        if value.name in _PLAIN:
            return [Kind("builtins", _PLAIN[value.name])]
        name = _OTHER.get(value.name, value.name)
        if name.startswith(("typing.", "typing_extensions.")):
            return None
        return self._split(name)

    def _own(self, value: OwnClass) -> list[Kind] | None:
        bases = {each.name for base in value.bases for each in base if isinstance(each, External)}
        if bases & {"typing.TypedDict", "typing_extensions.TypedDict"}:
            return [Kind("builtins", "dict")]
        checkable = any("runtime_checkable" in ast.dump(each) for each in value.node.decorator_list)
        if any(each.endswith(".Protocol") for each in bases) and not checkable:
            return None
        return [Kind(value.module, value.name)] if _plain(value.module, value.name) else None

    def _split(self, name: str) -> list[Kind] | None:
        """Where the module's name ends and the class's begins: after the longest module that is imported somewhere."""
        parts = name.split(".")
        for index in range(len(parts) - 1, 0, -1):
            module = ".".join(parts[:index])
            if module in self.modules or index == 1:
                rest = ".".join(parts[index:])
                return [Kind(module, rest)] if _plain(module, rest) else None
        return None


def _with_typing_only(node: ast.expr, scope: Scope) -> tuple[Value, ...]:
    """Names as the code has them, and as type checkers see them: both can be imported where it matters."""
    merged = {**scope.module.typing_only, **scope.module.names}
    return values_of(node, Scope(scope.module, merged))


def _imported(run: ImportRun) -> set[str]:
    found: set[str] = set()
    for module in run.reached.values():
        for node in ast.walk(module.file.tree) if module.file.tree else ():
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module)
    return found


def _quoted(value: object) -> ast.expr | None:
    if not isinstance(value, str):
        return None
    try:
        return ast.parse(value.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _plain(module: str, name: str) -> bool:
    return all(is_name(part) for part in (*module.split("."), *name.split(".")))


def _declared(spec: ModelSpec, run: ImportRun, declared: Iterable[str]) -> tuple[tuple[Kind, ...], list[Finding]]:
    """`byop.model-types`: `"sklearn.cluster:KMeans"`, `"sklearn.cluster.KMeans"`, or a builtin's name."""
    kinds: list[Kind] = []
    findings: list[Finding] = []
    for index, text in enumerate(declared):
        place = spec.at("byop", "model-types", index)
        module, colon, name = text.partition(":")
        if not colon:
            module, _, name = text.rpartition(".")
        module = module or "builtins"
        if not _plain(module, name) or (module == "builtins" and not isinstance(getattr(builtins, name, None), type)):
            fix = 'write "package.module:Class"'
            findings.append(
                BAD_TYPE.finding(f"byop.model-types: {text!r} is not the name of a class", fix=fix, place=place)
            )
            continue
        kinds.append(Kind(module, name))
        own = run.find(module)
        first = name.partition(".")[0]
        if own is not None and own.done and not own.open and first not in own.names and "__getattr__" not in own.names:
            classes = [each for each, bound in own.names.items() if isinstance(bound.values[0], OwnClass)]
            close = nearest(first, classes)
            findings.append(
                BAD_TYPE.finding(
                    f"byop.model-types: {own.file.label} has no class {first}",
                    fix=f'did you mean "{module}:{close}"?'
                    if close
                    else "name a class that the module defines or imports",
                    place=place,
                )
            )
    return tuple(dict.fromkeys(kinds)) or (OBJECT,), findings
