"""What an import of the bundle's files would trip over, on record, and which handlers would catch it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hatch_wallaroo.python.source_files import SourceFile

FailureKind = Literal[
    "module",
    "absent",
    "path",
    "relative",
    "name",
    "undefined",
    "unbound",
    "exit",
    "raise",
    "variable",
    "syntax",
    "typing",
    "dataclass",
]
CATCHING: Mapping[FailureKind, frozenset[str]] = {
    "module": frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}),
    "absent": frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}),
    "path": frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}),
    "relative": frozenset({"ImportError", "Exception", "BaseException"}),
    "name": frozenset({"ImportError", "Exception", "BaseException"}),
    "undefined": frozenset({"NameError", "Exception", "BaseException"}),
    "unbound": frozenset({"NameError", "Exception", "BaseException"}),
    "typing": frozenset({"NameError", "Exception", "BaseException"}),
    "exit": frozenset({"SystemExit", "BaseException"}),
    "raise": frozenset({"Exception", "BaseException"}),
    "variable": frozenset({"KeyError", "LookupError", "Exception", "BaseException"}),
    "syntax": frozenset({"SyntaxError", "Exception", "BaseException"}),
    "dataclass": frozenset({"AttributeError", "Exception", "BaseException"}),
}
"""The exceptions whose handlers catch what each kind of event stands for."""


@dataclass(frozen=True, eq=False)
class ImportFailure:
    """One thing that an import would trip over. `sure`: it happens on every way; `lazy`: only when a function runs.

    `known`: where a module of the bundle is missing, those that are there.
    """

    kind: FailureKind
    file: SourceFile
    node: ast.AST
    detail: str
    sure: bool
    lazy: bool = False
    known: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class ImportUse:
    """A module outside the bundle that a file imports. `optional`: the code is ready for its absence."""

    module: str
    file: SourceFile
    node: ast.AST
    optional: bool
    lazy: bool
