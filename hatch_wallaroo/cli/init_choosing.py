"""Which of the models that were found are added: those named, those that are certain, or those that the user picks."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from hatch_wallaroo.config.toml.editing import Edit
from hatch_wallaroo.console import CommandError, misused, tell
from hatch_wallaroo.discover.adoption import declared_table, is_covered
from hatch_wallaroo.discover.candidates import AdoptionContext, Candidate, judged
from hatch_wallaroo.discover.search import Discovery, discover, discover_at
from hatch_wallaroo.files.presence import is_folder
from hatch_wallaroo.findings import Finding
from hatch_wallaroo.text import one_line

_MOST_SHOWN = 40


@dataclass(frozen=True)
class Choice:
    """What was found, and what of it is to be added. `error` is why nothing is, where that ends the command.

    `left` says what is with the rest, where nothing needs to be added.
    """

    candidates: tuple[Candidate, ...]
    chosen: tuple[Candidate, ...]
    findings: tuple[Finding, ...] = ()
    error: CommandError | None = None
    left: str = "the table names all that was found"


def choose(
    context: AdoptionContext, edit: Edit, models: Sequence[str], framework: str | None, *, asking: bool
) -> Choice:
    """Find, show on standard error what was found, and choose; asks where somebody is there to be asked."""
    if models:
        named = tuple(_named(context, each, framework) for each in dict.fromkeys(models))
        _show(named, edit, numbered=False)
        return Choice(named, tuple(each for each in named if not is_covered(each, edit.document)))
    found = discover(context)
    new = [each for each in found.candidates if not is_covered(each, edit.document)]
    takeable = [each for each in new if each.frameworks]
    pick = asking and (len(takeable) > 1 or any(not each.certain for each in takeable))
    _show(found.candidates, edit, numbered=pick)
    chosen = _picked(takeable) if pick else [each for each in takeable if each.certain]
    if framework is not None and chosen:
        if len(chosen) > 1:
            raise misused(f"--framework says what one model is, and {len(chosen)} were found", "name it with --model")
        chosen = [_as_framework(chosen[0], context, framework)]
    elif asking:
        chosen = [_which_framework(each, context) for each in chosen]
    error = None if chosen or declared_table(edit.document) is not None else _nothing(found, new, context)
    left = "what else was found is not certain; --model names it" if takeable else Choice.left
    return Choice(found.candidates, tuple(chosen), found.findings, error, left)


def _named(context: AdoptionContext, path: str, framework: str | None) -> Candidate:
    """The candidate at a path that the user gave, from here or from the project."""
    label = _label(context.root, path)
    found = discover_at(context, label)
    if framework is not None:
        kind = "a folder" if is_folder(context.root / label) else "a file"
        return _as_framework(found or Candidate(label, kind), context, framework)
    if found is None:
        raise misused(f"{one_line(label)} is no model that is known here", "say what it is with --framework")
    if not found.frameworks:
        raise misused(f"{one_line(label)} is {one_line(found.what)}", found.advice or "say what it is with --framework")
    return found


def _as_framework(candidate: Candidate, context: AdoptionContext, framework: str) -> Candidate:
    """The candidate as the user says it is; what its files say against it is among the findings of the check."""
    table = candidate.table
    if framework == "custom" and not table:
        table = {"artifacts": [candidate.path]}
    told = replace(candidate, frameworks=(framework,), table=table, why="", advice="", certain=True)
    return replace(judged(told, context), certain=True)


def _label(root: Path, given: str) -> str:
    """A path relative to the project, with forward slashes, as the table writes it; a link stays one."""
    real = root.resolve()
    paths = [Path(os.path.abspath(base / given)) for base in (Path(), root)]  # noqa: PTH100 - `..` goes, links stay
    there = [each for each in paths if os.path.lexists(each)]
    for path in there:
        if path.resolve() == real:
            return "."
        inside = path.parent.resolve() / path.name
        if inside.is_relative_to(real):
            return inside.relative_to(real).as_posix()
    if there:
        raise misused(f"{one_line(given)} is not in the project", "copy it into the project's folder")
    raise misused(f"{one_line(given)} does not exist", "write its path from here, or from the project's folder")


# Asking


def _picked(takeable: Sequence[Candidate]) -> list[Candidate]:
    sure = ",".join(str(number) for number, each in enumerate(takeable, 1) if each.certain)
    while True:
        given = click.prompt("which of them? (numbers, or all)", default=sure or "1", err=True)
        if given.strip().lower() == "all":
            return list(takeable)
        numbers = re.findall(r"[0-9]{1,4}", given)
        if numbers and all(0 < int(each) <= len(takeable) for each in numbers) and not re.search(r"[^0-9,;\s]", given):
            return [takeable[int(each) - 1] for each in dict.fromkeys(numbers)]
        tell(f"numbers from 1 to {len(takeable)}, with commas between them")


def _which_framework(candidate: Candidate, context: AdoptionContext) -> Candidate:
    if len(candidate.frameworks) < 2:  # noqa: PLR2004 - nothing to choose from
        return candidate
    kind = click.Choice(candidate.frameworks)
    given = click.prompt(f"{one_line(candidate.path)} as", type=kind, default=candidate.framework, err=True)
    return candidate if given == candidate.framework else _as_framework(candidate, context, given)


# Showing


def _show(candidates: Sequence[Candidate], edit: Edit, *, numbered: bool) -> None:
    number = 0
    for each in candidates[:_MOST_SHOWN]:
        there = is_covered(each, edit.document)
        number += bool(each.frameworks and not there)
        mark = f"{number:3}  " if numbered and each.frameworks and not there else "     " if numbered else "  "
        tell(f"{mark}{one_line(each.path)}: {one_line(each.what)}{', in the table already' if there else _as(each)}")
        more = "" if there else each.advice if not each.certain else ""
        if more:
            tell(f"{' ' * len(mark)}  {one_line(more)}")
    if len(candidates) > _MOST_SHOWN:
        tell(f"  and {len(candidates) - _MOST_SHOWN} more")


def _as(candidate: Candidate) -> str:
    if not candidate.frameworks:
        return ""
    return f" -> {candidate.framework}" if candidate.certain else f", perhaps for {candidate.framework}"


def _nothing(found: Discovery, new: Sequence[Candidate], context: AdoptionContext) -> CommandError:
    if not found.candidates:
        where = context.root.absolute().name or "this folder"
        return CommandError(f"no model was found in {one_line(where)}", "name it: hatch-wallaroo init --model PATH")
    if not any(each.frameworks for each in new):
        return CommandError("nothing that was found can be taken as it is", "see what is said of each above")
    first = next(each.path for each in new if each.frameworks)
    return CommandError(
        "nothing that was found is certain", f"say which: hatch-wallaroo init --model {one_line(first)}"
    )
