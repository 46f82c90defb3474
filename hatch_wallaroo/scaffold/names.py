"""The names of a new repository: the project's, which is also the model's on the platform, and the package's."""

from __future__ import annotations

import keyword
import re
import sys
import unicodedata
from collections.abc import Iterator

from hatch_wallaroo.config.model_name import LONGEST, is_name, judge_default
from hatch_wallaroo.files.exclusions import folder_reason, may_hold_tests
from hatch_wallaroo.files.paths import windows_problem
from hatch_wallaroo.python.distributions import PLATFORM
from hatch_wallaroo.python.known_names import module_lifetime
from hatch_wallaroo.scaffold.requested import Problem
from hatch_wallaroo.text import quoted

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._ -]*[A-Za-z0-9])?", re.ASCII)
_RUNS = re.compile(r"[-_. ]+")
_NEEDED = frozenset({"hatch", "hatchling", "hatch-wallaroo", "wallaroo", "numpy", "pandas", "pyarrow", "pytest"})
"""Packages that building, testing or running the repository installs: two of one name cannot be installed."""


def project_name(name: str) -> str:
    """A name as Hatch makes a project's of it: lower case, hyphens for spaces, underscores and dots."""
    return _RUNS.sub("-", name).lower()


def package_name(project: str) -> str:
    """The name of a project's Python package."""
    return project.replace("-", "_")


def judge_project(name: str) -> Iterator[Problem]:
    """What is wrong with the name that the user gave, for the project, its folder and its model."""
    project = project_name(name)
    if not name.strip():
        yield Problem("a name is missing", "give one, for example: my-model")
    elif not _NAME.fullmatch(name):
        message = f"{quoted(name)} is no name for a project: {_odd(name)}"
        yield Problem(message, _suggestion(name) or "write letters, digits and hyphens, a letter first")
    elif (issue := judge_default(project)) is not None:
        begun = re.sub(r"\A[0-9-]+", "", project)[:LONGEST].strip("-")
        fix = f"for example: {begun}" if is_name(begun) else "write letters, digits and hyphens, a letter first"
        yield Problem(issue.message, fix)
    elif problem := windows_problem(project):
        yield Problem(f"{quoted(project)} {problem}: nobody could check the repository out there", _other(project))
    elif project in _NEEDED:
        message = f"{quoted(project)} is the name of a package that building, testing or running the model installs"
        yield Problem(message, _other(project))


def judge_package(project: str) -> Iterator[Problem]:
    """What is wrong with a project's name for its Python package."""
    package = package_name(project)
    if keyword.iskeyword(package):
        yield Problem(f"{package} is a word of Python's own: no package can be called so", _other(project))
    elif package in sys.stdlib_module_names or module_lifetime("python", package):
        message = f"{package} is a module of Python's own: the repository's package would hide it, or be hidden"
        yield Problem(message, _other(project))
    elif package in PLATFORM:
        message = f"{package} is a module of the platform's own: the repository's package would hide it"
        yield Problem(message, _other(project))
    elif may_hold_tests(package) or folder_reason(package):
        message = f"a folder called {package} is left out of bundles: the repository's package would stay behind"
        yield Problem(message, _other(project))


def _odd(name: str) -> str:
    odd = sorted({character for character in name if not re.match(r"[A-Za-z0-9._ -]", character, re.ASCII)})
    if odd:
        return f"it has {', '.join(map(quoted, odd[:5]))} in it"
    return "it must begin and end with a letter or a digit"


def _suggestion(name: str) -> str:
    """The nearest name that would do, or nothing."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    close = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
    return f"for example: {close}" if is_name(close) and not [*judge_project(close)] else ""


def _other(project: str) -> str:
    return f"for example: {project}-model"
