"""Whether an annotation is, at run time, the dictionary of arrays that Wallaroo's validator asks for.

The validator looks at the annotation object: `typing.get_origin` must be `dict`, and the text
of the values' type must hold `ndarray` or `NDArray` (mac 2025.2.5 and 2026.1.3, type_validation).
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from hatch_wallaroo.frameworks.mac import DATA
from hatch_wallaroo.python.expressions import external_name, values_of
from hatch_wallaroo.python.values import Expression, External, OwnClass, Scope, Unknown, Value

_DICTS = frozenset({"typing.Dict", "builtins.dict", "typing_extensions.Dict"})
_ARRAYS = frozenset({"numpy.ndarray", "numpy.typing.NDArray"})
_KNOWN = ("typing.", "typing_extensions.", "builtins.", "collections.", "numpy.")
"""Where names come from of which all is known."""
_DEEPEST = 30


def is_arrays(node: ast.expr, scope: Scope, depth: int = 0) -> bool | None:
    """Whether an annotation passes; None where reading the code does not tell."""
    if depth > _DEEPEST:
        return None
    if isinstance(node, (ast.Constant, ast.BinOp)):
        return False
    if isinstance(node, ast.Subscript):
        return _subscript(node, scope, depth)
    if isinstance(node, ast.Call) and external_name(node.func, scope) == "typing.cast" and len(node.args) > 1:
        return is_arrays(node.args[1], scope, depth + 1)
    if isinstance(node, ast.Call):
        return False if external_name(node.func, scope).startswith(("typing.", "typing_extensions.")) else None
    verdicts = {_value_is_arrays(each, node, depth) for each in values_of(node, scope)}
    return verdicts.pop() if len(verdicts) == 1 else None


def _value_is_arrays(value: Value, node: ast.expr, depth: int) -> bool | None:
    if isinstance(value, External):
        if value.name == DATA:
            return True
        # An alias of another distribution may be such a dictionary.
        return False if value.name.startswith((*_KNOWN, "pandas.", "mac.")) else None
    if isinstance(value, Expression):
        return is_arrays(value.node, value.scope, depth + 1) if value.node is not node else None
    return None if isinstance(value, Unknown) else False


def _subscript(node: ast.Subscript, scope: Scope, depth: int) -> bool | None:
    bases = values_of(node.value, scope)
    if len(bases) != 1 or isinstance(bases[0], Unknown):
        return None
    base = bases[0]
    if isinstance(base, External) and base.name in {"typing.Union", "typing_extensions.Union"}:
        single = node.slice if not isinstance(node.slice, ast.Tuple) else None
        return is_arrays(single, scope, depth + 1) if single is not None else False
    if isinstance(base, Expression):
        return None
    if not isinstance(base, External):
        return False
    if base.name not in _DICTS:
        return False if base.name.startswith(_KNOWN) else None
    if not isinstance(node.slice, ast.Tuple) or len(node.slice.elts) != 2:  # noqa: PLR2004 - a key and a value
        return None
    return _mentions_array(node.slice.elts[1], scope, depth)


def _mentions_array(node: ast.expr, scope: Scope, depth: int) -> bool | None:
    """Whether the text of a type holds `ndarray`."""
    if depth > _DEEPEST:
        return None
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and ("ndarray" in node.value.lower() or "NDArray" in node.value)
    if isinstance(node, (ast.Subscript, ast.BinOp, ast.List, ast.Tuple)):
        inner = [each for each in ast.iter_child_nodes(node) if isinstance(each, ast.expr)]
        return _any(_mentions_array(each, scope, depth + 1) for each in inner)
    if isinstance(node, ast.Call) and external_name(node.func, scope).endswith((".NewType", ".TypeVar")):
        return bool(node.args) and _mentions_array(node.args[0], scope, depth + 1)
    return _any(_value_mentions(each, node, depth) for each in values_of(node, scope))


def _value_mentions(value: Value, node: ast.expr, depth: int) -> bool | None:
    if isinstance(value, External):
        if value.name in _ARRAYS or value.name == DATA or "ndarray" in value.name.lower():
            return True
        return False if value.name.startswith((*_KNOWN, "pandas.", "torch.", "pyarrow.")) else None
    if isinstance(value, Expression):
        return _mentions_array(value.node, value.scope, depth + 1) if value.node is not node else None
    if isinstance(value, OwnClass):
        return "ndarray" in f"{value.module}.{value.name}".lower()
    return None


def _any(verdicts: Iterable[bool | None]) -> bool | None:
    found = list(verdicts)
    if True in found:
        return True
    return None if None in found else False
