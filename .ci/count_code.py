"""How large the package is: modules, and lines of code without blanks, comments and docstrings, by folder.

    python .ci/count_code.py [FOLDER]

A figure to look at, not a gate.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections import Counter
from pathlib import Path

_NO_CODE = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def code_lines(text: str) -> int:
    """Lines of a module that hold code: what documents a module, class or function is none, a text elsewhere is."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            lines.difference_update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return len(lines)


def main() -> None:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1] / "hatch_wallaroo")
    modules: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    for path in root.rglob("*.py"):
        folder = "/".join(path.relative_to(root).parts[:1]) if path.parent != root else "."
        modules[folder] += 1
        lines[folder] += code_lines(path.read_text(encoding="utf-8"))
    print(f"{'folder':<16}{'modules':>8}{'lines':>8}")
    for folder in sorted(modules):
        print(f"{folder:<16}{modules[folder]:>8}{lines[folder]:>8,}")
    print(f"{'all':<16}{modules.total():>8}{lines.total():>8,}")


if __name__ == "__main__":
    main()
