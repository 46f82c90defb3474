"""What statements at the top level do to the process: `sys.path`, environment variables, its end."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from hatch_wallaroo.python import statements
from hatch_wallaroo.python.expressions import external_name, folder_of, value_of
from hatch_wallaroo.python.imports import Importer
from hatch_wallaroo.python.values import External, Function, Scope

_LEAVING = frozenset({"sys.exit", "builtins.exit", "builtins.quit", "os._exit"})
_SETUP = frozenset({"setuptools.setup", "distutils.core.setup"})
_ANY_VARIABLE = "*"
_PATH_CALLS = frozenset({"sys.path.insert", "sys.path.append", "site.addsitedir", "sys.path.extend"})


def call(run: Importer, node: ast.Call, scope: Scope) -> None:
    """A call at the top level, for its effects: `sys.path`, leaving the process."""
    called = value_of(node.func, scope)
    if isinstance(called, Function):
        if called.node not in run.path_changers:
            run.path_changers[called.node] = any(
                isinstance(each, ast.Attribute) and external_name(each, called.scope) in {"sys.path", "site.addsitedir"}
                for each in ast.walk(called.node)
            )
        run.path_open = run.path_open or run.path_changers[called.node]
        return
    name = called.name if isinstance(called, External) else ""
    if name in _LEAVING or name in _SETUP:
        run.note("exit", scope.module.file, node, name)
    elif name in _PATH_CALLS:
        _path_extended(run, name, node, scope)
    elif name in {"importlib.import_module", "builtins.__import__"} and node.args:
        _imported_by_call(run, node, scope)
    elif name in {"builtins.exec", "builtins.globals", "builtins.vars", "builtins.setattr"}:
        scope.module.open = True
    elif name in {"os.chdir", "runpy.run_path"}:
        run.path_open = True


def _imported_by_call(run: Importer, node: ast.Call, scope: Scope) -> None:
    module = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
    if isinstance(module, str) and not module.startswith(".") and run.find(module) is None:
        run.outside(module, node, scope)


def _path_extended(run: Importer, name: str, node: ast.Call, scope: Scope) -> None:
    arguments = node.args[1:] if name == "sys.path.insert" else node.args
    if name == "sys.path.extend" and node.args and isinstance(node.args[0], (ast.List, ast.Tuple)):
        arguments = node.args[0].elts
    for argument in arguments:
        folder = folder_of(argument, scope)
        if folder is None:
            run.path_open = True
        elif folder not in run.path:
            run.path.insert(0 if name == "sys.path.insert" else len(run.path), folder)


def path_assigned(run: Importer, targets: Iterable[ast.expr], scope: Scope) -> None:
    """An assignment to `sys.path`: from then on it may hold anything."""
    for target in targets:
        inner = target.value if isinstance(target, ast.Subscript) else target
        if isinstance(inner, ast.Attribute) and external_name(inner, scope) == "sys.path":
            run.path_open = True


def variables_required(run: Importer, statement: ast.stmt, scope: Scope) -> None:
    """Environment variables that a statement requires, those aside that the code has set itself."""
    for node in statements.immediate(statement):
        if isinstance(node, ast.Subscript) and external_name(node.value, scope) == "os.environ":
            key = str(node.slice.value) if isinstance(node.slice, ast.Constant) else ""
            if not isinstance(node.ctx, ast.Load):
                run.variables.add(key)
            elif key not in run.variables and _ANY_VARIABLE not in run.variables:
                run.note("variable", scope.module.file, node, key)
        elif isinstance(node, ast.Call):
            called = external_name(node.func, scope)
            if (
                called in {"os.environ.setdefault", "os.putenv"}
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                run.variables.add(str(node.args[0].value))
            elif called in {"os.environ.update", "dotenv.load_dotenv"}:
                run.variables.add(_ANY_VARIABLE)
