"""What the names of a Python file stand for when its import ends: told from its text, nothing is executed.

Follows imports with their aliases, assignments, definitions and deletions in order;
branches that an import on the platform does not take are left out. What cannot be
told is `UNKNOWN`, which no rule may hold against the user.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass, field

_STARS = {
    "mac.types": ("InferenceData", "PythonStep", "Dict", "Callable", "Enum", "npt"),
    "typing": ("Dict", "List", "Any", "Optional", "Union", "Callable", "Tuple", "Set"),
    "numpy": (),
}
_BUILTINS = frozenset(dir(builtins)) | {"__file__", "__name__", "__doc__", "__spec__", "__loader__", "__package__"}


@dataclass(frozen=True)
class Path:
    """A thing by its full name: `mac.types.InferenceData`, `builtins.dict`, `typing.Dict[builtins.str, …]`."""

    name: str


@dataclass(frozen=True)
class Text:
    """A string, where a type may be meant."""

    value: str


@dataclass(frozen=True)
class Missing:
    """A name that nothing defines: using it ends the import."""

    name: str


@dataclass(frozen=True)
class Other:
    """Something that is certainly no function: a class, a number, an instance. `what` says it to the user."""

    what: str
    line: int


@dataclass(frozen=True)
class Unknown:
    """Something that the text does not tell."""


UNKNOWN = Unknown()


@dataclass(frozen=True)
class Function:
    """A function as written, with what its annotations stood for at that place."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    annotations: tuple[tuple[str, Value], ...] = ()
    returns: Value | None = None
    decorators: tuple[Value, ...] = ()


@dataclass(frozen=True)
class Imported:
    """An import that every import of the file runs. `guarded`: a failure is caught."""

    module: str
    level: int
    line: int
    guarded: bool
    names: tuple[str, ...] = ()


Value = Path | Text | Missing | Other | Unknown | Function


@dataclass
class Scope:
    """The names of a module at its end, its imports, and what ends the import of the file."""

    names: dict[str, Value] = field(default_factory=dict)
    imports: list[Imported] = field(default_factory=list)
    missing: list[tuple[str, int]] = field(default_factory=list)
    exits: list[int] = field(default_factory=list)
    open: bool = False
    postponed: bool = False

    def value(self, name: str) -> Value:
        if name in self.names:
            return self.names[name]
        if name in _BUILTINS:
            return Path(f"builtins.{name}")
        return UNKNOWN if self.open else Missing(name)


def read_module(tree: ast.Module) -> Scope:
    """Follow a file from its first statement to its last."""
    scope = Scope()
    _run(tree.body, scope, guarded=False)
    return scope


def resolve(node: ast.expr, scope: Scope) -> Value:
    """What an expression stands for, as far as types go."""
    if isinstance(node, ast.Name):
        return scope.value(node.id)
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            return Text(node.value)
        return Path(f"builtins.{type(node.value).__name__}")
    if isinstance(node, ast.Attribute):
        return _inside(resolve(node.value, scope), node.attr)
    if isinstance(node, ast.Subscript):
        return _subscript(node, scope)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _all([resolve(node.left, scope), resolve(node.right, scope)], "typing.Union")
    if isinstance(node, ast.Lambda):
        return Function(node)
    if isinstance(node, (ast.List, ast.Dict, ast.Set, ast.Tuple, ast.JoinedStr)):
        return Other("a value", node.lineno)
    if isinstance(node, ast.Call):
        called = resolve(node.func, scope)
        return Other("an object", node.lineno) if isinstance(called, Other) and called.what == "a class" else UNKNOWN
    return UNKNOWN


def _inside(value: Value, name: str) -> Value:
    if isinstance(value, (Path, Missing)):
        return value if isinstance(value, Missing) else Path(f"{value.name}.{name}")
    return UNKNOWN


def _subscript(node: ast.Subscript, scope: Scope) -> Value:
    inside = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    base = resolve(node.value, scope)
    if not isinstance(base, Path):
        return base if isinstance(base, Missing) else UNKNOWN
    return _all([resolve(each, scope) for each in inside], base.name)


def _all(parts: list[Value], base: str) -> Value:
    """A generic of parts; a name that is missing in one is missing in the whole."""
    for part in parts:
        if isinstance(part, Missing):
            return part
    names = []
    for part in parts:
        if isinstance(part, Path):
            names.append(part.name)
        elif isinstance(part, Text):
            names.append(repr(part.value))
        else:
            return UNKNOWN
    return Path(f"{base}[{', '.join(names)}]")


def _run(body: list[ast.stmt], scope: Scope, *, guarded: bool) -> None:
    for statement in body:
        _step(statement, scope, guarded=guarded)


def _step(statement: ast.stmt, scope: Scope, *, guarded: bool) -> None:
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        _import(statement, scope, guarded=guarded)
    elif isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
        scope.names[statement.name] = _function(statement, scope)
    elif isinstance(statement, ast.ClassDef):
        scope.names[statement.name] = Other("a class", statement.lineno)
    elif isinstance(statement, ast.Assign):
        value = _assigned(statement.value, scope)
        for target in statement.targets:
            _bind(target, value, scope)
    elif isinstance(statement, ast.AnnAssign):
        if statement.value is not None:
            _bind(statement.target, resolve(statement.value, scope), scope)
    elif isinstance(statement, ast.Delete):
        for target in statement.targets:
            if isinstance(target, ast.Name):
                scope.names.pop(target.id, None)
    elif isinstance(statement, ast.If):
        _if(statement, scope, guarded=guarded)
    elif isinstance(statement, ast.Try) or type(statement).__name__ == "TryStar":
        _try(statement, scope)  # type: ignore[arg-type]  # TryStar has the same fields and came in Python 3.11
    elif isinstance(statement, (ast.With, ast.AsyncWith)):
        for item in statement.items:
            if item.optional_vars is not None:
                _bind(item.optional_vars, UNKNOWN, scope)
        _run(statement.body, scope, guarded=guarded)
    elif isinstance(statement, (ast.For, ast.AsyncFor, ast.While)):
        if not isinstance(statement, ast.While):
            _bind(statement.target, UNKNOWN, scope)
        _run(statement.body, scope, guarded=True)
        _run(statement.orelse, scope, guarded=True)
    elif isinstance(statement, ast.Expr) and not guarded and _exits(statement.value, scope):
        scope.exits.append(statement.lineno)


def _assigned(node: ast.expr, scope: Scope) -> Value:
    """A value for a name: a number or None is no type there, whatever it may be inside an annotation."""
    if isinstance(node, ast.Constant) and not isinstance(node.value, str):
        return Other(repr(node.value), node.lineno)
    return resolve(node, scope)


def _import(statement: ast.Import | ast.ImportFrom, scope: Scope, *, guarded: bool) -> None:
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            scope.imports.append(Imported(alias.name, 0, statement.lineno, guarded))
            bound = alias.name if alias.asname else alias.name.partition(".")[0]
            scope.names[alias.asname or bound] = Path(bound)
        return
    module = statement.module or ""
    names = tuple(alias.name for alias in statement.names)
    if module == "__future__":
        scope.postponed |= "annotations" in names
        return
    scope.imports.append(Imported(module, statement.level, statement.lineno, guarded, names))
    for alias in statement.names:
        if alias.name == "*":
            scope.open |= module != "mac.types"
            for name in _STARS.get(module, ()):
                scope.names[name] = Path(f"{module}.{name}")
        elif statement.level:
            scope.names[alias.asname or alias.name] = UNKNOWN
        else:
            scope.names[alias.asname or alias.name] = Path(f"{module}.{alias.name}")


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> Function:
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, arguments.vararg, *arguments.kwonlyargs, arguments.kwarg]
    annotations = [
        (each.arg, resolve(each.annotation, scope))
        for each in every
        if each is not None and each.annotation is not None
    ]
    returns = resolve(node.returns, scope) if node.returns is not None else None
    if not scope.postponed:
        for _, value in (*annotations, ("return", returns)):
            if isinstance(value, Missing):
                scope.missing.append((value.name, node.lineno))
    decorators = tuple(
        resolve(each.func if isinstance(each, ast.Call) else each, scope) for each in node.decorator_list
    )
    return Function(node, tuple(annotations), returns, decorators)


def _bind(target: ast.expr, value: Value, scope: Scope) -> None:
    if isinstance(target, ast.Name):
        scope.names[target.id] = UNKNOWN if isinstance(value, Missing) else value
    elif isinstance(target, (ast.Tuple, ast.List)):
        for each in target.elts:
            _bind(each, UNKNOWN, scope)
    elif isinstance(target, ast.Starred):
        _bind(target.value, UNKNOWN, scope)


def _if(statement: ast.If, scope: Scope, *, guarded: bool) -> None:
    taken = _constant(statement.test)
    if taken is not None:
        _run(statement.body if taken else statement.orelse, scope, guarded=guarded)
        return
    before = dict(scope.names)
    _run(statement.body, scope, guarded=True)
    first = scope.names
    scope.names = before
    _run(statement.orelse, scope, guarded=True)
    for name, value in first.items():
        if scope.names.get(name, value) != value:
            value = UNKNOWN  # noqa: PLW2901 - the two branches differ
        scope.names[name] = value


def _constant(test: ast.expr) -> bool | None:
    """Whether a branch is taken, where that is certain."""
    if isinstance(test, ast.Constant):
        return bool(test.value)
    name = test.id if isinstance(test, ast.Name) else test.attr if isinstance(test, ast.Attribute) else ""
    if name == "TYPE_CHECKING":
        return False
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = _constant(test.operand)
        return None if inner is None else not inner
    main = isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"
    if main and isinstance(test.ops[0], ast.Eq):  # type: ignore[attr-defined]  # main says that it is a Compare
        return False
    return None


def _try(statement: ast.Try, scope: Scope) -> None:
    """What is tried is taken to succeed; names that only a handler binds cannot be told."""
    before = set(scope.names)
    guarded = bool(statement.handlers)
    _run(statement.body, scope, guarded=guarded)
    _run(statement.orelse, scope, guarded=guarded)
    for handler in statement.handlers:
        aside = Scope(names=dict(scope.names))
        _run(handler.body, aside, guarded=True)
        for name in set(aside.names) - set(scope.names):
            scope.names[name] = UNKNOWN
        for name in (set(aside.names) - before) & set(scope.names):
            value = aside.names[name]
            if isinstance(value, Function) != isinstance(scope.names[name], Function):
                scope.names[name] = UNKNOWN
    _run(statement.finalbody, scope, guarded=guarded)


def _exits(call: ast.expr, scope: Scope) -> bool:
    if not isinstance(call, ast.Call):
        return False
    called = resolve(call.func, scope)
    return isinstance(called, Path) and called.name in {
        "sys.exit", "builtins.exit", "builtins.quit", "setuptools.setup", "distutils.core.setup",
    }  # fmt: skip


def uses_path(tree: ast.Module) -> bool:
    """Whether a file changes where modules are looked for: what it can import cannot be told then."""
    return any(_changes_path(node) for node in ast.walk(tree))


def _changes_path(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute) and node.attr == "path" and isinstance(node.value, ast.Name):
        return node.value.id == "sys"
    named: Iterator[str] = iter(())
    if isinstance(node, ast.Import):
        named = (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        named = (f"{node.module}.{alias.name}" for alias in node.names)
    return any(
        name in {"sys.path", "site", "importlib.util", "runpy"} or name.startswith("importlib.") for name in named
    )
