"""What is asked of a new repository, and where that can stand: the environment, Hatch's configuration, git's.

Every door gathers what is requested from the same places, so that all make the same repository.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

from hatch_wallaroo.findings import nearest
from hatch_wallaroo.scaffold.template_files import shipped_config
from hatch_wallaroo.text import describe_error, found, listed

FRAMEWORK_VARIABLE = "HATCH_WALLAROO_FRAMEWORK"
RELEASE_VARIABLE = "HATCH_WALLAROO_RELEASE"
TABLE = "template.plugins.wallaroo"

_NOBODY = ("U.N. Owen", "void@some.where")
"""Whom Hatch names as the author where neither its configuration nor git knows one."""
_HATCHS_LICENSES = ["MIT"]
"""What Hatch writes into every configuration that it makes. Nobody has chosen that for a model."""
_CONFIG_FILE = "config.toml"


@dataclass(frozen=True)
class Requested:
    """As they were written; None where nothing was said. `license` is an SPDX expression."""

    framework: str | None = None
    release: str | None = None
    description: str | None = None
    author: str | None = None
    email: str | None = None
    license: str | None = None

    def otherwise(self, others: Requested) -> Requested:
        """What is requested here, and the others' where these say nothing."""
        left = {each.name: getattr(others, each.name) for each in fields(self) if getattr(self, each.name) is None}
        return replace(self, **left)


def from_environment(environ: Mapping[str, str]) -> Requested:
    """The variables of our own; an empty one says nothing."""
    return Requested(framework=environ.get(FRAMEWORK_VARIABLE) or None, release=environ.get(RELEASE_VARIABLE) or None)


def from_table(table: Mapping[str, Any]) -> Requested:
    """`[template.plugins.wallaroo]`, whose keys are these fields. Raises ScaffoldError for all that is wrong there."""
    known = [each.name for each in fields(Requested)]
    problems = []
    for key, value in table.items():
        if key not in known:
            close = nearest(key, known)
            fix = f"did you mean {close}?" if close else f"it takes {listed(known)}"
            problems.append(Problem(f"[{TABLE}] has no option {key}", fix))
        elif not isinstance(value, str):
            problems.append(
                Problem(f"{key} of [{TABLE}] must be a string, not {found(value)}", f'write {key} = "{value}"')
            )
    if problems:
        raise ScaffoldError(problems)
    return Requested(**{key: value for key, value in table.items() if value})


def from_template(template: Mapping[str, Any]) -> Requested:
    """The name, email and licenses of Hatch's `[template]`. What Hatch itself fills in there counts as unsaid."""
    licenses = template.get("licenses")
    chosen = licenses.get("default") if isinstance(licenses, Mapping) else None
    named = isinstance(chosen, list) and chosen != _HATCHS_LICENSES
    return Requested(
        author=_said(template.get("name")),
        email=_said(template.get("email")),
        license=" OR ".join(sorted({str(each) for each in chosen or ()})) or None if named else None,
    )


def from_config(path: Path) -> Requested:
    """A config.toml of Hatch's, both tables. Raises ScaffoldError where it cannot be read."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Requested()
    except (OSError, ValueError) as error:
        message = f"Hatch's configuration {path} cannot be read: {describe_error(error)}"
        raise ScaffoldError([Problem(message, "mend it, or name another with HATCH_CONFIG")]) from error
    template = document.get("template")
    if not isinstance(template, Mapping):
        return Requested()
    plugins = template.get("plugins")
    own = plugins.get("wallaroo") if isinstance(plugins, Mapping) else None
    return (from_table(own) if isinstance(own, Mapping) else Requested()).otherwise(from_template(template))


def from_git() -> Requested:
    """The author as Hatch asks for it: git's own variables, then its configuration."""
    return Requested(author=_git("GIT_AUTHOR_NAME", "user.name"), email=_git("GIT_AUTHOR_EMAIL", "user.email"))


def hatchs_config(environ: Mapping[str, str]) -> Path:
    """Where the user's configuration of Hatch is: what HATCH_CONFIG names, else the place of this system."""
    named = environ.get("HATCH_CONFIG")
    if named and not is_ours(named):
        return Path(named)
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.home() raises where there is no home
    if sys.platform == "win32":
        base = Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    return base / "hatch" / _CONFIG_FILE


def gathered(environ: Mapping[str, str]) -> Requested:
    """All that is requested somewhere: the environment before Hatch's configuration before git's."""
    return from_environment(environ).otherwise(from_config(hatchs_config(environ))).otherwise(from_git())


def is_ours(config: str) -> bool:
    """Whether a configuration is the one that this plugin ships, which says nothing of the user's own."""
    return Path(config).resolve() == shipped_config().resolve()


def _said(value: Any) -> str | None:
    return value if isinstance(value, str) and value and value not in _NOBODY else None


def _git(variable: str, key: str) -> str | None:
    said = os.environ.get(variable)
    if said is None:
        try:
            command = ["git", "config", "--get", key]
            said = subprocess.run(command, capture_output=True, check=True, timeout=10).stdout.decode().strip()  # noqa: S603 - a fixed command
        except (OSError, ValueError, subprocess.SubprocessError):
            return None
    return said or None


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
