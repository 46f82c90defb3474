"""The models of a project, for the commands about schemas."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hatch_wallaroo.cli.common import misused
from hatch_wallaroo.cli.schema_output import tell_findings
from hatch_wallaroo.exit_codes import CONFIGURATION, FAILED
from hatch_wallaroo.findings import errors, nearest
from hatch_wallaroo.text import one_line

if TYPE_CHECKING:
    from hatch_wallaroo.config.spec import ModelSpec
    from hatch_wallaroo.project.repository import Repository

_SCHEMAS = frozenset({"input-schema", "output-schema"})


def models_of(root: Path) -> tuple[ModelSpec, ...]:
    """All models that can be read, whether or not they have schemas yet. Ends the command where there are none."""
    repository = _read(root)
    if not repository.reading.specs:
        tell_findings(errors(repository.reading.findings), root)
        raise click.exceptions.Exit(FAILED)
    return repository.reading.specs


def any_models_of(root: Path) -> tuple[ModelSpec, ...]:
    """All models that can be read, without a word where there are none."""
    from hatch_wallaroo.project.repository import read_repository

    return read_repository(root).reading.specs


def models_with_schemas(root: Path) -> tuple[tuple[ModelSpec, ...], bool]:
    """All models that can be read, and whether all is well with every schema; what is not, is told."""
    repository = _read(root)
    wrong = errors(repository.reading.findings)
    specs = repository.reading.specs
    # What is wrong elsewhere in the table is the check's business, unless it keeps a model from being read.
    about = [each for each in wrong if _SCHEMAS & set(each.place.key)]
    tell_findings(about if about and specs else wrong if not specs else [], root)
    if not specs:
        raise click.exceptions.Exit(FAILED)
    return specs, not about


def named(specs: Sequence[ModelSpec], name: str) -> ModelSpec | None:
    """The model of a name: the platform's, or that of its table."""
    return next((each for each in specs if name in {each.name, each.key[-1]}), None)


def choose(specs: Sequence[ModelSpec], names: Sequence[str]) -> tuple[ModelSpec, ...]:
    """The models named, or all of them."""
    return tuple(_choose(specs, each) for each in dict.fromkeys(names)) or tuple(specs)


def only(specs: Sequence[ModelSpec], name: str | None) -> ModelSpec:
    """The model named, or the project's only one."""
    if name is not None:
        return _choose(specs, name)
    if len(specs) > 1:
        raise misused("which model it is for is not said", f"--model {_names(specs)}")
    return specs[0]


def _choose(specs: Sequence[ModelSpec], name: str) -> ModelSpec:
    found = named(specs, name)
    if found is None:
        close = nearest(name[:40], [each.name for each in specs])
        hint = f"did you mean {one_line(close)}?" if close else f"its models are {_names(specs)}"
        raise misused(f"the project has no model {one_line(name)}", hint)
    return found


def _names(specs: Sequence[ModelSpec]) -> str:
    return one_line(", ".join(each.name for each in specs))


def _read(root: Path) -> Repository:
    from hatch_wallaroo.project.repository import read_repository

    repository = read_repository(root)
    if repository.document is None:
        tell_findings(repository.findings, root)
        raise click.exceptions.Exit(CONFIGURATION)
    return repository
