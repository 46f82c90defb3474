"""The template `wallaroo` of `hatch new`: from Hatch's configuration to the scaffold generator."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, MutableSequence
from typing import Any

import click
from hatch.template import File
from hatch.template.plugin.interface import TemplateInterface
from hatch.utils.fs import Path

from hatch_wallaroo.console import misused, tell
from hatch_wallaroo.findings import PYPROJECT
from hatch_wallaroo.scaffold.answers import chosen, decide, identify, scaffold_errors
from hatch_wallaroo.scaffold.repository import ScaffoldFile, bare_pyproject, repository, starter
from hatch_wallaroo.scaffold.requested import (
    Requested,
    from_config,
    from_environment,
    from_git,
    from_table,
    from_template,
    hatchs_config,
    is_ours,
)
from hatch_wallaroo.scaffold.write import write, write_file


class WallarooTemplate(TemplateInterface):
    """Makes the whole repository at once. Its options are those of `[template.plugins.wallaroo]`."""

    PLUGIN_NAME = "wallaroo"

    _file: _Repository | _Bare

    def initialize_config(self, config: dict[str, Any]) -> None:
        """Decide what will be made, before Hatch asks for its files."""
        name, flags = config["project_name"], _flags()
        with scaffold_errors():
            requested = _requested(config, self.plugin_config)
            if flags.get("initialize"):
                self._file = _Bare(bare_pyproject(identify(name, requested)))
                return
            if flags.get("interactive"):
                from hatch_wallaroo.scaffold.answers import ask

                requested = ask(requested)
            answers = decide(name, requested)
            self._file = _Repository(repository(answers, starter(answers)))
        tell(chosen(answers, flags=False))
        if flags.get("feature_cli"):
            tell("--cli is not used for a model.")

    def get_files(self, config: dict[str, Any]) -> list[Callable[..., File]]:  # noqa: ARG002 - Hatch's signature
        """One file that writes all: Hatch's own write one by one, and text only."""
        # Hatch takes instances of File itself, and calls everything else.
        return [lambda *_: self._file]

    def finalize_files(self, config: dict[str, Any], files: MutableSequence[File]) -> None:  # noqa: ARG002
        """Refuse what another template would write over; what it adds is written after the repository."""
        others = [file for file in files if file is not self._file]
        twice = sorted({file.path.as_posix() for file in others if file.path} & self._file.paths)
        if twice:
            raise misused(
                f"another template of [template.plugins] writes {', '.join(twice)} too",
                "leave wallaroo there alone, in Hatch's config.toml",
            )
        files[:] = [self._file, *others]


class _Repository(File):
    """The repository, as one file of Hatch's."""

    def __init__(self, files: tuple[ScaffoldFile, ...]) -> None:
        self._files = files
        self.paths = {file.path for file in files}
        super().__init__(Path(PYPROJECT), "".join(file.data.decode() for file in files if file.path == PYPROJECT))

    def write(self, root: Path) -> None:
        """Write all of it into the project's folder, or nothing."""
        with scaffold_errors():
            write(self._files, root)


class _Bare(File):
    """The pyproject.toml of a folder that is there already."""

    paths = frozenset({PYPROJECT})

    def __init__(self, text: str) -> None:
        super().__init__(Path(PYPROJECT), text)

    def write(self, root: Path) -> None:
        """Write it, unless there is one."""
        with scaffold_errors():
            write_file(self.contents.encode(), root / PYPROJECT)
        tell("pyproject.toml declares no model yet: hatch-wallaroo init adds [tool.wallaroo].")


def _flags() -> Mapping[str, Any]:
    """The flags of `hatch new`; none where something else calls the template."""
    context = click.get_current_context(silent=True)
    return context.params if context is not None else {}


def _requested(config: Mapping[str, Any], table: Mapping[str, Any]) -> Requested:
    """What Hatch passes on, and what stands elsewhere, in the order of the command `new`."""
    said = Requested(description=config.get("description") or None)
    said = said.otherwise(from_environment(os.environ)).otherwise(from_table(table))
    context = click.get_current_context(silent=True)
    used = context.find_root().params.get("config_file") if context is not None else None
    if used and is_ours(str(used)):
        # Our own configuration knows no author: the user's does, though this call of Hatch leaves it aside.
        said = said.otherwise(from_config(hatchs_config(os.environ)))
    return said.otherwise(from_template(config)).otherwise(from_git())
