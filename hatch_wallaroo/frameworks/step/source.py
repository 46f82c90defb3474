"""One .py file of a Python step, read as text."""

from __future__ import annotations

import io
import tokenize
from dataclasses import dataclass, field

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.files.sources import Entry
from hatch_wallaroo.findings import Finding, Place, rule
from hatch_wallaroo.frameworks.step.names import Scope, read_module, uses_path
from hatch_wallaroo.frameworks.step.syntax import parse

SYNTAX = rule(
    "WLR447",
    "code that the platform's Python cannot run",
    why="The platform runs the Python of its release, not the one on this machine.",
    source="The release's Python; the Python documentation's What's New pages",
)

_LARGEST = 4 << 20


@dataclass
class StepFile:
    """One .py file as read: `scope` is None where it could not be."""

    path: str
    entry: Entry
    scope: Scope | None = None
    moves_path: bool = False
    findings: list[Finding] = field(default_factory=list)

    def at(self, line: int | None = None, column: int | None = None) -> Place:
        return Place(file=self.entry.name, line=line, column=column)


def read_step(spec: ModelSpec, entry: Entry, path: str) -> StepFile:
    """Read one file: its names, and what the platform's Python makes of it."""
    step = StepFile(path, entry)
    with entry.source.open() as stream:
        data = stream.read(_LARGEST + 1)
    text = _decoded(data)
    if text is None or len(data) > _LARGEST:
        said = "is not UTF-8 text" if text is None else "is larger than 4 MiB"
        step.findings.append(SYNTAX.finding(f"{entry.name} {said}", fix="save it as UTF-8", place=step.at()))
        return step
    try:
        _read(spec, step, text)
    except RecursionError:
        said = f"{entry.name} is nested too deeply to be read"
        step.findings.append(SYNTAX.finding(said, fix="write it in shorter expressions", place=step.at()))
    return step


def _read(spec: ModelSpec, step: StepFile, text: str) -> None:
    entry = step.entry
    tree, newer = parse(text, _version(spec.release.python))
    for each in newer:
        if each.since is None:
            said, fix = f"{entry.name} cannot be parsed: {each.what}", "mend the line"
        else:
            since = ".".join(map(str, each.since))
            said = (
                f"{each.what} needs Python {since}; Wallaroo {spec.release.version} runs Python {spec.release.python}"
            )
            fix = f"write it as Python {spec.release.python} takes it"
        step.findings.append(SYNTAX.finding(said, fix=fix, place=step.at(each.line, each.column)))
    if tree is not None:
        step.scope = read_module(tree)
        step.moves_path = uses_path(tree)


def _decoded(data: bytes) -> str | None:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError):
        return None


def _version(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    return int(major), int(minor)
