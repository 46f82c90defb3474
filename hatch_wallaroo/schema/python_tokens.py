"""What a source's tokens tell before its syntax tree is made: which fields comments call optional, and chains too long.

Python 3.10 does not survive a tree of a hundred thousand levels, which is what as many sums in a row make.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field

from hatch_wallaroo.schema.python_code import OPTIONAL

LONGEST_CHAIN = 10_000
"""Operators, dots and brackets in a row: `a + b + c`, `a.b.c`, `f()()()`."""


@dataclass
class Tokens:
    """`optional`: the lines with a comment that begins with that word. `chain`: the longest."""

    optional: set[int] = field(default_factory=set)
    chain: int = 0


def scan(text: str) -> Tokens:
    """Look at the tokens, as far as they can be read, or until a chain is too long."""
    found = Tokens()
    counts = [0]
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and token.string.lstrip("# ").lower().startswith(OPTIONAL):
                found.optional.add(token.start[0])
            elif token.type == tokenize.OP:
                _count(token.string, counts)
                found.chain = max(found.chain, counts[-1])
                if found.chain > LONGEST_CHAIN:
                    return found
            elif token.type == tokenize.NEWLINE:
                counts = [0]
    except (tokenize.TokenError, SyntaxError):
        pass
    return found


def _count(operator: str, counts: list[int]) -> None:
    """The links of the chain at each depth of brackets; a comma or an assignment begins a new one."""
    if operator in {",", ";", ":", "="}:
        counts[-1] = 0
    elif operator in {")", "]", "}"}:
        if len(counts) > 1:
            counts.pop()
    else:
        counts[-1] += 1
        if operator in {"(", "[", "{"}:
            counts.append(0)


def optional_nodes(tree: ast.Module, lines: set[int]) -> frozenset[int]:
    """The identities of the expressions that make a field which a comment in one of these lines calls optional.

    A comment belongs to the field that ends last on its line; where none ends there, to the one that begins last.
    """
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
