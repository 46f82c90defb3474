"""The documentation of the table's keys: the texts that stand under the model's fields."""

from __future__ import annotations

import ast
import inspect
from functools import cache


@cache
def field_docs(table: type) -> dict[str, str]:
    """For each field of a dataclass the text under it, on one line. Reads the class's source."""
    body = ast.parse(inspect.getsource(table)).body[0]
    assert isinstance(body, ast.ClassDef)  # noqa: S101 - the source of a class
    docs = {}
    for field, text in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            docs[field.target.id] = " ".join(str(ast.literal_eval(text.value)).split())
    return docs


def table_doc(table: type) -> str:
    """A dataclass's own text, on one line."""
    return " ".join((table.__doc__ or "").split())
