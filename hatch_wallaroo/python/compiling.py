"""Which files no Python takes: what the parser refuses, and what only the compiler after it does.

A tree alone does not tell: `return` outside a function, a late `from __future__`, `nonlocal` at the top and the like
parse, and fail when Python compiles them. The Python that reads is newer than the platform's; what only a newer one
accepts is told by `newer_syntax`.
"""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from dataclasses import dataclass
from typing import Literal

from hatch_wallaroo.parsing import parse


@dataclass(frozen=True)
class Problem:
    """Why a file cannot be imported by any Python; line and column from 1, None where Python names none."""

    kind: Literal["syntax", "encoding", "bounds"]
    message: str
    line: int | None = None
    column: int | None = None


def compiled(source: bytes) -> tuple[ast.Module | None, Problem | None]:
    """The tree of a file's bytes, or why there is none. Executes nothing, and says nothing of warnings."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = parse(source)
            _compile(tree)
    except SyntaxError as error:
        return None, _syntax(error)
    except ValueError:
        return None, Problem("bounds", "it holds null bytes")
    except (RecursionError, MemoryError):
        return None, Problem("bounds", "it is nested too deeply")
    return tree, None


def source_text(source: bytes) -> str:
    """The text of a file in the encoding that it declares; bytes that are none of it become `U+FFFD`."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        return source.decode(encoding, "replace")
    except (SyntaxError, LookupError):
        return source.decode("utf-8", "replace")


def _compile(tree: ast.Module) -> None:
    try:
        compile(tree, "<file>", "exec", dont_inherit=True)
    except (RecursionError, MemoryError):
        # How deep the compiler goes depends on who calls it: nothing is known of the platform's.
        return


def _syntax(error: SyntaxError) -> Problem:
    message = (error.msg or "invalid syntax").split("\n")[0]
    if "null bytes" in message:
        return Problem("bounds", "it holds null bytes")
    # An encoding that Python does not know gives line 0 or -1.
    line = error.lineno if error.lineno and error.lineno > 0 else None
    column = error.offset if line and error.offset and error.offset > 0 else None
    return Problem("encoding" if "encoding" in message or "codec" in message else "syntax", message, line, column)
