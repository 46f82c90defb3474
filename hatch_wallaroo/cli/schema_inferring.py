"""From what `schema infer` was asked for to what it infers: models of the project, or files of any place."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_wallaroo.cli.schema_common import (
    Outcome,
    Wanted,
    any_models_of,
    models_of,
    named,
    only,
    tell_findings,
    tell_lines,
)
from hatch_wallaroo.console import CommandError, misused, tell
from hatch_wallaroo.findings import errors, nearest
from hatch_wallaroo.text import describe_error, one_line

if TYPE_CHECKING:
    from hatch_wallaroo.config.spec import ModelSpec
    from hatch_wallaroo.discover.infer import Inferred
    from hatch_wallaroo.discover.sample import Sample
    from hatch_wallaroo.formats.recognise import Recognised

_IN_TABLE = re.compile(r'(framework|release) = "([^"]*)"')
"""A fix for pyproject.toml; here the same is an option."""


@dataclass(frozen=True)
class Asked:
    """The arguments of `schema infer`. `writes`: the result goes into the project, so that a model must be named."""

    target: str | None
    sample: Path | None
    framework: str | None
    release: str | None
    model: str | None
    writes: bool


def outcomes(root: Path, asked: Asked, how: Wanted) -> tuple[list[Outcome], bool]:
    """What was inferred of each model, and whether all that was asked for could be. Tells everything else."""
    made = list(_inferred(root, asked))
    complete = True
    found = []
    for name, spec, told in made:
        schemas = {"input": told.input_schema, "output": told.output_schema}
        chosen = {side: schemas[side] for side in how.sides}
        label = f"{name}: " if len(made) > 1 else ""
        _tell(label, told)
        wrong = errors(told.findings)
        lacking = [side for side, schema in chosen.items() if schema is None]
        for side in lacking if not wrong else ():
            tell(f"{label}nothing tells the {side} schema: a sample with {side}s would")
        complete &= not lacking and not wrong
        more = {"based_on": list(told.based_on), "guesses": list(told.guesses), "notes": list(told.notes)}
        found.append(Outcome(name, chosen, spec, more))
    return found, complete


def _tell(label: str, told: Inferred) -> None:
    if told.based_on:
        tell(f"{label}inferred from {' and '.join(told.based_on)}")
    tell_lines(f"{label}guess: ", told.guesses)
    tell_lines(f"{label}note: ", told.notes)
    tell_findings(told.findings)


def _inferred(root: Path, asked: Asked) -> Iterator[tuple[str, ModelSpec | None, Inferred]]:
    """Each with a name, and the model of the project that it is for."""
    from hatch_wallaroo.discover.infer import infer

    rows = _rows(asked.sample) if asked.sample else None
    project = any_models_of(root) if asked.target else models_of(root)
    target = named(project, asked.target) if asked.target else None
    if asked.target is None or target:
        _only_for_files(asked)
        for spec in (target,) if target else project:
            yield spec.name, spec, infer(spec, rows=rows)
        return
    path = Path(asked.target)
    if not os.path.exists(path):  # noqa: PTH110 - pathlib raises for names that no file system takes
        raise _nothing_called(asked.target, project)
    # A file needs a project only where it is for one of its models.
    chosen = only(models_of(root), asked.model) if asked.writes or asked.model is not None else None
    yield (chosen.name if chosen else path.name), chosen, _of_file(path, asked, chosen, rows)


def _only_for_files(asked: Asked) -> None:
    for option, given in (("--framework", asked.framework), ("--release", asked.release), ("--model", asked.model)):
        if given is not None:
            raise misused(f"{option} goes with a FILE", "name the file, or leave the option out")


def _nothing_called(name: str, project: tuple[ModelSpec, ...]) -> CommandError:
    names = [each.name for each in project]
    close = nearest(name[:40], names)
    known = f"the project's models are {one_line(', '.join(names))}" if names else "name a file, or --project DIR"
    hint = f"did you mean {one_line(close)}?" if close else known
    return misused(f"there is no model and no file called {one_line(name)}", hint)


def _rows(path: Path) -> Sample:
    from hatch_wallaroo.discover.sample import read_sample

    rows, findings = read_sample(path, str(path))
    tell_findings(findings)
    if rows is None:
        raise misused("the sample cannot be used", "mend it, or leave --sample out")
    return rows


def _of_file(path: Path, asked: Asked, spec: ModelSpec | None, rows: Sample | None) -> Inferred:
    """What a file outside of the table tells, for a model of the project where one is named."""
    from hatch_wallaroo.discover.infer import infer, infer_from, of_signature
    from hatch_wallaroo.discover.models import frameworks_at
    from hatch_wallaroo.releases.load import known
    from hatch_wallaroo.schema.hints import Header

    try:
        found, frameworks = frameworks_at(path, asked.release if asked.release in known() else known()[-1])
    except OSError as error:
        raise misused(f"{path} cannot be read: {describe_error(error)}", "make it readable") from None
    kind = found.kind if found else None
    if path.suffix.lower() == ".json" and kind != "xgboost":
        rows = _rows(path)
        return infer(spec, rows=rows) if spec else infer_from(Header(), rows)
    if kind == "mlflow":
        if spec:
            return infer(spec, rows=rows, signature=path)
        return infer_from(of_signature(path, asked.framework or "mlflow"), rows)
    return infer(_spec_of(path, found, frameworks, asked, spec), rows=rows)


def _spec_of(
    path: Path, found: Recognised | None, frameworks: tuple[str, ...], asked: Asked, spec: ModelSpec | None
) -> ModelSpec:
    """The file as if a project declared it: with the framework that was named, is the model's, or the file tells."""
    from hatch_wallaroo.discover.candidates import spec_of_file
    from hatch_wallaroo.releases.load import known

    framework = asked.framework or (spec.framework.name if spec else None)
    if framework is None:
        if len(frameworks) != 1:
            raise _undecided(path, found, frameworks)
        (framework,) = frameworks
    release = asked.release or (spec.release.asked if spec else known()[-1])
    made, wrong = spec_of_file(path, framework, release)
    if made is None or wrong:
        first = wrong[0] if wrong else None
        message = f"{first.place.key[-1]}: {first.message}" if first else f"{path} cannot be read as {framework}"
        fix = _IN_TABLE.sub(r"--\1 \2", first.fix) if first else "name another framework"
        raise misused(one_line(message), fix)
    return made


def _undecided(path: Path, found: Recognised | None, frameworks: tuple[str, ...]) -> CommandError:
    """Why no framework follows from a file, and what to do."""
    from hatch_wallaroo.frameworks.other_models import fix_of

    if frameworks:
        fix = f"name one: --framework {' or '.join(frameworks)}"
        return misused(one_line(f"several frameworks may serve {path}"), fix)
    what = found.name if found and not found.by_name else "no model that is known here"
    return misused(one_line(f"{path} is {what}"), (fix_of(found, path.name) if found else "") or "name its --framework")
