"""What keeps a repository from being made: everything at once, and nothing is written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Problem(NamedTuple):
    """What is wrong, in the user's words, and how to mend it (may be empty)."""

    message: str
    fix: str = ""


class ScaffoldError(Exception):
    """Ends the making of a repository. `problems` are all that was found, one at least.

    `misused` tells whether what was asked for is wrong, and not the folder or the disk.
    """

    def __init__(self, problems: Iterable[Problem], *, misused: bool = True) -> None:
        self.problems = tuple(problems)
        self.misused = misused
        super().__init__("; ".join(problem.message for problem in self.problems))
