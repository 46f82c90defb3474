"""What the commands that talk to a platform share: their options, and where those lead."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hatch_wallaroo.console import CommandError, complain, misused, tell
from hatch_wallaroo.text import describe_error

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from hatch_wallaroo.platform.api import Platform
    from hatch_wallaroo.platform.publish_settings import Settings
    from hatch_wallaroo.platform.screen import Screen

Command = TypeVar("Command", bound=Callable[..., Any])
PYPROJECT = "pyproject.toml"
_AS_PUBLISHING = re.compile(r"-o ([a-z][a-z-]*)(?:=([^\s,;:()]+))?")


def _targets(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The named targets here, for a shell that completes."""
    from click.shell_completion import CompletionItem

    del ctx, param
    try:
        tables = _tables(project_root())
    except (CommandError, OSError):
        return []
    found = {name for table in tables if isinstance(table.get("targets"), dict) for name in table["targets"]}
    return [CompletionItem(name) for name in sorted(found) if name.startswith(incomplete)]


_OPTIONS: Mapping[str, Callable[[Command], Command]] = {
    "url": click.option("--url", help="The platform's address. [WALLAROO_URL]"),
    "user": click.option("--user", "-u", help="The user's name or e-mail address. [WALLAROO_USER]"),
    "target": click.option(
        "--target",
        metavar="NAME",
        help="A named target of [tool.hatch.publish.wallaroo] or Hatch's config.",
        shell_complete=_targets,
    ),
    "workspace": click.option(
        "--workspace", "-w", metavar="NAME|ID", help="The workspace; all where none is named. [WALLAROO_WORKSPACE]"
    ),
    "ca-cert": click.option(
        "--ca-cert", metavar="FILE", help="A PEM file with the certificate of your own authority. [SSL_CERT_FILE]"
    ),
}


def platform_options(*names: str) -> Callable[[Command], Command]:
    """The options of these names, given to the command as `url`, `user`, `target`, `workspace` and `ca_cert`."""

    def add(command: Command) -> Command:
        for name in reversed(names):
            command = _OPTIONS[name](command)
        return command

    return add


def project_root() -> Path:
    """The folder of the nearest pyproject.toml, as Hatch looks for it: here or above. This one where there is none."""
    here = Path.cwd()
    return next((each for each in (here, *here.parents) if (each / PYPROJECT).is_file()), here)


def read_settings(**given: str | None) -> Settings:
    """What `hatch publish -p wallaroo` would use here, with these options in the place of `-o`."""
    from hatch_wallaroo.platform.publish_settings import merge

    options = {name.replace("_", "-"): value for name, value in given.items() if value}
    settings = merge(options, os.environ, *_tables(project_root()), typed="--")
    for note in settings.notes:
        tell(note)
    return settings


def open_platform(settings: Settings, shown: Screen) -> Platform:
    """The platform, as a user who is signed in there; a login in the browser is begun only on a terminal."""
    from hatch_wallaroo.platform.api import connect

    somebody = settings.prompt and (sys.stderr.isatty() or settings.auth == "sso")
    return connect(
        settings,
        tell=tell if somebody else None,
        on_retry=lambda retry: shown.pause(str(retry), retry.wait),
    )


@contextmanager
def platform_errors() -> Iterator[None]:
    """Turns what a platform or its settings say into the command's error, with that exit code."""
    from hatch_wallaroo.platform.errors import ConfigurationError, PlatformError

    try:
        yield
    except PlatformError as error:
        problems = error.problems if isinstance(error, ConfigurationError) else ((error.message, error.fix),)
        *first, (message, fix) = problems
        for problem, its_fix in first:
            complain(problem, as_typed(its_fix))
        raise CommandError(message, as_typed(fix), error.exit_code) from error


def as_typed(text: str) -> str:
    """A fix whose `-o NAME=VALUE` is said in the words of this command line: its own option, or the variable."""
    context = click.get_current_context(silent=True)
    ours = {name for each in context.command.params for name in each.opts} if context else set()
    return _AS_PUBLISHING.sub(lambda found: _in_words_of(ours, found[1], found[2]), text)


def _in_words_of(ours: set[str], name: str, value: str | None) -> str:
    from hatch_wallaroo.platform.options import OPTIONS
    from hatch_wallaroo.platform.publish_settings import PROJECT_TABLE

    if f"--{name}" in ours:
        return f"--{name} {value}" if value else f"--{name}"
    variable = next((each.variable for each in OPTIONS if each.name == name), None)
    if variable and value:
        return f"{variable}={value}"
    return f"{name} = {value or 'true'} in [{PROJECT_TABLE}]"


def _tables(root: Path) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The project's table of publishing, and the user's."""
    return _table(root / PYPROJECT, "tool", "hatch"), _table(_hatch_config())


def _hatch_config() -> Path:
    """Hatch's config.toml, where Hatch itself looks for it."""
    named = os.environ.get("HATCH_CONFIG")
    if named:
        return Path(named)
    try:
        from platformdirs import user_config_dir
    except ModuleNotFoundError:
        return Path.home() / ".config" / "hatch" / "config.toml"
    return Path(user_config_dir("hatch", appauthor=False)) / "config.toml"


def _table(path: Path, *parents: str) -> Mapping[str, Any]:
    """The table `publish.wallaroo` below `parents` in a TOML file; nothing where file or table is not there."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        found: Any = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (ValueError, RecursionError) as error:
        raise misused(f"{path} cannot be read: {error}", "mend the file; nothing was asked of a platform") from error
    except OSError as error:
        raise misused(f"{path} cannot be read: {describe_error(error)}") from error
    for key in (*parents, "publish", "wallaroo"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}
