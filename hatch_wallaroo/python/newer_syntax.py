"""Syntax, and use of types at import, that the platform's Python does not know."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hatch_wallaroo.findings import Finding, Level, rule
from hatch_wallaroo.python.expressions import external_name, value_of
from hatch_wallaroo.python.known_names import generic, spelt
from hatch_wallaroo.python.source_files import SourceFile
from hatch_wallaroo.python.statements import caught, immediate
from hatch_wallaroo.python.values import Expression, Module, OwnClass, Scope

NEWER = rule(
    "WLR552",
    "Python that is newer than the platform's",
    why="The code runs on the platform's Python, whatever Python builds the bundle: a SyntaxError or TypeError there "
    "ends the conversion.",
    source="Python's documentation of what is new; mac 2023.2.1 run on Python 3.8",
)

_KEYWORDS = {
    "builtins.zip": {"strict": (3, 10)},
    "dataclasses.dataclass": {"slots": (3, 10), "kw_only": (3, 10), "match_args": (3, 10)},
    "dataclasses.field": {"kw_only": (3, 10)},
    "logging.basicConfig": {"encoding": (3, 9), "errors": (3, 9)},
}

_CATCHING = frozenset({"TypeError", "Exception", "BaseException"})
_BUILTIN_TYPES = frozenset(
    f"builtins.{name}"
    for name in (
        "int", "float", "str", "bytes", "bool", "complex", "list", "dict", "set", "tuple", "frozenset", "object",
    )
)  # fmt: skip


@dataclass(frozen=True)
class Use:
    """Something that needs a Python: where, what it is called, since when, and what to write before."""

    node: ast.AST
    what: str
    since: tuple[int, int]
    instead: str


def newer(module: Module, python: tuple[int, int], platform: str) -> list[Finding]:
    """Findings for a file that the platform imports; `platform` is its Python as the release's data has it."""
    file = module.file
    if file.tree is None:
        return []
    scope = Scope(module)
    found: dict[tuple[int, str], Finding] = {}
    syntax = [*_syntax(file.tree, file.text.splitlines()), *_inner_comprehensions(file.tree), *_text(file)]
    for use, level in (
        *((use, Level.ERROR) for use in (*syntax, *_types(file, scope))),
        *((use, Level.WARNING) for use in (*_late(file, scope, python), *_merged_in_place(file.tree))),
    ):
        if use.since > python:
            found.setdefault((getattr(use.node, "lineno", 0), use.what), _finding(file, use, level, platform))
    return list(found.values())


def _finding(file: SourceFile, use: Use, level: Level, platform: str) -> Finding:
    since = ".".join(str(part) for part in use.since)
    return NEWER.finding(
        f"{file.label} has {use.what}, which needs Python {since}; the platform runs {platform}",
        fix=use.instead,
        place=file.place(use.node),
        level=level,
    )


def _syntax(tree: ast.Module, lines: list[str]) -> Iterator[Use]:
    """Nodes that only a newer grammar gives."""
    for node in ast.walk(tree):
        name = type(node).__name__
        if isinstance(node, ast.Match):
            yield Use(node, "a match statement", (3, 10), "write it as if and elif")
        elif name == "TryStar":
            yield Use(node, "except*", (3, 11), "catch the exceptions with except")
        elif name == "TypeAlias":
            yield Use(node, "a type statement", (3, 12), "assign the type to a name")
        elif getattr(node, "type_params", None):
            yield Use(node, "type parameters in brackets", (3, 12), "use typing.TypeVar and typing.Generic")
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            for each in node.decorator_list:
                if not _plain_decorator(each):
                    yield Use(each, "a decorator that is an expression", (3, 9), "assign it to a name first")
        for inner in _bare_walruses(node, lines):
            yield Use(inner, "a walrus in an index or a set without parentheses", (3, 10), "put it into parentheses")
        if isinstance(node, ast.Subscript) and _starred(node):
            yield Use(node, "an unpacking inside brackets", (3, 11), "put the index into a tuple: x[(*a, b)]")
        if isinstance(node, ast.arg) and isinstance(node.annotation, ast.Starred):
            yield Use(node, "an unpacked annotation", (3, 11), "use typing_extensions.Unpack")


def _bare_walruses(node: ast.AST, lines: list[str]) -> Iterator[ast.expr]:
    inner = [node.slice] if isinstance(node, ast.Subscript) else node.elts if isinstance(node, ast.Set) else []
    for each in inner:
        if isinstance(each, ast.NamedExpr):
            before = lines[each.lineno - 1].encode()[: each.col_offset] if each.lineno <= len(lines) else b""
            if not before.rstrip().endswith(b"("):
                yield each


def _inner_comprehensions(tree: ast.Module) -> Iterator[Use]:
    """Asynchronous comprehensions inside of plain ones, which had to be asynchronous themselves."""
    kinds = (ast.ListComp, ast.SetComp, ast.DictComp)
    for outer in ast.walk(tree):
        if not isinstance(outer, (*kinds, ast.GeneratorExp)) or any(each.is_async for each in outer.generators):
            continue
        first = {id(each) for each in ast.walk(outer.generators[0].iter)}  # evaluated outside of the comprehension
        for inner in ast.walk(outer):
            if isinstance(inner, kinds) and id(inner) not in first and any(each.is_async for each in inner.generators):
                yield Use(inner, "an asynchronous comprehension inside of a plain one", (3, 11), "write a loop")


def _plain_decorator(node: ast.expr) -> bool:
    """Whether it is a dotted name, or a call of one, which is all that Python 3.8 takes."""
    if isinstance(node, ast.Call):
        node = node.func
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _starred(node: ast.Subscript) -> bool:
    inner = node.slice
    if not isinstance(inner, ast.Tuple):
        return False
    # A tuple in parentheses begins before its first element.
    return bool(inner.elts) and isinstance(inner.elts[0], ast.Starred) and inner.col_offset == inner.elts[0].col_offset


def _text(file: SourceFile) -> Iterator[Use]:
    """What the tree no longer shows: parentheses around context managers, quotes inside f-strings."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(file.text).readline))
    except (tokenize.TokenError, SyntaxError, ValueError):
        return
    yield from _parenthesised(tokens)
    yield from _nested_strings(tokens)


def _at(token: tokenize.TokenInfo) -> ast.AST:
    return ast.Pass(lineno=token.start[0], col_offset=token.start[1])


def _parenthesised(tokens: list[tokenize.TokenInfo]) -> Iterator[Use]:
    for index, token in enumerate(tokens[:-1]):
        if token.type != tokenize.NAME or token.string != "with" or tokens[index + 1].string != "(":
            continue
        depth, several = 0, False
        for number in range(index + 1, len(tokens)):
            inner = tokens[number]
            depth += (inner.string in {"(", "[", "{"}) - (inner.string in {")", "]", "}"})
            several = several or (depth == 1 and inner.string == ",")
            named = depth == 1 and inner.type == tokenize.NAME and inner.string == "as"
            if named or (depth == 0 and several and tokens[number + 1].string == ":"):
                yield Use(_at(token), "parentheses around context managers", (3, 9), "write one with inside the other")
            if named or depth == 0:
                break


def _nested_strings(tokens: list[tokenize.TokenInfo]) -> Iterator[Use]:
    """Before Python 3.12 an f-string ends at its own quote, and holds no backslash in its braces.

    Seen where the Python that reads splits f-strings into tokens (3.12 on); an older one refuses them itself.
    """
    start, end = getattr(tokenize, "FSTRING_START", None), getattr(tokenize, "FSTRING_END", None)
    if start is None:
        return
    quotes: list[str] = []
    for token in tokens:
        if token.type == start:
            quote = token.string.lstrip("rRfFbBuU")
            if quote in quotes:
                yield Use(
                    _at(token),
                    "an f-string with its own quotes inside",
                    (3, 12),
                    "use the other quotes inside the braces",
                )
            quotes.append(quote)
        elif token.type == end:
            quotes.pop()
        elif token.type == tokenize.STRING and quotes:
            body = token.string.lstrip("rRfFbBuU")
            if body[:1] == quotes[-1] or body[:3] == quotes[-1]:
                yield Use(
                    _at(token),
                    "an f-string with its own quotes inside",
                    (3, 12),
                    "use the other quotes inside the braces",
                )
            elif "\\" in body:
                yield Use(
                    _at(token), "a backslash inside an f-string's braces", (3, 12), "assign the text to a name first"
                )


def _types(file: SourceFile, scope: Scope) -> Iterator[Use]:
    """Builtin generics and unions that are evaluated while the module is imported."""
    assert file.tree is not None  # noqa: S101 - newer() has looked
    for statement in _evaluated(file.tree.body, scope):
        for node, annotation in _marked(statement, postponed=file.postponed):
            yield from _typed(node, scope, annotation=annotation)


def _evaluated(body: Iterable[ast.stmt], scope: Scope) -> Iterator[ast.stmt]:
    """Statements that an import executes: class bodies and branches included, function bodies and
    what is for type checkers alone left out.
    """
    for statement in body:
        yield statement
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if isinstance(statement, ast.If):
            typing = any(
                isinstance(each, (ast.Name, ast.Attribute)) and "TYPE_CHECKING" in ast.dump(each)
                for each in ast.walk(statement.test)
            )
            versioned = "version_info" in ast.dump(statement.test)
            if not typing and not versioned:
                yield from _evaluated(statement.body, scope)
                yield from _evaluated(statement.orelse, scope)
            continue
        if isinstance(statement, ast.Try) and caught(statement.handlers, scope) & _CATCHING:
            continue
        for field in ("body", "orelse"):
            yield from _evaluated(getattr(statement, field, []), scope)


def _marked(statement: ast.stmt, *, postponed: bool) -> Iterator[tuple[ast.AST, bool]]:
    """The nodes that a statement evaluates, and whether each is part of an annotation."""
    plain = {id(each) for each in immediate(statement, annotations=False)}
    for node in immediate(statement, annotations=not postponed):
        yield node, id(node) not in plain


def _typed(node: ast.AST, scope: Scope, *, annotation: bool) -> Iterator[Use]:
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        yield from _subscript(node, scope, annotation=annotation)
    elif isinstance(node, ast.Call):
        yield from _keywords(node, scope)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        sides = (node.left, node.right)
        if isinstance(node.left, ast.Dict) or all(_is_dictionary(each, scope) for each in sides):
            yield Use(node, "dictionaries merged with |", (3, 9), "write {**a, **b}")
        elif annotation or any(_is_type(each, scope) for each in sides):
            union = f"the union {ast.unparse(node)} evaluated at import"
            yield Use(node, union, (3, 10), "write typing.Optional[…] or typing.Union[…]")


def _subscript(node: ast.Subscript, scope: Scope, *, annotation: bool) -> Iterator[Use]:
    name = external_name(node.value, scope)
    lifetime = generic(name)
    since = lifetime.ranges[0][0] if lifetime is not None else None
    if since is None:
        return
    ways = [f"write {spelt(name)}[…]"] if spelt(name) else []
    if annotation:
        ways.append("begin the file with `from __future__ import annotations`")
    short = name.removeprefix("builtins.").removeprefix("numpy.")
    instead = ", or ".join(ways or [f"write {short} without the brackets"])
    yield Use(node, f"{short}[…] evaluated at import", (since[0], since[1]), instead)


def _is_dictionary(node: ast.expr, scope: Scope) -> bool:
    """Whether an expression is certain to be a plain dictionary."""
    kinds = (ast.Dict, ast.DictComp)
    if isinstance(node, kinds):
        return True
    value = value_of(node, scope)
    return isinstance(value, Expression) and isinstance(value.node, kinds)


def _is_type(node: ast.expr, scope: Scope) -> bool:
    """Whether an expression is a class, or None, which stands for its type."""
    if isinstance(node, ast.Constant):
        return node.value is None
    return external_name(node, scope) in _BUILTIN_TYPES or isinstance(value_of(node, scope), OwnClass)


def _merged_in_place(tree: ast.Module) -> Iterator[Use]:
    """`a |= {…}`, which fails unless `a` is no plain dictionary."""
    for node in ast.walk(tree):
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.BitOr) and isinstance(node.value, ast.Dict):
            yield Use(node, "a dictionary merged with |=", (3, 9), "write a.update(b)")


def _keywords(node: ast.Call, scope: Scope) -> Iterator[Use]:
    since = _KEYWORDS.get(external_name(node.func, scope), {})
    for keyword in node.keywords:
        if keyword.arg in since:
            name = external_name(node.func, scope).rpartition(".")[2]
            yield Use(node, f"{name}({keyword.arg}=…)", since[keyword.arg], f"leave {keyword.arg} out")


def _late(file: SourceFile, scope: Scope, python: tuple[int, int]) -> Iterator[Use]:
    """What functions evaluate when they run, as far as it is certain: types in isinstance, arguments of calls."""
    if file.tree is None or python >= (3, 10):
        return
    for function in ast.walk(file.tree):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for node in _inside(function.body):
                if isinstance(node, ast.Subscript):
                    yield from _typed(node, scope, annotation=False)
                elif isinstance(node, ast.Call):
                    yield from _keywords(node, scope)
                    if external_name(node.func, scope) in {"builtins.isinstance", "builtins.issubclass"}:
                        yield from (use for each in node.args[1:] for use in _typed(each, scope, annotation=False))


def _inside(body: Iterable[ast.stmt]) -> Iterator[ast.AST]:
    for statement in body:
        yield from immediate(statement, annotations=False)
        for field in ("body", "orelse", "finalbody"):
            yield from _inside(getattr(statement, field, []))
        for handler in getattr(statement, "handlers", []):
            yield from _inside(handler.body)
