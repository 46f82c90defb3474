"""What a new repository is made from: requested, asked for or assumed; all that is wrong is said at once.

Its names among it: the project's, which is also the model's on the platform, and the package's.
"""

from __future__ import annotations

import keyword
import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import click

from hatch_wallaroo.__about__ import __version__
from hatch_wallaroo.config.model_name import LONGEST, is_name, judge_default
from hatch_wallaroo.config.release_values import find_framework, find_release
from hatch_wallaroo.config.rules import Read
from hatch_wallaroo.console import CommandError, complain
from hatch_wallaroo.exit_codes import CONFIGURATION, FAILED
from hatch_wallaroo.files.exclusions import folder_reason, may_hold_tests
from hatch_wallaroo.files.paths import windows_problem
from hatch_wallaroo.frameworks.mac import PROVIDED
from hatch_wallaroo.python.known_names import module_lifetime
from hatch_wallaroo.releases.load import known
from hatch_wallaroo.releases.model import FrameworkRow, Release
from hatch_wallaroo.scaffold.requested import Problem, Requested, ScaffoldError
from hatch_wallaroo.text import quoted

DEFAULT_FRAMEWORK = "custom"
PACKAGED = ("custom", "mlflow")
"""The families whose repository holds a Python package."""

_NEAREST = re.compile(r'(?:framework|release) = "([^"]+)"')
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ADDRESS = re.compile(r"[^\s@<>(),;:\"\\]+@[^\s@<>(),;:\"\\]+", re.ASCII)
_COLUMNS = 2


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Whose project it is. `project` is its name, and the model's; texts are empty where nothing was said."""

    project: str
    description: str
    author: str
    email: str
    license: str


@dataclass(frozen=True, kw_only=True)
class Answers(Identity):
    """All that a new repository is made from. `assumed` lists what nobody had asked for: `framework`, `release`."""

    framework: FrameworkRow
    release: Release
    assumed: tuple[str, ...] = ()

    @property
    def package(self) -> str | None:
        """The Python package's name, None where the repository has none."""
        return package_name(self.project) if self.framework.family in PACKAGED else None


def newest_release() -> str:
    """The release that is taken where none is named."""
    return known()[-1]


def decide(name: str, requested: Requested) -> Answers:
    """Fill in the defaults and judge everything. Raises ScaffoldError with all problems."""
    identity, problems = _identity(name, requested)
    release = _release(requested.release or newest_release(), problems)
    row = _framework(requested.framework or DEFAULT_FRAMEWORK, release, problems)
    if row is not None and row.family in PACKAGED and not problems:
        problems += judge_package(identity.project)
    if problems or row is None or release is None:
        raise ScaffoldError(problems)
    assumed = tuple(key for key in ("framework", "release") if not getattr(requested, key))
    return Answers(framework=row, release=release, assumed=assumed, **asdict(identity))


def identify(name: str, requested: Requested) -> Identity:
    """What is known of a project whose model is not declared yet. Raises ScaffoldError with all problems."""
    identity, problems = _identity(name, requested)
    if problems:
        raise ScaffoldError(problems)
    return identity


def _identity(name: str, requested: Requested) -> tuple[Identity, list[Problem]]:
    texts = {key: (getattr(requested, key) or "").strip() for key in ("description", "author", "email", "license")}
    return Identity(project=project_name(name), **texts), [*judge_project(name), *_judge_texts(texts)]


def hint(fix: str) -> str:
    """The fix of a value that the table would hold, for one that was said elsewhere: `did you mean sklearn?`."""
    found = _NEAREST.fullmatch(fix)
    return f"did you mean {found[1]}?" if found else fix


def _release(asked: str, problems: list[Problem]) -> Release | None:
    answer = find_release(asked)
    release: Release | None = answer.value
    if release is None:
        problems += (Problem(issue.message, hint(issue.fix)) for issue in answer.issues)
    return release


def _framework(asked: str, release: Release | None, problems: list[Problem]) -> FrameworkRow | None:
    answer = find_framework(asked, release)
    problems += (Problem(issue.message, hint(issue.fix)) for issue in answer.issues)
    row: FrameworkRow | None = answer.value
    return row


def _judge_texts(texts: dict[str, str]) -> list[Problem]:
    problems = [
        Problem(f"the {key} has a line break or another control character in it", "write it on one line")
        for key, text in texts.items()
        if _CONTROL.search(text)
    ]
    if texts["email"] and not problems and not _ADDRESS.fullmatch(texts["email"]):
        problems.append(Problem(f"{quoted(texts['email'], 40)} is no email address", "for example: me@example.com"))
    if texts["license"] and (problem := _license_problem(texts["license"])):
        problems.append(problem)
    return problems


def _license_problem(expression: str) -> Problem | None:
    """What Hatchling would refuse when the project is built."""
    try:
        from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
    except ImportError:  # before packaging 24.2
        return None
    try:
        canonicalize_license_expression(expression)
    except InvalidLicenseExpression:
        return Problem(f"{quoted(expression, 40)} is no SPDX license expression", "for example: Apache-2.0")
    return None


def ask(requested: Requested) -> Requested:
    """Ask for the release and the framework; what was requested is what Return takes. Raises click.Abort."""
    release = _ask_release(requested.release)
    framework = _ask_framework(requested.framework, release)
    return replace(requested, release=release.asked, framework=framework)


def _ask_release(requested: str | None) -> Release:
    default = requested if requested and find_release(requested).value else newest_release()
    click.echo(f"Wallaroo releases: {', '.join(known())}", err=True)
    release: Release = click.prompt(
        "Release", default=default, err=True, value_proc=lambda text: _found(find_release(text.strip()))
    )
    return release


def _ask_framework(requested: str | None, release: Release) -> str:
    names = [name for name, row in release.frameworks.items() if row.family != "mlflow"]
    default = requested if requested in names else DEFAULT_FRAMEWORK
    click.echo(_menu(names), err=True)

    def chosen(text: str) -> str:
        text = text.strip()
        if text.isascii() and text.isdigit():
            if not 1 <= int(text[:9]) <= len(names):
                raise click.UsageError(f"there are {len(names)}; write a number of these, or a name")
            return names[int(text) - 1]
        name: str = _found(find_framework(text, release)).name
        if name not in names:
            raise click.UsageError(f"{name} is a container image, which this version does not build")
        return name

    framework: str = click.prompt("Framework", default=default, err=True, value_proc=chosen)
    return framework


def _found(answer: Read) -> Any:
    """The value, or the question once more with the nearest name."""
    if answer.value is None:
        raise click.UsageError("; ".join(f"{issue.message}; {hint(issue.fix)}" for issue in answer.issues))
    return answer.value


def _menu(names: list[str]) -> str:
    """The names with their numbers, in columns that are read downwards."""
    rows = -(-len(names) // _COLUMNS)
    cells = [f"{number:>3} {name}" for number, name in enumerate(names, 1)]
    width = max(map(len, cells)) + 2
    return "\n".join("".join(cell.ljust(width) for cell in cells[row::rows]).rstrip() for row in range(rows))


def chosen(answers: Answers, *, flags: bool = True) -> str:
    """What the repository is for; where nobody had named that, how to. `flags` tells whether there are options."""
    why = {"framework": " (none was named)", "release": " (the newest known)"}
    said = {"framework": answers.framework.name, "release": answers.release.asked}
    parts = [f"{key} {value}{why[key] if key in answers.assumed else ''}" for key, value in said.items()]
    text = f"hatch-wallaroo {__version__}: {', '.join(parts)}"
    if answers.assumed:
        ways = [f"--{key}" for key in answers.assumed if flags]
        ways += [f"HATCH_WALLAROO_{key.upper()}" for key in answers.assumed]
        named = f"{' and '.join(answers.assumed)} in [template.plugins.wallaroo] of Hatch's config.toml"
        text += f"\nto choose: {', '.join(ways)}, or {named}"
    return text


@contextmanager
def scaffold_errors() -> Iterator[None]:
    """Turns what the generator says into the command's error; under Hatch as well."""
    try:
        yield
    except ScaffoldError as error:
        *first, last = error.problems
        for problem in first:
            complain(*problem)
        raise CommandError(last.message, last.fix, CONFIGURATION if error.misused else FAILED) from error


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
    elif package in PROVIDED:
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
