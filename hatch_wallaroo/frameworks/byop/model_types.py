"""The classes that a model may be of: from `byop.model-types`, or from what the loader says it returns."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.findings import Finding, Level, nearest, rule
from hatch_wallaroo.frameworks.byop.load_and_predict import NOTHING, Target, is_name, lacks
from hatch_wallaroo.python.expressions import value_of
from hatch_wallaroo.python.import_run import ImportRun
from hatch_wallaroo.python.values import UNKNOWN, Expression, External, OwnClass, Scope, Value

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
_TYPING = {
    "List": "list", "Dict": "dict", "Tuple": "tuple", "Set": "set", "FrozenSet": "frozenset", "Type": "type",
    "Any": "object", "NamedTuple": "tuple", "TypedDict": "dict",
}  # fmt: skip
_ABSTRACT = ("Callable", "Mapping", "MutableMapping", "Sequence", "Iterable", "Hashable", "Sized")
_AT_RUN_TIME: Mapping[str, str] = {
    "numpy.typing.NDArray": "numpy.ndarray",
    "typing_extensions.TypedDict": "builtins.dict",
    **{f"typing.{name}": f"builtins.{known}" for name, known in _TYPING.items()},
    **{f"typing.{name}": f"collections.abc.{name}" for name in _ABSTRACT},
}
_UNIONS = frozenset({"typing.Union", "typing.Optional", "typing_extensions.Union"})
_ANNOTATED = frozenset({"typing.Annotated", "typing_extensions.Annotated"})
_DEEPEST = 20


@dataclass(frozen=True, order=True)
class Kind:
    """A class: the module it is imported from (`builtins`: none is needed) and its name there."""

    module: str
    name: str

    def __str__(self) -> str:
        return self.name if self.module == "builtins" else f"{self.module}:{self.name}"

    @property
    def can_be_imported(self) -> bool:
        return all(is_name(part) for part in (*self.module.split("."), *self.name.split(".")))


@dataclass(frozen=True)
class ModelTypes:
    """The classes that a model may be of: as they are imported, `object` where nothing is known, and as they are."""

    kinds: tuple[Kind, ...] = (Kind("builtins", "object"),)
    classes: tuple[OwnClass | External, ...] = ()
    findings: tuple[Finding, ...] = ()


def model_types(spec: ModelSpec, run: ImportRun, load: Target) -> ModelTypes:
    """The model's classes, and findings."""
    declared = spec.byop.model_types if spec.byop is not None else ()
    if declared:
        return _declared(spec, run, declared)
    if load.made is not None:
        return _told(run, [load.made]) or ModelTypes()
    if load.call is None:
        return ModelTypes()
    function = load.call.function
    returned = function.node.returns
    place = function.file.place(returned or function.node)
    if isinstance(returned, ast.Constant) and returned.value is None:
        finding = NOTHING.finding(
            f"{load.call.name} is annotated to return None",
            fix="return the loaded model, and annotate its class",
            place=place,
        )
        return ModelTypes(findings=(finding,))
    found = _told(run, _named(returned, function.scope)) if returned is not None else None
    if found is not None:
        return found
    what = "has no return annotation" if returned is None else f"returns {ast.unparse(returned)}, which names no class"
    finding = UNTYPED.finding(
        f"{load.call.name} {what}, so any object passes as the model",
        fix='annotate it (-> KMeans), or set byop.model-types = ["sklearn.cluster:KMeans"]',
        place=place,
    )
    return ModelTypes(findings=(finding,))


def _told(run: ImportRun, classes: Sequence[OwnClass | External] | None) -> ModelTypes | None:
    """Classes with the modules to import them from; None where there is none, or one cannot be imported."""
    modules = {"builtins", "typing", "collections.abc", *run.modules, *_imported(run)}
    kinds = [_kind(each, modules) for each in classes or ()]
    if classes is None or not kinds or not all(each.can_be_imported for each in kinds):
        return None
    return ModelTypes(tuple(dict.fromkeys(kinds)), tuple(classes))


def _kind(made: OwnClass | External, modules: set[str]) -> Kind:
    """Where the module's name ends and the class's begins: after the longest module that is imported somewhere."""
    if isinstance(made, OwnClass):
        return Kind(made.module, made.name)
    module, _, name = made.name.rpartition(".")
    while "." in module and module not in modules:
        module, _, outer = module.rpartition(".")
        name = f"{outer}.{name}"
    return Kind(module, name)


def _named(node: ast.expr, scope: Scope, depth: int = 0) -> list[OwnClass | External] | None:
    """The classes that an annotation names; None where one of them cannot be told."""
    if depth > _DEEPEST:
        return None
    if isinstance(node, ast.Constant):
        quoted = _quoted(node.value)
        return [] if node.value is None else _named(quoted, scope, depth + 1) if quoted is not None else None
    if isinstance(node, ast.BinOp):
        return _every((node.left, node.right), scope, depth)
    value = _with_typing_only(node.value if isinstance(node, ast.Subscript) else node, scope)
    if isinstance(node, ast.Subscript):
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        name = value.name if isinstance(value, External) else ""
        if name in _UNIONS:
            return _every(inner, scope, depth)
        return _named(inner[0] if name in _ANNOTATED else node.value, scope, depth + 1)
    if isinstance(value, Expression):
        return _named(value.node, value.scope, depth + 1) if value.node is not node else None
    made = _checkable(value)
    return [made] if made is not None else None


def _every(nodes: Iterable[ast.expr], scope: Scope, depth: int) -> list[OwnClass | External] | None:
    found = [_named(each, scope, depth + 1) for each in nodes]
    known = [each for each in found if each is not None]
    return [made for each in known for made in each] if len(known) == len(found) else None


def _checkable(value: Value) -> OwnClass | External | None:
    """The class that `isinstance` can ask for in place of what is annotated."""
    if isinstance(value, External):
        name = _AT_RUN_TIME.get(value.name, value.name)
        return None if name.startswith(("typing.", "typing_extensions.")) or "." not in name else External(name)
    if not isinstance(value, OwnClass):
        return None
    bases = {each.name for base in value.bases for each in base if isinstance(each, External)}
    if bases & {"typing.TypedDict", "typing_extensions.TypedDict"}:
        return External("builtins.dict")
    checkable = any("runtime_checkable" in ast.dump(each) for each in value.node.decorator_list)
    return value if checkable or not any(each.endswith(".Protocol") for each in bases) else None


def _with_typing_only(node: ast.expr, scope: Scope) -> Value:
    """Names as the code has them, and as type checkers see them: both can be imported where it matters."""
    return value_of(node, Scope(scope.module, {**scope.module.typing_only, **scope.module.names}))


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


def _declared(spec: ModelSpec, run: ImportRun, declared: Iterable[str]) -> ModelTypes:
    """`byop.model-types`: `"sklearn.cluster:KMeans"`, `"sklearn.cluster.KMeans"`, or a builtin's name."""
    kinds: list[Kind] = []
    classes: list[Value] = []
    findings: list[Finding] = []
    for index, text in enumerate(declared):
        module, _, name = text.rpartition(":" if ":" in text else ".")
        kind = Kind(module or "builtins", name)
        wrong, fix = f"{text!r} is not the name of a class", 'write "package.module:Class"'
        if kind.can_be_imported and (kind.module != "builtins" or isinstance(getattr(builtins, name, None), type)):
            kinds.append(kind)
            own, first = run.find(kind.module), name.partition(".")[0]
            bound = own.names.get(name) if own is not None else None
            classes.append(
                External(f"{kind.module}.{name}") if own is None else bound.values[0] if bound is not None else UNKNOWN
            )
            if own is None or not lacks(own, first):
                continue
            close = nearest(first, [each for each, bound in own.names.items() if isinstance(bound.values[0], OwnClass)])
            wrong = f"{own.file.label} has no class {first}"
            fix = f'did you mean "{module}:{close}"?' if close else "name a class that the module defines or imports"
        place = spec.at("byop", "model-types", index)
        findings.append(BAD_TYPE.finding(f"byop.model-types: {wrong}", fix=fix, place=place))
    known = [each for each in classes if isinstance(each, (OwnClass, External))]
    return ModelTypes(
        tuple(dict.fromkeys(kinds)) or ModelTypes.kinds,
        tuple(known) if len(known) == len(classes) else (),
        tuple(findings),
    )
