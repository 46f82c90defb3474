"""From what was asked for to what a new repository is made from, with all that is wrong said at once."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass

from hatch_wallaroo.config.release_values import find_framework, find_release
from hatch_wallaroo.releases.load import known
from hatch_wallaroo.releases.model import FrameworkRow, Release
from hatch_wallaroo.scaffold.names import judge_package, judge_project, package_name, project_name
from hatch_wallaroo.scaffold.problems import Problem, ScaffoldError
from hatch_wallaroo.scaffold.wishes import Wishes
from hatch_wallaroo.text import quoted

DEFAULT_FRAMEWORK = "custom"
PACKAGED = ("custom", "mlflow")
"""The families whose repository holds a Python package."""

_NEAREST = re.compile(r'(?:framework|release) = "([^"]+)"')
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ADDRESS = re.compile(r"[^\s@<>(),;:\"\\]+@[^\s@<>(),;:\"\\]+", re.ASCII)


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


def decide(name: str, wishes: Wishes) -> Answers:
    """Fill in the defaults and judge everything. Raises ScaffoldError with all problems."""
    identity, problems = _identity(name, wishes)
    release = _release(wishes.release or newest_release(), problems)
    row = _framework(wishes.framework or DEFAULT_FRAMEWORK, release, problems)
    if row is not None and row.family in PACKAGED and not problems:
        problems += judge_package(identity.project)
    if problems or row is None or release is None:
        raise ScaffoldError(problems)
    assumed = tuple(key for key in ("framework", "release") if not getattr(wishes, key))
    return Answers(framework=row, release=release, assumed=assumed, **asdict(identity))


def identify(name: str, wishes: Wishes) -> Identity:
    """What is known of a project whose model is not declared yet. Raises ScaffoldError with all problems."""
    identity, problems = _identity(name, wishes)
    if problems:
        raise ScaffoldError(problems)
    return identity


def _identity(name: str, wishes: Wishes) -> tuple[Identity, list[Problem]]:
    texts = {key: (getattr(wishes, key) or "").strip() for key in ("description", "author", "email", "license")}
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
