"""Parses a stranger's Python source into a syntax tree, on every Python that we run on. Nothing of it is run.

Python 3.10 does not survive a tree of a hundred thousand levels, which is what as many sums in a row make: such
chains are found among the tokens, before a tree is made.
"""

from __future__ import annotations

import ast
import io
import tokenize

LONGEST_CHAIN = 10_000
"""Operators, dots and brackets in a row: `a + b + c`, `a.b.c`, `f()()()`."""


def parse(source: str | bytes) -> ast.Module:
    """The tree of a source.

    Raises SyntaxError, ValueError (null bytes), MemoryError, and RecursionError for what is nested too deeply.
    """
    # A chain takes at least an operator and an operand a link: most sources are shorter than that as a whole.
    if len(source) > 2 * LONGEST_CHAIN:
        text = source if isinstance(source, str) else source.decode("utf-8", "replace")
        if _has_long_chain(text):
            raise RecursionError("too many operators in a row")
    return ast.parse(source)


def _has_long_chain(text: str) -> bool:
    """Whether a chain is too long, as far as the tokens can be read."""
    counts = [0]
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.OP:
                _count(token.string, counts)
                if counts[-1] > LONGEST_CHAIN:
                    return True
            elif token.type == tokenize.NEWLINE:
                counts = [0]
    except (tokenize.TokenError, SyntaxError):
        pass
    return False


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
