"""Python source of a stranger's as a syntax tree, on every Python that we run on."""

from __future__ import annotations

import ast

from hatch_wallaroo.schema.python_tokens import LONGEST_CHAIN, scan


def parse(source: str | bytes) -> ast.Module:
    """The tree of a source. Executes nothing.

    Raises SyntaxError, ValueError (null bytes), MemoryError, and RecursionError for what is nested too deeply, which
    Python 3.10 would not survive.
    """
    # A chain takes at least an operator and an operand a link: most sources are shorter than that as a whole.
    if len(source) > 2 * LONGEST_CHAIN:
        text = source if isinstance(source, str) else source.decode("utf-8", "replace")
        if scan(text).chain > LONGEST_CHAIN:
            raise RecursionError("too many operators in a row")
    return ast.parse(source)
