"""How to mend a path at which the platform has no file: what to write instead, in the layout at hand."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from hatch_wallaroo.frameworks.base import ARTIFACTS
from hatch_wallaroo.python.import_failures import FILES, FailureKind, ImportFailure

_PROJECT = "the project"
_PLAIN = re.compile(r"(?![/~])(?!.*\.\.)(?!.*[\\:]).+")
"""A relative path that can be joined to a folder as it stands."""


@dataclass(frozen=True)
class Start:
    """What the user's code can begin a path at: an expression that stands for a `folder` of the bundle.

    `during`: when the code has it at hand, None for always; `elsewhere` says what to do at other times. `bring` says
    how a file comes into the bundle, where it then lies below `home`, under its path in `source`.
    """

    expression: str
    folder: str
    bring: str = "declare {} in `artifacts`"
    home: str = ARTIFACTS
    source: str = _PROJECT
    during: str | None = None
    elsewhere: str = ""

    def to(self, path: str) -> str:
        """The expression for a path in the bundle."""
        parts = posixpath.relpath(f"/{path}", f"/{self.folder}").split("/")
        start = self.expression + ".parent" * parts.count("..")
        return " / ".join([start, *(f'"{each}"' for each in parts if each not in {"..", "."})])


OWN_CLASSES = Start(
    "config.model_path",
    "",
    during="the platform calls create",
    elsewhere="read it in create, which is given the config: ",
)


def file_fixes(start: Start) -> dict[FailureKind, Callable[[ImportFailure], str]]:
    """The ways to mend whatever is wrong with a path."""
    return dict.fromkeys(FILES, partial(mend, start))


def mend(start: Start, failure: ImportFailure) -> str:
    """Where the file lies in the bundle, or how it comes there, and how the code gets at it."""
    at_hand = start.during is None or failure.during == start.during
    lead = "write " if at_hand else start.elsewhere
    if failure.known:
        return f"{lead}{start.to(failure.known[0])}"
    bring, mentions = start.bring.format("the file"), failure.kind in {"file", "mentioned_file"}
    if not mentions and _PLAIN.fullmatch(failure.detail):
        return f"{bring}, and {lead}{start.to(posixpath.join(start.home, failure.detail))}"
    if not mentions and start.source == _PROJECT:
        bring = f"copy the file into the project and {start.bring.format('it')}"
    unless = ", unless the code makes it itself" if failure.kind == "mentioned_file" else ""
    joint = "; " if at_hand or mentions else f", and {lead}"
    return f"{bring}{unless}{joint}it will lie below {start.to(start.home)}, under its path in {start.source}"
