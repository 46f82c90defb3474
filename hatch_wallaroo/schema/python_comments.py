"""Comments behind fields: the guide says `# optional` where Arrow has no word for it."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator

from hatch_wallaroo.schema.python_code import OPTIONAL


def optional_nodes(tree: ast.Module, text: str) -> frozenset[int]:
    """The identities of the expressions that make a field which a comment calls optional.

    A comment belongs to the field that ends last on its line; where none ends there, to the one that begins last.
    """
    lines = set(_optional_lines(text))
    if not lines:
        return frozenset()
    ending: dict[int, ast.expr] = {}
    beginning: dict[int, ast.expr] = {}
    for each in _makers(tree):
        last = each.end_lineno or each.lineno
        if last not in ending or _end(each) > _end(ending[last]):
            ending[last] = each
        if each.lineno not in beginning or each.col_offset > beginning[each.lineno].col_offset:
            beginning[each.lineno] = each
    found = (ending.get(line) or beginning.get(line) for line in lines)
    return frozenset(id(each) for each in found if each is not None)


def _end(node: ast.expr) -> tuple[int, int]:
    return node.end_col_offset or 0, -node.col_offset


def _optional_lines(text: str) -> Iterator[int]:
    """The lines with such a comment, as far as the text can be read."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and token.string.lstrip("# ").lower().startswith(OPTIONAL):
                yield token.start[0]
    except (tokenize.TokenError, SyntaxError):
        return


def _makers(tree: ast.Module) -> Iterator[ast.expr]:
    """What may make a field: calls of a function of that name, or imported from pyarrow as another, and tuples."""
    names = {"field"}
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module="pyarrow"):
                names |= {each.asname or each.name for each in node.names if each.name == "field"}
            case ast.Call(func=ast.Attribute(attr="field")) | ast.Tuple(elts=[ast.Constant(value=str()), *_]):
                yield node
            case ast.Call(func=ast.Name(id=name)) if name in names:
                yield node
