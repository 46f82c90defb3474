"""Names, attributes and paths, followed to what they stand for."""

from __future__ import annotations

import ast
import builtins
import posixpath
from collections.abc import Iterator

from hatch_wallaroo.python.values import UNKNOWN, Expression, External, Folder, Module, OwnClass, Scope, Value, several

OUTSIDE = ".."
"""Stands for any folder outside the bundle, where none of its modules is."""

_DEEPEST = 50
_BUILTINS = frozenset(dir(builtins))
_SAME_PATH = frozenset(
    {
        "os.path.abspath", "os.path.realpath", "os.path.normpath", "os.fspath", "builtins.str",
        "pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath", "pathlib.PurePosixPath",
    }
)  # fmt: skip
_SAME_METHODS = frozenset({"resolve", "absolute", "as_posix", "expanduser", "__str__", "__fspath__"})


def lookup(name: str, scope: Scope) -> tuple[Value, ...]:
    """What a name may stand for; Unknown where it is not bound anywhere that we see."""
    for names in scope.chain:
        if name in names:
            return names[name].values
    if name == "__file__":
        return (Folder(scope.module.file.path),)
    if name in _BUILTINS:
        return (External(f"builtins.{name}"),)
    return (UNKNOWN,)


def values_of(node: ast.expr, scope: Scope, depth: int = 0) -> tuple[Value, ...]:
    """What an expression may stand for: names and attributes are followed, anything else stays an expression."""
    if depth > _DEEPEST:
        return (UNKNOWN,)
    if isinstance(node, ast.Name):
        found = lookup(node.id, scope)
        return tuple(_aliased(each, depth) for each in found)
    if node in scope.results:
        return scope.results[node]
    if isinstance(node, ast.Attribute):
        return several(
            inner for each in values_of(node.value, scope, depth + 1) for inner in _attribute(each, node, scope, depth)
        )
    path = folder_of(node, scope, depth)
    return (Folder(path),) if path is not None else (Expression(node, scope),)


def value_of(node: ast.expr, scope: Scope, depth: int = 0) -> Value:
    """The one thing that an expression stands for; Unknown where it may be several."""
    found = values_of(node, scope, depth)
    return found[0] if len(found) == 1 else UNKNOWN


def external_name(node: ast.expr, scope: Scope, depth: int = 0) -> str:
    """The dotted name of something outside the bundle (`sys.path`, `builtins.property`), `""` for anything else."""
    value = value_of(node, scope, depth)
    return value.name if isinstance(value, External) else ""


def _aliased(value: Value, depth: int) -> Value:
    """Follow `Base = Inference`."""
    if not isinstance(value, Expression) or not isinstance(value.node, (ast.Name, ast.Attribute)):
        return value
    known = value.known
    if known.alias is None:
        known.alias = ()
        inner = values_of(value.node, value.scope, depth + 1)
        known.alias = (inner[0] if len(inner) == 1 else value,)
    return known.alias[0] if known.alias else value


def _attribute(value: Value, node: ast.Attribute, scope: Scope, depth: int) -> Iterator[Value]:
    if isinstance(value, External):
        yield External(scope.module.library.canonical(f"{value.name}.{node.attr}"))
    elif isinstance(value, Module):
        bound = value.names.get(node.attr)
        yield from (_aliased(each, depth) for each in bound.values) if bound else (UNKNOWN,)
    elif isinstance(value, OwnClass):
        bound = value.members.get(node.attr)
        yield from bound.values if bound else (Expression(node, scope),)
    else:
        path = folder_of(node, scope, depth)
        yield Folder(path) if path is not None else Expression(node, scope)


def text_of(node: ast.expr, scope: Scope, depth: int = 0) -> str | None:
    """The text, or the relative path, that an expression made of constants gives; None for anything else."""
    if depth > _DEEPEST:
        return None
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, (ast.Name, ast.Attribute)):
        value = value_of(node, scope, depth + 1)
        if not isinstance(value, Expression) or value.node is node:
            return None
        known = value.known
        if known.text is None:
            known.text = ()
            known.text = (text_of(value.node, value.scope, depth + 1),)
        return known.text[0] if known.text else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Div)):
        left, right = text_of(node.left, scope, depth + 1), text_of(node.right, scope, depth + 1)
        if left is None or right is None:
            return None
        return left + right if isinstance(node.op, ast.Add) else posixpath.join(left, right)
    if isinstance(node, ast.JoinedStr):
        inner = [each.value if isinstance(each, ast.FormattedValue) else each for each in node.values]
        return _joined_texts(inner, "", scope, depth)
    if not isinstance(node, ast.Call):
        return None
    if isinstance(node.func, ast.Attribute) and node.func.attr in _SAME_METHODS | {"joinpath"}:
        return _joined_texts([node.func.value, *node.args], "/", scope, depth)
    name = external_name(node.func, scope, depth + 1)
    return _joined_texts(node.args, "/", scope, depth) if name == "os.path.join" or name in _SAME_PATH else None


def _joined_texts(nodes: list[ast.expr], between: str, scope: Scope, depth: int) -> str | None:
    found = [text_of(each, scope, depth + 1) for each in nodes]
    texts = [each for each in found if each is not None]
    return between.join(texts) if texts and len(texts) == len(found) else None


def folder_of(node: ast.expr, scope: Scope, depth: int = 0) -> str | None:
    """The path inside the bundle that an expression gives, made from `__file__` or from where the platform says that
    the bundle is; None for anything else.
    """
    if depth > _DEEPEST:
        return None
    if node in scope.results:
        found = scope.results[node]
        return found[0].path if len(found) == 1 and isinstance(found[0], Folder) else None
    if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)):
        return _named_folder(node, scope, depth)
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Div, ast.Add)):
        return _joined(node, scope, depth)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return _filled(node.left, "%s", node.right, scope, depth)
    if isinstance(node, ast.JoinedStr):
        return _formatted(node, scope, depth)
    if isinstance(node, ast.Call):
        return _called(node, scope, depth)
    return None


def _named_folder(node: ast.Name | ast.Attribute | ast.Subscript, scope: Scope, depth: int) -> str | None:
    if isinstance(node, ast.Name):
        found = lookup(node.id, scope)
        if len(found) != 1:
            return None
        if isinstance(found[0], Expression):
            return _assigned_folder(found[0], depth)
        return found[0].path if isinstance(found[0], Folder) else None
    if isinstance(node, ast.Attribute):
        return _up(folder_of(node.value, scope, depth + 1)) if node.attr == "parent" else None
    if isinstance(node.value, ast.Attribute) and node.value.attr == "parents":
        inner = folder_of(node.value.value, scope, depth + 1)
        index = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if inner is not None and isinstance(index, int) and 0 <= index < _DEEPEST:
            for _ in range(index + 1):
                inner = _up(inner)
            return inner
    return None


def _assigned_folder(expression: Expression, depth: int) -> str | None:
    known = expression.known
    if known.folder is None:
        known.folder = ()
        known.folder = (folder_of(expression.node, expression.scope, depth + 1),)
    return known.folder[0] if known.folder else None


def _joined(node: ast.BinOp, scope: Scope, depth: int) -> str | None:
    left, right = folder_of(node.left, scope, depth + 1), text_of(node.right, scope, depth + 1)
    if left is None or right is None:
        return None
    if isinstance(node.op, ast.Add):
        return _inside("", left + right) if right.startswith("/") else None
    return _inside(left, right)


def _formatted(node: ast.JoinedStr, scope: Scope, depth: int) -> str | None:
    if not node.values or not isinstance(node.values[0], ast.FormattedValue):
        return None
    start = folder_of(node.values[0].value, scope, depth + 1)
    rest = text_of(ast.JoinedStr(node.values[1:]), scope, depth + 1) if len(node.values) > 1 else ""
    return _followed(start, rest)


def _filled(template: ast.expr, gap: str, given: ast.expr, scope: Scope, depth: int) -> str | None:
    """`"%s/w.bin" % folder`, `"{}/w.bin".format(folder)`"""
    text = text_of(template, scope, depth + 1)
    if text is None or not text.startswith(gap) or gap[0] in text.removeprefix(gap):
        return None
    return _followed(folder_of(given, scope, depth + 1), text.removeprefix(gap))


def _followed(start: str | None, rest: str | None) -> str | None:
    """A path with a text right behind it."""
    if start is None or rest is None or (rest and not rest.startswith("/")):
        return None
    return _inside("", start + rest)


def _called(node: ast.Call, scope: Scope, depth: int) -> str | None:
    if isinstance(node.func, ast.Attribute) and node.func.attr in _SAME_METHODS | {"joinpath"}:
        inner = folder_of(node.func.value, scope, depth + 1)
        return inner if inner is None or node.func.attr != "joinpath" else _with_parts(inner, node.args, scope, depth)
    if not node.args:
        return None
    if isinstance(node.func, ast.Attribute) and node.func.attr == "with_name":
        inner = folder_of(node.func.value, scope, depth + 1)
        return _with_parts(_up(inner) or "", node.args, scope, depth) if inner else None
    if isinstance(node.func, ast.Attribute) and node.func.attr == "format" and len(node.args) == 1:
        return _filled(node.func.value, "{}", node.args[0], scope, depth)
    called = external_name(node.func, scope, depth + 1)
    first = folder_of(node.args[0], scope, depth + 1)
    if first is None:
        return None
    if called == "os.path.dirname":
        return _up(first)
    if called == "os.path.join" or (called in _SAME_PATH and called.startswith("pathlib.")):
        return _with_parts(first, node.args[1:], scope, depth)
    return first if called in _SAME_PATH else None


def _with_parts(start: str, parts: list[ast.expr], scope: Scope, depth: int) -> str | None:
    inner: str | None = start
    for part in parts:
        text = text_of(part, scope, depth + 1)
        if inner is None or text is None:
            return None
        inner = _inside(inner, text)
    return inner


def _up(path: str | None) -> str | None:
    """The folder around a path; `..` for every place outside the bundle."""
    if path in {"", OUTSIDE}:
        return OUTSIDE
    return posixpath.dirname(path) if path is not None else None


def _inside(folder: str, part: str) -> str | None:
    """Join a path and a constant; None where the constant is an absolute path."""
    if folder and part.startswith("/"):
        return None
    if folder == OUTSIDE:
        return OUTSIDE
    joined = posixpath.normpath(posixpath.join(folder, part.lstrip("/")))
    if joined == ".":
        return ""
    return OUTSIDE if joined == ".." or joined.startswith("../") else joined
