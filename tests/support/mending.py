"""Projects that are checked and mended, as `hatch-wallaroo check --fix` does it, in this process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hatch_wallaroo.fixes.changes import write
from hatch_wallaroo.fixes.plan import Fixing
from hatch_wallaroo.project.checking import Result, check_repository, result
from hatch_wallaroo.project.repository import read_repository

HEAD = """\
[build-system]
requires = ["hatchling", "hatch-wallaroo"]
build-backend = "hatchling.build"

[project]
name = "prices"
version = "1.0"

[tool.hatch.build.hooks.wallaroo]

"""


def checked(root: Path, *models: str) -> Result:
    repository = read_repository(root)
    return result(repository, check_repository(repository), models)


def codes(root: Path) -> list[str]:
    return [each.code for each in checked(root).findings]


def planned(root: Path) -> Fixing:
    return Fixing.of(checked(root))


@dataclass(frozen=True)
class Mended:
    """What was done, by code and description, and the codes that are left."""

    done: tuple[tuple[str, ...], ...]
    said: tuple[str, ...]
    left: tuple[str, ...]


def mend(root: Path) -> Mended:
    """Check a project, make all fixes, check again."""
    fixing = planned(root)
    write(fixing.files)
    return Mended(
        tuple(fix.codes for fix in fixing.fixes),
        tuple(fix.description for fix in fixing.fixes),
        tuple(codes(root)),
    )
