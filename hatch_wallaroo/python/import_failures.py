"""What an import of the bundle's files would trip over, on record, and which handlers would catch it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
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
    "perhaps_unbound",
    "exit",
    "raise",
    "variable",
    "syntax",
    "typing",
    "dataclass",
    "attribute",
    "read_only",
    "file",
    "mentioned_file",
    "relative_file",
    "absolute_file",
    "model_type",
    "arguments",
    "unregistered",
    "metadata",
]
_OSERRORS = frozenset({"FileNotFoundError", "OSError", "IOError", "EnvironmentError", "Exception", "BaseException"})
CATCHING: Mapping[FailureKind, frozenset[str]] = {
    "module": frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}),
    "absent": frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}),
    "path": frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}),
    "relative": frozenset({"ImportError", "Exception", "BaseException"}),
    "name": frozenset({"ImportError", "Exception", "BaseException"}),
    "undefined": frozenset({"NameError", "Exception", "BaseException"}),
    "unbound": frozenset({"NameError", "Exception", "BaseException"}),
    "perhaps_unbound": frozenset({"NameError", "Exception", "BaseException"}),
    "typing": frozenset({"NameError", "Exception", "BaseException"}),
    "exit": frozenset({"SystemExit", "BaseException"}),
    "raise": frozenset({"Exception", "BaseException"}),
    "variable": frozenset({"KeyError", "LookupError", "Exception", "BaseException"}),
    "syntax": frozenset({"SyntaxError", "Exception", "BaseException"}),
    "dataclass": frozenset({"AttributeError", "Exception", "BaseException"}),
    "attribute": frozenset({"AttributeError", "Exception", "BaseException"}),
    "read_only": frozenset({"AttributeError", "Exception", "BaseException"}),
    "file": _OSERRORS,
    "mentioned_file": _OSERRORS | {"ValueError", "TypeError"},
    "relative_file": _OSERRORS,
    "absolute_file": _OSERRORS,
    "arguments": frozenset({"TypeError", "Exception", "BaseException"}),
    "unregistered": frozenset({"KeyError", "LookupError", "Exception", "BaseException"}),
    "metadata": frozenset({"PackageNotFoundError", "ImportError", "ModuleNotFoundError", "Exception", "BaseException"}),
    "model_type": frozenset({"TypeError", "Exception", "BaseException"}),
}
"""The exceptions whose handlers catch what each kind of event stands for."""
NAMES: frozenset[FailureKind] = frozenset({"undefined", "unbound", "perhaps_unbound", "typing"})
FILES: frozenset[FailureKind] = frozenset({"file", "mentioned_file", "relative_file", "absolute_file"})
"""What is wrong with a path."""
NOT_LATER: frozenset[FailureKind] = frozenset({"variable", "raise", "exit", "read_only", "model_type", "dataclass"})
"""What is of no interest in a function of which nobody can say whether it is called."""


@dataclass(frozen=True, eq=False)
class ImportFailure:
    """One thing that an import would trip over. `sure`: it happens on every way; `lazy`: only when a function runs.

    `known`: where a module or a file of the bundle is missing, those that are there. `during` says what the platform
    does then, nothing for an import. `caught` are the exceptions whose handlers catch a `raise`, None for any.
    """

    kind: FailureKind
    file: SourceFile
    node: ast.AST
    detail: str
    sure: bool
    lazy: bool = False
    known: tuple[str, ...] = ()
    during: str = ""
    caught: frozenset[str] | None = None

    def is_caught(self, catching: AbstractSet[str]) -> bool:
        """Whether handlers for exceptions of these names catch it."""
        if self.kind == "raise":
            return bool(catching) if self.caught is None else bool(self.caught & catching)
        return bool(CATCHING[self.kind] & catching)


@dataclass(frozen=True, eq=False)
class ImportUse:
    """A module outside the bundle that a file imports. `optional`: the code is ready for its absence."""

    module: str
    file: SourceFile
    node: ast.AST
    optional: bool
    lazy: bool
